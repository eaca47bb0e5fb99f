"""Words of tickets: how they are stored and asked for, in Chinese and in English.

Each message has one row (SearchRow) with its words and its ticket's title (weight A), so that a title and a word of any
answer find the ticket together. How a text is cut into words is cutting.py; the dictionary (rjieba) cuts only what is
asked, "数据库超时" into 数据库 and 超时, so a better dictionary needs no new index.

Who may find a row stands in it as words that nobody can type: its customer, requester and participants, and for an
internal note another mark of the customer in their place. So one look into the index answers a member, a company's
administrator and an engineer, and a note's words reach no customer. What is found still passes `visible_to` before
anything of it is shown, counted or ranked.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from itertools import pairwise
from operator import itemgetter, or_
from typing import Any
from uuid import UUID

import regex
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import F, Q, QuerySet, UUIDField, Value
from django.db.models.expressions import RawSQL

from helpdesk.accounts.models import Customer, Membership, User, hidden_from
from helpdesk.accounts.permissions import customers_of, whole_for
from helpdesk.kept import done
from tickets.cutting import HAN_ONLY, LONGEST_WORD, SMALL, TOKEN, folded, literal, names_in
from tickets.marks import OPENING as OPENING
from tickets.marks import asked_by, note_of, said_to, taken_part_in
from tickets.marks import marks as marks
from tickets.models import Message, SearchRow, Ticket

# Raised when texts are cut in another way: `manage.py reindex` then writes the rows of older editions again.
EDITION = 1

# A question: characters and words that are read; beyond them it is as if they were not there.
LONGEST = 200
MOST_WORDS = 20
# Of the rows that match, this many are looked at, the newest.
CANDIDATES = 1000
# Exact text is looked for in this much of a message.
LOOKED_AT = 4000
# Companies and people of a name that was asked for.
NAMED = 20
# From so many characters on, the beginning of an id or a number stands for all that begin so.
SHORTEST_ID = 5

ASKED = regex.compile(r'(-?)"([^"]*)"?|(\S+)')
QUOTES = str.maketrans("“”„«»「」『』", '"' * 9)
# Characters that join words and are not searched for beside others.
STOP = frozenset("的了和与及是在有我你您他它们吗呢吧啊这那请就都也很把被对从到")


# --- Writing ---------------------------------------------------------------------------------------------------------


def index(messages: Iterable[Message]) -> None:
    """Makes messages findable, or findable anew after their ticket, title or kind changed. One statement.

    Called in the transaction that writes or moves them, or lets them be seen again, with `ticket` as it stands then.
    Whatever hides a message (undo, merge) calls `forget` and leaves it out of `findable`.
    """
    messages = list(messages)
    if len(messages) == 1:
        _index_one(messages[0])
        return
    if not messages:
        return
    values = [one for m in messages for one in (m.pk, m.ticket_id, EDITION, _words(m), m.kind == Message.Kind.NOTE)]
    done(WRITE_ALL.format(rows=", ".join([ROW] * len(messages))), values)


def _index_one(message: Message) -> None:
    # As text, because every reply asks it and the ORM would build it anew each time.
    row = _row_of(message)
    done(WRITE.format(words=row.sql), [message.pk, message.ticket_id, EDITION, *row.params])


WRITE = """INSERT INTO tickets_searchrow (message_id, ticket_id, edition, words) VALUES (%s, %s, %s, {words})
ON CONFLICT (message_id) DO UPDATE
SET ticket_id = EXCLUDED.ticket_id, edition = EXCLUDED.edition, words = EXCLUDED.words"""


ROW = "(%s::bigint, %s::bigint, %s::smallint, %s::tsvector, %s::boolean)"
WRITE_ALL = """INSERT INTO tickets_searchrow (message_id, ticket_id, edition, words)
SELECT message, ticket, edition, CASE WHEN is_note THEN words ELSE words || coalesce((
    SELECT array_to_tsvector(array_agg('=p' || p.user_id)) FROM tickets_participant p
    WHERE p.ticket_id = ticket AND p.user_id IS NOT NULL), '') END
