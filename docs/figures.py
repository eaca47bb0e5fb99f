"""The figures of the documents: each tag that a text may use, and the rows or settings it is read from.

No text under docs/content carries a promise of its own: it names one of these. What the desk promises, polls and warns
at is thus said in one place, and a text that names what is not here is an error.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from docs import tables
from docs.saying import close, days, listed, long_date, minutes_and_seconds, percent, table
from docs.sheet import Sheet as Sheet
from helpdesk.templatetags.desk import promised
from oncall import escalation
from sla import terms
from sla.clock import WARN_AT
from sla.models import Target
from tickets.models import Status
from tickets.report_recent import kept_lately
from tickets.stays import PLAN, REOPEN_WINDOW

Value = str | SafeString


class Unknown(LookupError):
    """There is no figure of this name."""


FIGURES: dict[str, Callable[[Sheet], Value]] = {"attainment_30d": lambda s: kept_lately(s.at, s.house.default_zone)}


def figure(name: str) -> Callable[[Callable[[Sheet], Value]], Callable[[Sheet], Value]]:
    """Makes a function the value of a tag."""

    def known(function: Callable[[Sheet], Value]) -> Callable[[Sheet], Value]:
        FIGURES[name] = function
        return function

    return known


OF_BILLING = re.compile(r"billing\.([\w-]+)\.definition")
OF_A_TARGET = re.compile(r"sla\.([\w-]+)\.(response|resolution|update|label)")


def value(tag: str, sheet: Sheet) -> Value:
    """What stands for `{{ tag }}` in the reader's language. Raises Unknown."""
    if tag in FIGURES:
        return FIGURES[tag](sheet)
    if (named := OF_A_TARGET.fullmatch(tag)) and named[1] in sheet.limits:
        row = next(row for row in sheet.targets if row.priority.code == named[1])
        return row.priority.label if named[2] == "label" else promised(seconds_of(row, named[2]))
    if named := OF_BILLING.fullmatch(tag):
        for row, meaning in sheet.billing:
            if row.priority.code == named[1]:
                return meaning
    raise Unknown(tag)


def seconds_of(row: Target, kind: str) -> int:
    """What a target promises of one kind, in seconds."""
    return {
        "response": row.response_time_minutes * 60,
        "resolution": row.resolution_time_hours * 3600,
        "update": row.update_minutes * 60,
    }[kind]


# --- The desk and its promises ---------------------------------------------------------------------------------------


@figure("company")
def _company(sheet: Sheet) -> Value:
    return sheet.house.name


@figure("sla.version")
def _version(sheet: Sheet) -> Value:
    return str(sheet.policy.number)


@figure("sla.effective")
def _effective(sheet: Sheet) -> Value:
    return long_date(sheet.policy.effective_at.astimezone(ZoneInfo(sheet.house.default_zone)).date())


@figure("sla.table")
def _targets(sheet: Sheet) -> Value:
    rows = [
        (row, close(promised(seconds_of(row, "response"))), close(promised(seconds_of(row, "resolution"))))
        for row in sheet.targets
    ]
    return table("targets", rows=rows)


@figure("matrix.table")
def _matrix(sheet: Sheet) -> Value:
    return table("matrix", **tables.matrix(sheet.cells))


@figure("billing.table")
def _billing(sheet: Sheet) -> Value:
    return table("billing", rows=sheet.billing)


@figure("billing.matrix.table")
def _billing_matrix(sheet: Sheet) -> Value:
    return table("matrix", **tables.matrix(sheet.billing_cells))


@figure("update.table")
def _updates(sheet: Sheet) -> Value:
    return table("updates", rows=[(row, promised(seconds_of(row, "update"))) for row in sheet.targets])


@figure("calendar.name")
def _calendar_name(sheet: Sheet) -> Value:
    return sheet.calendar.calendar.label


