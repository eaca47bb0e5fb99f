"""/aws/health/org: every switch that AWS Health hangs on, as it was looked at last (health_looking.py), and what we
know ourselves now: when each feed was polled last is read from our own rows at each look.
"""

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _

from awsint import doctor, doctor_words, health_list, health_looking
from awsint.doctor import BAD, GOOD, SOON, Finding
from awsint.health_poll import alone
from awsint.models import (
    Account,
    AffectedAccount,
    EventCategory,
    EventStatus,
    HealthReading,
    Hub,
    Look,
    Organization,
    Partition,
)
from helpdesk.accounts.masking import aws_name, aws_number, customer_names, masks
from helpdesk.accounts.models import User, hidden_from

SHOWN = 10
# What was looked at longer ago says little about now.
STALE = timedelta(hours=24)
# So many single accounts that were read too long ago are named.
MOST_LATE = 50
WORST = (GOOD, SOON, BAD)
# What AWS answered about a rule.
ANSWER = ("enabled", "pattern", "targets")
NUMBER = re.compile(r"(?<![0-9])[0-9]{12}(?![0-9])")


# --- The page --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """One check in words. `live` is read from our own rows this moment; `answer` is AWS's, where it gave one."""

    what: str
    state: str
    said: str
    mend: str
    code: str = ""
    text: str = ""
    live: bool = False
    answer: dict[str, Any] = field(default_factory=dict)


@dataclass
class Section:
    """A hub or an organization with its checks; `state` is the worst of them, at most amber where AWS is simulated."""

    about: str
    name: str
    note: str = ""
    reading: HealthReading | None = None
    lines: list[Line] = field(default_factory=list)

    @property
    def state(self) -> str:
        return worst(line.state for line in self.lines)

    @property
    def is_organization(self) -> bool:
        return self.about.startswith("organization:")


def worst(states: Iterable[str]) -> str:
    """Nothing that nobody looked at is well."""
    found = max((WORST.index(state) for state in states), default=1)
    return WORST[max(found, 1) if settings.AWS_IS_SIMULATED else found]


def sections(user: User, look: Look | None, at: datetime) -> list[Section]:
    """What this reader may see, hubs last. Four statements, and one for names."""
    found: dict[str, Section] = {}
    for one in organizations(user):
        found[f"organization:{one.pk}"] = Section(
            f"organization:{one.pk}", one.name, aws_number(user, one.account_number)
        )
    _name_masked(user, found)
    for hub in Hub.objects.filter(is_active=True).order_by("partition"):
        found[f"hub:{hub.pk}"] = Section(f"hub:{hub.pk}", str(hub), aws_number(user, hub.account_number))
    for finding in health_looking.findings_of(look):
        if section := found.get(finding.about) or _nobodys(finding, found):
            section.lines.append(line(user, finding))
    _add_polls(user, found, at)
    return list(found.values())


def organizations(user: User) -> QuerySet[Organization]:
    """The partner's own, and those of customers that somebody may see."""
    rows = Organization.objects.filter(is_active=True).order_by("name", "pk")
    if user.sees_every_customer or masks(user):
        return rows
    return rows.filter(Q(customer=None) | ~Q(customer__in=hidden_from(user)))


def _name_masked(user: User, found: dict[str, Section]) -> None:
    """To an auditor an organization is a number, and says whose it is by code."""
    if not masks(user):
        return
    rows = dict(organizations(user).values_list("pk", "customer"))
    codes = customer_names(user, [one for one in rows.values() if one])
    for pk, customer in rows.items():
        found[f"organization:{pk}"].name = f"ORG-{pk:04}" + (f" {codes[customer]}" if customer else "")


def _nobodys(finding: Finding, found: dict[str, Section]) -> Section | None:
    return found.setdefault("", Section("", _("Hub"))) if not finding.about else None


def line(user: User, finding: Finding, *, live: bool = False) -> Line:
    """A finding as this reader may have it: an auditor reads no words of AWS's, and the end of a number."""
    hidden = masks(user)
    answer: dict[str, Any] = {name: finding.given[name] for name in ANSWER if name in finding.given}
    said = doctor_words.said(finding)
    if hidden:
        said = _ends(said)
        answer |= {"targets": [_ends(one) for one in answer.get("targets", [])]}
    return Line(
        what=doctor_words.what(finding.what),
        state=finding.state,
        said=said,
        mend=doctor_words.mend(finding),
        code=finding.code,
        text="" if hidden else finding.text,
        live=live,
        answer=answer if "enabled" in answer else {},
    )


def _ends(text: str) -> str:
    """Of each account's number in a text the last four digits."""
    return NUMBER.sub(lambda number: "········" + number[0][8:], text)


