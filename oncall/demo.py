"""What the demo's engineers can, and when one of them is away: called by `seed_demo` after the people are made."""

from datetime import datetime, time, timedelta

from django.utils import timezone

from helpdesk.accounts import teams
from helpdesk.accounts.models import Customer, User
from oncall import actions
from oncall.models import Engineer

# Address, capacity, languages, level by family.
ENGINEERS: list[tuple[str, int, list[str], dict[str, int]]] = [
    (
        "ana@desk.example",
        24,
        ["en"],
        {"database": 3, "security": 3, "serverless": 2, "network": 1, "billing": 1, "compute": 2},
    ),
    (
        "limin@desk.example",
        28,
        ["en", "zh"],
        {"containers": 3, "network": 3, "database": 2, "compute": 2, "billing": 2, "serverless": 2, "ai": 1},
    ),
    ("tomas@desk.example", 20, ["en"], {"network": 3, "compute": 2, "migration": 2, "storage": 2, "management": 1}),
    ("priya@desk.example", 20, ["en"], {"containers": 3, "ai": 3, "analytics": 2, "serverless": 2, "security": 1}),
    ("zhaochen@desk.example", 22, ["zh", "en"], {"database": 3, "analytics": 3, "storage": 2, "migration": 2}),
    ("hanxue@desk.example", 18, ["zh"], {"billing": 3, "security": 2, "management": 3, "storage": 1, "network": 1}),
]
# Who is the named engineer of whom, by address and company's code.
NAMED = [("ana@desk.example", "ACME"), ("limin@desk.example", "HAITUO")]


def seed(*, at: datetime, since: datetime) -> None:
    """Writes what is missing, as of `since`, and a leave that is still to come at `at`; twice is as once."""
    lead = User.objects.staff().filter(staff_role="lead").first()
    if lead is None or Engineer.objects.exists():
        return
    people = {u.email: u for u in User.objects.staff()}
    for email, capacity, languages, skills in ENGINEERS:
        actions.set_engineer(
            person=people[email], capacity=capacity, languages=languages, skills=skills, by=lead, at=since
        )
    for email, code in NAMED:
        customer = Customer.objects.get(code=code)
        teams.join_team(person=people[email], customer=customer, named=True, by=lead, at=since)
    _away(people["limin@desk.example"], at)


def _away(person: User, at: datetime) -> None:
    """A week's leave from Monday after next."""
    today = timezone.localtime(at, person.tz).date()
    monday = today + timedelta(days=14 - today.weekday())
    first = datetime.combine(monday, time.min, person.tz)
    actions.add_leave(person=person, starts_at=first, ends_at=first + timedelta(days=5), by=person, at=at)
