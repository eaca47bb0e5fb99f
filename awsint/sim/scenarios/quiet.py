"""The demo's accounts, without a case; AWS says nothing by itself."""

from awsint.sim.scenarios.accounts import ACCOUNTS
from awsint.sim.world import World


def begin(world: World) -> None:
    for one in ACCOUNTS:
        world.account(
            one.number,
            partition=one.partition,
            external_id=one.external_id,
            plan=one.plan,
            denied=one.denied,
            name=one.name,
        )


def live(world: World) -> None:
    """Nothing happens."""
