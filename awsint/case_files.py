"""Files of cases, fetched into our storage: AWS keeps them for two years, and links to them for an hour.

A file is a row's own wish (`CaseFile`): importing writes it, the queue only nudges, a sweep finds what was forgotten. A
try is counted and the next one set before it begins, so a worker that is killed loses a try and no file. What it is
follows from its content; a program is not kept, whatever its name says. Nothing is read whole into memory.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from awsint import calls, client
from awsint.client import Turn
from awsint.models import CaseFile, Change, SupportCase, Via
from awsint.shapes import AwsError, Calls, FileRef, Invalid
from helpdesk.accounts import house
from helpdesk.accounts.models import User
from helpdesk.storage import LEAST_ROOM, store
from tickets import attaching
from tickets.attaching import Stopped
from tickets.models import Attachment
from tickets.receiving import Incoming

log = logging.getLogger(__name__)
# As large as AWS takes them (aws.md, headline 2).
BIGGEST = 150 * 1024 * 1024
MOST_TRIES = 12
FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=6)
# So long one try may take before another worker may try too.
PATIENCE = timedelta(minutes=10)
AT_A_TIME = 20
# Why a file is not kept, as the desk reads it.
REASONS = {
    "program": _("It is a program, whatever its name says."),
    "too_big": _("It is larger than 150 MB."),
    "empty": _("It is empty."),
    "gone": _("AWS does not have it any more."),
    "away": _("It could not be fetched, often as it was tried."),
}

Clock = Callable[[], datetime]


class Away(Exception):
    """Not now: no answer, or no room."""


def fetch_due(clock: Clock, beat: Callable[[], None] = lambda: None) -> int:
    """Fetches what is due, a few files; returns how many were tried."""
    wanted = CaseFile.objects.filter(state=CaseFile.State.WANTED, next_try_at__lte=clock())
    ids = list(wanted.order_by("next_try_at").values_list("pk", flat=True)[:AT_A_TIME])
    tried = 0
    for number in ids:
        tried += fetch(number, clock)
        beat()
    return tried


def fetch(number: int, clock: Clock) -> bool:
    """Fetches one file, unless somebody else does; whether it was tried."""
    at = clock()
    mine = CaseFile.objects.filter(pk=number, state=CaseFile.State.WANTED, next_try_at__lte=at)
    if not mine.update(tries=F("tries") + 1, next_try_at=at + PATIENCE):
        return False
    told = ("communication__case__account__customer", "communication__message")
    file: CaseFile = CaseFile.objects.select_related(*told).get(pk=number)
    try:
        _fetch(file, clock)
    except Invalid:
        _end(file, CaseFile.State.FAILED, "gone")
    except (AwsError, Away) as error:
        log.warning("file %s of case %s: %s", file.pk, file.communication.case_id, error)
        _again(file, clock())
    return True


def _fetch(file: CaseFile, clock: Clock) -> None:
    account, made = file.communication.case.account, Calls()
    room = store().room()
    if room is not None and room < LEAST_ROOM + BIGGEST:
        raise Away("little room")
    incoming = Incoming(file.name, BIGGEST)
    try:
        api = client.support(account.place, made, at=clock(), turn=Turn.POLL)
        for block in api.attachment(FileRef(file.aws_id, file.name)):
            incoming.write(block)
        _keep(file, incoming, house.aws(clock()), clock())
    except Stopped as stopped:
        _stopped(file, stopped.status, incoming, clock())
    finally:
        incoming.close()
        calls.store(made)


@transaction.atomic
def _keep(file: CaseFile, incoming: Incoming, by: User, at: datetime) -> None:
    """Hangs the file on the message of its words; one of a case without a ticket is kept by its row here."""
    kept = attaching.keep(incoming=incoming, by=by, at=at)
    words = file.communication
    Attachment.objects.filter(pk=kept.pk).update(message=words.message, archived=words.message is None)
    mine = CaseFile.objects.filter(pk=file.pk, state=CaseFile.State.WANTED)
    if not mine.update(state=CaseFile.State.KEPT, attachment=kept, next_try_at=None, reason=""):
        # Somebody was faster than our patience; the file goes with the row that is undone here.
        raise Away("fetched meanwhile")
    Change.objects.create(
        at=at, account=words.case.account, case=words.case, communication=words, what=Change.What.FILE, via=Via.POLL,
        ticket=words.message.ticket.ref if words.message else "",
    )  # fmt: skip


def _stopped(file: CaseFile, status: int, incoming: Incoming, at: datetime) -> None:
    match status:
        case 413:
            _end(file, CaseFile.State.REFUSED, "too_big")
        case 422:
            _end(file, CaseFile.State.REFUSED, "program" if incoming.size else "empty")
        case _:
            _again(file, at)


def _again(file: CaseFile, at: datetime) -> None:
    if file.tries >= MOST_TRIES:
        _end(file, CaseFile.State.FAILED, "away")
        return
    wait: timedelta = FIRST_WAIT * 2 ** (file.tries - 1)
    CaseFile.objects.filter(pk=file.pk, state=CaseFile.State.WANTED).update(next_try_at=at + min(wait, LONGEST_WAIT))


def _end(file: CaseFile, state: CaseFile.State, reason: str) -> None:
    mine = CaseFile.objects.filter(pk=file.pk, state=CaseFile.State.WANTED)
    mine.update(state=state, reason=reason, next_try_at=None)


def hang(case: SupportCase) -> int:
    """The files of a case that got its ticket after they were kept hang on its messages from now on; returns how
    many."""
    late = CaseFile.objects.filter(communication__case=case, communication__message__isnull=False)
    late = late.filter(attachment__message=None, attachment__isnull=False)
    found = list(late.values_list("attachment", "communication__message"))
    for kept, message in found:
        Attachment.objects.filter(pk=kept).update(message=message, archived=False)
    return len(found)
