"""Two tickets become one: nothing said is lost, the old number leads on, and for seven days it can be taken back."""

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from helpdesk.accounts import keys
from helpdesk.accounts.models import User
from helpdesk.audit.models import Entry
from helpdesk.outbox.models import Letter
from sla import clocks
from sla.models import Clock
from tests.accounts.many import at_once
from tests.cast import Cast, assemble
from tests.tickets.test_tags import enter, fresh, opened, text
from tickets import actions, following, merging
from tickets.models import Follow, Message, SearchRow, Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def two(cast: Any) -> tuple[Ticket, Ticket]:
    """The younger one, which is the same problem once more, and the older one."""
    older = opened(cast, "Older", description="canary-older")
    return opened(cast, "Younger", description="canary-younger"), older


def send(person: User, ticket: Ticket, verb: str, **words: Any) -> Any:
    given = {"version": fresh(ticket).version, "once": uuid4().hex}
    return enter(person).post(f"/tickets/{ticket.ref}/{verb}", given | words)


def merge(person: User, source: Ticket, survivor: Ticket) -> Any:
    return send(person, source, "merge", other=survivor.ref)


def page(person: User, path: str) -> str:
    return text(enter(person).get(path))


def verdicts(ticket: Ticket) -> set[str]:
    return set(Clock.objects.filter(subject=ticket.ref).values_list("verdict", flat=True))


def history(ticket: Ticket) -> list[str]:
    return list(Entry.objects.filter(subject=ticket.ref).order_by("id").values_list("action", flat=True))


# --- Merging ---------------------------------------------------------------------------------------------------------


def test_both_are_shown_before_anything_is_done(cast: Any, two: tuple[Ticket, Ticket]) -> None:
    younger, older = two
    shown = page(cast.ana, f"/tickets/{younger.ref}/merge?other={older.ref}")
    assert "Is merged and closed" in shown
    assert ("Younger" in shown, "Older" in shown) == (True, True)
    assert f"1 message of {younger.ref} moves to {older.ref}" in shown
    assert f"Merge into {older.ref}" in shown
    assert f'href="/tickets/{older.ref}/merge?other={younger.ref}"' in shown
    # The other way round it says what is usual.
    assert "The older ticket usually stays" in page(cast.ana, f"/tickets/{older.ref}/merge?other={younger.ref}")
    assert fresh(younger).status == "new"


def test_what_was_said_stands_in_the_survivor_with_its_author_and_origin(cast: Any, two: tuple[Ticket, Ticket]) -> None:
    younger, older = two
    actions.note(ticket=younger, body="canary-note", by=cast.lee, at=timezone.now())
    answer = merge(cast.ana, younger, older)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/tickets/{older.ref}/")
    now = fresh(younger)
    assert (now.status, now.close_reason, now.merged_into) == ("closed", "merged", older)
    assert [m.author for m in Message.objects.filter(ticket=older).order_by("id")] == [cast.cora, cast.cora, cast.lee]
    shown = page(cast.ana, f"/tickets/{older.ref}/")
    assert all(word in shown for word in ("canary-older", "canary-younger", "canary-note"))
    assert f"from HD-{younger.pk}" in shown
    assert f'Ana <b>merged</b> <a href="/tickets/{younger.ref}/?own">' in shown
    theirs = page(cast.carla, f"/tickets/{older.ref}/")
    assert (f"{younger.ref} was <b>merged</b> into this one" in theirs, "canary-note" in theirs) == (True, False)
    # It is found where it stands now.
    assert f"/tickets/{older.ref}/" in page(cast.ana, "/tickets/?view=all&q=canary-younger")
    assert set(SearchRow.objects.values_list("ticket", flat=True)) == {older.pk}


