"""Lists of tickets: what was asked for, which rows answer it, and where the next page begins.

A page is a keyset: its cursor is the sort key of a row, so that page 400 costs what page 1 costs, and a row that moves
meanwhile is neither shown twice nor skipped by the others. There is no page number and no total; a view's count is
capped, all views' counts are one statement.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import F, QuerySet
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan, TupleLessThan
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from helpdesk.accounts.models import Customer, User
from helpdesk.kept import fetched, with_blanks
from sla import clocks
from sla.models import Priority
from tickets import tagging
from tickets.access import in_order
from tickets.models import OPEN, Status, Ticket, Turn
from tickets.workflow import Refused

ROWS = 25
CAP = 100
VIEWS: dict[str, Any] = {
    "mine": _l("Assigned to me"),
    "open": _l("All open"),
    "overdue": _l("Overdue"),
    "unassigned": _l("Unassigned"),
    "waiting": _l("With customer"),
    "aws": _l("Waiting for AWS"),
    "resolved": _l("Resolved"),
    "all": _l("All tickets"),
}
# Counting all tickets would say nothing.
COUNTED = ["mine", "open", "overdue", "unassigned", "waiting", "aws"]
STATUSES: dict[str, list[str]] = {
    "waiting": [Status.WAITING_CUSTOMER],
    "aws": [Status.NEW, Status.IN_PROGRESS],
    "resolved": [Status.RESOLVED],
    "all": [],
}
# Filed within so many days.
SINCE: dict[str, Any] = {"7": _l("Past week"), "31": _l("Past month"), "366": _l("Past year")}


@dataclass(frozen=True)
class Wish:
    """What a list's address asks for. Anything unknown in it is as if it were not there."""

    view: str = "open"
    q: str = ""
    status: tuple[str, ...] = ()
    priority: tuple[str, ...] = ()
    customer: str = ""
    assignee: str = ""
    tag: tuple[str, ...] = ()
    since: str = ""
    mine: str = ""
    sort: str = "due"
    after: str = ""
    before: str = ""

    @classmethod
    def read(cls, get: QueryDict) -> "Wish":
        view, sort = get.get("view", "open"), get.get("sort", "due")
        return cls(
            view=view if view in VIEWS else "open",
            q=" ".join(get.get("q", "").replace("\x00", "").split())[:200],
            status=tuple(s for s in get.getlist("status") if s in Status.values),
            priority=tuple(p[:20] for p in get.getlist("priority") if p.replace("_", "-").replace("-", "").isalnum()),
            customer=_uuid(get.get("customer", "")),
            assignee=_assignee(get.get("assignee", "")),
            tag=tuple(dict.fromkeys(_tags(get.getlist("tag")))),
            since=get.get("since", "") if get.get("since") in SINCE else "",
            mine="1" if get.get("mine") == "1" else "",
            sort=sort if sort in ("due", "newest") else "due",
            after=get.get("after", ""),
            before=get.get("before", ""),
        )

    @property
    def statuses(self) -> list[str]:
        """The statuses meant; none stands for any. Those ticked win over the view's."""
        return list(self.status) or STATUSES.get(self.view, list(OPEN))

    @property
    def only_open(self) -> bool:
        return bool(self.statuses) and set(self.statuses) <= set(OPEN)

    @property
    def by_due(self) -> bool:
        """Only open tickets have something that runs out."""
        return self.sort == "due" and self.only_open

    @property
    def is_filtered(self) -> bool:
        return bool(self.q or self.is_narrowed)

    @property
    def is_narrowed(self) -> bool:
        return bool(
            self.status or self.priority or self.customer or self.assignee or self.tag or self.since or self.mine
        )

    def link(self, **changes: Any) -> str:
        """The address of this list with something changed; cursors do not survive a change."""
        wish = replace(self, **({"after": "", "before": ""} | changes))
        plain = {"view": "open", "sort": "due"}
        pairs = [
            (name, value)
            for name in (
                "view",
                "q",
                "status",
                "priority",
                "customer",
                "assignee",
                "tag",
                "since",
                "mine",
                "sort",
                "after",
                "before",
            )
            for value in _values(getattr(wish, name))
            if value and plain.get(name) != value
        ]
        return "?" + urlencode(pairs)


