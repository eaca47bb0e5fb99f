"""The provider's word on letters: which letter it is about, what is kept of it, and who of us sees it.

A word counts only for a letter that we gave to the provider and for a reader that it had. The letter is found by its
number at the provider; where that was lost, by the Message-ID or our own number among the headers that SES saw, which
nobody but us can write.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils.crypto import constant_time_compare
from django.utils.module_loading import import_string

from helpdesk.audit.record import SYSTEM, About, Happening, record_all
from helpdesk.letters import subject_of
from helpdesk.outbox import ses_notices, tokens, words
from helpdesk.outbox.addresses import bare
from helpdesk.outbox.models import MAIL, Fate, Letter, Word
from helpdesk.outbox.ses_notices import Told
from helpdesk.outbox.sns import Notice
from helpdesk.outbox.threads import message_id

OUR_ID = re.compile(r"<letter\.([1-9][0-9]{0,17})\.[a-z2-7]{13}@[^<>]+>")
OUR_NUMBER = re.compile(r"([1-9][0-9]{0,17})\.([a-z2-7]{26})")
# SES may be quicker than our own note of the number that it gave.
SETTLES_WITHIN = timedelta(minutes=2)
# What staff reads in the history of the letter and its ticket.
WORTH_A_LINE = {Fate.BOUNCED, Fate.RETURNED, Fate.COMPLAINED, Fate.REJECTED}


class NotYet(Exception):
    """The letter may still be about to be noted as sent: SNS shall come again."""


@transaction.atomic
def take(notice: Notice, *, at: datetime) -> list[Word]:
    """Keeps what is new in a notice; returns it. What is about no letter of ours is left alone. Raises NotYet."""
    told = ses_notices.read(notice.text, notice.at)
    if told is None or not told.said:
        return []
    letter = _letter(told)
    if letter is None:
        if not told.headers and at - notice.at < SETTLES_WITHIN:
            raise NotYet
        return []
    return _kept(letter, told, notice, at)


# --- Which letter ----------------------------------------------------------------------------------------------------


def _letter(told: Told) -> Letter | None:
    """The letter, locked: what is said of it is written one after the other."""
    rows = Letter.objects.select_for_update().filter(channel=MAIL)
    found = rows.filter(provider_id=told.mail).order_by("pk").first()
    if found is None and (number := own_number(told)):
        found = rows.filter(pk=number).first()
    return found


def own_number(told: Told) -> int | None:
    """The letter that the headers name, where we wrote them."""
    found = OUR_ID.fullmatch(told.headers.get("message-id", "").strip())
    if found and constant_time_compare(message_id(int(found[1])), found[0]):
        return int(found[1])
    found = OUR_NUMBER.fullmatch(told.headers.get("x-helpdesk-id", "").strip())
    if found and constant_time_compare(tokens.code(f"letter:{found[1]}"), found[2]):
        return int(found[1])
    return None


# --- What is kept ----------------------------------------------------------------------------------------------------


def _kept(letter: Letter, told: Told, notice: Notice, at: datetime) -> list[Word]:
    theirs = {bare(address) for address in words.readers(letter)}
    known = list(Word.objects.filter(letter=letter))
    there = {(word.address, word.kind, word.at) for word in known}
    rows = {
        (said.address, said.kind, told.at): Word(
            letter=letter, address=said.address, kind=said.kind, detail=said.detail[:60], said=said.text, at=told.at,
            provider_id=told.mail, notice=notice.id[:100], feedback=told.feedback, received_at=at,
        )
        for said in told.said
        if said.address in theirs
    }  # fmt: skip
    new = Word.objects.bulk_create([row for key, row in rows.items() if key not in there])
    if not new:
        return []
    # Who had lost the right to read it in between was left out of the mail: the provider names whom it went to.
    letter.fate = words.fate([*known, *new], theirs & set(told.readers) or theirs)
    letter.save(update_fields=["fate"])
    if gone := [word for word in new if word.kind == Fate.BOUNCED]:
        words.bounce(letter, gone)
    if letter.fate in (Fate.BOUNCED, Fate.REJECTED) and letter.kind in settings.OUTBOX_BACK:
        import_string(settings.OUTBOX_BACK[letter.kind])(letter)
    _record(letter, new, at)
    return new


def _record(letter: Letter, new: Sequence[Word], at: datetime) -> None:
    """A line in the history of the letter, and one where its ticket's engineers read it."""
    lines = [
        Happening("letter.came_back", {"letter": letter.pk, "fate": word.kind})
        for word in new
        if word.kind in WORTH_A_LINE
    ]
    subjects = [subject_of(letter), *([letter.subject] if letter.subject.startswith("HD-") else [])]
    if lines:
        record_all([About(lines, subject, letter.customer) for subject in subjects], by=SYSTEM, at=at)