@figure("calendar.table")
def _calendar(sheet: Sheet) -> Value:
    return table("calendar", rows=[(one, *tables.calendar_words(one.rules)) for one in sheet.calendars])


@figure("support.hours")
def _hours(sheet: Sheet) -> Value:
    return "24×7"


@figure("reopen.window")
def _reopen(sheet: Sheet) -> Value:
    return days(REOPEN_WINDOW.days)


@figure("wait.remind")
def _remind(sheet: Sheet) -> Value:
    return days(PLAN[Status.WAITING_CUSTOMER].told_days)


@figure("wait.resolve")
def _wait(sheet: Sheet) -> Value:
    return days(PLAN[Status.WAITING_CUSTOMER].days)


@figure("close.notice")
def _close_notice(sheet: Sheet) -> Value:
    return days(PLAN[Status.RESOLVED].told_days)


# --- Escalation, AWS -------------------------------------------------------------------------------------------------


@figure("warn.levels")
def _levels(sheet: Sheet) -> Value:
    return listed([percent(level) for level in WARN_AT])


@figure("ladder.table")
def _ladder(sheet: Sheet) -> Value:
    return table("ladder", rows=tables.ladder(WARN_AT))


@figure("paging.table")
def _paging(sheet: Sheet) -> Value:
    rows = [
        (promised(step.after_s) if step.after_s else _("at once"), *tables.paged(step)) for step in escalation.CRITICAL
    ]
    return table("paging", rows=rows, repeats=escalation.REPEATS)


@figure("escalation.critical")
def _escalation(sheet: Sheet) -> Value:
    return listed([promised(step.after_s) for step in escalation.CRITICAL if step.after_s])


@figure("poll.support_minutes")
def _support_minutes(sheet: Sheet) -> Value:
    return str(settings.SUPPORT_POLL_MINUTES)


@figure("poll.health_minutes")
def _health_minutes(sheet: Sheet) -> Value:
    return str(settings.HEALTH_POLL_MINUTES)


@figure("poll.support")
def _support(sheet: Sheet) -> Value:
    return close(promised(settings.SUPPORT_POLL_MINUTES * 60))


@figure("poll.health")
def _health(sheet: Sheet) -> Value:
    return close(promised(settings.HEALTH_POLL_MINUTES * 60))


@figure("relay.limit")
def _relay(sheet: Sheet) -> Value:
    return promised(terms.RELAY_S)


@figure("relay.total")
def _relay_total(sheet: Sheet) -> Value:
    return promised(settings.SUPPORT_POLL_MINUTES * 60 + terms.RELAY_S)


@figure("severity.table")
def _severity(sheet: Sheet) -> Value:
    return table("severity", rows=[(row.priority, *tables.severity(row.priority.rank)) for row in sheet.targets])


@figure("health.table")
def _health_rules(sheet: Sheet) -> Value:
    by_rank = {row.priority.rank: row.priority for row in sheet.targets}
    within = {
        "soon": promised(terms.HEALTH_SOON_S),
        "week": days(terms.HEALTH_DAYS),
        "action": days(terms.HEALTH_ACTION_DAYS),
    }
    rows = [(text, by_rank.get(rank, max(by_rank.items())[1])) for text, rank in tables.health_rules(within)]
    return table("health", rows=rows)


# --- Notices, availability, reports, credits -------------------------------------------------------------------------


@figure("customer.notices")
def _customer_notices(sheet: Sheet) -> Value:
    return table("notices", rows=tables.customer_notices(promised(terms.RELAY_S)))


@figure("staff.notices")
def _staff_notices(sheet: Sheet) -> Value:
    return table("notices", rows=tables.staff_notices(promised(terms.RELAY_S), [percent(p) for p in WARN_AT]))


@figure("availability.target")
def _availability(sheet: Sheet) -> Value:
    return percent(terms.AVAILABILITY)


@figure("availability.days")
def _month(sheet: Sheet) -> Value:
    return days(terms.REPORT_DAYS)


