"""X-01: what people typed stays text on every page, with the content policy and without it.

A desk with the demo's data runs for real; every text column that people can fill is overwritten with payloads, in the
database itself, so that no form and no rule on the way in can help. Then each role walks every page it can reach in a
real browser. A dialog, a request to another host, an element or attribute that no template wrote, or a sum that
somebody did turns the test red.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from itertools import cycle
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from django.apps import apps
from django.db import models

from helpdesk import richtext
from tests.browser import chromium, walk
from tests.security.payloads import PAYLOADS
from tests.stories.desk import Desk, running

pytestmark = [
    pytest.mark.story,
    pytest.mark.browser,
    pytest.mark.skipif(chromium.PROGRAM is None, reason="NO CHROMIUM: install the package chromium"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
OURS = ("accounts", "audit", "outbox", "sla", "tickets", "oncall", "kb", "awsint", "docs", "helpdesk")
# Codes, keys and addresses: no page takes them from a person as free text, and the desk would stand still without them.
LEFT_ALONE = re.compile(
    r"^(code|email|password|language|zone|key|owner|path|digest|subject|actor|actor_role|action|audience|to_key|"
    r"to_address|channel|state|kind|cause|verdict|priority|category|source|due_kind|impact|urgency|engineer|token|"
    r"token_hash|html|secret|status|name_of_process|sha256|content_type|"
    # Checked where they are saved, and the desk would not stand with others.
    r"default_language|default_zone|logo_type|colour|director_mail|support_mailbox|public_url)$"
)
SAME_WORDS = "a[href], [hx-get], link[href], [src], form[action]"
# What a page may hold: everything else that could act was not written by a template.
STRANGE = """() => {
  const found = [];
  for (const one of document.querySelectorAll('*')) {
    for (const {name, value} of one.attributes) {
      if (/^(on|hx-on|srcdoc)/.test(name)) found.push(one.tagName + ' ' + name);
      if (/action$/.test(name) && new URL(value, location).origin !== location.origin)
        found.push(one.tagName + ' ' + name + '=' + value.slice(0, 40));
      if (/^\\s*(javascript|data|vbscript):/i.test(value) && ['href', 'src', 'action', 'data'].includes(name)
          && one.tagName !== 'IMG') found.push(one.tagName + ' ' + name + '=' + value.slice(0, 40));
    }
    // A mail is shown in a sandbox of its own, from our own address.
    if (one.tagName === 'IFRAME' && one.hasAttribute('sandbox') && !one.sandbox.contains('allow-scripts')
        && new URL(one.src).origin === location.origin) continue;
    if (['IFRAME', 'OBJECT', 'EMBED', 'BASE', 'STYLE', 'VIDEO', 'MATH'].includes(one.tagName.toUpperCase()))
      found.push(one.tagName);
    if (one.tagName === 'SCRIPT' && !one.src && !/json/.test(one.type)) found.push('SCRIPT ' + one.text.slice(0, 40));
    if (one.tagName === 'META' && one.httpEquiv) found.push('META ' + one.httpEquiv);
  }
  return found;
}"""


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with running("day") as one:
        poison(one)
        yield one


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium.browser() as one:
        yield one


def poison(desk: Desk) -> None:
    """Overwrites every free text column with payloads, another one in each row."""
    known = json.loads((desk.data / "pg.json").read_text())
    where = {"host": "127.0.0.1", "port": known["port"], "user": "helpdesk", "password": known["password"]}
    turns = cycle(PAYLOADS)
    with psycopg.connect(**where, dbname="helpdesk", autocommit=True) as connection:
        # The triggers that keep history and published versions are not asked: this is not a person.
        connection.execute("SET session_replication_role = replica")
        for model in apps.get_models():
            if model._meta.app_label in OURS and model._meta.managed:
                for field in model._meta.concrete_fields:
                    if is_free_text(field):
                        fill(connection, model, field, turns)
        everything = "\n\n".join(PAYLOADS)
        both = (everything, richtext.render(everything))
        connection.execute("UPDATE tickets_message SET body = %s, html = %s", both)


def is_free_text(field: models.Field) -> bool:
    return (
        isinstance(field, models.CharField | models.TextField)
        and not isinstance(field, models.SlugField | models.EmailField | models.ForeignKey)
        and not (field.choices or field.unique or field.primary_key)
        and not LEFT_ALONE.match(field.name)
        # Too short for any payload: codes such as a colour.
        and (field.max_length is None or field.max_length >= min(map(len, PAYLOADS)))
    )


def fill(connection: Any, model: type[models.Model], field: models.Field, turns: Iterator[str]) -> None:
    table, column = model._meta.db_table, field.column
    most = field.max_length or 10_000
    for (pk,) in connection.execute(f'SELECT "{model._meta.pk.column}" FROM "{table}"').fetchall():
        text = next(p for p in turns if len(p) <= most) if most < 500 else " ".join(PAYLOADS)[:most]
        connection.execute(f'UPDATE "{table}" SET "{column}" = %s WHERE "{model._meta.pk.column}" = %s', (text, pk))


class Tour:
    """One person walking the desk by its links, and all that was strange on the way."""

    def __init__(self, page: Any, url: str) -> None:
        self.page, self.url = page, url
        self.strange: list[str] = []
        self.seen: list[str] = []
        self.poisoned = 0
        page.on("dialog", self._dialog)
        page.on("request", self._request)

    def _dialog(self, dialog: Any) -> None:
        self.strange.append(f"dialog on {self.page.url}")
        dialog.dismiss()

    def _request(self, request: Any) -> None:
        if urlsplit(request.url).netloc not in ("", urlsplit(self.url).netloc):
            self.strange.append(f"asked for {request.url} on {self.page.url}")

    def everywhere(self) -> None:
        self.seen = list(walk.pages(self.page, self.url, self.look))

    def look(self, path: str) -> None:
        answer = self.page.goto(self.url + path, wait_until="load")
        assert answer is not None
        if answer.status >= 500:
            self.strange.append(f"{answer.status} on {path}")
        self.strange += [f"{what} on {path}" for what in self.page.evaluate(STRANGE)]
        content = self.page.content()
        self.poisoned += "alert(1)" in content
        if "49canary" in content:
            self.strange.append(f"somebody did the sum on {path}")


@pytest.mark.parametrize("policy", ["with the content policy", "without it"])
def test_what_people_typed_stays_text_on_every_page(desk: Desk, browser: Any, policy: str) -> None:
    told = desk.run_file()
    assert told
    strange, pages, poisoned = [], Counter[str](), 0
    for role in ("customer", "engineer", "admin"):
        login = next(p for p in told["people"] if p["role"] == role)
        page = chromium.person(browser, desk.url, login, bypass_csp=policy == "without it")
        tour = Tour(page, desk.url)
        tour.everywhere()
        strange += tour.strange
        pages[role] = len(tour.seen)
        poisoned += tour.poisoned
        page.context.close()
    # Not compared as a list: a diff of what is strange would take minutes.
    assert not strange, "\n".join(s[:200] for s in strange[:40])
    # It did walk: a role that is sent back to the login page sees few.
    assert all(count >= 8 for count in pages.values()), pages
    assert poisoned > 30


def test_the_walk_finds_a_page_that_forgot_to_escape(desk: Desk, browser: Any) -> None:
    page = chromium.person(browser, desk.url, bypass_csp=True)
    tour = Tour(page, desk.url)
    page.route(
        "**/careless",
        lambda route: route.fulfill(
            content_type="text/html", body="".join(p for p in PAYLOADS[:35] if "refresh" not in p)
        ),
    )
    tour.look("/careless")
    page.context.close()
    assert any("dialog" in s for s in tour.strange)
    assert any("canary.invalid" in s for s in tour.strange)
    assert any("IFRAME" in s for s in tour.strange)
