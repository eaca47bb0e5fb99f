"""The rows of the documents' tables that are words more than figures, in the reader's language."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from babel import dates
from django.utils.translation import gettext as _

from docs.saying import long_date
from helpdesk.models import in_chinese
from oncall.escalation import Step
from sla.calendar_names import called
from sla.calendar_text import Day, days_of, in_rows
from sla.clock import Target as Limits
from sla.clock import compute
from sla.models import MatrixCell, Target
from sla.worktime import AROUND_THE_CLOCK

SHANGHAI = ZoneInfo("Asia/Shanghai")


def matrix(cells: Sequence[MatrixCell]) -> dict[str, Any]:
    """The priorities that answers propose: the urgencies, and a row an impact."""
    rows: dict[int, list[MatrixCell]] = {}
    for cell in cells:
        rows.setdefault(cell.impact_id, []).append(cell)
    return {"urgencies": list({cell.urgency_id: cell.urgency for cell in cells}.values()), "rows": list(rows.values())}


def ladder(levels: Sequence[int]) -> list[tuple[str, str, str]]:
    """(how much of the target is used, who hears of it, what for); each step tells those before it too."""
    who = [
        (_("the assignee; without one, who is first on call"), _("a reminder to act")),
        (_("in addition who is second on call, and the team lead"), _("help is offered, work is shifted")),
        (_("in addition the service manager"), _("the service manager takes charge")),
    ]
    # A ladder with more or other levels keeps the last step's people.
    rows = [(f"{level}%", *who[min(n, len(who) - 1)]) for n, level in enumerate(levels)]
    breach = (_("in addition the operations director"), _("the breach is recorded, an apology is drafted"))
    return [*rows, (_("beyond 100%"), *breach)]


def paged(step: Step) -> tuple[str, str]:
    """Who is paged by a step, and how."""
    who = {
        "primary": _("first on call"),
        "secondary": _("second on call"),
        "lead": _("team lead"),
        "manager": _("service manager"),
    }
    how = {"message": _("push, chat and text message"), "call": _("phone call")}
    return who[step.who], how[step.how]


def severity(rank: int) -> tuple[str, str]:
    """For a priority: severities of AWS outwards, the first the account offers, and inwards (oncall.md, 5.2)."""
    critical = _("critical for workloads marked as business-critical, else urgent; then high, normal, low")
    known = {
        1: (critical, "critical, urgent"),
        2: ("high, normal, low", "high"),
        3: ("normal, low", "normal"),
    }
    return known.get(rank, ("low", "low"))


def health_rules(within: dict[str, str]) -> list[tuple[str, int]]:
    """(what happened, rank of the priority), the first that fits (oncall.md, 5.3)."""
    return [
        (_("Abuse notice, or credentials found exposed"), 1),
        (_("Open fault that affects resources in an account marked as production"), 1),
        (_("Open fault in an account"), 2),
        (_("Open public fault of a service that a customer uses in that region"), 2),
        (_("Open investigation by AWS"), 2),
        (_("Planned change that begins within %(soon)s") % within, 2),
        (_("Planned change within %(week)s, or one that asks for action within %(action)s") % within, 3),
        (_("Account notice that asks for action"), 3),
        (_("Other planned changes and account notices"), 4),
    ]


def customer_notices(soon: str) -> list[tuple[str, str, str, str]]:
    """(what happens, who is told, how, how soon)."""
    people, mail = _("requester and participants"), _("mail, portal")
    within = _("within %(soon)s") % {"soon": soon}
    everywhere = _("mail, portal; text message or group chat on request")
    return [
        (_("Ticket received, with priority and due times"), _("requester"), mail, within),
        (_("Public reply"), people, mail, within),
        (_("Question to the customer"), people, mail, within),
        (_("Change of status or priority"), people, mail, within),
        (_("Resolved, please confirm"), people, mail, within),
        (_("Reopened, closed"), people, mail, within),
        (_("Reply of AWS or change of a case"), people, everywhere, _("within %(soon)s of detection") % {"soon": soon}),
        (
            _("Health event that affects the customer"),
            _("the company's contacts"),
            everywhere,
            _("within %(soon)s of detection") % {"soon": soon},
        ),
        (_("Breach"), _("requester and the company's administrators"), mail, _("as chapter 7 says")),
    ]


def staff_notices(soon: str, levels: Sequence[str]) -> list[tuple[str, str, str, str]]:
    """The same within the desk."""
    within, mail = _("within %(soon)s") % {"soon": soon}, _("mail, news in the desk")
    warned = _("Clock at %(levels)s of its target") % {"levels": ("、" if in_chinese() else ", ").join(levels)}
    return [
        (_("Ticket assigned"), _("the assignee"), mail, within),
        (_("Reply of the customer"), _("assignee and followers"), mail, within),
        (_("Nobody fits for a ticket"), _("who is on call, team lead"), _("page, mail"), _("at once")),
        (warned, _("as the ladder in 3.2 says"), mail, within),
        (_("Critical ticket"), _("who is on call"), _("page"), _("at once")),
        (_("Breach"), _("everybody of the ladder"), _("page, mail"), within),
        (_("Unseen word of AWS"), _("the assignee, then the team lead"), mail, within),
    ]


def credit_rows(tiers: Sequence[tuple[int, int]]) -> list[tuple[str, str]]:
    """(net attainment of the month, share of the support fee)."""
    rows = []
    above = None
    for least, share in tiers:
        if above is None:
            said = f"A ≥ {least}%"
        else:
            said = f"{least}% ≤ A < {above}%" if least else f"A < {above}%"
        rows.append((said, f"{share}%" if share else "—"))
        above = least
    return rows


def approved(at: datetime | None, zone: ZoneInfo) -> str:
    """The day of a publication."""
    return long_date(at.astimezone(zone).date()) if at else "—"


def calendar_words(rules: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """(the hours of the week, the exceptions) of a calendar version, a line each."""
    if rules["kind"] == "24x7":
        return calendar_hours(rules), [_("none: holidays count")]
    rows = in_rows(days_of(rules))
    return calendar_hours(rules), [_exception(row) for row in rows] or [_("none are kept")]


def _exception(row: Sequence[Day]) -> str:
    """Closed days in a row, or one that is worked instead, with its name."""
    first, last = row[0], row[-1]
    said = first.date.isoformat() + (f"–{last.date:%m-%d}" if last is not first else "")
    worked = _("worked instead") if first.worked else ""
    return " ".join(word for word in (said, called(first.name), worked) if word)


def calendar_hours(rules: Mapping[str, Any]) -> list[str]:
    """The hours of a calendar version's week, a line for days that are alike."""
    if rules["kind"] == "24x7":
        return [_("every day, around the clock")]
    names = dates.get_day_names("abbreviated", locale=_locale())
    week = [rules.get("week", {}).get(str(day), []) for day in range(7)]
    found = []
    for windows, days in groupby(range(7), key=lambda day: week[day]):
        known = list(days)
        said = names[known[0]] + (f"–{names[known[-1]]}" if len(known) > 1 else "")
        if windows:
            found.append(f"{said} " + ", ".join(f"{start}–{end}" for start, end in windows))
    return found or ["—"]


