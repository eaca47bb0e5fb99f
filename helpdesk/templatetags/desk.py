"""How the desk says things: icons, marks, faces, times and what is left of a promise.

Every state is said as a shape and a word before it is a colour (looks.md). Times are the reader's, in the reader's
zone. What is left of a running clock counts down in the page (static/js/countdown.js) with the words `words` gives, so
script and server say the same.
"""

import json
import re
import unicodedata
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from babel import dates
from django import template
from django.template import Context
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, ngettext, pgettext
from django.utils.translation import gettext as _

from helpdesk.accounts import permissions

register = template.Library()

SOON_S = 3600
HOURS_ONLY_S = 10 * 3600
STATUS_ICONS = {
    "new": "s-new",
    "in_progress": "s-progress",
    "waiting_customer": "s-waiting",
    "resolved": "s-resolved",
    "closed": "s-closed",
}
# A day of the year and of the week as each language writes them; Babel supplies the names.
DAY_FORMS = {"zh_Hans": "M 月 d 日", "en": "d MMM"}


# --- Marks -----------------------------------------------------------------------------------------------------------


@register.simple_tag
@lru_cache(maxsize=256)
def icon(name: str, size: str = "s") -> SafeString:
    """A shape of the sprite; 16 px beside text, 20 px with size "l". Never alone without a word for it."""
    classes = "icon icon-s" if size == "s" else "icon"
    return format_html(
        '<svg class="{}" aria-hidden="true"><use href="{}#{}"/></svg>', classes, static("icons.svg"), name
    )


@register.simple_tag
@lru_cache(maxsize=64)
def asset(name: str) -> str:
    """The address of a static file, with the hash of its content in it; asked for once per process."""
    return static(name)


@register.simple_tag
def comma() -> str:
    """What stands between two parts that are put side by side, in the reader's punctuation."""
    return "，" if _locale() == "zh_Hans" else ", "


@register.simple_tag
def prio(priority: Any) -> SafeString:
    """A priority: bars and a word."""
    return _mark("prio", "rank", str(priority.rank), priority.icon, priority.label)


@register.simple_tag
def status(ticket: Any) -> SafeString:
    """A ticket's status: a filling circle and a word."""
    key = (ticket.status, get_language())
    if key not in _statuses:
        label = str(ticket.get_status_display())
        _statuses[key] = _mark("status", "status", ticket.status, STATUS_ICONS[ticket.status], label)
    return _statuses[key]


# Five statuses in two languages, said twenty-five times a page.
_statuses: dict[tuple[str, str | None], SafeString] = {}


@lru_cache(maxsize=256)
def _mark(kind: str, attribute: str, value: str, shape: str, label: str) -> SafeString:
    return format_html('<span class="{}" data-{}="{}">{}{}</span>', kind, attribute, value, icon(shape, "l"), label)


@register.simple_tag
def face(person: Any, size: str = "", presence: str = "") -> SafeString:
    """Whose words these are, at a glance, or who is here; the name always stands beside it."""
    return _face(str(person), "face face-l" if size == "l" else "face", presence)


@lru_cache(maxsize=1024)
def _face(name: str, classes: str, presence: str) -> SafeString:
    if presence:
        marked = '<span class="{}" aria-hidden="true" data-presence="{}">{}</span>'
        return format_html(marked, classes, presence, initials(name))
    return format_html('<span class="{}" aria-hidden="true">{}</span>', classes, initials(name))


def initials(name: str) -> str:
    """One Han character, or two Latin letters."""
    # Of a name with an address or a role behind it, as AWS writes it, the name.
    words = re.split(r"\s*[(<]", name, maxsplit=1)[0].split() or name.split()
    if not words:
        return "?"
    if unicodedata.east_asian_width(words[0][0]) in "WF":
        return words[0][0]
    both = words[0][0] + words[-1][0] if len(words) > 1 else words[0][:2]
    return both.upper()


@register.simple_tag(takes_context=True)
def once_field(context: Context, verb: str = "") -> SafeString:
    """The key that makes a form count once, however often it is sent; several forms of a page differ by their verb."""
    key = "-".join(filter(None, [context.get("once", ""), verb]))
    return format_html('<input type="hidden" name="once" value="{}">', key)


# --- Undo ------------------------------------------------------------------------------------------------------------


def undo_tags(ref: str, until: datetime) -> str:
    """What a message for the next page carries, so that it offers to take a reply back."""
    return f"undo {ref} {until.isoformat()}"


@register.simple_tag(takes_context=True)
def undo_of(context: Context, message: Any) -> dict[str, Any] | None:
    """The ticket, the instant and the seconds left, where a message offers to take a reply back and can still do it."""
    word, _space, said = (message.extra_tags or "").partition(" ")
    if word != "undo":
        return None
    ref, _space, until = said.partition(" ")
    left = round(left_s(datetime.fromisoformat(until), context["now"]))
    return {"ref": ref, "until": until, "left": left} if left > 0 else None


# --- Times -----------------------------------------------------------------------------------------------------------