def _values(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else (value,)


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        return ""


def _tags(values: list[str]) -> Iterator[str]:
    # A field may hold several, as on a ticket; whoever writes an address by hand may write too much.
    for value in values[: tagging.MOST]:
        try:
            yield from tagging.names_in(value.replace("\x00", ""))
        except Refused:
            continue


def _assignee(text: str) -> str:
    return text if text in ("me", "none") or (text.isdecimal() and text.isascii() and len(text) < 10) else ""


# --- Which rows ------------------------------------------------------------------------------------------------------


def chosen(base: "QuerySet[Ticket]", wish: Wish, user: User, at: datetime) -> "QuerySet[Ticket]":
    """The rows of `base` that a wish's filters mean, in no order yet; its words are for search.py."""
    rows = base
    if wish.statuses:
        rows = rows.filter(status__in=wish.statuses)
    if wish.only_open and len(wish.statuses) < len(OPEN) and wish.statuses != [Status.WAITING_CUSTOMER]:
        # Said again in the words of the partial indexes, so that they may serve.
        rows = rows.filter(status__in=OPEN)
    rows = _in_view(rows, wish.view, user, at)
    if wish.priority:
        rows = rows.filter(priority__code__in=wish.priority)
    if wish.customer:
        rows = rows.filter(customer=UUID(wish.customer))
    if wish.assignee:
        rows = rows.filter(assigned_to=_person(wish.assignee, user))
    if wish.tag:
        rows = _tagged(rows, wish.tag)
    if wish.mine:
        rows = rows.filter(requester=user)
    return rows.filter(created_at__gte=at - timedelta(days=int(wish.since))) if wish.since else rows


def _tagged(rows: "QuerySet[Ticket]", names: tuple[str, ...]) -> "QuerySet[Ticket]":
    """Those that have every one of these tags; the index holds tickets that have some."""
    known = tagging.numbers(names)
    return rows.exclude(tags=[]).filter(tags__contains=known) if len(known) == len(names) else rows.none()


def _person(assignee: str, user: User) -> int | None:
    named = {"me": user.pk, "none": None}
    return named[assignee] if assignee in named else int(assignee)


def _in_view(rows: "QuerySet[Ticket]", view: str, user: User, at: datetime) -> "QuerySet[Ticket]":
    match view:
        case "mine":
            return rows.filter(assigned_to=user)
        case "unassigned":
            return rows.filter(assigned_to__isnull=True)
        case "overdue":
            return rows.filter(queue_at__lt=at)
        case "aws":
            return rows.filter(case_turn=Turn.AWS)
    return rows


# --- Pages -----------------------------------------------------------------------------------------------------------


@dataclass
class Page:
    """One page of a list. `before` and `after` are cursors, empty where nothing lies on that side."""

    rows: list[Ticket]
    before: str = ""
    after: str = ""
    groups: list["Group"] = field(default_factory=list)


def page(
    rows: "QuerySet[Ticket] | list[QuerySet[Ticket]]", wish: Wish, *related: str, only: list[str] | None = None
) -> Page:
    """The page that the wish's cursor points at; a cursor that says nothing points at the first. One statement.

    Rows may come in parts (access.parts_visible_to); `related` are read with them, of all of it `only` some columns.
    """
    key = _read_cursor(wish.after or wish.before, wish.by_due)
    backwards = bool(key and not wish.after)
    parts = rows if isinstance(rows, list) else [rows]
    if key:
        parts = [_beyond(part, key, wish.by_due, backwards) for part in parts]
    found = first_rows(parts, wish, *related, backwards=backwards)
    return cut(list(found.only(*only) if only else found), wish)


def first_rows(
    parts: "list[QuerySet[Ticket]]", wish: Wish, *related: str, backwards: bool = False
) -> "QuerySet[Ticket]":
    """As many as a page shows and one more, which says that there are more."""
    return in_order(parts, _order(wish.by_due, backwards), ROWS + 1, *related)


def cut(taken: list[Ticket], wish: Wish) -> Page:
    """The page of these rows, and where it goes on."""
    key = _read_cursor(wish.after or wish.before, wish.by_due)
    backwards = bool(key and not wish.after)
    more, taken = len(taken) > ROWS, taken[:ROWS]
    if backwards:
        taken.reverse()
    if not taken:
        return Page([])
    earlier, later = (more, True) if backwards else (bool(key), more)
    return Page(
        taken,
        before=_cursor(taken[0], wish.by_due) if earlier else "",
        after=_cursor(taken[-1], wish.by_due) if later else "",
    )


def _order(by_due: bool, backwards: bool) -> list[str]:
    order = ["queue_at", "id"] if by_due else ["-id"]
    return [o.removeprefix("-") if o.startswith("-") else f"-{o}" for o in order] if backwards else order


def _beyond(rows: "QuerySet[Ticket]", key: tuple[Any, ...], by_due: bool, backwards: bool) -> "QuerySet[Ticket]":
    if not by_due:
        return rows.filter(pk__gt=key[0]) if backwards else rows.filter(pk__lt=key[0])
    # A row comparison is an index condition; the same said with OR would only filter.
    lookup = TupleLessThan if backwards else TupleGreaterThan
    return rows.filter(lookup(Tuple(F("queue_at"), F("id")), key))


def beyond(rows: "QuerySet[Ticket]", wish: Wish, *cursors: str, back: bool) -> "QuerySet[Ticket]":
    """The rows after (before) the first of these cursors that says something; all of them where none does."""
    key = next(filter(None, (_read_cursor(c, wish.by_due) for c in cursors)), None)
    if key:
        rows = _beyond(rows, key, wish.by_due, back)
    return rows.order_by(*_order(wish.by_due, back))


def cursor(ticket: Ticket, wish: Wish) -> str:
    """Where a ticket stands in a wish's order."""
    return _cursor(ticket, wish.by_due)


def _cursor(ticket: Ticket, by_due: bool) -> str:
    return f"{ticket.queue_at.isoformat()},{ticket.pk}" if by_due else str(ticket.pk)


def _read_cursor(text: str, by_due: bool) -> tuple[Any, ...] | None:
    at, _comma, number = text.rpartition(",")
    if not (number.isdecimal() and number.isascii() and len(number) < 19) or bool(at) != by_due:
        return None
    if not by_due:
        return (int(number),)
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        return None
    return (moment, int(number)) if moment.tzinfo else None


def remember_paused(rows: list[Ticket]) -> None:
    """Gives waiting tickets what remains of their promise as `remaining_s`. One statement, none where none waits."""
    paused = [t for t in rows if t.status == Status.WAITING_CUSTOMER and not t.sla_due_at]
    if not paused:
        return
    known = clocks.of_subjects([t.ref for t in paused])
    for ticket in paused:
        left = [c.remaining_s for c in known.get(ticket.ref, []) if c.verdict == "paused"]
        ticket.remaining_s = left[0] if left else None  # type: ignore[attr-defined]


# --- Groups and counts -----------------------------------------------------------------------------------------------


@dataclass
class Group:
    """Rows that run out at about the same time. `count` is empty where the group may go on beyond the page."""

    name: str
    label: str
    rows: list[Ticket] = field(default_factory=list)
    count: str = ""


def grouped(found: Page, wish: Wish, at: datetime) -> list[Group]:
    """The rows of a page in due order, under the headings one thinks in; any other order has one group, unnamed."""
    if not wish.by_due:
        return [Group("", "", found.rows)]
    groups: list[Group] = []
    labels = _group_labels()
    for ticket in found.rows:
        name = _group_of(ticket, at)
        if not groups or groups[-1].name != name:
            groups.append(Group(name, labels[name]))
        groups[-1].rows.append(ticket)
    for place, group in enumerate(groups):
        cut = (place == 0 and found.before) or (place == len(groups) - 1 and found.after)
        group.count = "" if cut else str(len(group.rows))
    return groups


def _group_of(ticket: Ticket, at: datetime) -> str:
    due = ticket.sla_due_at
    if due is None:
        return "none"
    if due < at:
        return "late"
    if due - at <= timedelta(hours=1):
        return "soon"
    return "today" if timezone.localtime(due).date() == timezone.localtime(at).date() else "later"


def _group_labels() -> dict[str, str]:
    return {
        "late": _("Overdue"),
        "soon": _("Due within the hour"),
        "today": _("Today"),
        "later": _("Tomorrow and later"),
        "none": _("Paused, no due time"),
    }


def counts(user: User, at: datetime) -> dict[str, int]:
    """How many tickets each counted view of the desk holds, up to CAP: one statement, whatever the table's size."""
    sql, params = _counting("lead" if user.sees_every_customer else "engineer")
    found = fetched(sql, [(user.pk, at)[blank] for blank in params])
    return dict(zip(COUNTED, found[0], strict=True))


# Stand for the person and the instant in a statement that is built once.
ANYBODY = -1
ANY_TIME = datetime(1, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=2)
def _counting(role: str) -> tuple[str, list[int]]:
    parts: list[str] = []
    params: list[Any] = []
    anybody = User(pk=ANYBODY, staff_role=role)
    for view in COUNTED:
        rows = chosen(Ticket.objects.visible_to(anybody), Wish(view=view), anybody, ANY_TIME)
        # By due, so that a plan made for anybody takes the index of whoever asks: many have few of many tickets.
        rows = rows.order_by(*_order(True, False)) if view == "mine" else rows.order_by()
        sql, given = rows.values("pk")[:CAP].query.sql_with_params()
        # The text is the ORM's own, with its parameters beside it.
        parts.append(f"(SELECT count(*) FROM ({sql}) AS one)")  # noqa: S608
        params += given
    return with_blanks(f"SELECT {', '.join(parts)}", params, [ANYBODY, ANY_TIME])


def shown(count: int) -> str:
    """ "99+" from the cap on."""
    return f"{CAP - 1}+" if count >= CAP else str(count)


def next_due(base: "QuerySet[Ticket]", at: datetime) -> Ticket | None:
    """The next ticket that will run out: what an empty list of overdue ones says instead."""
    ahead = base.filter(status__in=OPEN, queue_at__gte=at, sla_due_at__isnull=False)
    return ahead.order_by("queue_at", "id").first()


# --- Filters as chips ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Chip:
    """One filter in words, and the address of the list without it."""

    label: str
    value: str
    link: str


def chips(wish: Wish, user: User) -> Iterator[Chip]:
    """The filters in force; asks for a name only where one is filtered by."""
    if wish.q:
        yield Chip(_("Search"), wish.q, wish.link(q=""))
    if wish.status:
        yield Chip(_("Status"), _join(str(Status(s).label) for s in wish.status), wish.link(status=()))
    if wish.priority:
        labels = [p.label for p in Priority.objects.filter(code__in=wish.priority)]
        yield Chip(_("Priority"), _join(labels) or "—", wish.link(priority=()))
    if wish.customer:
        name = Customer.objects.known_to(user).filter(pk=wish.customer).values_list("name", flat=True).first()
        yield Chip(_("Customer"), name or "—", wish.link(customer=""))
    if wish.assignee:
        yield Chip(_("Assignee"), _assignee_words(wish.assignee), wish.link(assignee=""))
    for name in wish.tag:
        yield Chip(_("Tag"), name, wish.link(tag=tuple(t for t in wish.tag if t != name)))
    if wish.since:
        yield Chip(_("Filed"), str(SINCE[wish.since]), wish.link(since=""))


def _assignee_words(assignee: str) -> str:
    named = {"me": _("me"), "none": _("nobody")}
    return named.get(assignee) or User.objects.filter(pk=assignee).values_list("name", flat=True).first() or "—"


def _join(words: Any) -> str:
    return _(", ").join(words)