def test_its_clocks_end_and_the_survivors_are_its_own(cast: Any, two: tuple[Ticket, Ticket]) -> None:
    younger, older = two
    actions.reply(ticket=younger, body="Hello", by=cast.ana, at=timezone.now())
    before = list(Clock.objects.filter(subject=older.ref).order_by("kind").values_list("kind", "due_at", "verdict"))
    merge(cast.ana, younger, older)
    assert verdicts(younger) == {"met", "n/a"}
    after = list(Clock.objects.filter(subject=older.ref).order_by("kind").values_list("kind", "due_at", "verdict"))
    assert (after, fresh(older).status, fresh(older).sla_due_at) == (before, "new", older.sla_due_at)
    assert fresh(younger).sla_due_at is None


def test_its_requester_hears_once(cast: Any, two: tuple[Ticket, Ticket]) -> None:
    merge(cast.ana, *two)
    letters = Letter.objects.filter(kind__in=["ticket.merged", "ticket.withdrawn", "ticket.absorbed"])
    assert [(x.kind, x.to_address, x.data["into"]) for x in letters] == [("ticket.merged", cast.cora.email, two[1].ref)]


def test_who_followed_it_follows_the_survivor(cast: Any, two: tuple[Ticket, Ticket]) -> None:
    younger, older = two
    for ticket, person in ((younger, cast.lee), (younger, cast.ada), (older, cast.ada)):
        following.follow(ticket=ticket, by=person, at=timezone.now())
    merge(cast.ana, *two)
    followers = Follow.objects.filter(ticket=older).values_list("user", flat=True)
    assert sorted(followers) == sorted([cast.lee.pk, cast.ada.pk])


def test_the_old_number_leads_on_and_says_so(cast: Any, two: tuple[Ticket, Ticket]) -> None:
    younger, older = two
    merge(cast.ana, younger, older)
    for person in (cast.ana, cast.carla, cast.dora):
        answer = enter(person).get(f"/tickets/{younger.ref}/", follow=True)
        assert answer.redirect_chain == [(f"/tickets/{older.ref}/?merged={younger.ref}", 302)]
        assert f"{younger.ref} was merged into this one" in text(answer)
    assert (
        "was merged into this one" not in page(cast.carla, f"/tickets/{older.ref}/?merged=HD-9999").split("timeline")[0]
    )
    assert enter(cast.gus).get(f"/tickets/{younger.ref}/").status_code == 404
    # As it was: for the desk, to look at.
    assert "canary-younger" in page(cast.ana, f"/tickets/{younger.ref}/?own")


def test_a_chain_of_merges_leads_to_its_end(cast: Any, two: tuple[Ticket, Ticket]) -> None:
    younger, older = two
    youngest = opened(cast, "Youngest", description="canary-youngest")
    merge(cast.ana, youngest, younger)
    merge(cast.ana, younger, older)
    answer = enter(cast.cora).get(f"/tickets/{youngest.ref}/", follow=True)
    assert answer.redirect_chain == [(f"/tickets/{older.ref}/?merged={youngest.ref}", 302)]
    origins = Message.objects.filter(ticket=older).order_by("id").values_list("body", "origin")
    assert list(origins) == [
        ("canary-older", None),
        ("canary-younger", younger.pk),
        ("canary-youngest", youngest.pk),
    ]
    # Taken back together: the inner merge stands as it did.
    assert send(cast.ana, older, "unmerge", other=younger.ref).status_code == 303
    assert set(Message.objects.filter(ticket=younger).values_list("body", "origin")) == {
        ("canary-younger", None),
        ("canary-youngest", youngest.pk),
    }
    assert send(cast.ana, younger, "unmerge", other=youngest.ref).status_code == 303
    assert Message.objects.get(ticket=youngest).origin is None


