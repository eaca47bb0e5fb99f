"""What a simulated AWS begins with, and how it lives on: `begin(world)` once, `resume(world)` where the world
was kept, `live(world)` each second."""

from awsint.sim.scenarios import lively, quiet

SCENARIOS = {"quiet": quiet, "lively": lively}
