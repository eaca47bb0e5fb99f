"""What the alarms of watching.py say when they leave: what of them is still true, with the first few by name."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Min
from django.utils.translation import gettext as _

from awsint import health_letters, rounds, unseen_list
from awsint import health_missed as missing
from awsint.health_letters import WHY
from awsint.inbox_list import REASONS
from awsint.models import Account, AffectedCustomer, Alarm, HealthEvent, InboxMessage, QueueState, Round
from awsint.watching import MISSED, SILENT, STUCK, UNREAD, UNSEEN, UNTOLD
from helpdesk.refs import ref

NAMED = 10
Said = dict[str, Any] | None
# What it is about, and since when.
Line = tuple[str, datetime | None]


def accounts_late(data: dict[str, Any], at: datetime) -> Said:
    """Those that are still unread."""
    keys = [int(key) for key in data["keys"]]
    rows = rounds.unread(Account.objects.filter(pk__in=keys), at).select_related("customer", "poll")
    found = list(rows.order_by("poll__read_at", "pk"))
    lines = [
        (f"{account.customer.name}, {account}", account.poll.read_at if hasattr(account, "poll") else None)
        for account in found[:NAMED]
    ]
    return _listed(lines, len(found), "/aws/jobs")


def job_silent(data: dict[str, Any], at: datetime) -> Said:
    """The jobs of which no sign of life came meanwhile."""
    still = set(Alarm.objects.filter(kind=SILENT, over_at=None, key__in=data["keys"]).values_list("key", flat=True))
    last = [(str(rounds.KINDS[kind]), _heard(kind)) for kind in data["keys"] if kind in still]
    return _listed(last, len(last), "/aws/jobs")


def _heard(kind: str) -> datetime | None:
    if kind == "push":
        heard: datetime | None = QueueState.objects.aggregate(at=Min("heard_at"))["at"]
        return heard
    newest = Round.objects.filter(kind=kind).order_by("-started_at").first()
    return newest.started_at if newest else None


def unseen(data: dict[str, Any], at: datetime) -> Said:
    """The messages that nobody has seen yet."""
    rows = unseen_list.unseen().filter(pk__in=[int(key) for key in data["keys"]])
    found: list[Any] = list(rows.select_related("case__account__customer").order_by("detected_at", "pk"))
    lines: list[Line] = [
        (f"{one.case.account.customer.name}, {ref(one.ticket) if one.ticket else '—'}, {one.case}", one.detected_at)
        for one in found[:NAMED]
    ]
    return _listed(lines, len(found), "/aws/unseen")


def stuck(data: dict[str, Any], at: datetime) -> Said:
    """The messages that are still parked, and the queues that still have dead ones."""
    numbers = [int(key) for key in data["keys"] if key.isdecimal()]
    parked = InboxMessage.objects.filter(pk__in=numbers, state=InboxMessage.State.PARKED).select_related("hub")
    states = QueueState.objects.select_related("hub").filter(dead__gt=0)
    dead = [state for state in states if _key(state) in data["keys"]]
    lines: list[Line] = [
        (_("%(hub)s: %(count)s in the dead queue") % {"hub": one.hub, "count": one.dead}, None) for one in dead
    ]
    found = list(parked.defer("body").order_by("pk"))
    lines += [(f"{one.hub}: {_reason(one)}", one.received_at) for one in found]
    return _listed(lines[:NAMED], len(lines), "/aws/inbox")


def _key(state: QueueState) -> str:
    return f"{state.hub_id}:{state.queue}"


def _reason(message: InboxMessage) -> str:
    code, _colon, detail = message.reason.partition(":")
    return f"{REASONS.get(code, code)} {detail}".strip()


def health_missed(data: dict[str, Any], at: datetime) -> Said:
    """What push missed in the regions that are still troubled."""
    still = [key for key in missing.regions(at) if key in data["keys"]]
    found = missing.of_regions(still, at) if still else HealthEvent.objects.none()
    lines: list[Line] = [(f"{one.region}: {one.code}", one.seen_at) for one in found[:NAMED]]
    told = _listed(lines, found.count(), "/aws/health/?state=missed")
    return told and told | {"check": f"{settings.SITE_URL}/aws/health/org"}


def health_untold(data: dict[str, Any], at: datetime) -> Said:
    """Those who were told nothing yet, and why."""
    rows = health_letters.untold(AffectedCustomer.objects.filter(pk__in=[int(key) for key in data["keys"]]), at)
    found = list(rows.select_related("customer", "event", "ticket").order_by("opened_at", "pk"))
    notices = health_letters.of_parts(found[:NAMED])
    lines: list[Line] = [
        (f"{one.customer.name}, {ref(one.ticket_id or 0)}, {one.event}: {WHY[notices[one.pk].standing]}", one.opened_at)
        for one in found[:NAMED]
    ]
    return _listed(lines, len(found), "/aws/health/?state=untold")


def _listed(lines: list[Line], count: int, page: str) -> Said:
    if not count:
        return None
    told = {"lines": lines, "count": count, "more": count - len(lines)}
    return told | {"link": f"{settings.SITE_URL}{page}"}


KINDS: dict[str, Callable[[dict[str, Any], datetime], Said]] = {
    UNREAD: accounts_late,
    SILENT: job_silent,
    UNSEEN: unseen,
    STUCK: stuck,
    MISSED: health_missed,
    UNTOLD: health_untold,
}


def sample_of(kind: str, language: str, at: datetime) -> Said:
    """What the preview of a kind says; None where it is none of these."""
    chinese = language.startswith("zh")
    customer = "远帆物流" if chinese else "Meridian Foods"
    hub = "AWS"
    lines: dict[str, tuple[str, datetime | None, str]] = {
        UNREAD: (f"{customer}, {'生产账户' if chinese else 'Production'} (111122223333)", at, "/aws/jobs"),
        SILENT: (str(rounds.KINDS["support"]), at, "/aws/jobs"),
        UNSEEN: (f"{customer}, HD-1042, 170312345", at, "/aws/unseen"),
        STUCK: (f"{hub}: {REASONS['not_json']}", at, "/aws/inbox"),
        MISSED: ("us-east-1: AWS_EC2_OPERATIONAL_ISSUE", at, "/aws/health/?state=missed"),
        UNTOLD: (f"{customer}, HD-1042, AWS_EC2_OPERATIONAL_ISSUE: {WHY['failed']}", at, "/aws/health/?state=untold"),
    }
    if kind not in lines:
        return None
    words, since, page = lines[kind]
    told = _listed([(words, since - timedelta(minutes=25) if since else None)], 1, page)
    return told and told | {"check": f"{settings.SITE_URL}/aws/health/org"}