@pytest.mark.parametrize("verb", ["reply", "note"])
def test_what_is_typed_at_the_old_number_is_not_lost(cast: Any, two: tuple[Ticket, Ticket], verb: str) -> None:
    younger, older = two
    merge(cast.ana, younger, older)
    for person in [cast.ana, cast.carla] if verb == "reply" else [cast.ana]:
        answer = send(person, younger, verb, body="canary-typed", kind=verb)
        shown = text(answer)
        assert answer.status_code == 409
        assert f"{younger.ref} was merged into {older.ref} meanwhile" in shown
        assert "canary-typed</textarea>" in shown
        assert f'action="/tickets/{older.ref}/reply"' in shown, "sent once more, it goes to the survivor"
    assert not Message.objects.filter(body="canary-typed").exists()


def test_nothing_can_be_done_to_a_merged_ticket(cast: Any, two: tuple[Ticket, Ticket]) -> None:
    younger, older = two
    other = opened(cast, "Other")
    merge(cast.ana, younger, older)
    before = history(younger)
    for verb, words in (
        ("tag", {"add": "RDS"}),
        ("assign", {"to": cast.lee.pk, "reason": "x"}),
        ("prioritise", {"priority": "low", "reason": "x"}),
        ("link", {"other": other.ref, "kind": "related"}),
        ("reopen", {"body": "x"}),
    ):
        assert send(cast.ana, younger, verb, **words).status_code == 409, verb
    assert send(cast.ana, other, "link", other=younger.ref, kind="related").status_code == 422
    assert history(younger) == before


def test_a_colleagues_ticket_keeps_what_its_requester_said(cast: Any) -> None:
    """Who asked may not see the other ticket: the old number stays theirs, and says where it went."""
    codys, coras = opened(cast, "Codys", by=cast.cody, description="canary-cody"), opened(cast, "Coras")
    shown = page(cast.ana, f"/tickets/{codys.ref}/merge?other={coras.ref}")
    assert (
        f"Cora will read what was said on {codys.ref}. Cody keeps seeing that, but not the rest of {coras.ref}."
        in shown
    )
    actions.note(ticket=codys, body="canary-note", by=cast.lee, at=timezone.now())
    merge(cast.ana, codys, coras)
    actions.reply(ticket=coras, body="canary-later", by=cast.ana, at=timezone.now())
    theirs = page(cast.cody, f"/tickets/{codys.ref}/")
    assert ("canary-cody" in theirs, "canary-later" in theirs, "canary-note" in theirs) == (True, False, False)
    assert f"It was merged into {coras.ref}, where our engineers go on." in theirs
    assert enter(cast.cody).get(f"/tickets/{coras.ref}/").status_code == 404
    answer = send(cast.cody, codys, "reply", body="canary-more")
    assert (answer.status_code, "canary-more" in text(answer)) == (409, True)
    assert "canary-later" not in text(answer)


def test_a_program_is_answered_with_where_it_went(cast: Any, two: tuple[Ticket, Ticket]) -> None:
    younger, older = two
    _key, token = keys.create_key(
        name="Sync", customer=cast.acme, may_write=True, days=1, by=cast.lee, at=timezone.now()
    )
    Ticket.objects.update(requester=User.objects.get(is_service=True))
    merge(cast.ana, younger, older)
    headers = {"Authorization": f"Bearer {token}"}
    answer = Client().get(f"/api/tickets/{younger.ref}", headers=headers)
    assert (answer.status_code, answer.json()["ref"]) == (200, older.ref)
    assert [m["body"] for m in answer.json()["messages"]] == ["canary-older", "canary-younger"]
    path = f"/api/tickets/{younger.ref}/replies"
    answer = Client().post(path, json.dumps({"body": "More"}), content_type="application/json", headers=headers)
    assert (answer.status_code, older.ref in answer.json()["detail"]) == (409, True)
    assert not Message.objects.filter(body="More").exists()


# --- What cannot be merged -------------------------------------------------------------------------------------------


def refused(person: User, source: Ticket, survivor: Ticket, word: str) -> None:
    """Said on the page that shows both, and once more where it is sent all the same; nothing has happened."""
    before = (fresh(source).version, fresh(survivor).version, Message.objects.filter(ticket=source).count())
    assert word in page(person, f"/tickets/{source.ref}/merge?other={survivor.ref}")
    answer = merge(person, source, survivor)
    assert (answer.status_code, word in text(answer)) == (422, True)
    after = (fresh(source).version, fresh(survivor).version, Message.objects.filter(ticket=source).count())
    assert after == before


