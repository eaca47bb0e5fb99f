"""What a simulated AWS begins with, and how it lives on: `begin(world)` once, `live(world)` each second."""

from awsint.sim.scenarios import lively, quiet

SCENARIOS = {"quiet": quiet, "lively": lively}
