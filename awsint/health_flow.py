"""/aws/health/flow: what went through each stage of AWS Health in thirty days, from AWS to the customer's letter.

One statement a stage, each bounded by an index on time. Messages and polls are the desk's own; events, tickets and
letters are those first seen in that time, of customers whom the reader may see. What went through rule and bus before
it reached the queue AWS does not count for us: at least what arrived.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import CharField, Count, Min, Q, QuerySet, Sum, Value
from django.db.models.functions import Cast, Concat
from django.urls import reverse
from django.utils.translation import gettext as _

from awsint import health_flow_plot, health_list
from awsint.health_letters import KINDS
from awsint.health_pushed import QUEUE
from awsint.models import AffectedCustomer, EventStatus, HealthChange, HealthMessage, InboxMessage, Round, Via
from helpdesk.accounts.models import User
from helpdesk.outbox.models import Fate, Letter
from tickets.models import Status

SPAN = timedelta(days=30)
# No event has such a number.
NONE = 2**62
FIRST, NEWS = list(KINDS)[:2]
RELAYED = ["notices", "news", "accepted", "failed", "turned_down", "on_the_way", "withdrawn"]
DELIVERY = ["delivered", "bounced", "complained", "unsaid"]
State = InboxMessage.State
Counts = dict[str, int]


def counts(user: User, at: datetime) -> Counts:
    """How much went along each way, by its name. Seven statements."""
    start = at - SPAN
    decided = _decided(user, start)
    # What belongs to events is found by their numbers: none of theirs is below the first one's.
    first = decided.pop("first") or NONE
    return {
        **_arrived(start),
        **_told(start),
        **_polled(start),
        **decided,
        **_opened(user, start, first),
        **_changed(user, start, first),
        **_written(user, start, first),
    }


def _arrived(start: datetime) -> Counts:
    """What the queue brought. A copy is one more that EventBridge delivered."""
    rows = InboxMessage.objects.filter(queue=QUEUE, received_at__gte=start).values("state").order_by()
    found = list(rows.annotate(n=Count("pk"), more=Sum("copies")))
    by_state = dict.fromkeys(State.values, 0) | {row["state"]: row["n"] for row in found}
    copies = sum(row["more"] for row in found)
    return {
        "received": sum(by_state.values()) + copies,
        "copies": copies,
        "taken": by_state[State.DONE],
        "refused": by_state[State.REFUSED],
        "parked": by_state[State.PARKED],
        "waiting": by_state[State.NEW],
    }


def _told(start: datetime) -> Counts:
    """Messages that were new, by how they came, and what of it push had missed."""
    rows = HealthMessage.objects.filter(received_at__gte=start).values("via").order_by()
    found = list(rows.annotate(n=Count("pk"), gone=Count("pk", filter=Q(missed=True))))
    polled = sum(row["n"] for row in found if row["via"] != Via.PUSH)
    return {"polled": polled, "missed": sum(row["gone"] for row in found)}


def _polled(start: datetime) -> Counts:
    sums = Round.objects.filter(kind="health", started_at__gte=start).aggregate(read=Sum("read"), failed=Sum("failed"))
    return {"polls": sums["read"] or 0, "polls_failed": sums["failed"] or 0}


def _decided(user: User, start: datetime) -> Counts:
    """Every event is one of: with a ticket of ours, suppressed, kept without a ticket."""
    decided = health_list.DECIDED
    sums = (
        health_list.known_to(user)
        .filter(seen_at__gte=start)
        .aggregate(
            events=Count("pk"),
            parents=Count("ticket"),
            suppressed=Count("pk", filter=decided["suppressed"]),
            stored=Count("pk", filter=decided["stored"]),
            first=Min("pk"),
            over=Count("pk", filter=Q(status=EventStatus.CLOSED) | Q(expired_at__isnull=False)),
        )
    )
    return dict(sums)


def _parts(user: User, start: datetime, first: int) -> QuerySet[AffectedCustomer]:
    rows: QuerySet[AffectedCustomer] = AffectedCustomer.objects.visible_to(user).filter(event__seen_at__gte=start)
    return rows.filter(event__gte=first)


def _opened(user: User, start: datetime, first: int) -> Counts:
    over = Q(ticket__status__in=[Status.RESOLVED, Status.CLOSED])
    return dict(
        _parts(user, start, first).aggregate(
            children=Count("ticket"), finished=Count("ticket", filter=over), nobody=Count("pk", filter=~Q(trouble=""))
        )
    )


def _changed(user: User, start: datetime, first: int) -> Counts:
    """What AWS changed afterwards."""
    events = health_list.known_to(user).filter(seen_at__gte=start)
    rows = HealthChange.objects.filter(event__in=events.values("pk"), event__gte=first).exclude(
        what=HealthChange.What.SEEN
    )
    return {"changes": rows.aggregate(n=Count("pk"))["n"]}


def _written(user: User, start: datetime, first: int) -> Counts:
    """The letters of the children's own customers, by what became of them: "accepted" or "turned_down" by the relay,
    "delivered" and "bounced" as the provider did of all that were accepted."""
    parts = _parts(user, start, first).exclude(ticket=None)
    # A letter knows its ticket by refs.ref alone.
    tickets = parts.annotate(ref=Concat(Value("HD-"), Cast("ticket", CharField()))).values("ref")
    theirs = Letter.objects.filter(kind__in=[FIRST, NEWS], subject__in=tickets)
    rows = (
        theirs.exclude(customer=None).order_by().values_list("kind", "state", "reason", "fate").annotate(n=Count("pk"))
    )
    made = dict.fromkeys([*RELAYED, *DELIVERY], 0)
    for kind, state, reason, fate, n in rows:
        made["notices" if kind == FIRST else "news"] += n
        made[_state(state, reason)] += n
        if state == Letter.State.SENT:
            made[_delivery(fate)] += n
    return made


def _delivery(fate: str) -> str:
    """What is delayed may still arrive: nothing is known of it."""
    match fate:
        case Fate.DELIVERED:
            return "delivered"
        case Fate.BOUNCED | Fate.RETURNED | Fate.REJECTED:
            return "bounced"
        case Fate.COMPLAINED:
            return "complained"
    return "unsaid"


def _state(state: str, reason: str) -> str:
    match state:
        case Letter.State.SENT:
            return "accepted"
        case Letter.State.FAILED:
            return "turned_down" if reason == Letter.Reason.REFUSED else "failed"
        case Letter.State.CANCELLED:
            return "withdrawn"
    return "on_the_way"


# --- In words --------------------------------------------------------------------------------------------------------


def stages() -> dict[str, str]:
    """What stands in the boxes of the picture."""
    return {
        "aws": "AWS Health",
        "rule": _("EventBridge rule"),
        "bus": _("The hub's bus"),
        "queue": _("Queue (SQS)"),
        "inbox": _("Inbox"),
        "aside": _("Refused, parked"),
        "poll": _("Poll, every %(n)s min") % {"n": settings.HEALTH_POLL_MINUTES},
        "take": _("Take"),
        "decide": _("Decide"),
        "suppressed": _("Suppressed"),
        "parents": _("Parent tickets"),
        "stored": _("Stored only"),
        "children": _("Child tickets"),
        "notices": _("First notices"),
        "news": _("Updates"),
        "finished": _("Resolved, closed"),
        "letters": _("Letters"),
        "accepted": _("Accepted"),
        "failed": _("Failed"),
        "turned_down": _("Refused"),
        "delivered": _("Delivered"),
        "bounced": _("Bounced"),
        "unsaid": _("No word yet"),
    }


@dataclass(frozen=True)
class Row:
    """A way of the picture as a row of the table: from where to where, how much, and the list behind it."""

    source: str
    target: str
    count: int
    link: str = ""
    note: str = ""
    at_least: bool = False


def rows(user: User, told: Counts) -> list[Row]:
    """Every number of the picture, and those for which it has no room."""
    word = stages()
    inbox, register, jobs = reverse("aws_inbox") + "?queue=health", reverse("aws_health"), reverse("aws_jobs")
    lost = _("AWS does not count for us what went through here")
    return [
        Row(word["aws"], word["rule"], told["received"], note=lost, at_least=True),
        Row(word["rule"], word["bus"], told["received"], note=lost, at_least=True),
        Row(word["bus"], word["queue"], told["received"], note=lost, at_least=True),
        Row(word["queue"], word["inbox"], told["received"], inbox, _copies(told)),
        Row(word["inbox"], word["take"], told["taken"], f"{inbox}&state=done", _("messages done")),
        Row(word["inbox"], _("Refused"), told["refused"], f"{inbox}&state=refused"),
        Row(word["inbox"], _("Parked"), told["parked"], f"{inbox}&state=parked"),
        Row(word["inbox"], _("Waiting"), told["waiting"], f"{inbox}&state=new"),
        Row(word["aws"], word["poll"], told["polls"], f"{jobs}?kind=health", _failed(told)),
        Row(word["poll"], word["take"], told["polled"], note=_missed(told)),
        Row(word["take"], word["decide"], told["events"], register, _("events first seen")),
        Row(word["decide"], word["suppressed"], told["suppressed"], f"{register}?state=suppressed"),
        Row(word["decide"], word["stored"], told["stored"], f"{register}?state=stored"),
        Row(
            word["decide"],
            word["parents"],
            told["parents"],
            f"{register}?state=opened",
            _("events with a ticket of ours"),
        ),
        Row(word["parents"], word["children"], told["children"], note=_nobody(told)),
        Row(word["children"], word["notices"], told["notices"]),
        Row(word["children"], word["news"], told["news"], note=_changes(told)),
        Row(word["children"], word["finished"], told["finished"], note=_over(told)),
        Row(word["letters"], word["accepted"], told["accepted"], note=_("by the mail relay")),
        Row(word["letters"], word["failed"], told["failed"]),
        Row(word["letters"], word["turned_down"], told["turned_down"], note=_("by the mail relay")),
        Row(word["accepted"], word["delivered"], told["delivered"], note=_("to all readers, as the provider says")),
        Row(
            word["accepted"], word["bounced"], told["bounced"], note=_("for one reader at least, as the provider says")
        ),
        Row(word["accepted"], _("Reported as spam"), told["complained"], note=_("as the provider says")),
        Row(word["accepted"], word["unsaid"], told["unsaid"], note=_("from the provider")),
        Row(word["letters"], _("On their way"), told["on_the_way"]),
        Row(word["letters"], _("Cancelled before they left"), told["withdrawn"]),
    ]


def _copies(told: Counts) -> str:
    return _("of them %(count)s copies") % {"count": told["copies"]}


def _failed(told: Counts) -> str:
    return _("readings; %(count)s more failed") % {"count": told["polls_failed"]}


def _missed(told: Counts) -> str:
    return _("new messages; push had missed %(count)s") % {"count": told["missed"]}


def _nobody(told: Counts) -> str:
    return _("a customer each; %(count)s without anybody to tell") % {"count": told["nobody"]}


def _changes(told: Counts) -> str:
    return _("letters, after %(count)s changes by AWS") % {"count": told["changes"]}


def _over(told: Counts) -> str:
    return _("tickets; %(count)s events are over at AWS") % {"count": told["over"]}


def picture(told: Counts) -> health_flow_plot.Picture:
    """The picture with its numbers."""
    return health_flow_plot.drawn(stages(), {name: _number(name, told) for name in health_flow_plot.WAYS})


def _number(way: str, told: Counts) -> str:
    match way:
        case "rule" | "bus" | "queue":
            return f"≥ {told['received']:,}"
        case "aside":
            return f"{told['refused'] + told['parked']:,}"
        case "letters_of_notices":
            return f"{told['notices']:,}"
        case "letters_of_news":
            return f"{told['news']:,}"
    return f"{told[way]:,}"
