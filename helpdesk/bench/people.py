"""Who files and works the many tickets: 400 companies of five people, twelve engineers, and those the pages are seen by.

Four viewers matter. The engineer sees the queue; the trainee has exactly three open tickets. Small is a company with
five tickets in all, Big one with 20,000; each is seen by its administrator.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import NAMESPACE_DNS, uuid5

from django.contrib.auth.hashers import make_password

from helpdesk.accounts.models import Customer, Membership, User
from helpdesk.bench import words
from oncall.families import FAMILIES
from oncall.models import Engineer, Skill

COMPANIES = 400
PEOPLE_EACH = 5
ENGINEERS = 12
ENGINEER = "engineer-0@bench.example"
TRAINEE = f"engineer-{ENGINEERS - 1}@bench.example"
SMALL, BIG = 0, 1
SMALL_ADMIN, BIG_ADMIN = "person-0@bench.example", f"person-{PEOPLE_EACH}@bench.example"


@dataclass(frozen=True)
class Company:
    """Keys only: a customer and its people, the administrator first."""

    key: str
    people: tuple[int, ...]


@dataclass(frozen=True)
class People:
    """The companies in their order (SMALL, BIG, then the rest) and the engineers, the trainee last."""

    companies: list[Company]
    engineers: list[int]


def write(at: datetime, companies: int = COMPANIES) -> People:
    """Makes everybody. Nobody can log in with a password: the bench makes its own sessions."""
    customers = Customer.objects.bulk_create(_customer(n, at) for n in range(companies))
    engineers = User.objects.bulk_create(_engineer(n, at) for n in range(ENGINEERS))
    # Room for all that lies open, however much; and skills, so that somebody is the best for each ticket.
    Engineer.objects.bulk_create(Engineer(user=e, capacity=30_000, languages=["zh", "en"]) for e in engineers)
    Skill.objects.bulk_create(
        Skill(user=e, family=family, level=(n + m) % 4)
        for n, e in enumerate(engineers)
        for m, family in enumerate(FAMILIES)
    )
    people = User.objects.bulk_create(_person(n, at) for n in range(companies * PEOPLE_EACH))
    Membership.objects.bulk_create(
        Membership(user=p, customer=customers[n // PEOPLE_EACH], role="member" if n % PEOPLE_EACH else "admin")
        for n, p in enumerate(people)
    )
    return People(
        [
            Company(str(c.pk), tuple(p.pk for p in people[n * PEOPLE_EACH : (n + 1) * PEOPLE_EACH]))
            for n, c in enumerate(customers)
        ],
        [e.pk for e in engineers],
    )


def _customer(number: int, at: datetime) -> Customer:
    return Customer(
        # The same keys at each load: addresses of lists stay comparable.
        id=uuid5(NAMESPACE_DNS, f"company-{number}.bench.example"),
        name=words.company(number),
        code=f"BENCH{number}",
        language=_language(number),
        created_at=at,
    )


def _engineer(number: int, at: datetime) -> User:
    return User(
        email=f"engineer-{number}@bench.example",
        name=words.person(number * 7),
        language=_language(number),
        staff_role="engineer",
        password=_no_password(),
        created_at=at,
    )


def _person(number: int, at: datetime) -> User:
    return User(
        email=f"person-{number}@bench.example",
        name=words.person(number),
        language=_language(number // PEOPLE_EACH),
        password=_no_password(),
        created_at=at,
    )


def _language(number: int) -> str:
    return "en" if number % 2 else "zh-hans"


def _no_password() -> str:
    return make_password(None)
