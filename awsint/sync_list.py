"""/aws/sync: what each reading changed, how long after AWS's own time we saw it, and how many letters that wrote."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from awsint.models import Account, Change, Via
from awsint.wishes import ROWS, Wish, choice, customer_key, digits, number, word
from helpdesk.accounts.masking import aws_name, aws_number, customer_names, masks
from helpdesk.accounts.models import Customer, User
from helpdesk.sheets import Cell, Sheet, instant

# The lags that are reckoned with: those of the newest changes.
NEWEST = 1000
# What a file holds at most.
MOST_ROWS = 100_000
# These have a time of AWS that says when they happened.
TIMED = [Change.What.CASE, Change.What.COMMUNICATION]


@dataclass(frozen=True)
class Asked(Wish):
    what: str = ""
    via: str = ""
    customer: str = ""
    q: str = ""

    @classmethod
    def read(cls, get: Mapping[str, str]) -> "Asked":
        return cls(
            what=choice(get, "what", Change.What.values),
            via=choice(get, "via", Via.values),
            customer=customer_key(get),
            q=word(get, "q"),
            after=word(get, "after"),
        )


@dataclass(frozen=True)
class Line:
    """A change as its reader sees it; `lag` is None where AWS gives no time or the account was read the first time."""

    change: Change
    account: str
    number: str
    customer: str
    case: str
    lag: timedelta | None


def chosen(user: User, wish: Asked) -> QuerySet[Change]:
    rows = Change.objects.filter(account__in=Account.objects.visible_to(user))
    if wish.what:
        rows = rows.filter(what=wish.what)
    if wish.via:
        rows = rows.filter(via=wish.via)
    if masks(user):
        return rows
    if wish.customer:
        rows = rows.filter(account__customer=UUID(wish.customer))
    return _named(rows, wish.q) if wish.q else rows


def _named(rows: QuerySet[Change], words: str) -> QuerySet[Change]:
    if words.upper().startswith("HD"):
        return rows.filter(ticket=words.upper())
    if len(found := digits(words)) == 12 and Account.objects.filter(number=found).exists():
        return rows.filter(account__number=found)
    return rows.filter(case__display_id=found or words)


def page(user: User, wish: Asked) -> tuple[list[Line], str]:
    """The newest changes and the way to further ones. Two statements to an auditor, else one."""
    rows = chosen(user, wish).select_related("account__customer", "case")
    if (last := number(wish.after)) is not None:
        rows = rows.filter(pk__lt=last)
    found = list(rows.order_by("-pk")[: ROWS + 1])
    kept = found[:ROWS]
    further = wish.link(after=str(kept[-1].pk)) if len(found) > ROWS else ""
    return _lines(user, kept), further


def _lines(user: User, changes: list[Change]) -> list[Line]:
    names = customer_names(user, {change.account.customer_id for change in changes}) if masks(user) else {}
    return [
        Line(
            change=change,
            account=aws_name(user, change.account_id, change.account.name),
            number=aws_number(user, change.account.number),
            customer=names.get(change.account.customer_id) or change.account.customer.name,
            case=_case(user, change),
            lag=lag(change),
        )
        for change in changes
    ]


def _case(user: User, change: Change) -> str:
    """AWS's own id of a case holds the number of its account: none to an auditor."""
    if change.case is None:
        return ""
    return change.case.display_id if masks(user) else str(change.case)


def lag(change: Change) -> timedelta | None:
    """From AWS's time to ours. The two clocks may differ by a moment: nothing is decided by this."""
    if change.aws_at is None or change.via == Via.FIRST or change.what not in TIMED:
        return None
    return max(change.at - change.aws_at, timedelta(0))


LAGS = """
SELECT via, count(*),
    percentile_cont(0.5) WITHIN GROUP (ORDER BY lag), percentile_cont(0.95) WITHIN GROUP (ORDER BY lag)
FROM (SELECT via, greatest(0, extract(epoch FROM at - aws_at)) AS lag FROM awsint_change
    WHERE aws_at IS NOT NULL AND what = ANY(%s) AND via = ANY(%s) ORDER BY id DESC LIMIT %s) newest
GROUP BY via ORDER BY via
"""


def lags() -> list[tuple[str, int, timedelta, timedelta]]:
    """How we came to know, how often, and how long after AWS's time: half of them and 95 of 100 within. One statement.

    Over all accounts: it tells of none of them.
    """
    with connection.cursor() as cursor:
        cursor.execute(LAGS, [[str(what) for what in TIMED], [str(Via.PUSH), str(Via.POLL)], NEWEST])
        return [
            (str(Via(via).label), count, timedelta(seconds=float(half)), timedelta(seconds=float(most)))
            for via, count, half, most in cursor.fetchall()
        ]


def customers(user: User) -> QuerySet[Customer]:
    """Customers with an account, for the filter; none to an auditor."""
    if masks(user):
        return Customer.objects.none()
    theirs = Account.objects.visible_to(user).values("customer")
    return Customer.objects.filter(pk__in=theirs).order_by("name")[:500]


# --- As a file -------------------------------------------------------------------------------------------------------


def sheet(user: User, wish: Asked) -> Sheet:
    """The rows of the list, all pages of it."""
    head = [
        _("Seen"), _("AWS's time"), _("Lag in seconds"), _("What"), _("From"), _("To"), _("How"), _("Customer"),
        _("Account"), _("Number"), _("Case"), _("Ticket"), _("Letters"),
    ]  # fmt: skip
    return Sheet(_("Sync"), head, _cells(user, wish))


def _cells(user: User, wish: Asked) -> Iterator[list[Cell]]:
    last: int | None = None
    for _page in range(MOST_ROWS // 1000):
        rows = chosen(user, wish).select_related("account__customer", "case")
        found = list((rows if last is None else rows.filter(pk__lt=last)).order_by("-pk")[:1000])
        for line in _lines(user, found):
            yield _cell(user, line)
        if len(found) < 1000:
            return
        last = found[-1].pk


def _cell(user: User, line: Line) -> list[Any]:
    change = line.change
    return [
        instant(change.at, user.zone),
        instant(change.aws_at, user.zone),
        round(line.lag.total_seconds()) if line.lag is not None else None,
        change.get_what_display(),
        change.old,
        change.new,
        change.get_via_display(),
        line.customer,
        line.account,
        line.number,
        line.case,
        change.ticket,
        change.told,
    ]
