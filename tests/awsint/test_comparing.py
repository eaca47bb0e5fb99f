"""Words without a number: which are new, which AWS changed, and how far a case is read on."""

from datetime import UTC, datetime, timedelta

from awsint.comparing import Known, digest, joins, news, read_on
from awsint.shapes import CaseRead, Said

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
AWS = "Amazon Web Services"


def said(body: str, minutes: int = 0, by: str = AWS) -> Said:
    at = NOON + timedelta(minutes=minutes)
    return Said("case-1", body, by, at.strftime("%Y-%m-%dT%H:%M:%S.774Z"), at)


def stored(*words: tuple[Said, int]) -> list[Known]:
    return [Known(n, w.created_text, w.submitted_by, place, digest(w)) for n, (w, place) in enumerate(words)]


def case(*words: Said, more: str = "") -> CaseRead:
    return CaseRead("case-1", "1", "s", "opened", "", "", "low", "", "", NOON, "en", said=words, more=more)


def test_what_is_stored_is_not_new() -> None:
    words = [said("two", 2), said("one", 1)]
    assert not news(words, stored((words[1], 0), (words[0], 0)))
    assert [w.body for w, _place in news(words, []).fresh] == ["one", "two"]


def test_late_words_with_an_older_time_are_new() -> None:
    first, late, last = said("first"), said("迟到的消息", 1), said("last", 2)
    found = news([last, late, first], stored((first, 0), (last, 0)))
    assert [(w.body, place) for w, place in found.fresh] == [("迟到的消息", 0)]
    assert not found.changed


def test_equals_are_told_apart_by_their_place() -> None:
    one, two = said("one"), said("two")
    assert [place for _w, place in news([two, one], []).fresh] == [0, 1]
    # In whatever order AWS tells them next time, and though only one is told.
    assert not news([one, two], stored((one, 0), (two, 1)))
    assert not news([two], stored((one, 0), (two, 1)))
    third = said("three")
    assert [(w.body, place) for w, place in news([third, two, one], stored((one, 0), (two, 1))).fresh] == [("three", 2)]


def test_another_text_at_the_same_place_is_a_redaction() -> None:
    before, after = said("key AKIAIOSFODNN7EXAMPLE"), said("key [redacted]")
    found = news([after], stored((before, 0)))
    assert [(number, w.body) for number, w in found.changed] == [(0, "key [redacted]")]
    assert not found.fresh
    # The same hour, another author: somebody else's words.
    assert news([said("key", by="Ops (Ops) <li@acme.example>")], stored((before, 0))).fresh


def test_a_case_is_read_on_until_its_words_join_what_is_stored() -> None:
    old, new = said("old"), said("new", 5)
    assert joins(case(new, old), [])
    assert joins(case(new, old, more="t"), stored((old, 0)))
    assert not joins(case(new, more="t"), stored((old, 0)))
    assert not joins(case(said("redacted"), more="t"), stored((old, 0)))
    assert not joins(case(more="t"), stored((old, 0)))


def test_reading_on_ends_a_day_before_the_newest_stored_and_passes_over_what_comes_twice() -> None:
    day = 24 * 60
    behind = [said("5", 5), said("4", 4), said("yesterday", -day), said("before", -day - 1), said("never asked", -9999)]
    found = read_on(case(said("6", 6), said("5", 5), more="t"), iter(behind), NOON)
    assert [w.body for w in found] == ["6", "5", "4", "yesterday"]
    assert [w.body for w in read_on(case(more="t"), iter(behind), None)] == [w.body for w in behind]


def test_what_postgresql_cannot_hold_is_compared_as_it_is_stored() -> None:
    assert digest(said("a\x00b")) == digest(said("a\ufffdb"))
