"""The history under seal: what was written stays, and whoever changes it behind our back is found out by name."""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from helpdesk.audit import seal
from helpdesk.audit.models import Entry, Seal
from helpdesk.audit.record import SYSTEM, Happening, record

WRITERS = 8
SECONDS = 2.5


def write(count: int = 1, subject: str = "HD-1") -> list[int]:
    with transaction.atomic():
        happened = [Happening("ticket.noted", {"message": n}) for n in range(count)]
        return record(happened, by=SYSTEM, at=timezone.now(), subject=subject)


@contextmanager
def behind_our_back() -> Iterator[Any]:
    """As somebody with the database's own password could: the triggers are switched off meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_entry DISABLE TRIGGER USER; ALTER TABLE audit_seal DISABLE TRIGGER USER")
        try:
            yield cursor
        finally:
            cursor.execute("ALTER TABLE audit_entry ENABLE TRIGGER USER; ALTER TABLE audit_seal ENABLE TRIGGER USER")


def sealed(*counts: int) -> list[int]:
    """Entries in as many seals as there are counts; the numbers of all of them."""
    numbers: list[int] = []
    for count in counts:
        numbers += write(count)
        seal.seal(timezone.now())
    return numbers


def test_what_was_written_is_sealed_once(committed: None) -> None:
    numbers = sealed(3, 2)
    assert seal.seal(timezone.now()) == 0
    assert list(Seal.objects.order_by("no").values_list("no", "rows")) == [(1, 3), (2, 2)]
    write()
    found = seal.verify()
    assert (found.seals, found.rows, found.unsealed, found.problems) == (2, len(numbers), 1, [])


def test_eight_write_and_roll_back_while_seals_are_set_and_none_is_left_out(committed: None) -> None:
    end, failed = time.monotonic() + SECONDS, []

    def writer(number: int) -> None:
        dice = random.Random(number)
        try:
            while time.monotonic() < end:
                try:
                    with transaction.atomic():
                        record([Happening("ticket.noted")], by=SYSTEM, at=timezone.now(), subject=f"HD-{number}")
                        # One that takes its time: what comes after it must not be sealed before it.
                        time.sleep(0.3 if number == 0 else dice.random() / 200)
                        if dice.random() < 0.1:
                            raise KeyError
                except KeyError:
                    pass
        except Exception as error:
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=writer, args=(n,)) for n in range(WRITERS)]
    for thread in threads:
        thread.start()
    while time.monotonic() < end:
        seal.due(timezone.now())
        time.sleep(0.1)
    for thread in threads:
        thread.join()
    assert not failed
    seal.seal(timezone.now())
    found = seal.verify()
    assert found.problems == []
    assert found.seals > 1
    assert (found.rows, found.unsealed) == (Entry.objects.count(), 0)


def test_an_entry_that_was_changed_is_named(committed: None) -> None:
    numbers = sealed(3, 2)
    with behind_our_back() as cursor:
        cursor.execute("UPDATE audit_entry SET actor = 'user:7' WHERE id = %s", [numbers[1]])
    assert seal.verify().problems == [
        f"seal 1, entries 1 to {Seal.objects.get(no=1).last_id}: entry {numbers[1]} was changed"
    ]


def test_an_entry_that_was_deleted_is_named(committed: None) -> None:
    numbers = sealed(3, 2)
    with behind_our_back() as cursor:
        cursor.execute("DELETE FROM audit_entry WHERE id = %s", [numbers[4]])
    assert [p.partition(": ")[2] for p in seal.verify().problems] == [f"entry {numbers[4]} was deleted"]


def test_an_entry_that_was_slipped_into_a_gap_is_named(committed: None) -> None:
    with transaction.atomic():
        (gap,) = record([Happening("ticket.noted")], by=SYSTEM, at=timezone.now(), subject="HD-1")
        transaction.set_rollback(True)
    sealed(2)
    with behind_our_back() as cursor:
        cursor.execute(
            "INSERT INTO audit_entry (id, at, actor, actor_role, action, subject, audience, data) "
            "SELECT %s, at, actor, actor_role, action, subject, audience, data FROM audit_entry LIMIT 1",
            [gap],
        )
    assert [p.partition(": ")[2] for p in seal.verify().problems] == [f"entry {gap} was inserted"]


def test_a_seal_taken_out_or_made_anew_breaks_the_chain(committed: None) -> None:
    sealed(1, 1, 1)
    with behind_our_back() as cursor:
        cursor.execute("DELETE FROM audit_seal WHERE no = 2")
    words = " ".join(seal.verify().problems)
    assert "the seal before it is missing" in words
    assert "does not continue" in words


def test_the_database_refuses_to_change_a_seal(committed: None) -> None:
    sealed(1)
    for statement in ("UPDATE audit_seal SET rows = 2", "DELETE FROM audit_seal"):
        with pytest.raises(DatabaseError, match="only ever added"), connection.cursor() as cursor:
            cursor.execute(statement)


def test_two_sealers_at_once_make_one_chain(committed: None) -> None:
    write(40)

    def run() -> None:
        try:
            seal.due(timezone.now())
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seal.seal(timezone.now())
    assert Seal.objects.count() == 1
    assert seal.verify().problems == []


def test_a_long_history_is_sealed_in_slices(committed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seal, "MOST_ROWS", 10)
    write(25)
    assert seal.seal(timezone.now()) == 25
    assert list(Seal.objects.order_by("no").values_list("rows", flat=True)) == [10, 10, 5]
    assert seal.verify().problems == []


def test_the_command_says_what_it_found_and_fails_where_something_is_wrong(committed: None) -> None:
    numbers = sealed(2)
    said = StringIO()
    call_command("audit_verify", stdout=said)
    assert said.getvalue().strip() == "1 seals over 2 entries, 0 not sealed yet, 0 problems"
    with behind_our_back() as cursor:
        cursor.execute("UPDATE audit_entry SET audience = 'public' WHERE id = %s", [numbers[0]])
    with pytest.raises(CommandError) as failed:
        call_command("audit_verify", stdout=said)
    assert failed.value.returncode == 1
    assert f"entry {numbers[0]} was changed" in said.getvalue()
