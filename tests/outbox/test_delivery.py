"""How a letter leaves: once, in order, still true; and what becomes of it where it cannot."""

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection

from helpdesk.outbox import claim, deliver, enqueue
from helpdesk.outbox.models import Letter
from helpdesk.settings import mail
from tests.accounts.many import at_once
from tests.outbox.conftest import AT, Pulse, Somebody, states, written
from tests.outbox.server import Server


def test_a_letter_leaves_and_its_link_is_blanked(server: Server, pulse: Pulse) -> None:
    letter = written(cc=("cody",), secret="https://desk.example/invitation/abc/")
    pulse.beat()
    (mail,) = [m for _at, m in server.mails]
    assert (mail["To"], mail["Cc"]) == ("cora@acme.example", "cody@acme.example")
    letter.refresh_from_db()
    assert (letter.state, letter.secret, letter.attempts, letter.claimed_by, letter.lease_until) == (
        "sent",
        "",
        1,
        "",
        None,
    )
    assert pulse.at <= (letter.sent_at or AT) < pulse.at + timedelta(seconds=5)


def test_letters_of_a_ticket_leave_one_after_another_in_their_order(server: Server, pulse: Pulse) -> None:
    letters = [written(f"HD-{1001 + n % 3}", f"reader{n % 2}") for n in range(15)]
    while pulse.beat():
        pass
    assert pulse.claimed == [3, 3, 3, 3, 3, 0]
    by_ticket: dict[str, list[int]] = {}
    for number in (int(i.strip("<>").partition("@")[0]) for i in server.ids()):
        by_ticket.setdefault(Letter.objects.get(pk=number).subject, []).append(number)
    assert sorted(n for numbers in by_ticket.values() for n in numbers) == [x.pk for x in letters]
    assert all(numbers == sorted(numbers) for numbers in by_ticket.values())


def test_what_is_held_goes_before_what_comes_after_it(server: Server, pulse: Pulse) -> None:
    held = enqueue.enqueue(
        [enqueue.Draft("ticket.replied", Somebody("cora"))],
        at=AT,
        subject="HD-1001",
        hold=enqueue.Hold(AT + timedelta(seconds=15), "message:7"),
    )[0]
    later = written()
    pulse.beats(3)
    assert states("HD-1001") == ["held", "ready"]
    enqueue.release(AT + timedelta(seconds=20))
    pulse.at = AT + timedelta(seconds=20)
    pulse.beats(2)
    assert server.ids() == [f"<{held.pk}@desk.example>", f"<{later.pk}@desk.example>"]


def test_what_was_taken_back_does_not_leave(server: Server, pulse: Pulse) -> None:
    hold = enqueue.Hold(AT + timedelta(seconds=15), "message:7")
    enqueue.enqueue([enqueue.Draft("ticket.replied", Somebody("cora"))], at=AT, subject="HD-1001", hold=hold)
    assert enqueue.take_back("message:7", "HD-1001")
    later = written()
    enqueue.release(AT + timedelta(seconds=60))
    pulse.beats(2)
    assert server.ids() == [f"<{later.pk}@desk.example>"]
    assert Letter.objects.get(held_for="message:7").reason == "taken_back"


def still_true(letter: Letter) -> bool:
    return bool(letter.data["true"])


def test_what_is_no_longer_true_or_says_nothing_is_cancelled(server: Server, pulse: Pulse, settings: Any) -> None:
    settings.OUTBOX_GUARDS = {"clock_still_open": "tests.outbox.test_delivery.still_true"}
    false = written("HD-1", data={"true": False}, guard="clock_still_open", secret="link")
    true = written("HD-2", data={"true": True}, guard="clock_still_open")
    silent = written("HD-3", data={"silent": True})
    pulse.beat()
    found = {x.pk: (x.state, x.reason, x.secret) for x in Letter.objects.all()}
    assert found == {
        false.pk: ("cancelled", "untrue", ""),
        true.pk: ("sent", "", ""),
        silent.pk: ("cancelled", "nothing", ""),
    }
    assert len(server.mails) == 1


