"""Tickets that somebody filing may have filed already, for a look before a second one.

Openings that share words with the new title are ranked in the index, and the best compared word by word. Only openings
are looked at, and only tickets the person may see: a note changes nothing here, not even the time it takes.
"""

from collections.abc import Iterator
from uuid import UUID

from django.db import connection

from helpdesk.accounts.models import User
from helpdesk.accounts.permissions import customers_of
from tickets import cutting, search
from tickets.models import Message, Ticket

MOST = 5
# How alike two texts are, from 0 to 1, before one is shown.
ALIKE = 0.4
COMPARED = 20
# Of what was typed, and of what is compared with it.
TITLE, TEXT = 200, 1000
MOST_WORDS = 40


def similar(*, title: str, text: str, customer: UUID | None, user: User) -> list[Ticket]:
    """Up to five likely twins among the tickets of `customer` (of all their companies without) that `user` may see.

    Open ones first, then the most alike. Three statements, none where the title says nothing yet.
    """
    title, text = title[:TITLE], text[:TEXT]
    among = _among(user, customer)
    words = [f"'{word}'" for word in _words(title)][:MOST_WORDS]
    if not words or among is None:
        return []
    either = " | ".join(words)
    with connection.cursor() as cursor:
        cursor.execute(NEAREST, [f"'{search.OPENING}' & {among} & ({either})", search.CANDIDATES, either, COMPARED])
        numbers = [number for (number,) in cursor.fetchall()]
    tickets = Ticket.objects.visible_to(user).in_bulk(numbers)
    openings = Message.objects.filter(ticket__in=tickets, kind=Message.Kind.OPENING).values_list("ticket", "body")
    best: dict[int, float] = {}
    # One that others were merged into has several.
    for n, body in openings:
        best[n] = max(best.get(n, 0), _alike(title, text, tickets[n].title, body[:TEXT]))
    likely = [(tickets[n].is_open, score, n, tickets[n]) for n, score in best.items() if score >= ALIKE]
    return [ticket for *_order, ticket in sorted(likely, key=lambda each: each[:3], reverse=True)[:MOST]]


NEAREST = """
WITH hit AS MATERIALIZED (
    SELECT message_id, ticket_id, words FROM tickets_searchrow
    WHERE words @@ %s::tsquery ORDER BY message_id DESC LIMIT %s
)
SELECT ticket_id FROM hit ORDER BY ts_rank(words, %s::tsquery) DESC, message_id DESC LIMIT %s
"""


def _among(user: User, customer: UUID | None) -> str | None:
    """Whose tickets are meant, as a tsquery; None where the person may see none of them."""
    allowed = search.scope(user)
    if customer is None:
        return allowed or None
    if user.is_desk:
        return search.of_customer(customer)
    return f"{allowed} & {search.of_customer(customer)}" if customer in customers_of(user) else None


def _words(text: str) -> Iterator[str]:
    """The words that say something: of a text's pairs of characters those without grammar in them."""
    for word in dict.fromkeys(word for word, _place in cutting.tokens(text)):
        if len(word) > 1 and not search.STOP.intersection(word):
            yield word


def _alike(title: str, text: str, other_title: str, other_text: str) -> float:
    """The share of words two titles have in common, or two whole texts where that is more."""
    return max(
        _share(set(_words(title)), set(_words(other_title))),
        _share(set(_words(f"{title}\n{text}")), set(_words(f"{other_title}\n{other_text}"))) if text else 0,
    )


def _share(mine: set[str], theirs: set[str]) -> float:
    return 2 * len(mine & theirs) / (len(mine) + len(theirs)) if mine and theirs else 0
