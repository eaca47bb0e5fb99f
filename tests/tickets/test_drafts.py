"""Drafts, through their doors: what is typed survives, whoever else is at it, and nobody finds what is not for them."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from helpdesk.accounts.models import Membership
from helpdesk.audit.models import Entry
from tests.tickets.test_pages import enter, fresh, opened, text
from tickets import actions, drafting
from tickets.models import Draft, Message, Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def ticket(cast: Any) -> Ticket:
    return opened(cast)


def keep(client: Client, ticket: Ticket, body: str, seen: str = "", **more: str) -> Any:
    return client.post(f"/tickets/{ticket.ref}/draft", {"body": body, "draft_at": seen, "quiet": "1", **more})


def stamp(answer: Any) -> str:
    (found,) = re.findall(r'name="draft_at" autocomplete="off" value="([^"]*)"', text(answer))
    return str(found)


def page(client: Client, ticket: Ticket, query: str = "") -> str:
    answer = client.get(f"/tickets/{ticket.ref}/{query}")
    assert answer.status_code == 200
    return text(answer)


def composer(client: Client, ticket: Ticket, query: str = "") -> str:
    """What stands in the field."""
    (found,) = re.findall(
        r'<textarea[^>]* id="body"[^>]*>(.*?)</textarea>|<textarea id="body"[^>]*>(.*?)</textarea>',
        page(client, ticket, query),
        re.DOTALL,
    )
    return "".join(found)


def test_a_draft_is_there_in_every_browser_and_gone_once_it_is_sent(cast: Any, ticket: Ticket) -> None:
    for person, other in ((cast.ana, "staff"), (cast.cora, "customer")):
        first = keep(enter(person), ticket, "Half a thought")
        assert first.status_code == 200
        assert re.search(r"Draft of|的草稿", text(first)), other
        elsewhere = enter(person)
        assert composer(elsewhere, ticket) == "Half a thought"
        second = keep(elsewhere, ticket, "Half a thought, and the rest", stamp(first))
        said = {"body": "Half a thought, and the rest. Sent.", "draft_at": stamp(second)}
        assert elsewhere.post(f"/tickets/{ticket.ref}/reply", said).status_code == 303
        assert composer(elsewhere, ticket) == ""
        assert not Draft.objects.exists()


def test_a_draft_is_no_write_on_the_ticket(cast: Any, ticket: Ticket) -> None:
    before = (fresh(ticket).version, fresh(ticket).last_event_at, Entry.objects.count())
    seen = stamp(keep(enter(cast.ana), ticket, "One"))
    keep(enter(cast.ana), ticket, "Two", seen)
    assert (fresh(ticket).version, fresh(ticket).last_event_at, Entry.objects.count()) == before
    # Nor does somebody else's write touch it.
    actions.note(ticket=ticket, body="Hm", by=cast.lee, at=timezone.now())
    assert composer(enter(cast.ana), ticket) == "Two"


def test_a_note_stays_a_note(cast: Any, ticket: Ticket) -> None:
    ana = enter(cast.ana)
    keep(ana, ticket, "They forgot to pay", kind="note")
    assert 'value="note" checked' in page(ana, ticket)
    keep(enter(cast.cora), ticket, "Mine", kind="note")
    assert Draft.objects.get(user=cast.cora).kind == "reply"


def test_an_older_window_never_writes_over_a_newer(cast: Any, ticket: Ticket) -> None:
    ana = enter(cast.ana)
    seen = stamp(keep(ana, ticket, "One"))
    newer = stamp(keep(ana, ticket, "One and two", seen))
    refused = keep(ana, ticket, "One or three", seen)
    assert refused.status_code == 409
    assert "another window saved its draft" in text(refused)
    assert stamp(refused) == seen, "the next save of that window is refused as well"
    assert composer(ana, ticket) == "One and two"
    # The same words again, as when an answer got lost, are no conflict.
    assert keep(ana, ticket, "One and two", seen).status_code == 200
    # A first save of a window that knew of none is one.
    assert keep(ana, ticket, "Four").status_code == 409
    # Two ways out: both, or knowingly this one.
    both = ana.post(f"/tickets/{ticket.ref}/draft", {"body": "One or three", "draft_at": seen, "both": "1"})
    assert both.status_code == 303
    assert composer(ana, ticket) == "One and two\n\nOne or three"
    now = Draft.objects.get().stamp
    assert now > newer
    assert keep(ana, ticket, "Four", over=now).status_code == 200
    assert composer(ana, ticket) == "Four"


def test_without_script_a_conflict_shows_the_page_with_both_ways_out(cast: Any, ticket: Ticket) -> None:
    ana, address = enter(cast.ana), f"/tickets/{ticket.ref}/draft"
    saved = ana.post(address, {"body": "One", "draft_at": "", "save": "1"})
    assert (saved.status_code, saved.headers["Location"]) == (303, f"/tickets/{ticket.ref}/")
    assert "The draft is saved." in page(ana, ticket)
    refused = ana.post(address, {"body": "Two", "draft_at": "", "save": "1"})
    assert refused.status_code == 409
    shown = text(refused)
    assert "Another window changed this draft meanwhile." in shown
    assert ">Two</textarea>" in shown
    assert 'name="both"' in shown
    assert f'name="over" value="{Draft.objects.get().stamp}"' in shown


def test_what_was_sent_or_discarded_does_not_come_back(cast: Any, ticket: Ticket) -> None:
    ana = enter(cast.ana)
    seen = stamp(keep(ana, ticket, "Please restart"))
    assert ana.post(f"/tickets/{ticket.ref}/reply", {"body": "Please restart", "draft_at": seen}).status_code == 303
    late = keep(ana, ticket, "Please restart the node", seen)
    assert late.status_code == 409
    assert "sent or discarded in another window" in text(late)
    # The first save of all may arrive behind the reply.
    assert keep(ana, ticket, "Please rest").status_code == 200
    assert not Draft.objects.exists()
    seen = stamp(keep(ana, ticket, "Something else"))
    gone = ana.post(f"/tickets/{ticket.ref}/draft", {"body": "Something else", "draft_at": seen, "discard": "1"})
    assert gone.status_code == 303
    assert composer(ana, ticket) == ""


def test_sending_from_an_older_window_keeps_what_the_newer_one_saved(cast: Any, ticket: Ticket) -> None:
    ana = enter(cast.ana)
    seen = stamp(keep(ana, ticket, "One"))
    keep(ana, ticket, "A longer, quite different text", seen)
    assert ana.post(f"/tickets/{ticket.ref}/reply", {"body": "One", "draft_at": seen}).status_code == 303
    assert composer(ana, ticket) == "A longer, quite different text"


def test_a_draft_ends_with_its_reply_or_not_at_all(cast: Any, ticket: Ticket, monkeypatch: Any) -> None:
    ana = enter(cast.ana)
    seen = stamp(keep(ana, ticket, "Kept"))

    def fail(**_given: Any) -> None:
        raise RuntimeError("after the reply was written")

    with monkeypatch.context() as broken:
        broken.setattr(drafting, "clear", fail)
        assert ana.post(f"/tickets/{ticket.ref}/reply", {"body": "Kept", "draft_at": seen}).status_code == 500
    assert not Message.objects.filter(body="Kept").exists()
    assert composer(ana, ticket) == "Kept"


def test_the_leaf_that_resolves_ends_only_a_draft_of_its_own_words(cast: Any, ticket: Ticket) -> None:
    ana = enter(cast.ana)
    keep(ana, ticket, "Another matter")
    sent = {"version": fresh(ticket).version, "body": "Restarted."}
    assert ana.post(f"/tickets/{ticket.ref}/resolve", sent).status_code == 303
    assert composer(ana, ticket) == "Another matter"
    cora = enter(cast.cora)
    keep(cora, ticket, "Still slow")
    sent = {"version": fresh(ticket).version, "body": "Still slow today"}
    assert cora.post(f"/tickets/{ticket.ref}/reopen", sent).status_code == 303
    assert composer(cora, ticket) == ""


def test_a_colleague_sees_a_draft_and_loads_it_beside_their_own(cast: Any, ticket: Ticket) -> None:
    ana, lee = enter(cast.ana), enter(cast.lee)
    keep(ana, ticket, "Check the quorum first", kind="note")
    shown = page(lee, ticket)
    assert re.search(r"Draft by Ana, <time", shown)
    assert "Check the quorum" not in shown
    load = f"?draft={cast.ana.pk}"
    assert composer(lee, ticket, load) == "Check the quorum first"
    assert 'value="note" checked' in page(lee, ticket, load)
    keep(lee, ticket, "Mine")
    assert composer(lee, ticket, load) == "Mine\n\nCheck the quorum first"
    assert composer(ana, ticket) == "Check the quorum first", "looking at it takes nothing away"
    for odd in ("?draft=x", "?draft=999999", "?draft=%00", f"?draft={cast.cora.pk}"):
        assert composer(lee, ticket, odd) == "Mine"


def test_nobody_meets_a_draft_that_is_not_for_them(cast: Any, ticket: Ticket) -> None:
    keep(enter(cast.ana), ticket, "canary-of-ana")
    keep(enter(cast.cora), ticket, "canary-of-cora")
    for person in (cast.carla, cast.dora, cast.lee):
        for query in ("", f"?draft={cast.cora.pk}"):
            assert "canary-of-cora" not in page(enter(person), ticket, query)
    for person in (cast.cora, cast.carla):
        shown = page(enter(person), ticket, f"?draft={cast.ana.pk}")
        # That Ana looks after it they may know.
        assert not re.search("canary-of-ana|Draft by Ana|Ana 的草稿", shown)
    for outsider in (cast.gus, cast.audrey, cast.cody):
        assert keep(enter(outsider), ticket, "Mine too").status_code == 404
    assert Draft.objects.count() == 2
    anonymous = keep(enter(None), ticket, "Typed for long")
    assert anonymous.status_code == 403
    assert f'data-kept="/tickets/{ticket.ref}/"' in text(anonymous), "the script brings it back after login"
    assert "Typed for long" in text(anonymous)
    # Access is asked each time: who is let go loses their draft with the ticket.
    cora = enter(cast.cora)
    Membership.objects.filter(user=cast.cora).update(is_active=False)
    assert keep(cora, ticket, "More").status_code == 404
    assert cora.get(f"/tickets/{ticket.ref}/").status_code == 404


def test_what_cannot_be_kept_is_said_and_the_last_draft_stays(cast: Any, ticket: Ticket) -> None:
    ana = enter(cast.ana)
    seen = stamp(keep(ana, ticket, "Good"))
    for body, word in (("x" * 50_001, "1 character too many"), ("a\x00b", "cannot be stored")):
        refused = keep(ana, ticket, body, seen)
        assert refused.status_code == 422
        assert word in text(refused)
        whole = ana.post(f"/tickets/{ticket.ref}/draft", {"body": body, "draft_at": seen})
        assert whole.status_code == 422
        assert word in text(whole)
    for odd in ("x", "\x00", "2026-01-01", "9" * 5000):
        assert keep(ana, ticket, "Bad", odd).status_code == 409
    assert composer(ana, ticket) == "Good"


def test_a_closed_ticket_keeps_its_drafts_and_says_where_they_can_go(cast: Any, ticket: Ticket) -> None:
    ana, cora = enter(cast.ana), enter(cast.cora)
    keep(ana, ticket, "For the record")
    keep(cora, ticket, "One more thing")
    actions.withdraw(ticket=ticket, version=1, reason="withdrawn", by=cast.cora, at=timezone.now())
    assert "Closed meanwhile: your draft of" in page(ana, ticket)
    assert composer(ana, ticket) == "For the record"
    assert ana.post(f"/tickets/{ticket.ref}/note", {"body": "For the record"}).status_code == 303
    assert "Closed meanwhile: your draft" not in page(ana, ticket)
    shown = page(cora, ticket)
    assert ">One more thing</textarea>" in shown
    carried = {"follows": ticket.ref, "carry": "1", "description": "One more thing", "title": ticket.title}
    assert ">One more thing</textarea>" in text(cora.post("/tickets/create", carried))
    filing = {"category": "technical", "impact": "question", "urgency": "wait", "customer": str(cast.acme.pk)}
    del carried["carry"]
    assert cora.post("/tickets/create", carried | filing).status_code == 303
    assert not Draft.objects.exists()


def test_a_reply_that_was_refused_stands_with_its_draft_untouched(cast: Any, ticket: Ticket) -> None:
    ana = enter(cast.ana)
    seen = stamp(keep(ana, ticket, "Long text"))
    # Marked as a note, sent as a reply: refused, and the page still knows its draft.
    refused = ana.post(f"/tickets/{ticket.ref}/reply", {"body": "Long text more", "kind": "note", "draft_at": seen})
    assert refused.status_code == 422
    assert stamp(refused) == seen
    assert "data-unsaved" in text(refused)


def test_words_taken_back_stand_before_what_was_begun_meanwhile(cast: Any, ticket: Ticket) -> None:
    at = timezone.now()
    drafting.keep(ticket=ticket, user=cast.ana, kind="reply", body="Taken back", at=at)
    assert composer(enter(cast.ana), ticket) == "Taken back"
    drafting.keep(ticket=ticket, user=cast.ana, kind="note", body="For us", at=at)
    draft = Draft.objects.get()
    assert (draft.body, draft.kind) == ("For us\n\nTaken back", "note")


def test_drafts_move_along_with_a_merged_ticket(cast: Any, ticket: Ticket) -> None:
    other = opened(cast, "Another")
    keep(enter(cast.ana), ticket, "Here")
    seen = stamp(keep(enter(cast.lee), ticket, "Lee's"))
    keep(enter(cast.ana), other, "There")
    merged = {"other": other.ref, "version": fresh(ticket).version}
    assert enter(cast.ada).post(f"/tickets/{ticket.ref}/merge", merged).status_code == 303
    assert composer(enter(cast.ana), other) == "There\n\nHere"
    assert composer(enter(cast.lee), other) == "Lee's"
    # A window that was open on the old number goes on saving, where one finds it.
    assert keep(enter(cast.lee), ticket, "Lee's, and more", seen).status_code == 200
    assert composer(enter(cast.lee), other) == "Lee's, and more"
    assert not Draft.objects.filter(ticket=ticket).exists()


def test_a_ticket_page_asks_once_for_all_drafts(cast: Any, ticket: Ticket) -> None:
    ana, cora = enter(cast.ana), enter(cast.cora)

    def asked(client: Client, path: str) -> list[str]:
        client.get(path)
        with CaptureQueriesContext(connection) as statements:
            assert client.get(path).status_code == 200
        return [s["sql"] for s in statements]

    address = f"/tickets/{ticket.ref}/"
    bare = [len(asked(ana, address)), len(asked(cora, address))]
    for person in (cast.ana, cast.lee, cast.ada, cast.cora):
        keep(enter(person), ticket, f"Of {person.name}")
    full = [asked(ana, address), asked(cora, address)]
    assert [len(f) for f in full] == [n + 1 for n in bare]
    assert [sum('FROM "tickets_draft"' in s for s in f) for f in full] == [1, 1]
    seen = stamp(keep(ana, ticket, "x", Draft.objects.get(user=cast.ana).stamp))
    with CaptureQueriesContext(connection) as statements:
        keep(ana, ticket, "xy", seen)
    assert len([s for s in statements if "SAVEPOINT" not in s["sql"]]) <= 5