@register.simple_tag(takes_context=True)
def when(context: Context, at: datetime | None, style: str = "") -> SafeString:
    """An instant in the reader's zone: "14:20", "Tomorrow 09:30", "Wed 07:08", "25 Nov", "2026-11-25".

    Style "time" keeps the time of day on every date, "day" also says "Today"; "in" and "on" are the same two inside a
    sentence.
    """
    if at is None:
        return mark_safe("—")
    zone, now = timezone.get_current_timezone(), context.get("now")
    return _when(at.astimezone(zone), str(zone), now and now.astimezone(zone).date(), style, get_language())


@lru_cache(maxsize=4096)
def _when(local: datetime, zone: str, today: date | None, style: str, _language: str | None) -> SafeString:
    # Digits and our own words: nothing in it needs escaping.
    exact = f"{local.isoformat(' ')[:19]} {zone}"
    return SafeString(f'<time datetime="{local.isoformat()}" title="{exact}">{_said(local, today, style)}</time>')


def said(at: datetime, now: datetime | None, style: str = "") -> str:
    """The words of `when`."""
    return _said(timezone.localtime(at), timezone.localtime(now).date() if now else None, style)


def _said(local: datetime, today: date | None, style: str) -> str:
    time = local.isoformat()[11:16]
    if today is None:
        return f"{local.date()} {time}"
    days = (local.date() - today).days
    if days == 0 and style not in ("day", "on"):
        return time
    if abs(days) <= 1:
        return _near_day(days, inside=style in ("in", "on")) % {"time": time}
    if abs(days) < 7:
        return f"{dates.format_date(local, 'EEE', _locale())} {time}"
    day = str(local.date()) if local.year != today.year else _day(local)
    return f"{day} {time}" if style else day


@register.simple_tag
def days(starts: datetime | str, ends: datetime | str, zone: str) -> str:
    """The days of a stretch of time as they are counted in `zone`: "2 Mar to 6 Mar"; `ends` is the instant after it."""
    first, last = (
        timezone.localtime(datetime.fromisoformat(at) if isinstance(at, str) else at, ZoneInfo(zone)) - back
        for at, back in ((starts, timedelta()), (ends, timedelta(seconds=1)))
    )
    given = {"first": _day(first), "last": _day(last)}
    return given["first"] if first.date() == last.date() else _("%(first)s to %(last)s") % given


def _day(local: datetime) -> str:
    return dates.format_date(local, DAY_FORMS[_locale()], _locale())


def _near_day(days: int, *, inside: bool) -> str:
    match days:
        case -1:
            return _("yesterday %(time)s") if inside else _("Yesterday %(time)s")
        case 0:
            return _("today %(time)s") if inside else _("Today %(time)s")
    return _("tomorrow %(time)s") if inside else _("Tomorrow %(time)s")


def _locale() -> str:
    return "zh_Hans" if (get_language() or "").startswith("zh") else "en"


