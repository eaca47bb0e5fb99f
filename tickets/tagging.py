"""Tags: the desk's own words on a ticket, in any script, which no customer meets.

A ticket holds the numbers of its tags in one column, so that a page reads them with the ticket and a list finds them in
an index. The word is a row that never changes: history keeps its number, and what was read once stays true.
"""

import unicodedata
from collections.abc import Iterable
from datetime import datetime

import regex
from django.db import connection, transaction
from django.utils.translation import gettext as _

from helpdesk.accounts.models import User
from helpdesk.accounts.permissions import Right, may
from helpdesk.audit.record import Happening
from helpdesk.text import clean_line, count_characters
from tickets.deed import Deed
from tickets.models import Tag, Ticket
from tickets.workflow import Conflict, Refused, check_version, stuck

LONGEST = 40
MOST = 20
# What people put between two tags, in either script.
BETWEEN = regex.compile(r"[,，、;；\n]")


@transaction.atomic(savepoint=False)
def tag(
    *, ticket: Ticket, version: int, add: Iterable[str] = (), remove: Iterable[str] = (), by: User, at: datetime
) -> Ticket:
    """Puts tags on a ticket, on a closed one too, and takes others off: both by name, as `names_in` reads them.

    What is there already, or is not there, changes nothing. Raises Conflict and Refused.
    """
    deed = Deed.begin(ticket, by, at)
    ticket = deed.ticket
    check_version(ticket, version)
    if not may(by, Right.WORK):
        raise Conflict(ticket, stuck(ticket))
    off = [n for n in numbers(remove) if n in ticket.tags]
    on = [n for n in _known_or_new(add) if n not in ticket.tags]
    if len(ticket.tags) - len(off) + len(on) > MOST:
        raise Refused("add", _("A ticket takes at most %(most)s tags: take one off first.") % {"most": MOST})
    if on or off:
        ticket.tags = deed.changed["tags"] = [n for n in ticket.tags if n not in off] + on
        deed.happen(Happening("ticket.tagged", {"added": on, "removed": off}))
    return deed.finish()


def _known_or_new(names: Iterable[str]) -> list[int]:
    """The numbers of tags, of new ones too. In one order, so that two who make the same tags wait and do not block."""
    by_key = {_key(name): name for name in names}
    if not by_key:
        return []
    known = _read(by_key)
    if unknown := sorted(by_key.keys() - known.keys()):
        Tag.objects.bulk_create([Tag(name=by_key[key], key=key) for key in unknown], ignore_conflicts=True)
        known = _read(by_key)
    return [known[key] for key in by_key]


# --- Words -----------------------------------------------------------------------------------------------------------


def names_in(text: str) -> list[str]:
    """The tags somebody typed, each once, in one form. Raises Refused."""
    names: dict[str, str] = {}
    for part in BETWEEN.split(text):
        name = clean_line(unicodedata.normalize("NFKC", part)).lstrip("#").strip()
        if count_characters(name) > LONGEST:
            raise Refused("add", _("A tag has at most %(most)s characters.") % {"most": LONGEST})
        if name:
            names.setdefault(_key(name), name)
    if len(names) > MOST:
        raise Refused("add", _("A ticket takes at most %(most)s tags: take one off first.") % {"most": MOST})
    return list(names.values())


def _key(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()


def numbers(names: Iterable[str]) -> list[int]:
    """The numbers of those tags that exist. One statement, none for no names."""
    keys = [_key(name) for name in names]
    known = _read(keys) if keys else {}
    return [known[key] for key in keys if key in known]


def _read(keys: Iterable[str]) -> dict[str, int]:
    return dict(Tag.objects.filter(key__in=list(keys)).values_list("key", "pk"))


def words_of(tags: Iterable[int]) -> dict[int, str]:
    """Tags by number, as they are written. One statement, none where they were read before."""
    wanted = set(tags)
    if unread := wanted - _names.keys():
        _names.update(Tag.objects.filter(pk__in=unread).values_list("pk", "name"))
    return {n: _names[n] for n in wanted if n in _names}


# A row that never changes is read once a process; a number is never given twice.
_names: dict[int, str] = {}


def name_on(tickets: Iterable[Ticket]) -> None:
    """Gives tickets their tags in words as `tag_names`. One statement, none where they were read before."""
    rows = list(tickets)
    words = words_of(n for t in rows for n in t.tags)
    for ticket in rows:
        ticket.tag_names = [words[n] for n in ticket.tags if n in words]  # type: ignore[attr-defined]


def suggested(text: str) -> list[str]:
    """Tags on the newest tickets that hold what was typed last, for whoever goes on typing. One statement."""
    key = _key(clean_line(BETWEEN.split(text)[-1]))[:LONGEST]
    with connection.cursor() as cursor:
        cursor.execute(SUGGESTED, [key, RECENT, AT_ONCE])
        return [name for (name,) in cursor.fetchall()]


# So many tickets are looked at: it costs the same however many there are.
RECENT = 20_000
AT_ONCE = 20
SUGGESTED = """
SELECT t.name FROM tickets_tag t
WHERE position(%s in t.key) > 0
    AND t.id IN (SELECT unnest(r.tags) FROM (SELECT tags FROM tickets_ticket ORDER BY id DESC LIMIT %s) r)
ORDER BY length(t.key), t.key LIMIT %s
"""