def test_a_ticket_is_not_merged_into_itself(cast: Any, two: tuple[Ticket, Ticket]) -> None:
    refused(cast.ana, two[0], two[0], "merged into itself")


def test_tickets_of_two_companies_are_not_merged(cast: Any, two: tuple[Ticket, Ticket]) -> None:
    foreign = opened(cast, "Globex", customer=cast.globex, by=cast.gus)
    refused(cast.ana, two[0], foreign, "belong to different companies")
    refused(cast.ana, foreign, two[0], "belong to different companies")


def test_a_closed_ticket_takes_no_other(cast: Any, two: tuple[Ticket, Ticket]) -> None:
    actions.withdraw(ticket=two[1], version=1, reason="spam", by=cast.ana, at=timezone.now())
    refused(cast.ana, *two, "is closed, and closed is final")


def test_a_ticket_that_is_done_is_not_merged_away(cast: Any, two: tuple[Ticket, Ticket]) -> None:
    actions.resolve(ticket=two[0], version=1, body="Done", by=cast.ana, at=timezone.now())
    refused(cast.ana, *two, "is not open any more")


def test_a_ticket_is_merged_once(cast: Any, two: tuple[Ticket, Ticket]) -> None:
    third = opened(cast, "Third")
    merge(cast.ana, *two)
    refused(cast.ana, third, two[0], f"{two[0].ref} was merged already, into {two[1].ref}")
    refused(cast.ana, two[0], third, f"{two[0].ref} was merged already, into {two[1].ref}")


@pytest.mark.parametrize("other", ["", "HD-99999", "xyz"])
def test_a_number_that_leads_nowhere_is_said_at_the_field(cast: Any, two: tuple[Ticket, Ticket], other: str) -> None:
    answer = send(cast.ana, two[0], "merge", other=other)
    assert (answer.status_code, 'id="other_error"' in text(answer)) == (422, True)
    assert enter(cast.ana).get(f"/tickets/{two[0].ref}/merge").status_code == 200


def test_an_older_page_merges_nothing(cast: Any, two: tuple[Ticket, Ticket]) -> None:
    actions.note(ticket=two[0], body="Hm", by=cast.lee, at=timezone.now())
    answer = send(cast.ana, two[0], "merge", other=two[1].ref, version=1)
    assert (answer.status_code, fresh(two[0]).status) == (409, "new")
    assert "The ticket changed while you had it open" in text(answer)


@pytest.mark.parametrize("who", ["cora", "carla", "gus", "audrey"])
def test_only_the_desk_merges(cast: Any, two: tuple[Ticket, Ticket], who: str) -> None:
    person = getattr(cast, who)
    assert enter(person).get(f"/tickets/{two[0].ref}/merge?other={two[1].ref}").status_code == 404
    assert merge(person, *two).status_code == 404
    assert send(person, two[1], "unmerge", other=two[0].ref).status_code == 404
    assert fresh(two[0]).status == "new"


# --- Taking it back --------------------------------------------------------------------------------------------------