def spoken(seconds: float, *, short: bool = False) -> str:
    """A stretch of time on a timer: "58 min", "4 h 39 min", from ten hours on hours only. A begun minute counts."""
    minutes = max(1, -(-int(seconds) // 60))
    given = {"minutes": str(minutes), "hours": str(minutes // 60)}
    form = "m" if minutes < 60 else "h" if minutes * 60 >= HOURS_ONLY_S else "hm"
    if form == "hm":
        given["minutes"] = f"{minutes % 60:02}"
    return _timer_forms(short, get_language())[form] % given


@lru_cache(maxsize=8)
def _timer_forms(short: bool, _language: str | None) -> dict[str, str]:
    if short:
        return {"m": _("%(minutes)s m"), "hm": _("%(hours)s h %(minutes)s m"), "h": _("%(hours)s h")}
    return {"m": _("%(minutes)s min"), "hm": _("%(hours)s h %(minutes)s min"), "h": _("%(hours)s h")}


@register.filter
def promised(seconds: int) -> str:
    """A promise in whole words: "15 minutes", "4 hours", "24 hours"."""
    if seconds % 3600 == 0:
        hours = seconds // 3600
        return ngettext("%(hours)s hour", "%(hours)s hours", hours) % {"hours": hours}
    minutes = -(-seconds // 60)
    return ngettext("%(minutes)s minute", "%(minutes)s minutes", minutes) % {"minutes": minutes}


@register.filter
def from_minutes(minutes: int) -> int:
    """Seconds."""
    return minutes * 60


@register.filter
def from_hours(hours: int) -> int:
    """Seconds."""
    return hours * 3600


@register.filter
def filesize(size: int) -> str:
    """How large a file is: "214 KB", "1.8 MB", "31 GB"."""
    if size < 1024 * 1024:
        return f"{max(min(size, 1), round(size / 1024))} KB"
    return f"{size / 2**20:.1f} MB" if size < 2**30 else f"{size / 2**30:.0f} GB"


@register.simple_tag(takes_context=True)
def local_time(context: Context, zone: str) -> str:
    """What a clock on the wall says in another person's zone, and whose: "14:08 Shanghai"."""
    there = context["now"].astimezone(ZoneInfo(zone))
    return f"{there:%H:%M} {dates.get_timezone_location(zone, locale=_locale(), return_city=True)}"


@register.simple_tag(takes_context=True)
def words(context: Context) -> SafeString:
    """What countdown.js needs on <body>: the server's instant and the words of a timer."""
    forms = {
        "short": _timer_forms(True, get_language()),
        "long": _timer_forms(False, get_language()),
        "left": _("%(time)s left"),
        "over": _("%(time)s over"),
    }
    now = context.get("now")
    return format_html(' data-words="{}" data-now="{}"', json.dumps(forms), now.isoformat() if now else "")


# --- What is left of a promise ---------------------------------------------------------------------------------------


def left_s(due: datetime, now: datetime) -> float:
    """Working seconds until `due`, negative where it is over. Around the clock every second works."""
    return (due - now).total_seconds()


def urgency(left: float) -> str:
    """The state a colour may follow: late, soon (one working hour or less), or nothing."""
    return "late" if left < 0 else "soon" if left <= SOON_S else ""


def over_or_left(left: float, *, short: bool = False) -> str:
    """ "12 min over" or "58 min left"."""
    form = _left_forms(get_language())[left < 0]
    # A begun minute counts while time is left; over it counts when it is full.
    return form % {"time": spoken(left if left >= 0 else max(60, -left // 60 * 60), short=short)}


@lru_cache(maxsize=8)
def _left_forms(_language: str | None) -> tuple[str, str]:
    return _("%(time)s left"), _("%(time)s over")


@register.simple_tag(takes_context=True)
def due(context: Context, ticket: Any) -> SafeString:
    """The queue's first cell: what runs out, how much is left, when that is.

    A paused ticket brings what remains as `remaining_s`; one without a promise left shows when it last changed.
    """
    if ticket.sla_due_at:
        return _due_running(context, ticket)
    if remaining := getattr(ticket, "remaining_s", None):
        left = _("%(time)s left") % {"time": spoken(remaining, short=True)}
        return _due_cell("paused", _kind("resolution", get_language()), f"<b>{left}</b>", f"<span>{_('paused')}</span>")
    return SafeString(f'<span class="quiet">{when(context, ticket.last_event_at, "time")}</span>')


def _due_running(context: Context, ticket: Any) -> SafeString:
    left = left_s(ticket.sla_due_at, context["now"])
    text = over_or_left(left, short=True) if left < 0 else spoken(left, short=True)
    due_at = ticket.sla_due_at.isoformat(timespec="seconds")
    counting = f'<b data-due="{due_at}" data-form="queue">{text}</b>'
    return _due_cell(urgency(left), _kind(ticket.due_kind, get_language()), counting, when(context, ticket.sla_due_at))


@lru_cache(maxsize=8)
def _kind(due_kind: str, _language: str | None) -> str:
    if due_kind == "update":
        return pgettext("clock", "Update")
    return pgettext("clock", "Response") if due_kind == "response" else pgettext("clock", "Resolve")


def _due_cell(state: str, kind: str, left: str, last: str) -> SafeString:
    # Digits and our own words again.
    marked = f' data-state="{state}"' if state else ""
    return SafeString(f'<span class="due"{marked}><span>{kind}</span>{left}{last}</span>')


@register.filter
def as_timer(span: timedelta | float) -> str:
    """A stretch of time that is over, in words: only full minutes count."""
    seconds = int(span.total_seconds() if isinstance(span, timedelta) else span)
    return spoken(seconds // 60 * 60) if seconds >= 60 else _("under 1 min")


# --- The head of the page --------------------------------------------------------------------------------------------


@register.filter
def company_names(user: Any) -> str:
    """The companies a customer's person belongs to, for the head. Asks what the page has asked already."""
    return ", ".join(permissions.company_names(user))


@register.filter
def runs_a_company(user: Any) -> bool:
    """Whether a customer's person looks after the people of a company. Asks what the page has asked already."""
    return "admin" in permissions.customers_of(user).values()


# --- Words for customers, addresses of lists -------------------------------------------------------------------------


@register.filter
def for_customer(ticket: Any) -> str:
    """A ticket's status as its customer reads it: a sentence, and whose turn it is."""
    words = _sentences(get_language())
    return words["aws"] if ticket.turn == "aws" else words[ticket.status]


@lru_cache(maxsize=8)
def _sentences(_language: str | None) -> dict[str, str]:
    return {
        "new": _("We have it"),
        "in_progress": _("We are working on it"),
        "aws": _("AWS is working on it"),
        "waiting_customer": _("Your turn: we need your answer"),
        "resolved": _("Your turn: is it solved?"),
        "closed": _("Closed"),
    }


@register.simple_tag
def list_link(wish: Any, **changes: str) -> str:
    """The address of a list with something changed (tickets/queue.py)."""
    return str(wish.link(**changes))
