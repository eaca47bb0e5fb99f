"""Bringing in: one case of a reading becomes rows, a ticket and letters, all in one transaction.

Whoever comes second, the poll after a push or another poller, waits at the ticket or the case, finds everything stored
and writes nothing; a unique key stands behind that. The newest time of AWS that is stored moves with the words it
belongs to, so a reader that is killed has read nothing. Lock order: the account's lease (shared), Ticket, the case,
then as in every action of the desk.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max

from awsint import archive, mapping, speaking
from awsint.comparing import LONGEST_NAME, Known, News, author, digest, news
from awsint.leases import hold
from awsint.models import Account, CaseFile, CaseLink, Change, Communication, CommunicationVersion, SupportCase, Via
from awsint.reading import Reading
from awsint.shapes import CaseRead, Said
from helpdesk.text import clean_line, showable
from tickets.models import Ticket

# The columns of a communication that comparing.Known holds.
KNOWN = ["id", "created_text", "submitted_by", "ordinal", "sha256"]


def rows_of(account: Account, case_ids: Iterable[str]) -> list[SupportCase]:
    """The stored ones of these cases. One statement."""
    return list(SupportCase.objects.filter(account=account, case_id__in=list(case_ids)))


def told_of(read: CaseRead) -> dict[str, Any]:
    """What AWS says of a case, as it is stored."""
    return {
        "display_id": read.display_id[:30],
        "subject": clean_line(showable(read.subject)),
        "status": read.status[:40],
        "service": read.service[:120],
        "category": read.category[:120],
        "severity": read.severity[:20],
        "language": read.language[:10],
        "cc": [address[:254] for address in read.cc],
    }


def differs(row: SupportCase, read: CaseRead) -> bool:
    """Whether AWS says something else of a case than is stored, its words aside."""
    return row.gone_at is not None or any(getattr(row, name) != value for name, value in told_of(read).items())


@transaction.atomic
def bring(reading: Reading, read: CaseRead, said: Sequence[Said]) -> int:
    """Stores what is new of a case and tells whom it concerns; returns how many changes. Raises Stale."""
    if reading.lease:
        hold(reading.lease)
    case, is_new = _locked(reading, read)
    old = "" if is_new else case.status
    found = news(said, _known_of(case, is_new))
    title = case.subject
    _follow(case, read, reading.at)
    if case.words is None or title != case.subject:
        archive.index(case)
    fresh = _store(case, found, reading)
    changes = [_change(reading, case, Change.What.CASE, aws_at=case.created_at, new=case.status)] if is_new else []
    if not (is_new and case.archived):
        changes += [_of_words(reading, case, word) for word in fresh]
    if old and old != case.status:
        changes.append(_change(reading, case, Change.What.STATUS, old=old[:40], new=case.status))
    changes += [_of_words(reading, case, word, Change.What.REDACTION) for word in _reword(found, reading)]
    speaking.tell(reading, case, fresh, old=old, changes=changes)
    Change.objects.bulk_create(changes)
    return len(changes)


def _locked(reading: Reading, read: CaseRead) -> tuple[SupportCase, bool]:
    """The case's row, held with its tickets to the end, and whether we have just written it."""
    links = CaseLink.objects.filter(case__account=reading.account, case__case_id=read.case_id)
    list(Ticket.objects.select_for_update().filter(pk__in=links.values("ticket")).order_by("pk").values_list("pk"))
    mine = SupportCase.objects.filter(account=reading.account, case_id=read.case_id)
    if held := mine.select_for_update().first():
        return held, False
    written = {
        **told_of(read),
        **_begun(read),
        "detected_at": reading.at,
        "status_at": reading.at,
        "is_open": mapping.is_open(read.status),
        "archived": _is_old(reading, read),
    }
    case, is_new = SupportCase.objects.get_or_create(account=reading.account, case_id=read.case_id, defaults=written)
    return (case if is_new else mine.select_for_update().get()), is_new


def _begun(read: CaseRead) -> dict[str, Any]:
    by = showable(read.submitted_by)[:LONGEST_NAME]
    return {"submitted_by": by, "created_text": read.created_text, "created_at": read.created_at}


def _is_old(reading: Reading, read: CaseRead) -> bool:
    """Whether a case belongs into the archive: resolved before we looked at the account, by AWS's clock alone."""
    if mapping.is_open(read.status):
        return False
    newest = SupportCase.objects.filter(account=reading.account).aggregate(at=Max("created_at"))["at"]
    return reading.via == Via.FIRST or newest is None or read.created_at < newest


