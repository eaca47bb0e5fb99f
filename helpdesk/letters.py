"""What is done by hand to letters in the outbox: send again, let not leave, trust an address. Each is in history."""

from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _

from helpdesk.accounts.doors import Refused
from helpdesk.accounts.models import User
from helpdesk.accounts.permissions import Right, may
from helpdesk.audit.record import Happening, record
from helpdesk.outbox import words
from helpdesk.outbox.models import Letter, cancelled, waiting


def subject_of(letter: Letter) -> str:
    """How history names a letter."""
    return f"letter:{letter.pk}"


@transaction.atomic
def retry(*, letter: Letter, by: User, at: datetime) -> Letter:
    """A dead letter, or one that waits for its next attempt, is tried at once, with all attempts before it.

    Raises Refused, PermissionDenied.
    """
    letter = _locked(letter, by)
    if not letter.can_be_retried:
        raise Refused("", _("This letter is not waiting and not dead any more: it stands as shown here."))
    if letter.reason == Letter.Reason.BOUNCES:
        words.trust(letter)
    Letter.objects.filter(pk=letter.pk).update(**waiting(at), attempts=0, reason="")
    return _recorded("letter.retried", letter, by, at)


@transaction.atomic
def cancel(*, letter: Letter, by: User, at: datetime) -> Letter:
    """The letter does not leave any more. Raises Refused, PermissionDenied."""
    letter = _locked(letter, by)
    if not letter.can_be_cancelled:
        raise Refused("", _("This letter cannot be called back any more: it stands as shown here."))
    Letter.objects.filter(pk=letter.pk).update(**cancelled(Letter.Reason.BY_HAND))
    return _recorded("letter.cancelled", letter, by, at)


@transaction.atomic
def trust(*, letter: Letter, by: User, at: datetime) -> Letter:
    """Letters leave to its addresses again, though the provider said that they bounce. Raises PermissionDenied."""
    letter = _locked(letter, by)
    return _recorded("letter.trusted", letter, by, at) if words.trust(letter) else letter


def _locked(letter: Letter, by: User) -> Letter:
    if not may(by, Right.CONSOLE):
        raise PermissionDenied
    return Letter.objects.select_for_update().get(pk=letter.pk)


def _recorded(action: str, letter: Letter, by: User, at: datetime) -> Letter:
    happening = {
        "letter.retried": Happening("letter.retried", {"state": letter.state}),
        "letter.cancelled": Happening("letter.cancelled", {"state": letter.state}),
        "letter.trusted": Happening("letter.trusted"),
    }[action]
    record([happening], by=by, at=at, subject=subject_of(letter), customer=letter.customer)
    letter.refresh_from_db()
    return letter