FROM (VALUES {rows}) AS w (message, ticket, edition, words, is_note)
ON CONFLICT (message_id) DO UPDATE
SET ticket_id = EXCLUDED.ticket_id, edition = EXCLUDED.edition, words = EXCLUDED.words"""


def _row_of(message: Message) -> RawSQL:
    """A row's words; who takes part is asked in the writing itself, under the ticket's lock."""
    words = _words(message)
    if message.kind == Message.Kind.NOTE:
        return RawSQL("%s::tsvector", [words])
    # The text is ours, with its parameters beside it.
    return RawSQL(WITH_PARTICIPANTS, [words, message.ticket_id])  # noqa: S611


WITH_PARTICIPANTS = """
%s::tsvector || coalesce((
    SELECT array_to_tsvector(array_agg('=p' || p.user_id)) FROM tickets_participant p
    WHERE p.ticket_id = %s AND p.user_id IS NOT NULL
), '')
"""


def _words(message: Message) -> str:
    ticket = message.ticket
    return literal(ticket.title, message.body, marks(message.kind, ticket.customer_id, ticket.requester_id))


def forget(messages: Iterable[Message]) -> None:
    """Makes messages unfindable at once, in the transaction that hides or deletes them. One statement."""
    SearchRow.objects.filter(message__in=[m.pk for m in messages]).delete()


def findable() -> "QuerySet[Message]":
    """The messages that a search may find: all but those that were taken back."""
    return Message.objects.filter(undone_at=None)


def of_customer(customer: UUID) -> str:
    """Every row of a customer's that its own people may find, as a tsquery."""
    return f"'{said_to(customer)}'"


def scope(user: User) -> str | None:
    """What every row that `user` may find must have, as a tsquery; "" for the desk, None where nothing can be found."""
    if user.is_desk:
        return ""
    whole, theirs = whole_for(user), f"('{asked_by(user.pk)}' | '{taken_part_in(user.pk)}')"
    mine = [
        f"'{said_to(customer)}'" if customer in whole else f"'{said_to(customer)}' & {theirs}"
        for customer in customers_of(user)
    ]
    return _any(mine) or None


# --- Asking ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Word:
    """One thing asked for: `query` as a tsquery, `shown` what is marked where it is found."""

    typed: str
    query: str
    shown: tuple[str, ...]
    phrase: bool = False


@dataclass(frozen=True)
class Question:
    """What somebody typed: words that must all be there, and words that must not."""

    words: tuple[Word, ...]
    without: tuple[Word, ...] = ()

    @property
    def exact(self) -> str:
        """The words as they would stand in a text, folded."""
        return " ".join(word.typed for word in self.words)

    @property
    def phrases(self) -> list[str]:
        return [word.typed for word in self.words if word.phrase]

    @property
    def shown(self) -> list[str]:
        return [term for word in self.words for term in word.shown]


def question(text: str) -> Question:
    """Reads what was typed: words, "a phrase", -without. Half and full width are the same, quotes of any kind too."""
    wanted: list[Word] = []
    unwanted: list[Word] = []
    asked = list(ASKED.finditer(folded(text[:LONGEST]).translate(QUOTES)))[:MOST_WORDS]
    for found in asked:
        minus, phrase, bare = found[1], found[2], found[3] or ""
        without = bool(minus) or (len(bare) > 1 and bare.startswith("-"))
        word = _word(phrase if phrase is not None else bare.lstrip("-") if without else bare, phrase=phrase is not None)
        if word:
            (unwanted if without else wanted).append(word)
    return Question(tuple(wanted), tuple(unwanted))


def _word(typed: str, *, phrase: bool) -> Word | None:
    pieces = [
        p for found in TOKEN.finditer(typed) for p in (_cut(found[0]) if found["han"] and not phrase else [found[0]])
    ]
    if len(pieces) > 1:
        # Alone a character stands for all words that begin with it; beside others it is mostly grammar.
        pieces = [p for p in pieces if len(p) > 1 or phrase] or pieces
    if not pieces:
        return None
    query = _all([_piece(p, prefix=not phrase) for p in pieces])
    return Word(typed.strip(), query, tuple(t for p in pieces for t in _shown(p)), phrase)


