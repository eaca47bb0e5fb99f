"""Ninety days of a desk, lived through in a minute: problems come in, engineers and customers act at instants of then.

Each ticket is a life that acts and then says when it goes on; all lives share one clock, and between two acts the
desk's own sweeps run at the instant they were due. Everything is done by the real actions, so clocks, history,
decisions and letters are what they would have been. The same seed gives the same ninety days.
"""

import heapq
import random
from collections.abc import Callable, Generator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone

from helpdesk.accounts.models import Customer, Membership, User
from sla import clocks
from tickets import actions, participants, rating, tagging
from tickets.demo import amends, chinese, english, files
from tickets.demo.scenario import LEXICON, Scenario
from tickets.models import CloseReason, Ticket
from tickets.workflow import Conflict, Refused

SHANGHAI = ZoneInfo("Asia/Shanghai")
# Longer than any demo lasts.
NEVER = timedelta(days=400)
# How many problems come in on a working day and on a day off.
WORKDAY, DAY_OFF = (2, 3, 4, 4, 5, 6), (0, 1, 1, 2)
# The share of a promise that the first answer and the solution take; the tail is late.
ANSWERED = (0.12, 0.2, 0.3, 0.35, 0.45, 0.55, 0.62, 0.7, 0.8, 0.88)
SOLVED = (0.1, 0.18, 0.25, 0.3, 0.4, 0.5, 0.58, 0.66, 0.75, 0.86)
LATE = 0.04
THANKS = {
    True: ("谢谢，问题解决了。", "确认恢复，辛苦了。", "好的，已经正常，谢谢支持。"),
    False: ("Thank you, that solved it.", "Confirmed, all good again.", "Works now, thanks for the quick help."),
}
STILL = {
    True: "抱歉，刚才又出现了同样的情况，麻烦再看一下。",
    False: "Sorry, it has just happened again, please have another look.",
}
AGAIN = {
    True: "已经重新核对并处理，观察了一段时间没有再出现。如有反复请直接回复本工单。",
    False: "We looked again, found a second cause and removed it; it has been quiet since. Just answer here if it returns.",
}
MOVED = {True: "请假交接，由同事继续跟进。", False: "Handed over for the shift; the context is in the notes."}
RAISED = {True: "客户电话说明影响扩大到全部用户。", False: "The customer called: all users are affected by now."}

# Acts, then says when it goes on, and is told the instant when it does.
Life = Generator[datetime, datetime, None]
Progress = Callable[[int, int], None]
Sweep = Callable[[datetime], None]


@dataclass(frozen=True)
class World:
    """Who is there, and what chance decides."""

    dice: random.Random
    # A customer's person, as often as they file.
    filers: list[tuple[Customer, User]]
    staff: dict[int, User]
    lead: User

    @classmethod
    def read(cls) -> "World":
        rows = Membership.objects.filter(is_active=True, user__is_active=True, user__is_service=False)
        people = [
            (m.customer, m.user) for m in rows.select_related("customer", "user").order_by("customer__code", "pk")
        ]
        # A few companies file most.
        busy = {code: 7 if place % 3 == 0 else 2 for place, code in enumerate(sorted({c.code for c, _u in people}))}
        filers = [one for one in people for _ in range(busy[one[0].code])]
        staff = {u.pk: u for u in User.objects.staff().order_by("pk")}
        # The same seed gives the same ninety days.
        dice = random.Random(20260401)  # noqa: S311
        return cls(dice, filers, staff, next(u for u in staff.values() if u.staff_role == "lead"))

    def chance(self, share: float) -> bool:
        return self.dice.random() < share

    def minutes(self, least: int, most: int) -> timedelta:
        return timedelta(seconds=self.dice.randrange(60 * least, 60 * most))


def live(at: datetime, days: int, more: list[tuple[datetime, Life]], sweep: Sweep, progress: Progress) -> None:
    """Lives the `days` before `at`, with `more` lives among them; what would come later has not happened yet.

    `sweep` does what the desk itself has to do up to an instant. Progress is told in seconds of those days.
    """
    world = World.read()
    order = count()
    waiting = [(when, next(order), life, True) for when, life in more]
    filed = _filings(world, at, days)
    waiting += [(when, next(order), _life(world, when), True) for when in filed]
    heapq.heapify(waiting)
    begins = waiting[0][0]
    while waiting and waiting[0][0] <= at:
        when, number, life, fresh = heapq.heappop(waiting)
        sweep(when)
        if then := _act(life, when, fresh):
            heapq.heappush(waiting, (max(then, when + timedelta(seconds=1)), number, life, False))
        progress(int((when - begins).total_seconds()), int((at - begins).total_seconds()))
    sweep(at)


