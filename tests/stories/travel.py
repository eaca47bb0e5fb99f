"""Days of a desk told in minutes: people at their doors and the pulse, at instants that are travelled to."""

import html
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import time_machine
from django.test import Client
from django.utils.module_loading import import_string

from helpdesk.accounts.models import User
from helpdesk.audit.models import Entry
from helpdesk.outbox.models import Letter
from helpdesk.schedule import PULSE
from sla.models import Clock
from tickets.models import Ticket

DAY = datetime(2026, 3, 2, tzinfo=UTC)
STEPS = {"clocks", "timers"}
# How a customer answers the two questions to be promised this.
ANSWERS = {
    "critical": ("production_down", "urgent"),
    "high": ("production_part", "urgent"),
    "medium": ("non_critical", "urgent"),
    "low": ("question", "wait"),
}


def at(text: str, day: int = 0) -> datetime:
    hours, minutes, *seconds = (int(part) for part in text.split(":"))
    return DAY + timedelta(days=day, hours=hours, minutes=minutes, seconds=sum(seconds))


def pulse(when: datetime) -> None:
    """The steps of the pulse that look at clocks and timers, as its loop would take them at this instant."""
    for name, path, _every in PULSE:
        if name in STEPS:
            import_string(path)(when)


def minutes(since: datetime, until: datetime) -> None:
    """The pulse beats each minute from one instant to another."""
    while since <= until:
        pulse(since)
        since += timedelta(minutes=1)


class Person:
    """Somebody with a browser."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.client = Client()

    def see(self, address: str, when: datetime) -> str:
        with time_machine.travel(when, tick=False):
            self.client.force_login(self.user)
            answer = self.client.get(address)
            assert answer.status_code == 200, answer.status_code
            return html.unescape(answer.content.decode())

    def send(self, address: str, when: datetime, **form: Any) -> Any:
        with time_machine.travel(when, tick=False):
            self.client.force_login(self.user)
            answer = self.client.post(address, {"once": uuid4().hex, **form})
        assert answer.status_code == 303, (answer.status_code, answer.content.decode()[:2000])
        return answer

    def files(self, cast: Any, when: datetime, priority: str = "critical") -> Ticket:
        impact, urgency = ANSWERS[priority]
        self.send(
            "/tickets/create",
            when,
            customer=str(cast.acme.pk),
            title="数据库连接超时",
            description="从 09:58 开始",
            category="technical",
            impact=impact,
            urgency=urgency,
        )
        return Ticket.objects.latest("id")

    def does(self, verb: str, ticket: Ticket, when: datetime, **form: Any) -> Ticket:
        now = Ticket.objects.get(pk=ticket.pk)
        last = now.messages.exclude(kind="note").latest("id").pk
        self.send(f"/tickets/{now.ref}/{verb}", when, version=now.version, last_seen_message=last, **form)
        return Ticket.objects.get(pk=ticket.pk)

    def says(self, ticket: Ticket, when: datetime, then: str = "", body: str = "On it") -> Ticket:
        return self.does("reply", ticket, when, body=body, then=then)


def clock(ticket: Ticket, kind: str = "resolution") -> Clock:
    return Clock.objects.get(subject=ticket.ref, kind=kind)


def history(ticket: Ticket, *actions: str) -> list[Entry]:
    return list(Entry.objects.filter(subject=ticket.ref, action__in=actions).order_by("at", "id"))


def warned(ticket: Ticket, kind: str = "resolution") -> list[tuple[int, datetime]]:
    """What history says was warned of, and when."""
    return [(e.data["percent"], e.at) for e in history(ticket, "ticket.warned") if e.data["kind"] == kind]


def letters(ticket: Ticket, kind: str, *, of: str = "") -> list[Letter]:
    """The letters about a ticket; `of` names the clock they speak of."""
    found = Letter.objects.filter(subject=ticket.ref, kind=kind).order_by("id")
    return [letter for letter in found if not of or letter.data["kind"] == of]


def words(page: str) -> str:
    """What a page says, without its marks."""
    return " ".join(re.sub(r"<[^>]*>", " ", page).split())


def shanghai(when: datetime) -> str:
    return f"{when.astimezone(ZoneInfo('Asia/Shanghai')):%H:%M}"
