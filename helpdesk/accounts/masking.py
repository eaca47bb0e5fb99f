"""What people and customers are called to a reader: by name, or by number to an auditor.

This is the one place that does that. An auditor checks promises and not people: a customer is CUST-0001 in the order in
which they came, and stays that; a person is USER-0007 by their number. Nobody else meets these.
"""

from collections.abc import Iterable, Mapping
from uuid import UUID

from django.db import connection

from helpdesk.accounts.models import HOUSE, Customer, StaffRole, User

# The place of a customer in the order of arrival: rows are never removed, so it never changes.
NUMBERED = """
SELECT id, number FROM (SELECT id, row_number() OVER (ORDER BY created_at, id) AS number FROM accounts_customer
    WHERE id <> %s) c
WHERE id = ANY(%s)
"""


def masks(viewer: User) -> bool:
    """Whether names are numbers to this reader."""
    return viewer.staff_role == StaffRole.AUDITOR


def customer_names(viewer: User, ids: Iterable[UUID]) -> dict[UUID, str]:
    """What each customer is called to this reader. One statement, none for nobody."""
    wanted = list(set(ids))
    if not wanted:
        return {}
    if not masks(viewer):
        return dict(Customer.objects.filter(pk__in=wanted).values_list("pk", "name"))
    with connection.cursor() as cursor:
        cursor.execute(NUMBERED, [HOUSE, wanted])
        return {pk: f"CUST-{number:04}" for pk, number in cursor.fetchall()}


def person_names(viewer: User, ids: Iterable[int]) -> dict[int, str]:
    """What each person is called to this reader. One statement, none to an auditor."""
    wanted = set(ids)
    if masks(viewer):
        return {pk: f"USER-{pk:04}" for pk in wanted}
    return dict(User.objects.filter(pk__in=wanted).values_list("pk", "name")) if wanted else {}


def aws_name(viewer: User, pk: int, name: str) -> str:
    """What an AWS account is called to this reader."""
    return f"ACCT-{pk:04}" if masks(viewer) else name


def aws_number(viewer: User, number: str) -> str:
    """The number of an AWS account in groups of four; an auditor reads the last four digits."""
    groups = [number[:4], number[4:8], number[8:]]
    return " ".join(["····", "····", groups[2]] if masks(viewer) else groups)


def scrubbed(text: str, names: Mapping[str, str]) -> str:
    """What somebody typed, with the names of those it is about replaced by numbers: {name: number}."""
    for name in sorted(filter(None, names), key=len, reverse=True):
        text = text.replace(name, names[name])
    return text


def typed_names(customers: Iterable[UUID], people: Iterable[int], viewer: User) -> dict[str, str]:
    """{name: number} of these, for `scrubbed`; empty where this reader reads names. Three statements or none."""
    if not masks(viewer):
        return {}
    numbers = customer_names(viewer, customers)
    found = {name: numbers[pk] for pk, name in Customer.objects.filter(pk__in=numbers).values_list("pk", "name")}
    called = person_names(viewer, people)
    return found | {name: called[pk] for pk, name in User.objects.filter(pk__in=called).values_list("pk", "name")}
