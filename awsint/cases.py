"""Reading: what an account's cases are at AWS, compared with what is stored; what differs is brought in.

All open cases are listed each time, because AWS tells of no change (aws.md, 4.6); those known as open that were not
listed are asked for by number. Words beyond the newest five are read until they join what is stored. Every six hours,
and the first time, resolved cases and the older words of open ones are looked through too, for what came late. Where
nothing changed nothing is written, and no more is asked of the database for many cases than for one.
"""

import logging
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice

from django.db import Error as DatabaseError

from awsint import calls as call_log
from awsint import client, importing
from awsint.client import SupportApi, Turn
from awsint.comparing import Known, joins, news, read_on
from awsint.leases import Lease, Stale
from awsint.models import Account, Communication, Poll, SupportCase, Via
from awsint.reading import Reading
from awsint.shapes import AwsError, Calls, CaseRead, Said

log = logging.getLogger(__name__)
WHOLE_EVERY = timedelta(hours=6)
# Cases compared at a time, and asked for by number at a time.
BATCH = 50
AT_ONCE = 100
TURNS = {Via.PUSH: Turn.PUSH, Via.POLL: Turn.POLL}


@dataclass
class Synced:
    """What a reading came to. It is not `finished` where time ran out; what was brought in stays."""

    changed: int = 0
    whole: bool = False
    finished: bool = True
    known: bool = True
    # Cases that could not be brought in, and why.
    troubles: list[str] = field(default_factory=list)


def sync_account(account: Account, via: Via, at: datetime) -> Synced:
    """Reads an account now, outside the poll's order. Raises AwsError."""
    made = Calls()
    try:
        poll = Poll.objects.filter(pk=account.pk).first() or Poll(account=account, next_at=at)
        return _sync(Reading(account, Via.FIRST if poll.first_at is None else via, at), poll, made, None)
    finally:
        call_log.store(made)


def sync(lease: Lease, *, at: datetime, calls: Calls, until: float) -> Synced:
    """Reads the account of a lease, until the monotonic clock says `until`. Raises AwsError, Stale."""
    via = Via.FIRST if lease.poll.first_at is None else Via.POLL
    return _sync(Reading(lease.account, via, at, lease), lease.poll, calls, until)


def read_case(account: Account, case_id: str, via: Via, at: datetime) -> Synced:
    """Reads one case now, its older words too. It is not `known` where AWS does not know it. Raises AwsError."""
    made, synced = Calls(), Synced()
    try:
        api = client.support(account.place, made, at=at, turn=TURNS.get(via, Turn.PERSON))
        reading = Reading(account, via, at)
        found = api.cases([case_id])
        _compare(api, reading, found, synced, deep=True)
        synced.known = bool(found)
        if not found:
            synced.changed += importing.gone(reading, [case_id])
    finally:
        call_log.store(made)
    _complain(synced)
    return synced


def _sync(reading: Reading, poll: Poll, made: Calls, until: float | None) -> Synced:
    first = reading.via == Via.FIRST
    whole = first or poll.whole_at is None or poll.whole_at <= reading.at - WHOLE_EVERY
    synced, listed = Synced(whole=whole), set[str]()
    api = client.support(reading.account.place, made, at=reading.at, turn=Turn.POLL)
    for batch in _batches(api.all_cases(words=True, page=AT_ONCE) if whole else api.open_cases()):
        _compare(api, reading, batch, synced, deep=whole and not first, until=until)
        listed |= {read.case_id for read in batch}
        if until is not None and time.monotonic() > until:
            synced.finished = False
            return synced
    _look_for_missing(api, reading, listed, synced)
    _complain(synced)
    return synced


def _look_for_missing(api: SupportApi, reading: Reading, listed: set[str], synced: Synced) -> None:
    """Those known as open that were not listed: resolved meanwhile, passed over, or gone."""
    known = SupportCase.objects.filter(account=reading.account, is_open=True).values_list("case_id", flat=True)
    missing = sorted(set(known) - listed)
    for some in (missing[n : n + AT_ONCE] for n in range(0, len(missing), AT_ONCE)):
        found = api.cases(some)
        _compare(api, reading, found, synced, deep=False)
        if gone := set(some) - {read.case_id for read in found}:
            synced.changed += importing.gone(reading, sorted(gone))


def _complain(synced: Synced) -> None:
    if synced.troubles:
        raise AwsError("InternalFailure", "; ".join(synced.troubles[:5]))


def _batches(found: Iterable[CaseRead]) -> Iterator[list[CaseRead]]:
    """As they come; a case that comes twice, because the pages moved meanwhile, is compared once."""
    them, seen = iter(found), set[str]()
    while batch := list(islice(them, BATCH)):
        fresh = {read.case_id: read for read in batch if read.case_id not in seen}
        seen |= fresh.keys()
        yield list(fresh.values())


# --- Comparing -------------------------------------------------------------------------------------------------------


def _compare(
    api: SupportApi,
    reading: Reading,
    found: list[CaseRead],
    synced: Synced,
    *,
    deep: bool,
    until: float | None = None,
) -> None:
    """Brings in what differs. Two statements where nothing does. A case that cannot be brought in stops no other."""
    if not found:
        return
    rows = {row.case_id: row for row in importing.rows_of(reading.account, [read.case_id for read in found])}
    known = _known(rows.values(), found)
    for read in found:
        if until is not None and time.monotonic() > until:
            return
        row = rows.get(read.case_id)
        try:
            said = _said(api, read, row, known.get(row.pk, []) if row else [], deep)
            if row is None or importing.differs(row, read) or said is not read.said or news(said, known[row.pk]):
                synced.changed += importing.bring(reading, read, said)
        except (AwsError, DatabaseError, Stale):
            raise
        except Exception as error:
            log.exception("case %s could not be brought in", read.display_id)
            synced.troubles.append(f"{read.display_id}: {type(error).__name__}: {error}")


def _said(
    api: SupportApi, read: CaseRead, row: SupportCase | None, known: list[Known], deep: bool
) -> tuple[Said, ...] | list[Said]:
    """The words of a case that are to be compared: those listed, and the older ones where they are wanted."""
    wanted = read.more and (not joins(read, known) or (deep and row is not None and row.is_open))
    if not wanted:
        return read.said
    return read_on(read, api.more_said(read.case_id, read.more), row.said_at if row else None)


def _known(rows: Iterable[SupportCase], found: list[CaseRead]) -> dict[int, list[Known]]:
    """The stored words that those listed may be, by case. One statement, none without a stored case."""
    known: dict[int, list[Known]] = {row.pk: [] for row in rows}
    oldest = min((word.created_at for read in found for word in read.said), default=None)
    if known and oldest:
        stored = Communication.objects.filter(case__in=known, created_at__gte=oldest)
        for case, *columns in stored.values_list("case", *importing.KNOWN):
            known[case].append(Known(*columns))
    return known