@figure("availability.allowed")
def _allowed(sheet: Sheet) -> Value:
    return minutes_and_seconds(int((100 - terms.AVAILABILITY) * terms.REPORT_DAYS * 86400 / 100))


@figure("maintenance.notice")
def _maintenance(sheet: Sheet) -> Value:
    return promised(terms.MAINTENANCE_NOTICE_S)


@figure("report.days")
def _report_days(sheet: Sheet) -> Value:
    return close(days(terms.REPORT_DAYS))


@figure("report.freeze")
def _freeze(sheet: Sheet) -> Value:
    return str(terms.FREEZE_DAY)


@figure("breach.cause")
def _cause(sheet: Sheet) -> Value:
    return days(terms.CAUSE_DAYS)


@figure("breach.apology")
def _apology(sheet: Sheet) -> Value:
    count = terms.APOLOGY_WORKING_DAYS
    return ngettext("%(count)s working day", "%(count)s working days", count) % {"count": count}


@figure("credit.table")
def _credits(sheet: Sheet) -> Value:
    return table("credits", rows=tables.credit_rows(terms.CREDITS))


@figure("credit.cap")
def _cap(sheet: Sheet) -> Value:
    return percent(terms.CREDIT_CAP)


@figure("credit.fewest")
def _fewest(sheet: Sheet) -> Value:
    return str(terms.FEWEST_CLOCKS)


@figure("credit.few")
def _few(sheet: Sheet) -> Value:
    return percent(terms.FEW_CREDIT)


@figure("credit.claim")
def _claim(sheet: Sheet) -> Value:
    return days(terms.CLAIM_DAYS)


@figure("notice.days")
def _notice(sheet: Sheet) -> Value:
    return days(terms.NOTICE_DAYS)


@figure("version.table")
def _versions(sheet: Sheet) -> Value:
    zone = ZoneInfo(sheet.house.default_zone)
    rows = [
        (one.number, long_date(one.effective_at.astimezone(zone).date()), tables.approved(one.published_at, zone))
        for one in sheet.versions
    ]
    return table("versions", rows=rows)


# --- Contacts --------------------------------------------------------------------------------------------------------


@figure("contact.mailbox")
def _mailbox(sheet: Sheet) -> Value:
    return sheet.house.mailbox


@figure("contact.hotline")
def _hotline(sheet: Sheet) -> Value:
    return sheet.house.hotline or _("not set up yet; please use the portal or the mailbox")


@figure("contact.portal")
def _portal(sheet: Sheet) -> Value:
    return sheet.house.portal


@figure("contact.address")
def _address(sheet: Sheet) -> Value:
    return sheet.house.address


@figure("contact.table")
def _contacts(sheet: Sheet) -> Value:
    return table("contacts", house=sheet.house, hotline=_hotline(sheet))


# --- Examples --------------------------------------------------------------------------------------------------------


# Any Monday does: the clocks run around the clock. Shanghai, 10:00.
FILED = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)


@figure("example.table")
def _examples(sheet: Sheet) -> Value:
    return table("examples", rows=tables.examples(sheet.limits, sheet.targets, FILED))


@figure("example.response")
def _example_response(sheet: Sheet) -> Value:
    return _time_of_first(sheet, 0)


@figure("example.resolution")
def _example_resolution(sheet: Sheet) -> Value:
    return _time_of_first(sheet, 1)


@figure("example.paused")
def _example_paused(sheet: Sheet) -> Value:
    first = sheet.limits[sheet.targets[0].priority.code]
    return tables.clock_time(FILED, FILED + timedelta(seconds=first.resolution_s, hours=1))


def _time_of_first(sheet: Sheet, which: int) -> str:
    first = sheet.limits[sheet.targets[0].priority.code]
    span = (first.response_s, first.resolution_s)[which]
    return tables.clock_time(FILED, FILED + timedelta(seconds=span))