def test_a_merge_is_taken_back_as_if_it_had_not_been(cast: Any, two: tuple[Ticket, Ticket]) -> None:
    younger, older = two
    actions.reply(ticket=younger, body="Which?", by=cast.ana, at=timezone.now(), then="ask")
    before = list(Clock.objects.filter(subject=younger.ref).order_by("kind").values_list("verdict", "remaining_s"))
    merge(cast.ana, younger, older)
    actions.reply(ticket=older, body="Since then", by=cast.ana, at=timezone.now())
    shown = page(cast.ana, f"/tickets/{older.ref}/")
    assert f'action="/tickets/{older.ref}/unmerge"' in shown
    assert send(cast.ana, older, "unmerge", other=younger.ref).status_code == 303
    now = fresh(younger)
    assert (now.status, now.close_reason, now.merged_into) == ("waiting_customer", "", None)
    assert list(Message.objects.filter(ticket=younger).order_by("id").values_list("body", "origin")) == [
        ("canary-younger", None),
        ("Which?", None),
    ]
    assert list(Message.objects.filter(ticket=older).order_by("id").values_list("body", flat=True)) == [
        "canary-older",
        "Since then",
    ]
    after = list(Clock.objects.filter(subject=younger.ref).order_by("kind").values_list("verdict", "remaining_s"))
    assert after == before
    entry = Entry.objects.get(subject=younger.ref, action="ticket.unmerged")
    withdrawn = Entry.objects.get(subject=younger.ref, action="ticket.withdrawn")
    assert (entry.fact, entry.data["new"]) == (["undo", withdrawn.pk], "waiting_customer")
    assert history(older)[-1] == "ticket.released"
    assert enter(cast.cora).get(f"/tickets/{younger.ref}/").status_code == 200
    assert Letter.objects.filter(kind="ticket.unmerged", to_address=cast.cora.email).count() == 1
    assert set(SearchRow.objects.filter(ticket=younger).values_list("message__body", flat=True)) == {
        "canary-younger",
        "Which?",
    }
    # And once more, as often as one likes.
    assert merge(cast.ana, younger, older).status_code == 303
    assert send(cast.ana, older, "unmerge", other=younger.ref).status_code == 303
    assert fresh(younger).status == "waiting_customer"


def test_after_seven_days_it_stays(cast: Any) -> None:
    at = timezone.now().replace(microsecond=0) - timedelta(days=8)
    younger, older = opened(cast, "Younger", at=at), opened(cast, "Older", at=at)
    merging.merge(ticket=younger, version=1, other=older, by=cast.ana, at=at)
    last = at + timedelta(days=7)
    assert "Undo the merge" not in page(cast.ana, f"/tickets/{older.ref}/")
    answer = send(cast.ana, older, "unmerge", other=younger.ref)
    assert (answer.status_code, "more than 7 days ago" in text(answer)) == (422, True)
    assert fresh(younger).merged_into == older
    merging.unmerge(ticket=older, version=fresh(older).version, other=younger, by=cast.ana, at=last)
    assert fresh(younger).status == "new"


def test_only_what_was_merged_here_is_taken_back(cast: Any, two: tuple[Ticket, Ticket]) -> None:
    third = opened(cast, "Third")
    merge(cast.ana, *two)
    answer = send(cast.ana, third, "unmerge", other=two[0].ref)
    assert (answer.status_code, "is not merged into this ticket" in text(answer)) == (422, True)
    assert send(cast.ana, two[1], "unmerge", other=third.ref).status_code == 422
    # The outer merge first.
    merge(cast.ana, two[1], third)
    assert send(cast.ana, two[1], "unmerge", other=two[0].ref).status_code == 409


# --- At once ---------------------------------------------------------------------------------------------------------