def _cut(run: str) -> list[str]:
    """A run of Han characters as the words it is made of. Characters the dictionary leaves single stay together."""
    # Its dictionary takes 34 MB: only who is asked something loads it.
    import rjieba

    pieces: list[str] = []
    single = ""
    for piece in [*rjieba.cut(run), ""]:
        if len(piece) == 1 and piece not in STOP:
            single += piece
            continue
        pieces += [single] if single else []
        pieces += [piece] if piece else []
        single = ""
    return pieces


def _piece(piece: str, *, prefix: bool) -> str:
    """One word as a tsquery. A name is looked for whole, or in its parts where it is but a part of another."""
    if HAN_ONLY.match(piece):
        return _all([f"'{a}{b}'" for a, b in pairwise(piece)]) or f"'{piece}':*"
    return _all([_name_asked(name, prefix=prefix) for name in names_in(piece)])


def _name_asked(name: str, *, prefix: bool) -> str:
    # Ids begin alike: a short beginning would stand for every one there is.
    short = len(name) < (2 if name.isalpha() else SHORTEST_ID)
    whole = f"'{name[:LONGEST_WORD]}'" + (":*" if prefix and not short else "")
    parts = [f"'{part[:LONGEST_WORD]}'" for part in SMALL.split(name)]
    return _any([whole, " <-> ".join(parts)]) if len(parts) > 1 else whole


def _shown(piece: str) -> list[str]:
    return [piece] if HAN_ONLY.match(piece) else [piece, *names_in(piece)]


def _all(queries: list[str]) -> str:
    return f"({' & '.join(queries)})" if len(queries) > 1 else "".join(queries)


def _any(queries: list[str]) -> str:
    return f"({' | '.join(f'({q})' for q in queries)})" if len(queries) > 1 else "".join(queries)


@dataclass(frozen=True)
class Name:
    """A company (with its code) or a person called by one of the words: whose rows have any of `marks`."""

    name: str
    code: str
    customer: UUID | None
    marks: tuple[str, ...]

    def called(self, word: str) -> bool:
        return word in folded(self.name) or word in folded(self.code)


def names(asked: Question, user: User) -> list[Name]:
    """The companies and customers' people that the words may mean, as far as `user` knows them. One statement.

    Names are looked up and never indexed: a renamed company is found at once, an erased person never again.
    """
    words = [w.typed for w in asked.words if not w.phrase and len(w.typed) > 1]
    if not words:
        return []
    companies = Customer.objects.filter(_named(words, "name", "code")).annotate(number=Value(0))
    people = User.objects.filter(_named(words, "name"), staff_role=None)
    if user.is_desk:
        companies = companies.known_to(user)
        people = people if user.sees_every_customer else people.exclude(memberships__customer__in=hidden_from(user))
    else:
        mine = list(customers_of(user))
        companies = companies.filter(pk__in=mine)
        people = people.filter(pk__in=Membership.objects.filter(customer__in=mine).values("user"))
    both = (
        companies.order_by()
        .values_list("number", "name", "code", "pk")[:NAMED]
        .union(
            people.annotate(number=F("pk"), code=Value(""), company=Value(None, UUIDField()))
            .order_by()
            .values_list("number", "name", "code", "company")[:NAMED],
            all=True,
        )
    )
    return [_name(*row) for row in both]


def _name(number: int, name: str, code: str, customer: UUID | None) -> Name:
    marks = (said_to(customer), note_of(customer)) if customer else (asked_by(number),)
    return Name(name, code, customer, tuple(f"'{mark}'" for mark in marks))


def _named(words: list[str], *columns: str) -> Q:
    either = [Q(**{f"{column}__icontains": word}) for word in words for column in columns]
    return reduce(or_, either)


# --- Finding ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Found:
    """Tickets in the order of how well they match, each with the message that matches best.

    `places` counts the messages that match, `more` says that there are more than were looked at.
    """

    hits: list[tuple[int, int]]
    places: int = 0
    more: bool = False


