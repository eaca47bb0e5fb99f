"""The people every story is told with."""

from dataclasses import dataclass
from datetime import UTC, datetime

from helpdesk.accounts.models import Customer, Membership, User

BORN = datetime(2026, 1, 5, tzinfo=UTC)


@dataclass(frozen=True)
class Cast:
    """Acme and Globex are customers. Gus of Globex is the outsider to everything of Acme's."""

    acme: Customer
    globex: Customer
    ana: User
    lee: User
    ada: User
    abe: User
    audrey: User
    cora: User
    cody: User
    carla: User
    gus: User
    dora: User


def assemble() -> Cast:
    """Writes the cast into the database."""
    acme = Customer.objects.create(name="Acme", code="ACME", language="zh-hans", created_at=BORN)
    globex = Customer.objects.create(name="Globex", code="GLOBEX", language="en", zone="Europe/Berlin", created_at=BORN)
    members = {
        "cora": [(acme, "member")],
        "cody": [(acme, "member")],
        "carla": [(acme, "admin")],
        "gus": [(globex, "member")],
        "dora": [(acme, "admin"), (globex, "member")],
    }
    staff = {"ana": "engineer", "lee": "lead", "ada": "admin", "abe": "admin", "audrey": "auditor"}
    people = {name: _person(name, staff.get(name)) for name in [*staff, *members]}
    for name, belongs in members.items():
        for customer, role in belongs:
            Membership.objects.create(user=people[name], customer=customer, role=role)
    return Cast(acme=acme, globex=globex, **people)


def _person(name: str, role: str | None) -> User:
    language = "zh-hans" if name == "cora" else "en"
    return User.objects.create_user(
        email=f"{name}@desk.example",
        name=name.title(),
        language=language,
        zone="Asia/Shanghai",
        staff_role=role,
        at=BORN,
    )
