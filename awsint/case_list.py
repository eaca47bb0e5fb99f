"""/aws/cases/: every case there ever was in the accounts that its reader may see, and what is the matter with it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Greatest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from awsint import archive, expecting
from awsint.models import Account, CaseLink, Communication, SupportCase
from awsint.wishes import Wish, choice, newest, number, word
from helpdesk.accounts.masking import aws_name, aws_number, customer_names, masks
from helpdesk.accounts.models import Customer, User
from helpdesk.sheets import Sheet, instant
from tickets.case_words import CASE_STATUS
from tickets.models import OPEN, Ticket

# Hours without a word of ours after which an open case may count as stale, and the usual choice.
STALE_HOURS = ("4", "12", "24", "48", "72", "168")
STALE = "24"
# AWS ends a silence by itself; whoever has less than this left is listed.
SOON = timedelta(days=2)
ASKED_US = "pending-customer-action"
KINDS = {
    "open": _l("Open at AWS"),
    "us": _l("Waiting for us"),
    "aws": _l("Waiting for AWS"),
    "stale": _l("Stale: nothing from us for a while"),
    "ending": _l("Soon resolved by AWS, for our silence"),
    "resolved": _l("Resolved at AWS, open here"),
    "archived": _l("From before we looked"),
}
MOST_CHOICES = 500
MOST_ROWS = 100_000


@dataclass(frozen=True)
class Asked(Wish):
    q: str = ""
    kind: str = ""
    hours: str = ""
    customer: str = ""
    account: str = ""
    severity: str = ""

    @classmethod
    def read(cls, get: Mapping[str, str]) -> "Asked":
        kind = choice(get, "kind", KINDS)
        return cls(
            q=word(get, "q"),
            kind=kind,
            hours=(choice(get, "hours", STALE_HOURS) or STALE) if kind == "stale" else "",
            customer=_uuid(get.get("customer", "")),
            account=str(number(get.get("account", "")) or ""),
            severity=choice(get, "severity", expecting.FIRST_ANSWER),
            after=word(get, "after"),
        )


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        return ""


@dataclass(frozen=True)
class Line:
    """A case as its reader sees it. `tickets` are those they may open; an auditor reads their numbers alone.

    `ends_at` is when AWS resolves it, if nobody of us answers.
    """

    case: SupportCase
    title: str
    subject: str
    account: str
    number: str
    customer: str
    tickets: list[Ticket]
    ends_at: datetime | None
    expected_at: datetime | None

    @property
    def words(self) -> Any:
        return CASE_STATUS.get(self.case.status, self.case.status)

    @property
    def turn(self) -> str:
        return turn_of(self.case)

    @property
    def nudged_from(self) -> Ticket | None:
        """The ticket on which AWS may be asked how the case stands."""
        return next((one for one in self.tickets if one.status != "closed"), None) if self.case.is_open else None


def turn_of(case: SupportCase) -> str:
    """Whose turn it is: "us", "aws", or nobody's."""
    if not case.is_open:
        return ""
    return "us" if case.status == ASKED_US else "aws"


def ends_at(case: SupportCase) -> datetime | None:
    """When AWS means to resolve a case that waits for us, counted from its last sign of life."""
    if not case.is_open or case.status != ASKED_US:
        return None
    last: datetime = max(case.status_at, case.said_at or case.status_at)
    return last + expecting.SILENCE_ENDS


# --- Which -----------------------------------------------------------------------------------------------------------


def chosen(user: User, wish: Asked, at: datetime) -> QuerySet[Any]:
    rows = _of_kind(SupportCase.objects.visible_to(user), wish, at)
    if wish.severity:
        rows = rows.filter(severity=wish.severity)
    if wish.account:
        rows = rows.filter(account=int(wish.account))
    if masks(user):
        return rows
    if wish.customer:
        rows = rows.filter(account__customer=UUID(wish.customer))
    return archive.matching(rows, wish.q) if wish.q else rows


def _of_kind(rows: QuerySet[Any], wish: Asked, at: datetime) -> QuerySet[Any]:
    match wish.kind:
        case "open":
            return rows.filter(is_open=True)
        case "us":
            return rows.filter(is_open=True, status=ASKED_US)
        case "aws":
            return rows.filter(is_open=True).exclude(status=ASKED_US)
        case "stale":
            return stale(rows, at - timedelta(hours=int(wish.hours)))
        case "ending":
            return ending(rows, at)
        case "resolved":
            return resolved_there(rows)
        case "archived":
            return rows.filter(archived=True)
    return rows


def stale(rows: QuerySet[Any], since: datetime) -> QuerySet[Any]:
    """Open cases without a word of ours since then, the opening being one."""
    ours = Communication.objects.filter(case=OuterRef("pk"), by_aws=False, created_at__gt=since)
    return rows.filter(~Exists(ours), is_open=True, created_at__lte=since)


def ending(rows: QuerySet[Any], at: datetime) -> QuerySet[Any]:
    """Cases that wait for us and that AWS will soon resolve for our silence, or should have."""
    last = Greatest(F("status_at"), F("said_at"))
    waits: QuerySet[Any] = rows.filter(is_open=True, status=ASKED_US).annotate(last=last)
    return waits.filter(last__lte=at + SOON - expecting.SILENCE_ENDS)