def sound(cast: Cast, source: Ticket, survivor: Ticket, accepted: list[str], refusals: list[str]) -> None:
    """U1 to U6 for the two: every acknowledged word once, none of a refused one, clocks as history says."""
    both = [source, survivor]
    bodies = list(Message.objects.filter(ticket__in=both).values_list("body", flat=True))
    assert sorted(b for b in bodies if b in accepted) == sorted(accepted)
    assert not set(bodies) & set(refusals)
    assert Message.objects.filter(ticket__in=both, kind="opening").count() == 2
    for ticket in both:
        now = fresh(ticket)
        reckoned = clocks.reckon(ticket.ref, terms=now.terms, at=now.last_event_at)
        for state in (reckoned.response, reckoned.resolution):
            stored = Clock.objects.get(subject=ticket.ref, kind=state.kind)
            assert (stored.verdict, stored.due_at) == (state.verdict, state.due_at)
        entries = list(Entry.objects.filter(subject=ticket.ref).order_by("at", "id"))
        assert [e.pk for e in entries] == sorted(e.pk for e in entries)
        steps = [(e.data["old"], e.data["new"]) for e in entries if "new" in e.data and e.fact and "old" in e.data]
        steps = [s for s in steps if s[1] in ("new", "in_progress", "waiting_customer", "resolved", "closed")]
        assert [old for old, _new in steps] == ["new", *(new for _old, new in steps)][: len(steps)]
        assert now.status == (steps[-1][1] if steps else "new")
    # Where it stands it is found, and by its own customer's people alone.
    rows = SearchRow.objects.filter(message__ticket__in=both).values_list("ticket", "message__ticket")
    assert [r for r in rows if r[0] != r[1]] == []
    assert rows.count() == len(bodies)
    notes = set(Message.objects.filter(kind="note").values_list("pk", flat=True))
    customers = {cast.cora.email, cast.cody.email, cast.carla.email}
    letters = Letter.objects.filter(subject__in=[t.ref for t in both])
    assert not [x for x in letters if x.data.get("message") in notes and x.to_address in customers]
    assert letters.filter(kind="ticket.merged").count() <= Entry.objects.filter(action="ticket.merged").count() * 2


@pytest.mark.django_db(transaction=True)
def test_a_merge_against_replies_loses_no_word(committed: None) -> None:
    """Each reply is with the survivor or is refused with its text; none is left on the ticket that went."""
    cast = assemble()
    younger, older = opened(cast, "Younger"), opened(cast, "Older")
    people = [cast.cora, cast.ana, cast.lee, cast.carla]

    def act(n: int) -> list[tuple[int, str, bool]]:
        if n == 0:
            return [(merge(cast.ana, younger, older).status_code, "", True) for _ in range(6) if not _merged(younger)]
        answers = []
        for turn in range(4):
            word = f"word-{n}-{turn}"
            # A reply of the desk could still be taken back, and would hold the merge up.
            verb = "note" if people[n % 4].is_desk else "reply"
            answer = send(people[n % 4], (younger, younger, older)[turn % 3], verb, body=word)
            answers.append((answer.status_code, word, f"{word}</textarea>" in text(answer)))
        return answers

    answers = [one for each in at_once(16, act) for one in each]
    replies = [a for a in answers if a[1]]
    assert {status for status, *_rest in replies} <= {303, 409}
    accepted = [word for status, word, _kept in replies if status == 303]
    refusals = [word for status, word, _kept in replies if status == 409]
    assert all(kept for status, _word, kept in replies if status == 409), "what was typed stands in the page"
    if not _merged(younger):
        merge(cast.ana, younger, older)
    assert fresh(younger).merged_into == older
    assert not Message.objects.filter(ticket=younger).exists()
    sound(cast, younger, older, accepted, refusals)
    send(cast.ana, older, "unmerge", other=younger.ref)
    assert not Message.objects.filter(ticket=older, origin__isnull=False).exists()
    assert Message.objects.filter(ticket=younger).exists()
    sound(cast, younger, older, accepted, refusals)


def _merged(ticket: Ticket) -> bool:
    return fresh(ticket).merged_into_id is not None


@pytest.mark.django_db(transaction=True)
def test_two_merged_into_each_other_at_once_leave_one(committed: None) -> None:
    cast = assemble()
    one, other = opened(cast, "One"), opened(cast, "Other")

    def act(n: int) -> int:
        return int((merge(cast.ana, one, other) if n % 2 else merge(cast.lee, other, one)).status_code)

    answers = at_once(12, act)
    assert answers.count(303) == 1
    assert {fresh(one).merged_into_id, fresh(other).merged_into_id} in ({None, one.pk}, {None, other.pk})
    sound(cast, one, other, [], [])