def clock_time(start: datetime, at: datetime | None) -> str:
    """The time of day in Shanghai, with the days since `start` where there are any; a dash for none."""
    if at is None:
        return "—"
    local = at.astimezone(SHANGHAI)
    days = (local.date() - start.astimezone(SHANGHAI).date()).days
    time = f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"
    return _("day %(day)s, %(time)s") % {"day": days + 1, "time": time} if days else time


def examples(limits: dict[str, Limits], targets: Sequence[Target], filed: datetime) -> list[tuple[str, str, str, str]]:
    """(what happens, response due, resolution due, how it ends), each reckoned by the clocks themselves."""
    top, slow = targets[0].priority, targets[-2 if len(targets) > 1 else -1].priority
    one, hour = limits[top.code], timedelta(hours=1)
    answered = filed + timedelta(seconds=min(300, one.response_s))
    whole = timedelta(seconds=one.resolution_s)
    created: Any = (filed, 0, ["created", top.code])
    reply: Any = (answered, 1, ["reply", "engineer"])
    slowly: Any = (filed, 0, ["created", slow.code])
    name = {"top": top.label, "slow": slow.label}

    def on(at: datetime, n: int, *fact: str) -> Any:
        return (at, n, list(fact))

    cases: list[tuple[str, list[Any]]] = [
        (
            _("%(top)s. Answered and resolved exactly at the due times.") % name,
            [
                created,
                on(filed + timedelta(seconds=one.response_s), 1, "reply", "engineer"),
                on(filed + whole, 2, "status", "resolved"),
            ],
        ),
        (
            _("%(top)s. Answered and resolved one second late.") % name,
            [
                created,
                on(filed + timedelta(seconds=one.response_s + 1), 1, "reply", "engineer"),
                on(filed + whole + timedelta(seconds=1), 2, "status", "resolved"),
            ],
        ),
        (
            _("%(top)s. With the customer from 10:10 to 11:10, resolved at the new due time.") % name,
            [
                created,
                reply,
                on(filed + timedelta(minutes=10), 2, "status", "waiting_customer"),
                on(filed + timedelta(minutes=70), 3, "status", "in_progress"),
                on(filed + whole + hour, 4, "status", "resolved"),
            ],
        ),
        (
            _("%(top)s. Only an internal note and an automatic receipt before the response is due.") % name,
            [
                created,
                on(answered, 1, "reply", "engineer", "internal"),
                on(answered, 2, "reply", "bot"),
                on(filed + whole, 3, "status", "resolved"),
            ],
        ),
        (
            _("%(slow)s, raised to %(top)s at 11:00, resolved ten minutes before the new due time.") % name,
            [
                slowly,
                reply,
                on(filed + hour, 2, "priority", top.code),
                on(filed + whole - timedelta(minutes=10), 3, "status", "resolved"),
            ],
        ),
        (
            _("%(top)s. Resolved an hour before the due time, reopened a day later, resolved after fifty minutes.")
            % name,
            [
                created,
                reply,
                on(filed + whole - hour, 2, "status", "resolved"),
                on(filed + whole - hour + timedelta(days=1), 3, "status", "in_progress"),
                on(filed + whole - timedelta(minutes=10) + timedelta(days=1), 4, "status", "resolved"),
            ],
        ),
    ]
    rows = []
    for text, facts in cases:
        end = compute(facts, limits, AROUND_THE_CLOCK, filed + whole + timedelta(days=3))
        verdicts = _verdicts(end.response.verdict, end.resolution.verdict)
        rows.append((text, clock_time(filed, end.response.due_at), clock_time(filed, end.resolution.due_at), verdicts))
    return rows


def _verdicts(response: str, resolution: str) -> str:
    said = {"met": _("met"), "breached": _("breached")}
    one, other = said.get(response, response), said.get(resolution, resolution)
    if one == other:
        return _("both %(verdict)s") % {"verdict": one}
    return _("response %(one)s, resolution %(other)s") % {"one": one, "other": other}


def _locale() -> str:
    return "zh_Hans" if in_chinese() else "en_GB"