NOTED: list[str] = []


def noted(letter: Letter) -> None:
    NOTED.append(letter.subject)
    if letter.subject == "HD-2":
        raise KeyError(letter.subject)


def test_whoever_keeps_a_note_of_what_was_sent_writes_it_and_cannot_undo_it(
    server: Server, pulse: Pulse, settings: Any
) -> None:
    settings.OUTBOX_SENT = {"ticket.replied": "tests.outbox.test_delivery.noted"}
    server.behave = lambda step, what: "550 no such user" if step == "RCPT" and "cody" in what else None
    for number, name in enumerate(("cora", "carla", "cody"), start=1):
        written(f"HD-{number}", name)
    pulse.beat()
    assert sorted(NOTED) == ["HD-1", "HD-2"]
    assert list(Letter.objects.order_by("subject").values_list("state", flat=True)) == ["sent", "sent", "failed"]


def test_a_letter_that_cannot_be_written_is_dead_and_says_why(server: Server, pulse: Pulse) -> None:
    broken, next_one = written(data={"broken": True}), written()
    pulse.beats(2)
    broken.refresh_from_db()
    assert (broken.state, broken.reason, broken.last_error) == ("failed", "unwritable", "KeyError: 'priority'")
    assert server.ids() == [f"<{next_one.pk}@desk.example>"]


def test_who_is_refused_is_dead_at_once_and_stops_nobody(server: Server, pulse: Pulse) -> None:
    server.behave = lambda step, what: "550 no such user" if (step, what) == ("RCPT", "cora@acme.example") else None
    refused, later = written(), written(name="cody")
    pulse.beats(2)
    refused.refresh_from_db()
    assert (refused.state, refused.reason, refused.last_error) == ("failed", "refused", "550 no such user")
    assert server.ids() == [f"<{later.pk}@desk.example>"]


def test_who_is_refused_in_copy_is_noted_and_the_others_get_it(server: Server, pulse: Pulse) -> None:
    server.behave = lambda step, what: "550 no such user" if (step, what) == ("RCPT", "cody@acme.example") else None
    letter = written(cc=("cody", "carla"))
    pulse.beat()
    letter.refresh_from_db()
    assert (letter.state, letter.last_error) == ("sent", "cody@acme.example: 550 no such user")
    assert "RCPT carla@acme.example" in server.steps


def test_a_copy_that_is_put_off_does_not_put_the_others_off_for_ever(server: Server, pulse: Pulse) -> None:
    server.behave = lambda step, what: "450 busy" if (step, what) == ("RCPT", "cody@acme.example") else None
    letter = written(cc=("cody",))
    pulse.until(timedelta(minutes=25), step=60)
    letter.refresh_from_db()
    assert (letter.state, letter.attempts) == ("sent", 4)
    assert len(server.mails) == 1


@pytest.mark.parametrize("step", ["RCPT", "DATA"])
def test_what_is_put_off_is_tried_again_at_growing_gaps_for_27_hours(server: Server, pulse: Pulse, step: str) -> None:
    server.behave = lambda at, what: "451 try later" if at == step else None
    letter, later = written(at=AT + timedelta(seconds=1)), written()
    tried: list[int] = []
    while letter.state != "failed" and len(tried) < 20:
        # A second before it is due nothing happens.
        pulse.at = max(pulse.at, (letter.next_try_at or AT) - timedelta(seconds=1))
        assert pulse.beat(0) == 0 or not tried
        pulse.beat(1)
        tried.append(round((pulse.at - AT).total_seconds() / 60))
        letter.refresh_from_db()
    assert letter.attempts == claim.MOST_ATTEMPTS == len(tried)
    assert (letter.reason, letter.last_error) == ("exhausted", "451 try later")
    assert 26 * 60 < tried[-1] - tried[0] < 28 * 60
    gaps = [b - a for a, b in pairwise(tried)]
    assert gaps == sorted(gaps)
    # The dead one holds nothing back.
    later.refresh_from_db()
    assert (later.state, later.attempts) == ("ready", 0)
    server.let_go()
    pulse.beat()
    assert server.ids() == [f"<{later.pk}@desk.example>"]


