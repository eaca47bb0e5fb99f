"""A write counts once however often it is sent; attempts are counted for all processes; the cache costs one upsert."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import caches
from django.db import IntegrityError, connection
from django.test import RequestFactory

from helpdesk.accounts import doors, tasks
from helpdesk.accounts.models import Customer, Once
from helpdesk.cache import TableCache
from tests.accounts.many import at_once

AT = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)


def write(key: str, words: str = "words", name: str = "made") -> doors.Answer:
    """A door that makes a company and answers with where it is."""
    with doors.once(owner="user:1", key=key, path="POST /x", digest=words, at=AT) as slot:
        if slot.answer:
            return slot.answer
        Customer.objects.create(name=name, code=f"{name}{Customer.objects.count()}", created_at=AT)
        slot.keep(303, f"/made/{Customer.objects.count()}")
        assert slot.kept
        return slot.kept


@pytest.mark.django_db
def test_the_second_time_answers_as_the_first() -> None:
    first, second = write("k"), write("k")
    assert (first, Customer.objects.count()) == (second, 1)
    assert (second.response().status_code, second.response().headers["Location"]) == (303, "/made/1")
    assert write("other").body == "/made/2"


@pytest.mark.django_db
def test_another_owner_has_keys_of_their_own() -> None:
    write("k")
    with doors.once(owner="user:2", key="k", path="POST /x", digest="words", at=AT) as slot:
        assert slot.answer is None


@pytest.mark.django_db
def test_the_same_key_with_other_words_or_elsewhere_does_nothing() -> None:
    write("k")
    with pytest.raises(doors.Mismatch):
        write("k", "other words")
    with pytest.raises(doors.Mismatch), doors.once(owner="user:1", key="k", path="POST /y", digest="words", at=AT):
        pass
    assert Customer.objects.count() == 1


@pytest.mark.django_db
def test_what_keeps_no_answer_or_fails_leaves_neither_effect_nor_key() -> None:
    with doors.once(owner="user:1", key="k", path="POST /x", digest="words", at=AT):
        Customer.objects.create(name="half", code="HALF", created_at=AT)
    with pytest.raises(IntegrityError), doors.once(owner="user:1", key="k", path="POST /x", digest="x", at=AT):
        Customer.objects.bulk_create(Customer(name="half", code="HALF", created_at=AT) for _ in range(2))
    assert (Customer.objects.count(), Once.objects.count()) == (0, 0)
    assert write("k").status == 303


@pytest.mark.django_db
def test_a_form_without_a_key_is_a_plain_transaction(cast: Any, rf: RequestFactory) -> None:
    request = rf.post("/x", {"title": "t"})
    request.user = cast.cora
    with doors.answered_once(request, at=AT) as slot:
        slot.keep(303, "/y")
    assert Once.objects.count() == 0


@pytest.mark.django_db
def test_a_forms_key_ignores_the_token_that_every_page_makes_anew(cast: Any, rf: RequestFactory) -> None:
    answers = []
    for token in ("one", "two"):
        request = rf.post("/x", {"once": "k", "title": "题", "csrfmiddlewaretoken": token})
        request.user = cast.cora
        with doors.answered_once(request, at=AT) as slot:
            answers.append(slot.answer)
            if not slot.answer:
                slot.keep(303, "/y")
    assert answers == [None, doors.Answer(303, "/y")]


def test_only_an_answer_that_did_something_is_kept() -> None:
    for status in (200, 204, 303):
        doors.Slot().keep(status, "")
    for status in (302, 404, 409, 422, 500):
        with pytest.raises(ValueError):
            doors.Slot().keep(status, "")


@pytest.mark.django_db(transaction=True)
def test_twenty_at_once_do_it_once(committed: None) -> None:
    answers = at_once(20, lambda _n: write("same"))
    assert set(answers) == {doors.Answer(303, "/made/1")}
    assert Customer.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_who_waits_too_long_is_told_to_come_back(committed: None) -> None:
    inside, leave = threading.Event(), threading.Event()

    def slow() -> None:
        try:
            with doors.once(owner="user:1", key="k", path="POST /x", digest="words", at=AT) as slot:
                inside.set()
                leave.wait(30)
                slot.keep(303, "/y")
        finally:
            connection.close()

    first = threading.Thread(target=slow)
    first.start()
    assert inside.wait(30)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '100ms'")
        with pytest.raises(doors.Busy):
            write("k")
    finally:
        leave.set()
        first.join()
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '5s'")
    assert write("k").body == "/y"


@pytest.mark.django_db
def test_keys_are_forgotten_after_a_day() -> None:
    write("k")
    assert doors.forget_once(AT + timedelta(hours=24)) == 0
    assert doors.forget_once(AT + timedelta(hours=24, seconds=1)) == 1
    assert isinstance(tasks.forget_once(), int)
    assert len(doors.fresh_key()) >= 20
    assert doors.fresh_key() != doors.fresh_key()


# --- Limits ----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_limit_lets_the_first_ones_through_and_opens_again() -> None:
    def tries(at: datetime, key: str = "a") -> list[bool]:
        return [doors.limit(key, 3, 60, at) for _ in range(4)]

    assert tries(AT) == [True, True, True, False]
    assert tries(AT, "b") == [True, True, True, False]
    assert not doors.limit("a", 3, 60, AT + timedelta(seconds=59))
    assert doors.limit("a", 3, 60, AT + timedelta(seconds=60))


@pytest.mark.django_db
def test_a_limit_costs_one_statement_and_is_swept(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        doors.limit("a", 3, 60, AT)
    assert doors.forget_limits(AT + timedelta(seconds=59)) == 0
    assert doors.forget_limits(AT + timedelta(seconds=60)) == 1


@pytest.mark.django_db(transaction=True)
def test_a_limit_counts_exactly_for_many_at_once(committed: None) -> None:
    doors.forget_limits(AT + timedelta(days=1))
    assert sorted(at_once(20, lambda _n: doors.limit("race", 7, 60, AT))) == [False] * 13 + [True] * 7


# --- Cache -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def cache(db: None) -> TableCache:
    found = caches["default"]
    assert isinstance(found, TableCache)
    found.clear()
    return found


def test_the_cache_sets_with_one_statement(cache: TableCache, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        cache.set("k", {"a": [1, "二"]})
    with django_assert_num_queries(1):
        assert cache.get("k") == {"a": [1, "二"]}


def test_the_cache_adds_only_where_nothing_lives(cache: TableCache) -> None:
    assert cache.add("k", 1, timeout=60)
    assert not cache.add("k", 2, timeout=60)
    cache.set("k", 3, timeout=-1)
    assert cache.get("k") is None
    cache.set("k", 3, timeout=-1)
    assert cache.add("k", 4)
    assert (cache.get("k"), cache.incr("k")) == (4, 5)


def test_the_cache_touches_what_lives_and_keeps_what_never_ends(cache: TableCache) -> None:
    assert not cache.touch("k", 60)
    cache.set("k", 1, timeout=1)
    assert cache.touch("k", None)
    cache.set("gone", 1, timeout=-10)
    assert cache.cull(datetime.now(UTC)) == 1
    assert cache.get("k") == 1
    assert tasks.cull_cache() == 0


@pytest.mark.django_db
def test_sessions_that_ran_out_are_cleared(cast: Any) -> None:
    from django.contrib.sessions.models import Session

    Session.objects.create(session_key="old", session_data="", expire_date=AT - timedelta(days=900))
    assert tasks.clear_sessions() == 1
