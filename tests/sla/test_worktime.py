from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from sla.worktime import AROUND_THE_CLOCK

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
instants = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)).map(
    lambda t: t.replace(microsecond=0)
)


def test_every_second_works_also_over_midnight() -> None:
    assert AROUND_THE_CLOCK.work(NOON, NOON + timedelta(days=1)) == 86_400


def test_a_window_that_ends_before_it_begins_holds_no_work() -> None:
    assert AROUND_THE_CLOCK.work(NOON, NOON - timedelta(seconds=5)) == 0


def test_no_work_takes_no_time() -> None:
    assert AROUND_THE_CLOCK.add(NOON, 0) == NOON


@settings(derandomize=True, deadline=None)
@given(instants, st.integers(0, 10**8))
def test_add_and_work_are_inverse(a: datetime, n: int) -> None:
    t = AROUND_THE_CLOCK.add(a, n)
    assert AROUND_THE_CLOCK.work(a, t) == n
    assert AROUND_THE_CLOCK.work(a, t - timedelta(seconds=1)) == max(0, n - 1)


@settings(derandomize=True, deadline=None)
@given(instants, st.integers(0, 10**7), st.integers(0, 10**7))
def test_work_adds_up(a: datetime, n: int, m: int) -> None:
    b = AROUND_THE_CLOCK.add(a, n)
    c = AROUND_THE_CLOCK.add(b, m)
    assert AROUND_THE_CLOCK.work(a, b) + AROUND_THE_CLOCK.work(b, c) == AROUND_THE_CLOCK.work(a, c)