def test_a_full_mailbox_holds_up_its_ticket_for_a_while_and_then_its_reader_alone(server: Server, pulse: Pulse) -> None:
    server.behave = lambda step, what: "452 mailbox full" if (step, what) == ("RCPT", "cora@acme.example") else None
    written()
    colleague, again = written(name="ana"), written()
    pulse.beats(5)
    assert states() == ["ready", "ready", "ready"]
    pulse.until(timedelta(minutes=30))
    assert server.ids() == [f"<{colleague.pk}@desk.example>"]
    assert Letter.objects.get(pk=again.pk).attempts == 0


def test_two_pulses_send_each_letter_once(server: Server, new_pulse: Callable[..., Pulse], settings: Any) -> None:
    settings.MAIL = mail(f"{server.url}?rate=10")
    letters = [written(f"HD-{1000 + n % 40}") for n in range(120)]
    pulses = [new_pulse(), new_pulse()]

    def beat(n: int) -> None:
        for _ in range(10):
            pulses[n].beat()

    at_once(2, beat)
    assert sorted(server.ids()) == sorted(f"<{x.pk}@desk.example>" for x in letters)
    assert all(sum(one.claimed) for one in pulses)
    assert set(states()) == {"sent"}


def test_a_backlog_drains_no_faster_than_the_setting_says(server: Server, pulse: Pulse, settings: Any) -> None:
    settings.MAIL = mail(f"{server.url}?rate=5")
    for n in range(12):
        written(f"HD-{n}")
    while pulse.beat():
        pass
    assert pulse.claimed == [5, 5, 2, 0]


def test_a_lease_that_ran_out_returns_the_letter_and_its_late_sender_writes_nothing(
    server: Server, pulse: Pulse
) -> None:
    letter = written()
    (lost,) = claim.claim(1, by="somebody who was killed", at=AT)
    pulse.beats(3)
    assert server.ids() == []
    pulse.at = AT + claim.LEASE
    pulse.beat()
    assert server.ids() == [f"<{letter.pk}@desk.example>"]
    assert not claim.settle(lost, state=Letter.State.READY)
    letter.refresh_from_db()
    assert (letter.state, letter.attempts) == ("sent", 2)


def test_claiming_among_many_is_an_index_condition(committed: None) -> None:
    for n in range(40):
        written(f"HD-{n}")
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO outbox_letter (kind, channel, to_key, to_address, cc, language, zone, subject, data, secret,
            state, reason, held_for, guard, attempts, looks, last_error, claimed_by, provider_id, fate, created_at)
            SELECT 'ticket.replied', 'mail', 'user:1', 'a@b.example', '[]', 'en', 'UTC', 'HD-' || n / 5, '{}', '',
            'sent', '', '', '', 1, 0, '', '', '', '', %s FROM generate_series(1, 20000) n""",
            [AT],
        )
        cursor.execute("ANALYZE outbox_letter")
        given = {"most": 200, "by": "x", "at": AT, "until": AT, "looks": False, "channel": "mail"}
        cursor.execute("EXPLAIN " + claim.CLAIM, given)
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "letters_due" in plan
    assert "letters_on_their_way" in plan or "letters_of_subject" in plan
    assert "Seq Scan" not in plan


def test_without_a_way_out_letters_wait(committed: None, settings: Any) -> None:
    settings.MAIL = mail("none:")
    written()
    assert deliver.due(AT) == 0
    assert states() == ["ready"]
