"""The demo's accounts and the partner's own organization, without a case; AWS says nothing by itself."""

from awsint.sim.scenarios.accounts import ACCOUNTS, ORGANIZATION, STRANGERS
from awsint.sim.world import World


def begin(world: World) -> None:
    resume(world)


def resume(world: World) -> None:
    """What is missing: a world that was kept may be older than its scenario."""
    for one in ACCOUNTS:
        if one.number not in world.accounts:
            given = {"external_id": one.external_id, "plan": one.plan, "denied": one.denied, "name": one.name}
            world.account(one.number, partition=one.partition, **given)
    world.account(
        ORGANIZATION.number, role=ORGANIZATION.role, external_id=ORGANIZATION.external_id, name=ORGANIZATION.name
    )
    mine = [one.number for one in ACCOUNTS if one.in_organization]
    found = world.organization(ORGANIZATION.number, *mine, *STRANGERS)
    for number, (name, status) in STRANGERS.items():
        found.members[number].name, found.members[number].status = name, status


def live(world: World) -> None:
    """Nothing happens."""