def _known_of(case: SupportCase, is_new: bool) -> list[Known]:
    return [] if is_new else [Known(*row) for row in Communication.objects.filter(case=case).values_list(*KNOWN)]


def _follow(case: SupportCase, read: CaseRead, at: datetime) -> None:
    """The case as AWS tells it now."""
    told = told_of(read)
    if told["status"] != case.status:
        told["status_at"] = at
    if not case.created_text:
        # We opened it, and AWS tells of it the first time.
        told |= _begun(read)
    # Whoever opens an archived case again has something to say: it gets its ticket now.
    is_open = mapping.is_open(read.status)
    told |= {"is_open": is_open, "gone_at": None, "archived": case.archived and not is_open}
    changed = [name for name, value in told.items() if getattr(case, name) != value]
    for name in changed:
        setattr(case, name, told[name])
    if changed:
        case.save(update_fields=changed)


# --- Words -----------------------------------------------------------------------------------------------------------


def _store(case: SupportCase, found: News, reading: Reading) -> list[Communication]:
    """The rows of new words and of their files, and the time up to which the case is read."""
    if not found.fresh:
        return []
    rows = Communication.objects.bulk_create(_row(case, word, place, reading) for word, place in found.fresh)
    files = [
        CaseFile(
            communication=row, aws_id=file.attachment_id[:120], name=showable(file.name)[:260], next_try_at=reading.at
        )
        for row, (word, _place) in zip(rows, found.fresh, strict=True)
        for file in {file.attachment_id: file for file in word.files}.values()
    ]
    if files:
        CaseFile.objects.bulk_create(files)
    newest = max(rows, key=lambda row: row.created_at)
    if case.said_at is None or newest.created_at > case.said_at:
        case.said_at, case.said_by_aws = newest.created_at, newest.by_aws
        case.save(update_fields=["said_at", "said_by_aws"])
    return rows


def _row(case: SupportCase, word: Said, place: int, reading: Reading) -> Communication:
    return Communication(
        case=case,
        created_text=word.created_text,
        submitted_by=author(word),
        ordinal=place,
        created_at=word.created_at,
        detected_at=reading.at,
        via=reading.via,
        by_aws=word.by_aws,
        automatic=mapping.is_automatic(word.body, by_aws=word.by_aws),
        body=showable(word.body),
        sha256=digest(word),
    )


def _reword(found: News, reading: Reading) -> list[Communication]:
    """Words that AWS changed: the earlier wording becomes a version, in the timeline stands the newest."""
    texts = dict(found.changed)
    rows = list(Communication.objects.filter(pk__in=texts).select_related("message"))
    for row in rows:
        said = texts[row.pk]
        number = row.versions.count() + 1
        CommunicationVersion.objects.create(
            communication=row, number=number, body=row.body, sha256=row.sha256, replaced_at=reading.at
        )
        row.body, row.sha256 = showable(said.body), digest(said)
        row.save(update_fields=["body", "sha256"])
        speaking.reword(reading, row)
    return rows


def _of_words(
    reading: Reading, case: SupportCase, word: Communication, what: Change.What = Change.What.COMMUNICATION
) -> Change:
    return _change(reading, case, what, aws_at=word.created_at, communication=word)


def _change(reading: Reading, case: SupportCase, what: Change.What, **told: Any) -> Change:
    return Change(at=reading.at, account=reading.account, case=case, what=what, via=reading.via, **told)


# --- Gone ------------------------------------------------------------------------------------------------------------


@transaction.atomic
def gone(reading: Reading, case_ids: Iterable[str]) -> int:
    """Cases that AWS does not know any more: they stay as they were last, and are asked for no longer."""
    if reading.lease:
        hold(reading.lease)
    mine = SupportCase.objects.select_for_update().filter(account=reading.account, case_id__in=list(case_ids))
    rows = list(mine.filter(gone_at=None).order_by("pk"))
    SupportCase.objects.filter(pk__in=[row.pk for row in rows]).update(gone_at=reading.at, is_open=False)
    Change.objects.bulk_create(
        _change(reading, row, Change.What.GONE, old=row.status, ticket=speaking.ref_of(row)) for row in rows
    )
    return len(rows)