def _act(life: Life, when: datetime, fresh: bool) -> datetime | None:
    """One act; when the next one is. A life ends too where its ticket went another way meanwhile."""
    try:
        with transaction.atomic():
            # The end of a generator is no error: what it did last stays.
            return next(life, None) if fresh else _go_on(life, when)
    except (Conflict, Refused):
        return None


def _go_on(life: Life, when: datetime) -> datetime | None:
    try:
        return life.send(when)
    except StopIteration:
        return None


def _filings(world: World, at: datetime, days: int) -> list[datetime]:
    """When problems come in: most by day, fewer at night and weekends."""
    found = []
    today = timezone.localtime(at, SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)
    for back in range(days, 1, -1):
        day = today - timedelta(days=back)
        for _ in range(world.dice.choice(DAY_OFF if day.weekday() > 4 else WORKDAY)):
            hour = world.dice.randrange(24) if world.chance(0.2) else world.dice.randrange(8, 20)
            found.append(day + timedelta(hours=hour) + world.minutes(0, 60))
    return found


# --- One ticket ------------------------------------------------------------------------------------------------------


@dataclass
class Told:
    """A ticket under way, and the words of whoever acts on it."""

    world: World
    number: int
    requester: User
    said: Scenario
    filled: dict[str, str]

    def ticket(self) -> Ticket:
        """As it stands now."""
        found: Ticket = Ticket.objects.get(pk=self.number)
        return found

    @property
    def chinese(self) -> bool:
        return self.requester.language.startswith("zh")

    def engineer(self, ticket: Ticket) -> User:
        return self.world.staff[ticket.assigned_to_id] if ticket.assigned_to_id else self.world.lead

    def text(self, name: str) -> str:
        written: str = getattr(self.said, name)
        return written.format_map(self.filled)


def _life(world: World, filed: datetime) -> Life:
    """From filing to the end, one way of several."""
    told = _file(world, filed)
    ref = told.ticket().ref
    targets = {c.kind: c.target_s for c in clocks.of_subjects([ref])[ref]}
    if world.chance(0.03):
        now = yield filed + world.minutes(6, 40)
        _withdraw(told, now)
        return
    now = yield filed + _share(world, ANSWERED, targets["response"])
    _answer(told, now)
    if world.chance(0.12):
        now = yield now + world.minutes(2, 12)
        _aside(told, now)
    if world.chance(0.28):
        now = yield from _wait(told, now)
    if told.said.note and world.chance(0.4):
        now = yield now + world.minutes(4, 30)
        ticket = told.ticket()
        actions.note(ticket=ticket, body=told.text("note"), by=told.engineer(ticket), at=now)
    now = yield max(filed + _share(world, SOLVED, targets["resolution"]), now + world.minutes(9, 25))
    _solve(told, now)
    yield from _end(told, now)


def _solve(told: Told, now: datetime) -> None:
    """The solution; where a promise was broken, with its cause and an apology more often than not."""
    ticket = told.ticket()
    engineer = told.engineer(ticket)
    sorry = amends.own_up(ticket, by=engineer, at=now) if told.number % 5 < 3 else ([], "")
    body = "\n\n".join(filter(None, [sorry[1], told.text("solve")]))
    actions.reply(ticket=ticket, body=body, by=engineer, at=now, then="resolve", apologies=sorry[0])


def _file(world: World, filed: datetime) -> Told:
    customer, requester = world.dice.choice(world.filers)
    said = world.dice.choice(chinese.SCENARIOS if requester.language.startswith("zh") else english.SCENARIOS)
    filled = {name: world.dice.choice(words) for name, words in LEXICON.items()}
    pictured = said.service in ("database", "storage") and world.chance(0.35)
    sent = files.attach(("FreeStorageSpace.png",) if pictured else (), by=requester, at=filed)
    ticket = actions.open_ticket(
        customer=customer,
        title=said.title.format_map(filled),
        description=said.text.format_map(filled),
        category=said.category,
        impact=said.impact,
        urgency=said.urgency,
        service=said.service,
        files=[one.pk for one in sent],
        by=requester,
        at=filed,
    )
    return Told(world, ticket.pk, requester, said, filled)


