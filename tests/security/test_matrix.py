"""T-01: every route, every kind of person, own and foreign objects; and what no answer may contain.

Each cell asserts the status and that neither body nor headers nor file carries a canary of what this person may not
see: texts of a ticket of another customer, internal notes, the staff's side of history.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import URLPattern, URLResolver, get_resolver, path

from tests.security.routes import ANYBODY, OF_CORA, OF_GUS, ROUTES, Route
from tests.security.world import World, build

pytestmark = pytest.mark.django_db


def walk(resolver: URLResolver | None = None, prefix: str = "") -> Iterator[str]:
    """The pattern of every route of the site."""
    for one in (resolver or get_resolver()).url_patterns:
        pattern = prefix + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from walk(one, pattern)
        elif isinstance(one, URLPattern):
            yield pattern


def listed(pattern: str) -> str | None:
    """The table's key for a route: itself, or a whole folder that ends in "*"."""
    if pattern in ROUTES:
        return pattern
    return next((key for key in ROUTES if key.endswith("*") and pattern.startswith(key[:-1])), None)


def test_every_route_stands_in_the_table() -> None:
    assert [p for p in walk() if listed(p) is None] == []


def test_every_row_of_the_table_is_a_route() -> None:
    known = set(walk())
    stale = [k for k in ROUTES if k not in known and not (k.endswith("*") and any(p.startswith(k[:-1]) for p in known))]
    assert stale == []


def test_public_routes_say_why() -> None:
    assert [k for k, r in ROUTES.items() if "stranger" in r.who and not r.why_public] == []


@pytest.fixture
def world(cast: Any) -> World:
    return build(cast)


def client_for(world: World, viewer: str) -> Client:
    client = Client()
    if viewer != "stranger":
        client.force_login(getattr(world.cast, viewer))
    return client


@pytest.mark.parametrize("viewer", ANYBODY)
def test_each_door_opens_for_whom_it_should(world: World, viewer: str) -> None:
    wrong = []
    client = client_for(world, viewer)
    for pattern, route in ROUTES.items():
        if pattern.endswith("*") or route.elsewhere:
            continue
        for url, who in world.urls(pattern, route):
            answer = send(client, route, url)
            if route.method == "post":
                # What a write leaves in the session, or a login that it ends, is not the next door's.
                client = client_for(world, viewer)
            if problem := judge(answer, viewer, who, route, world):
                wrong.append(f"{route.method.upper()} /{url} as {viewer}: {problem}")
    assert wrong == []


def send(client: Client, route: Route, url: str) -> HttpResponse:
    call = client.post if route.method == "post" else client.get
    return call(f"/{url}", route.data)  # type: ignore[return-value]


def judge(answer: HttpResponse, viewer: str, who: tuple[str, ...], route: Route, world: World) -> str | None:
    """What is wrong with an answer, None where it is as the table says."""
    body = read(answer)
    if leaked := [c for c in world.hidden_from(viewer) if c in body]:
        return f"leaks {leaked}"
    to_login = answer.status_code == 302 and "/accounts/login" in answer.headers.get("Location", "")
    if viewer in who:
        return (
            None
            if answer.status_code in route.answers and (route.why_public or not to_login)
            else f"answered {answer.status_code}"
        )
    if viewer == "stranger":
        return None if to_login or answer.status_code == 404 else f"let a stranger in with {answer.status_code}"
    return None if answer.status_code == 404 else f"answered {answer.status_code} instead of 404"


def read(answer: HttpResponse) -> str:
    raw = b"".join(answer.streaming_content) if answer.streaming else answer.content  # type: ignore[attr-defined]
    # A search marks what was asked for, which may be half of a canary.
    text = raw.decode(errors="replace").replace("<mark>", "").replace("</mark>", "")
    return text + "\n" + "\n".join(f"{k}: {v}" for k, v in answer.headers.items())


