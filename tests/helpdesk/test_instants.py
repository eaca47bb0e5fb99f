"""Instants come out of the database as they went in, whatever their year, fraction and zone."""

from datetime import UTC, datetime, timedelta, timezone

import psycopg
import pytest
from django.db import connection
from django.db.utils import DataError

TEXTS = [
    "2026-11-26 05:05:38+00",
    "2026-11-26 05:05:38.1+00",
    "2026-11-26 05:05:38.123456+00",
    "0001-01-01 00:00:00+00",
    "9999-12-31 23:59:59.999999+00",
    "2026-11-26 13:05:38+08",
    "2026-11-26 05:05:38-03:30",
]


def read(text: str) -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::timestamptz", [text])
        found: datetime = cursor.fetchone()[0]
        return found


@pytest.mark.django_db
@pytest.mark.parametrize("text", TEXTS)
def test_an_instant_is_read_as_the_driver_reads_it(text: str) -> None:
    with psycopg.connect(connection.connection.info.dsn, password=connection.connection.info.password) as plain:
        expected = plain.execute("SELECT %s::timestamptz", [text]).fetchone()
    found = read(text)
    assert expected is not None
    assert found == expected[0]
    assert found.tzinfo is UTC


@pytest.mark.django_db
def test_instants_go_in_and_come_out_from_any_zone() -> None:
    at = datetime(2026, 11, 26, 1, 2, 3, 456789, tzinfo=timezone(timedelta(hours=8)))
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::timestamptz", [at])
        assert cursor.fetchone()[0] == at


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["infinity", "0044-03-15 12:00:00+00 BC", "12026-01-01 00:00:00+00"])
def test_what_python_has_no_instant_for_is_refused_in_words(text: str) -> None:
    with pytest.raises(DataError, match=r"timestamp|infinity|year"):
        read(text)


@pytest.mark.django_db
def test_a_connection_of_another_zone_reads_as_django_does() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL TIME ZONE 'Asia/Shanghai'")
    assert read("2026-11-26 05:05:38+00") == datetime(2026, 11, 26, 5, 5, 38, tzinfo=UTC)