def _share(world: World, shares: tuple[float, ...], target_s: int) -> timedelta:
    share = world.dice.uniform(1.05, 1.7) if world.chance(LATE) else world.dice.choice(shares)
    return timedelta(seconds=max(90, int(target_s * share * world.dice.uniform(0.9, 1.1))))


def _answer(told: Told, now: datetime) -> None:
    ticket = told.ticket()
    engineer = told.engineer(ticket)
    actions.reply(ticket=ticket, body=told.text("first"), by=engineer, at=now)
    if told.said.tags and told.world.chance(0.8):
        ticket = told.ticket()
        tagging.tag(ticket=ticket, version=ticket.version, add=told.said.tags, by=engineer, at=now)


def _aside(told: Told, now: datetime) -> None:
    """What else happens on some tickets: another hand, a colleague who reads along, a higher priority."""
    ticket, dice = told.ticket(), told.world.dice
    engineer = told.engineer(ticket)
    kind = dice.choice(["hand", "hand", "colleague", "colleague", "raise"])
    if kind == "hand":
        engineers = [u for u in told.world.staff.values() if u.staff_role == "engineer"]
        to = dice.choice([e for e in engineers if e.pk != ticket.assigned_to_id])
        reason = MOVED[told.chinese]
        actions.assign(ticket=ticket, version=ticket.version, to=to, reason=reason, by=engineer, at=now)
    elif kind == "colleague" and (others := list(participants.colleagues(ticket))):
        participants.add(ticket=ticket, person=dice.choice(others), by=told.requester, at=now)
    elif kind == "raise" and ticket.priority_id == "medium":
        reason = RAISED[told.chinese]
        actions.prioritise(ticket=ticket, version=ticket.version, priority="high", reason=reason, by=engineer, at=now)


def _wait(told: Told, now: datetime) -> Generator[datetime, datetime, datetime]:
    """A question, and some time later its answer; one in ten never comes, and the desk's own timers go on."""
    now = yield now + told.world.minutes(3, 25)
    ticket = told.ticket()
    actions.reply(ticket=ticket, body=told.text("ask"), by=told.engineer(ticket), at=now, then="ask")
    if told.world.chance(0.1):
        yield now + NEVER
    now = yield now + told.world.minutes(12, 60 * told.world.dice.choice([1, 2, 3, 5, 18]))
    actions.reply(ticket=told.ticket(), body=told.text("answer"), by=told.requester, at=now)
    return now


def _end(told: Told, now: datetime) -> Life:
    """The customer confirms, comes back, or says nothing; those who confirm may say how it went."""
    world = told.world
    if world.chance(0.07):
        now = yield now + world.minutes(40, 60 * 30)
        actions.reply(ticket=told.ticket(), body=STILL[told.chinese], by=told.requester, at=now)
        now = yield now + world.minutes(15, 110)
        ticket = told.ticket()
        actions.reply(ticket=ticket, body=AGAIN[told.chinese], by=told.engineer(ticket), at=now, then="resolve")
    if not world.chance(0.62):
        return
    now = yield now + world.minutes(20, 60 * world.dice.choice([2, 6, 20, 44]))
    thanks = world.dice.choice(THANKS[told.chinese]) if world.chance(0.4) else ""
    ticket = told.ticket()
    actions.close(ticket=ticket, version=ticket.version, body=thanks, by=told.requester, at=now)
    if world.chance(0.6):
        now = yield now + world.minutes(1, 9)
        score = world.dice.choice(["good"] * 8 + ["okay"] * 2 + ["bad"])
        rating.rate(ticket=told.ticket(), score=score, comment="", by=told.requester, at=now)


def _withdraw(told: Told, now: datetime) -> None:
    ticket = told.ticket()
    twice = told.world.chance(0.3)
    reason, by = (CloseReason.DUPLICATE, told.engineer(ticket)) if twice else (CloseReason.WITHDRAWN, told.requester)
    actions.withdraw(ticket=ticket, version=ticket.version, reason=reason, by=by, at=now)