def find(
    asked: Question, known: list[Name], user: User, narrowed: "QuerySet[Ticket] | None" = None, *, at: datetime
) -> Found:
    """What matches among the tickets `user` may see, of `narrowed` where given. The newest CANDIDATES are ranked.

    The very text first, in the title before the messages; then by how close together the words stand; then the newest.
    `known` are the names the words may mean. One statement.
    """
    allowed = scope(user)
    if not asked.words or allowed is None:
        return Found([])
    wanted = [_or_called(word, known) for word in asked.words]
    match = _all([each for each in (allowed, *wanted, *(f"!({w.query})" for w in asked.without)) if each])
    rows = _ranked(match, asked, user, narrowed, at)
    best: dict[int, tuple[Any, ...]] = {}
    for ticket, message, exact, rank in sorted(rows, key=itemgetter(1), reverse=True)[:CANDIDATES]:
        key = (exact, rank, message)
        if ticket not in best or best[ticket] < key:
            best[ticket] = key
    hits = sorted(best.items(), key=lambda each: each[1], reverse=True)
    return Found([(ticket, key[2]) for ticket, key in hits], min(len(rows), CANDIDATES), len(rows) > CANDIDATES)


def _ranked(
    match: str, asked: Question, user: User, narrowed: "QuerySet[Ticket] | None", at: datetime
) -> list[tuple[int, int, int, float]]:
    """Rows of ticket, message, how exactly (3: title, 1: text), rank."""
    ranked = _all([word.query for word in asked.words])
    among, given = _sql(narrowed) if narrowed is not None else ("", [])
    join = f"JOIN ({among}) n ON n.id = r.ticket_id" if among else ""
    try:
        seen, seeing = _sql(Ticket.objects.visible_to(user))
    except EmptyResultSet:
        return []
    further = ("" if user.is_desk else READABLE) + "".join(PHRASE for _phrase in asked.phrases)
    params = [*given, match, CANDIDATES + 1, asked.exact, asked.exact, LOOKED_AT, ranked, *seeing]
    params += [*([] if user.is_desk else [at]), *asked.phrases]
    with connection.cursor() as cursor:
        cursor.execute(RANKED.format(narrowed=join, visible=seen, further=further), params)
        rows: list[tuple[int, int, int, float]] = cursor.fetchall()
    return rows


def _sql(tickets: "QuerySet[Ticket]") -> tuple[str, list[Any]]:
    sql, params = tickets.order_by().values("id", "title").query.sql_with_params()
    return sql, list(params)


# The candidates come first and alone: left to itself the planner walks a whole table to sort by rank.
# Who may see them is asked of each of them again; asked inside, it would be taken for a second, independent filter.
RANKED = """
WITH hit AS MATERIALIZED (
    SELECT r.message_id, r.ticket_id, r.words FROM tickets_searchrow r {narrowed}
    WHERE r.words @@ %s::tsquery ORDER BY r.message_id DESC LIMIT %s
)
SELECT hit.ticket_id, hit.message_id,
    CASE WHEN position(%s in lower(t.title)) > 0 THEN 2 ELSE 0 END
        + CASE WHEN position(%s in lower(left(m.body, %s))) > 0 THEN 1 ELSE 0 END,
    ts_rank_cd(hit.words, %s::tsquery)
FROM hit JOIN ({visible}) t ON t.id = hit.ticket_id JOIN tickets_message m ON m.id = hit.message_id
WHERE true {further}
"""
# As access.readable says; what was taken back has no row.
READABLE = " AND m.kind <> 'note' AND m.released_at <= %s"
PHRASE = " AND position(%s in lower(normalize(t.title || ' ' || m.body, NFKC))) > 0"


def _or_called(word: Word, known: list[Name]) -> str:
    """The word's query, or any row of whoever is called so."""
    if word.phrase:
        return word.query
    return _any([word.query, *(mark for name in known if name.called(word.typed) for mark in name.marks)])