def _add_polls(user: User, found: dict[str, Section], at: datetime) -> None:
    """When each organization's events were asked for last, from our own rows."""
    pks = [int(about.partition(":")[2]) for about in found if about.startswith("organization:")]
    readings = {one.organization_id: one for one in HealthReading.objects.filter(organization__in=pks)}
    china = set(Organization.objects.filter(pk__in=pks, partition=Partition.CHINA).values_list("pk", flat=True))
    for pk in pks:
        about = f"organization:{pk}"
        if pk not in china:
            found[about].reading = readings.get(pk)
            polled = doctor.poll(about, readings.get(pk) or HealthReading(), at)
            found[about].lines.insert(0, line(user, polled, live=True))


# --- Accounts that are read by themselves ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Late:
    """An account that was not read within the time; `code` is what AWS answered."""

    name: str
    number: str
    read_at: datetime | None
    code: str


@dataclass(frozen=True)
class Single:
    """A partition whose accounts are read by themselves: AWS China has no organization view (aws.md, 2.3)."""

    partition: str
    count: int
    late: list[Late]
    late_count: int

    @property
    def label(self) -> str:
        return str(Partition(self.partition).label)

    @property
    def is_china(self) -> bool:
        return self.partition == Partition.CHINA

    @property
    def state(self) -> str:
        return worst([BAD if self.late_count else GOOD])


def singles(user: User, at: datetime) -> list[Single]:
    """Accounts outside organizations, by partition, and those of them not read within the time. Two statements."""
    seen = Account.objects.visible_to(user).values("pk")
    rows = alone().filter(pk__in=seen)
    late = Q(health_reading=None) | Q(health_reading__read_at=None) | Q(health_reading__read_at__lt=at - doctor.LATE)
    sums = rows.values("partition").annotate(n=Count("pk"), late=Count("pk", filter=late)).order_by("partition")
    found = [(row["partition"], row["n"], row["late"]) for row in sums]
    named: dict[str, list[Late]] = {}
    if any(n for _partition, _count, n in found):
        for one in rows.filter(late).select_related("health_reading").order_by("partition", "number")[:MOST_LATE]:
            named.setdefault(one.partition, []).append(_late(user, one))
    return [Single(partition, count, named.get(partition, []), n) for partition, count, n in found]


def _late(user: User, account: Account) -> Late:
    reading: HealthReading | None = getattr(account, "health_reading", None)
    name, number = aws_name(user, account.pk, account.name), aws_number(user, account.number)
    return Late(name, number, reading.read_at if reading else None, reading.code if reading else "")


# --- Open events -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Open:
    """How many events of a category are open or to come: all that the reader may see, and of each organization."""

    category: str
    label: str
    count: int
    by_organization: dict[str, int]


def open_events(user: User) -> list[Open]:
    """By category, the known ones first. Two statements."""
    rows = health_list.known_to(user).filter(status__in=[EventStatus.OPEN, EventStatus.UPCOMING], expired_at=None)
    sums = dict(rows.order_by().values_list("category").annotate(n=Count("pk")))
    theirs: dict[str, dict[str, int]] = {}
    for category, organization, count in _by_organization(user):
        theirs.setdefault(category, {})[f"organization:{organization}"] = count
    known = [(one.value, str(one.label)) for one in EventCategory]
    other = [(name, name) for name in sorted(sums) if name not in EventCategory.values]
    return [Open(name, label, sums.get(name, 0), theirs.get(name, {})) for name, label in known + other]


def _by_organization(user: User) -> Iterable[tuple[str, int, int]]:
    current = Q(event__status__in=[EventStatus.OPEN, EventStatus.UPCOMING], event__expired_at=None)
    rows = AffectedAccount.objects.filter(current, account__organization__in=organizations(user).values("pk"))
    rows = rows.filter(account__in=Account.objects.visible_to(user).values("pk")).order_by()
    return rows.values_list("event__category", "account__organization").annotate(n=Count("event", distinct=True))


# --- As a file -------------------------------------------------------------------------------------------------------


def as_json(user: User, look: Look | None, at: datetime) -> dict[str, Any]:
    """What the page says, for the evidence (E6.1, E6.4)."""
    told = [
        {"name": one.name, "number": one.note, "state": one.state, "checks": [asdict(line) for line in one.lines]}
        for one in sections(user, look, at)
    ]
    single = [{"partition": one.partition, "accounts": one.count, "late": one.late_count} for one in singles(user, at)]
    return {
        "made_at": at.isoformat(),
        "looked_at": look.at.isoformat() if look and look.at else None,
        "simulated": settings.AWS_IS_SIMULATED,
        "sections": told,
        "accounts_read_by_themselves": single,
        "open_events": {one.category: one.count for one in open_events(user)},
    }