def resolved_there(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Cases that AWS holds for resolved, while a ticket of ours is open."""
    links = CaseLink.objects.filter(ticket__status__in=OPEN).values("case")
    return rows.filter(status="resolved", pk__in=links)


# --- A page of them --------------------------------------------------------------------------------------------------


def page(user: User, wish: Asked, at: datetime) -> tuple[list[Line], str]:
    """The newest cases and the way to further ones. Two statements, one more for words, one where there is none."""
    rows = chosen(user, wish, at).select_related("account__customer").defer("words")
    found, further = newest(rows, "created_at", wish.after)
    return lines(user, found), further and wish.link(after=further)


def lines(user: User, cases: list[SupportCase]) -> list[Line]:
    tickets = tickets_of(user, [case.pk for case in cases])
    names = customer_names(user, {case.account.customer_id for case in cases}) if masks(user) else {}
    return [line(user, case, tickets.get(case.pk, []), names) for case in cases]


def line(user: User, case: SupportCase, tickets: list[Ticket], names: Mapping[UUID, str]) -> Line:
    account, hidden = case.account, masks(user)
    asked = None if case.said_by_aws else case.said_at
    return Line(
        case=case,
        # AWS's own id of a case holds the number of its account.
        title=case.display_id if hidden else str(case),
        subject="" if hidden else case.subject,
        account=aws_name(user, account.pk, account.name),
        number=aws_number(user, account.number),
        customer=names.get(account.customer_id) or account.customer.name,
        tickets=tickets,
        ends_at=ends_at(case),
        expected_at=expecting.expected_at(case.severity, asked) if case.is_open else None,
    )


def tickets_of(user: User, cases: Iterable[int]) -> dict[int, list[Ticket]]:
    """The tickets of each case that this reader may know of, the newest first. One statement, none for no case."""
    wanted = list(cases)
    found: dict[int, list[Ticket]] = defaultdict(list)
    if not wanted:
        return found
    links = CaseLink.objects.filter(case__in=wanted).select_related("ticket")
    if not masks(user):
        links = links.filter(ticket__in=Ticket.objects.visible_to(user))
    for link in links.order_by("-pk"):
        found[link.case_id].append(link.ticket)
    return found


def accounts(user: User) -> QuerySet[Account]:
    """For the filter; none to an auditor."""
    if masks(user):
        return Account.objects.none()
    mine: QuerySet[Account] = Account.objects.visible_to(user).select_related("customer")
    return mine.order_by("customer__name", "name")[:MOST_CHOICES]


def customers(user: User) -> QuerySet[Customer]:
    """Customers with an account, for the filter; none to an auditor."""
    if masks(user):
        return Customer.objects.none()
    theirs = Account.objects.visible_to(user).values("customer")
    return Customer.objects.filter(pk__in=theirs).order_by("name")[:MOST_CHOICES]


def counts(user: User, at: datetime) -> dict[str, int]:
    """How many open cases wait for us, are stale after the usual time, soon end. One statement over open cases."""
    since = at - timedelta(hours=int(STALE))
    ours = Communication.objects.filter(case=OuterRef("pk"), by_aws=False, created_at__gt=since)
    open_ = SupportCase.objects.visible_to(user).filter(is_open=True)
    told = open_.annotate(last=Greatest(F("status_at"), F("said_at"))).aggregate(
        open=Count("pk"),
        us=Count("pk", filter=Q(status=ASKED_US)),
        ending=Count("pk", filter=Q(status=ASKED_US, last__lte=at + SOON - expecting.SILENCE_ENDS)),
        stale=Count("pk", filter=Q(~Exists(ours), created_at__lte=since)),
    )
    return dict(told)


# --- As a file -------------------------------------------------------------------------------------------------------


def sheet(user: User, wish: Asked, at: datetime) -> Sheet:
    """The rows of the list, all pages of it."""
    head = [
        _("Case"), _("Subject"), _("Status"), _("AWS severity"), _("Service"), _("Customer"), _("Account"),
        _("Number"), _("Opened (AWS's time)"), _("Last word"), _("By"), _("Whose turn"), _("AWS ends it"), _("Tickets"),
    ]  # fmt: skip
    return Sheet(_("Cases"), head, _cells(user, wish, at))


def _cells(user: User, wish: Asked, at: datetime) -> Iterator[list[Any]]:
    rows = chosen(user, wish, at).select_related("account__customer").defer("words")
    after = ""
    for _page in range(MOST_ROWS // 1000):
        found, after = newest(rows, "created_at", after, 1000)
        for one in lines(user, found):
            yield _row(user, one)
        if not after:
            return


def _row(user: User, one: Line) -> list[Any]:
    case = one.case
    said = ("AWS" if case.said_by_aws else _("us")) if case.said_at else ""
    return [
        one.title,
        one.subject,
        case.status,
        case.severity,
        case.service,
        one.customer,
        one.account,
        one.number,
        instant(case.created_at, user.zone),
        instant(case.said_at, user.zone),
        said,
        {"us": _("us"), "aws": "AWS"}.get(one.turn, ""),
        instant(one.ends_at, user.zone),
        " ".join(ticket.ref for ticket in one.tickets),
    ]
