"""What a letter to AWS is made of, and what becomes of the case, the ticket and the letter once AWS has answered.

Everything that follows from an answer is one transaction: ticket, case, letter, in this order of locks; where the
letter is somebody else's by now nothing of it happens.
"""

import logging
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from awsint import cases, speaking, uploading
from awsint.client import SupportApi
from awsint.models import CaseLink, Outgoing, SupportCase, Via
from awsint.shapes import AwsError, CaseRead, Said
from helpdesk.outbox.models import Letter
from tickets import aws_out
from tickets.models import Ticket

log = logging.getLogger(__name__)
VERB = Outgoing.Verb
# How far back AWS is looked through: its clock and ours may differ.
BEFORE = timedelta(days=1)


class Gone(Exception):
    """The letter is somebody else's by now."""


# --- Leaving ---------------------------------------------------------------------------------------------------------


def cannot_leave(out: Outgoing) -> str:
    """Why this must not leave, in the language of whoever wrote it; empty where it may."""
    with translation.override(out.by.language):
        if out.message and (out.message.kind not in aws_out.MAY_LEAVE or out.message.undone_at):
            return _("Internal notes and what was taken back never leave.")
        if not out.account.is_active:
            return _("The account is no longer connected.")
        if out.verb == VERB.REPLY and case_of(out) is None:
            return _("The case it belongs to was not opened.")
    return ""


def case_of(out: Outgoing) -> SupportCase | None:
    """The case it goes to; of the further parts of an opening, the one that the opening made."""
    return out.case or (out.opening.case if out.opening else None)


def call(api: SupportApi, out: Outgoing) -> str:
    """Makes the one call that changes something; returns the case's number. Raises AwsError."""
    case = case_of(out)
    if out.verb == VERB.RESOLVE and case:
        api.resolve(case.case_id)
        return case.case_id
    files = uploading.handed_over(api, out)
    if out.verb == VERB.REPLY and case:
        api.add_communication(case.case_id, out.body, **files)
        return case.case_id
    return api.create_case(
        subject=out.subject,
        body=out.body,
        service=out.service,
        category=out.category,
        severity=out.severity,
        language=out.language,
        issue_type=out.issue_type,
        cc=tuple(out.cc),
        **files,
    )


# --- Looking ---------------------------------------------------------------------------------------------------------


def found_at_aws(api: SupportApi, out: Outgoing) -> list[str]:
    """The cases that have it, the oldest first: several where it was taken more than once, none where it is not there.

    Of an answer the case's number stands once for each copy. Raises AwsError.
    """
    since = out.created_at - BEFORE
    case = case_of(out)
    if out.verb == VERB.CREATE:
        bearing: list[CaseRead] = [one for one in api.all_cases(since) if out.tag in one.subject]
        return [one.case_id for one in sorted(bearing, key=lambda one: one.created_at)]
    if case is None:
        return []
    if out.verb == VERB.RESOLVE:
        return [one.case_id for one in api.cases([case.case_id]) if one.status == "resolved"]
    copies: list[Said] = [one for one in api.said(case.case_id, since) if one.body.rstrip().endswith(out.tag)]
    return [one.case_id for one in copies]


# --- What follows ----------------------------------------------------------------------------------------------------


def arrived(api: SupportApi, out: Outgoing, number: str, *, at: datetime) -> bool:
    """AWS has it; False where the letter is somebody else's by now."""
    return _settled(api, out, number, [], at)


def adopted(api: SupportApi, out: Outgoing, found: list[str], *, at: datetime) -> bool:
    """It was there already: the oldest copy is ours, the others are flagged for a person."""
    return _settled(api, out, found[0], found[1:], at)


def _settled(api: SupportApi, out: Outgoing, number: str, doubles: list[str], at: datetime) -> bool:
    shown = _shown(api, number) if out.verb == VERB.CREATE else ""
    try:
        with transaction.atomic():
            _keep(out, number, shown, doubles, at)
    except Gone:
        return False
    _read_back(out, at)
    return True


def _shown(api: SupportApi, number: str) -> str:
    """The number that people see in AWS's console; empty where AWS does not tell it now."""
    try:
        found = api.cases([number])
    except AwsError:
        return ""
    return found[0].display_id if found else ""


def _keep(out: Outgoing, number: str, shown: str, doubles: list[str], at: datetime) -> None:
    if out.verb == VERB.CREATE:
        Ticket.objects.select_for_update().get(pk=out.ticket_id)
        out.case = _case(out, number, shown, at)
        turn = speaking.who_acts(out.ticket)
        aws_out.opened(ticket=out.ticket, case=str(out.case), message=out.message_id, who_acts=turn, at=at).finish()
    if doubles:
        aws_out.doubled(ticket=out.ticket, cases=doubles, at=at).finish()
    out.doubles = doubles
    out.save(update_fields=["case", "doubles"])
    _write(
        out.letter, Letter.State.SENT, provider_id=number[:200], sent_at=at, next_try_at=None, last_error="", reason=""
    )


def _case(out: Outgoing, number: str, shown: str, at: datetime) -> SupportCase:
    """The case's row, as far as we know it; reading it back fills in the rest."""
    known: dict[str, Any] = {
        "display_id": shown[:30],
        "subject": out.subject,
        "status": "unassigned",
        "service": out.service,
        "category": out.category,
        "severity": out.severity,
        "language": out.language,
        "submitted_by": "",
        "cc": out.cc,
        "created_text": "",
        "created_at": at,
        "detected_at": at,
        "status_at": at,
    }
    case: SupportCase
    case, _new = SupportCase.objects.get_or_create(account=out.account, case_id=number, defaults=known)
    CaseLink.objects.get_or_create(case=case, ticket=out.ticket, defaults={"linked_at": at})
    return case


def refuse(out: Outgoing, code: str, said: str, *, at: datetime) -> bool:
    """It does not leave: whoever wrote it hears why, and its words stay on the ticket. False as above."""
    try:
        with transaction.atomic():
            aws_out.refused(ticket=out.ticket, to=out.by, message=out.message_id, code=code, at=at).finish()
            out.code = code[:80]
            out.save(update_fields=["code"])
            reason = Letter.Reason.REFUSED
            _write(out.letter, Letter.State.FAILED, reason=reason, last_error=f"{code}: {said}"[:300])
    except Gone:
        return False
    return True


def _write(letter: Letter, state: Letter.State, **columns: Any) -> None:
    """Writes how it went, as long as the letter is still in the state and the attempt in which we have it."""
    ours = Letter.objects.filter(pk=letter.pk, state=letter.state, attempts=letter.attempts, looks=letter.looks)
    if not ours.update(state=state, claimed_by="", lease_until=None, **columns):
        raise Gone


def _read_back(out: Outgoing, at: datetime) -> None:
    """How the case stands now: an answer may have reopened it, and our own words come back with AWS's time on them."""
    case = case_of(out)
    if case is None:
        return
    try:
        cases.read_case(out.account, case.case_id, Via.OURS, at)
    except AwsError:
        # The poll reads it within minutes.
        log.warning("case %s could not be read back", case.case_id, exc_info=True)
