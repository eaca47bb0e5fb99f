"""Reads that are built once say what their querysets say, whoever asks for whatever, one after another."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, connections
from django.db.models import QuerySet
from django.http import Http404
from django.test.utils import CaptureQueriesContext

from helpdesk.accounts.models import Customer, CustomerTeam, User
from helpdesk.audit.models import Entry
from helpdesk.kept import FEW, draw, fetched, insert, kept, update, update_all
from helpdesk.outbox.models import Letter
from sla import words
from sla.clocks import all_of
from sla.models import Clock
from tickets import actions
from tickets.access import access_ticket
from tickets.models import Message, Tag, Ticket
from tickets.timeline import timeline

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 25, 6, 30, tzinfo=UTC)


def opened(cast: Any, title: str) -> Ticket:
    return actions.open_ticket(
        customer=cast.acme, title=title, description=title, category="technical", priority="high", by=cast.cora, at=AT
    )


def columns(row: Any) -> dict[str, Any]:
    return {name: value for name, value in vars(row).items() if name != "_state"}


def test_it_is_what_the_queryset_says(cast: Any) -> None:
    tickets = [opened(cast, "one"), opened(cast, "two")]
    asked: list[str] = []

    @kept
    def of_subject(subject: str, at: datetime, *, public: bool) -> QuerySet[Entry]:
        asked.append(subject)
        found = Entry.objects.filter(subject=subject, at__lte=at).exclude(action__contains="100%").order_by("at", "id")
        return found.filter(audience="public") if public else found

    for ticket in [*tickets, *tickets]:
        for public in (True, False):
            for at in (AT, AT - timedelta(seconds=1)):
                plain = Entry.objects.filter(subject=ticket.ref, at__lte=at).order_by("at", "id")
                plain = plain.filter(audience="public") if public else plain
                assert [columns(e) for e in of_subject(ticket.ref, at, public=public)] == [columns(e) for e in plain]
    assert len(asked) == 2


def test_related_rows_and_annotations_come_along(cast: Any) -> None:
    ticket = opened(cast, "related")

    @kept
    def of(number: int) -> QuerySet[Message]:
        said = Message.objects.select_related("ticket", "author").only("html", "ticket__title", "author__name")
        return said.extra(select={"double": "tickets_message.id * 2"}).filter(ticket=number)

    [message] = of(ticket.pk)
    assert (message.ticket.title, message.author.name, message.double) == ("related", "Cora", message.pk * 2)  # type: ignore[attr-defined]
    with CaptureQueriesContext(connection) as later:
        assert (message.ticket.status, message.kind) == ("new", "opening")
    assert len(later) == 2


def test_statements_are_counted_and_planned_once(cast: Any) -> None:
    with CaptureQueriesContext(connection) as asked:
        assert fetched("SELECT %s::int + 1", [41]) == [(42,)]
    assert [q["sql"] for q in asked] == ["SELECT $1::int + 1"]
    for _ in range(5):
        fetched("SELECT %s::int + 2", [40])
    prepared = "SELECT count(*) FROM pg_prepared_statements WHERE statement = 'SELECT $1::int + 2'"
    assert fetched(prepared) == [(1,)]


def sees(person: User, ticket: Ticket) -> bool:
    try:
        return access_ticket(person, ticket.ref) == ticket
    except Http404:
        return False


def test_a_restricted_customer_stays_unseen_whoever_asked_before(cast: Any) -> None:
    ticket = opened(cast, "secret")
    assert sees(cast.ana, ticket)
    Customer.objects.filter(pk=cast.acme.pk).update(restricted=True)
    people = (cast.lee, cast.ana, cast.ada, cast.ana, cast.audrey, cast.gus, cast.cora)
    assert [sees(person, ticket) for person in people] == [True, False, True, False, False, False, True]
    CustomerTeam.objects.create(customer=cast.acme, user=cast.ana)
    assert sees(cast.ana, ticket)


def test_what_a_customer_reads_is_not_what_the_desk_reads(cast: Any) -> None:
    ticket = opened(cast, "read")
    actions.note(ticket=ticket, body="for us", by=cast.ana, at=AT)
    for person, kinds in [(cast.ana, ["opening", "note"]), (cast.cora, ["opening"])] * 2:
        items = timeline(access_ticket(person, ticket.ref), person, words.read(), at=AT)
        assert [item.message.kind for item in items if item.message] == kinds


def test_new_rows_are_whole_and_numbered_in_their_order(cast: Any) -> None:
    ticket = opened(cast, "new rows")
    said = [
        Message(
            ticket=ticket, kind="note", author=cast.ana, by_desk=True, source="web", body=body, at=AT, released_at=AT
        )
        for body in ("50% of 'it'", "数据库")
    ]
    with CaptureQueriesContext(connection) as asked:
        insert(said)
    assert len(asked) == 1
    assert [m.pk for m in said] == sorted(m.pk for m in said)
    for message in said:
        assert columns(Message.objects.get(pk=message.pk)) == {
            name: value for name, value in columns(message).items() if name != "ticket"
        }
        message.save(update_fields=["body"])


def test_rows_that_drew_their_numbers_keep_them_however_many(cast: Any) -> None:
    tags = [Tag(name=f"drawn-{n}", key=f"drawn-{n}") for n in range(FEW + 1)]
    draw(tags)
    drawn = [tag.pk for tag in tags]
    assert drawn == sorted(set(drawn))
    insert(tags[:1], numbered=True)
    insert(tags[1:], numbered=True)
    assert list(Tag.objects.filter(name__startswith="drawn-").order_by("pk").values_list("pk", flat=True)) == drawn
    later = Tag(name="later", key="later")
    insert([later])
    assert later.pk > drawn[-1]


def test_a_twin_takes_over_columns_and_many_go_djangos_way(cast: Any) -> None:
    ticket = opened(cast, "twins")
    before = list(all_of(ticket.ref))
    again = [Clock(**{f.attname: getattr(c, f.attname) for f in Clock._meta.fields if f.name != "id"}) for c in before]
    for clock in again:
        clock.target_s, clock.cause = 7, "other"
    insert(again, unique=("subject", "kind", "cycle"), update=("target_s",))
    assert [(c.pk, c.target_s, c.cause) for c in all_of(ticket.ref)] == [(c.pk, 7, c.cause) for c in before]
    ticket.title, ticket.sla_due_at = "50% of 'it'", None
    update(ticket, ["title", "sla_due_at"])
    kept_now = Ticket.objects.get(pk=ticket.pk)
    assert (kept_now.title, kept_now.sla_due_at, kept_now.queue_at) == ("50% of 'it'", None, ticket.queue_at)
    many = [Tag(name=f"tag {n}", key=f"tag {n}") for n in range(FEW + 1)]
    insert(many)
    assert all(tag.pk for tag in many)


@pytest.mark.django_db(transaction=True)
def test_values_go_where_they_are_named(cast: Any) -> None:
    told = fetched("SELECT %(b)s::text || '%%', %(a)s::int, %(b)s::text, '$1'", {"a": 7, "b": "x"})
    assert told == [("x%", 7, "x", "$1")]
    assert fetched("SELECT %s::int - %s::int, '%%s'", [5, 3]) == [(2, "%s")]
    assert fetched("SELECT '100%'") == [("100%",)]


def test_a_kept_connection_that_the_server_ended_is_found_out() -> None:
    connection.ensure_connection()
    assert connection.is_usable()
    pid = connection.connection.info.backend_pid
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
        assert not connection.is_usable()
    finally:
        other.close()
        connection.close()


def test_many_rows_get_each_their_own_columns_in_one_statement(cast: Any) -> None:
    tickets = [opened(cast, "one"), opened(cast, "two")]
    letters = list(Letter.objects.order_by("pk"))[:2]
    for number, (ticket, letter) in enumerate(zip(tickets, letters, strict=True)):
        ticket.title, ticket.assigned_to, ticket.sla_due_at = f"'{number}' % ü", [cast.ana, None][number], AT
        letter.data = {"ref": ticket.ref, "words": ["it's", None]}
    with CaptureQueriesContext(connection) as asked:
        update_all(tickets, ["title", "assigned_to", "sla_due_at"])
        update_all(letters, ["data"])
        update_all([], ["data"])
    assert len(asked) == 2
    assert [columns(one) for one in Ticket.objects.order_by("pk")] == [columns(one) for one in tickets]
    assert [one.data for one in Letter.objects.filter(pk__in=[one.pk for one in letters]).order_by("pk")] == [
        one.data for one in letters
    ]
