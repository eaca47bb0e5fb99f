"""What is measured: which page, seen by whom, and what it may take. Sessions are made here, not logged in."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.cookies import SimpleCookie
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.http.response import HttpResponseBase
from django.test import Client

from helpdesk.accounts.models import User
from helpdesk.audit.models import Entry
from helpdesk.bench import people, words
from tickets.models import OPEN, Status, Ticket

# Written to in turn, so that none of them grows long.
TURNS = 1500


@dataclass(frozen=True)
class Target:
    """What the page may take: p50 with one client, requests a second with eight, statements."""

    ms: float
    per_s: float
    statements: int


READ = Target(15, 120, 8)
TICKET = Target(15, 120, 16)
WRITE = Target(12, 120, 20)
SEARCH = Target(15, 60, 8)
COMMON = Target(40, 20, 8)


@dataclass(frozen=True)
class Page:
    """One thing to measure. With `form` it is a POST; `other` is the same page with fewer or more rows on it."""

    name: str
    viewer: str
    paths: list[str]
    form: dict[str, str] | None = None
    target: Target | None = None
    other: tuple[str, str] | None = None
    answer: int = 0

    @property
    def expect(self) -> int:
        return self.answer or (200 if self.form is None else 303)


def pages(long_ref: str) -> list[Page]:
    """Everything measured; `long_ref` is a ticket with many more messages than the others."""
    worked = [t.ref for t in Ticket.objects.filter(status=Status.IN_PROGRESS).order_by("id")[:TURNS]]
    own = [t.ref for t in Ticket.objects.filter(**_of_big(), status=Status.IN_PROGRESS).order_by("id")[:TURNS]]
    by_ana, by_big = people.ENGINEER, people.BIG_ADMIN
    mine = "/tickets/?view=mine"
    return [
        Page("do nothing, signed in", by_ana, ["/bench/nothing"]),
        Page("queue, 25 rows", by_ana, ["/tickets/"], target=READ),
        Page("queue, mine", by_ana, [mine], target=READ, other=(people.TRAINEE, mine)),
        Page("news", by_ana, [_news()], target=READ),
        Page("ticket, engineer", by_ana, _at(worked), target=TICKET, other=(by_ana, f"/tickets/{long_ref}/")),
        Page("own tickets, of 5", people.SMALL_ADMIN, ["/tickets/?view=all"], target=READ),
        Page("own tickets, of 20,000", by_big, ["/tickets/"], target=READ, other=(people.SMALL_ADMIN, "/tickets/")),
        Page("own tickets, all of 20,000", by_big, ["/tickets/?view=all"], target=READ),
        Page("ticket, customer", by_big, _at(own), target=TICKET, other=(by_big, f"/tickets/{long_ref}/")),
        Page("search, rare word", by_ana, _rare(), target=SEARCH),
        Page("search, common Chinese word", by_ana, _search("延迟"), target=COMMON),
        Page("search, common Latin word", by_ana, _search("restart"), target=COMMON),
        Page("search, open tickets", by_ana, _search("延迟", view="open"), target=COMMON),
        Page("search, two words", by_ana, _search("Aurora 库存对账"), target=COMMON),
        Page("search in own tickets", by_big, _search("延迟"), target=COMMON),
        Page("similar tickets", by_big, ["/tickets/similar"], _filing(), SEARCH, answer=200),
        Page("create", by_big, ["/tickets/create"], _filing(), WRITE),
        Page("reply", by_ana, _at(worked, "reply"), {"body": words.TEXTS[False]["engineer"]}, WRITE),
    ]


def _at(refs: list[str], verb: str = "") -> list[str]:
    return [f"/tickets/{ref}/{verb}" for ref in refs]


def _news() -> str:
    """What a browser that is up to date asks again and again."""
    return f"/tickets/news?since={Entry.objects.latest('pk').pk}-0"


def _rare() -> list[str]:
    """What one settled ticket in all speaks of, for many of them in turn."""
    numbers = Ticket.objects.exclude(status__in=OPEN).order_by("id").values_list("id", flat=True)[::37][:TURNS]
    return [path for number in numbers for path in _search(f"i-0{number:011x}")]


def _search(q: str, view: str = "all") -> list[str]:
    return [f"/tickets/?{urlencode({'view': view, 'q': q})}"]


def _of_big() -> dict[str, str]:
    return {"customer__memberships__user__email": people.BIG_ADMIN}


def _filing() -> dict[str, str]:
    return {
        "customer": str(User.objects.get(email=people.BIG_ADMIN).memberships.get().customer_id),
        "title": words.title(12),
        "description": words.TEXTS[True]["opening"],
        "category": "technical",
        "impact": "production_part",
        "urgency": "urgent",
        "service": "database",
    }


def long_ticket() -> str:
    """One of Big's tickets in progress that gets no turn among those measured: the last."""
    ticket: Ticket = Ticket.objects.filter(**_of_big(), status=Status.IN_PROGRESS).latest("id")
    return ticket.ref


def cookies(email: str) -> dict[str, str]:
    """A session and a CSRF token, as a browser would send them."""
    person = User.objects.get(email=email)
    session = SessionStore()
    session[SESSION_KEY] = str(person.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = person.get_session_auth_hash()
    session.create()
    token = secrets.token_hex(16)
    return {settings.SESSION_COOKIE_NAME: session.session_key or "", settings.CSRF_COOKIE_NAME: token}


@contextmanager
def inside(email: str) -> Iterator["Inside"]:
    """The desk in this process, seen by `email`, for looking at what it does."""
    before, settings.ROOT_URLCONF = settings.ROOT_URLCONF, "helpdesk.bench.urls"
    try:
        yield Inside(cookies(email))
    finally:
        settings.ROOT_URLCONF = before


class Inside:
    """Asks like a browser that keeps no cookie it is given."""

    def __init__(self, given: dict[str, str]) -> None:
        self.given = given
        self.token = given[settings.CSRF_COOKIE_NAME]
        self.client = Client(SERVER_NAME="127.0.0.1", enforce_csrf_checks=True)

    def ask(self, path: str, form: dict[str, str] | None = None) -> HttpResponseBase:
        self.client.cookies = SimpleCookie(self.given)
        if form is None:
            return self.client.get(path)
        extra = {"csrfmiddlewaretoken": self.token, "once": secrets.token_urlsafe(16)}
        return self.client.post(path, form | extra)