def test_a_foreign_ticket_looks_like_none_at_all(world: World) -> None:
    client = client_for(world, "cora")
    foreign = client.get(f"/tickets/{world.of_gus.ref}/")
    missing = client.get("/tickets/HD-9999/")
    assert (foreign.status_code, missing.status_code) == (404, 404)
    same = [
        CLOCK.sub("", read(a).replace(ref, "HD-X")) for a, ref in ((foreign, world.of_gus.ref), (missing, "HD-9999"))
    ]
    assert same[0] == same[1]


def broken_view(request: HttpRequest) -> HttpResponse:
    """What a careless developer might write: every ticket's title, to whoever asks."""
    from tickets.models import Ticket

    return HttpResponse("\n".join(Ticket.objects.values_list("title", flat=True)))


urlpatterns = [path("leak", broken_view), path("", broken_view)]


@override_settings(ROOT_URLCONF="tests.security.test_matrix")
def test_the_matrix_turns_red_for_a_view_that_leaks(world: World) -> None:
    answer = client_for(world, "gus").get("/leak")
    assert judge(answer, "gus", ANYBODY, Route(ANYBODY), world) is not None
    assert [p for p in walk(get_resolver("tests.security.test_matrix")) if listed(p) is None] == ["leak"]


# What differs between any two answers: the instant and the form token.
CLOCK = re.compile(r"\d\d:\d\d:\d\d\.\d+|value=\"[A-Za-z0-9]{64}\"")
SAFE_ON_EVERY_PAGE = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def test_every_answer_carries_the_security_headers(world: World) -> None:
    for viewer in ("stranger", "cora", "ana", "ada"):
        client = client_for(world, viewer)
        for pattern, route in ROUTES.items():
            for url, _who in [] if pattern.endswith("*") or route.elsewhere else world.urls(pattern, route):
                answer = send(client, route, url)
                where = f"/{url} as {viewer}"
                for name, value in SAFE_ON_EVERY_PAGE.items():
                    assert answer.headers.get(name) == value, where
                policy = answer.headers["Content-Security-Policy"]
                assert "default-src 'none'" in policy, where
                assert "unsafe" not in policy or route.own_policy, where
                assert route.kept or "no-store" in answer.headers.get("Cache-Control", ""), where
                if viewer != "stranger" and route.method == "post" and "logout" in url:
                    client = client_for(world, viewer)


def test_reading_changes_nothing(world: World, django_assert_num_queries: Any) -> None:
    """T-13: a GET leaves the database as it was, sessions and heartbeats aside."""
    from django.db import connection

    for viewer in ("cora", "ana", "ada"):
        client = client_for(world, viewer)
        client.get("/")
        with connection.execute_wrapper(refuse_writes):
            for pattern, route in ROUTES.items():
                if route.method == "get" and not pattern.endswith("*") and not route.elsewhere and not route.writes:
                    for url, who in world.urls(pattern, route):
                        if viewer in who:
                            send(client, route, url)


def refuse_writes(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
    verb = sql.lstrip().split(" ", 1)[0].upper()
    aside = ("django_session", "django_cache", "helpdesk_cache", "usersessions")
    assert verb not in ("INSERT", "UPDATE", "DELETE") or any(table in sql for table in aside), sql
    return execute(sql, params, many, context)


def test_each_write_needs_its_token(world: World) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(world.cast.ana)
    for pattern, route in ROUTES.items():
        if route.method == "post":
            for url, _who in world.urls(pattern, route):
                assert strict.post(f"/{url}", route.data).status_code in (403, 404), url


def test_viewers_of_the_world_are_as_the_design_says(world: World) -> None:
    from tickets.models import Ticket

    for viewer in ANYBODY[1:]:
        seen = set(Ticket.objects.visible_to(getattr(world.cast, viewer)))
        assert (world.of_cora in seen, world.of_gus in seen) == (viewer in OF_CORA, viewer in OF_GUS), viewer
