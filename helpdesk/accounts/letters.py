"""What letters to people about their own way in say: invitations, a new password, factors that came or went.

The link that grants a login is opened here and nowhere else, for the mail alone. A link that opens nothing any more
(used, revoked, out of date, its person gone) is not sent: then there is nothing to say.
"""

from datetime import datetime

from cryptography.fernet import InvalidToken
from django.conf import settings
from django.utils.translation import gettext as _

from helpdesk.accounts.actions import subject_of
from helpdesk.accounts.models import CustomerRole, Invitation, StaffRole, User
from helpdesk.outbox.content import Content, Unwritable
from helpdesk.outbox.enqueue import unseal
from helpdesk.outbox.models import Letter


def content(letter: Letter, at: datetime) -> Content | None:
    """What a letter about an account says at an instant; None where there is nothing to say any more."""
    return invitation(letter, at) if letter.kind == "account.invitation" else notice(letter)


def invitation(letter: Letter, at: datetime) -> Content | None:
    """Who invites, to what, and the link, which works once."""
    number = letter.subject.partition(":")[2]
    found = Invitation.objects.select_related("customer", "invited_by").filter(pk=int(number or 0)).first()
    if found is None or found.accepted_at or found.revoked_at or found.expires_at <= at or not letter.secret:
        return None
    return Content(invited(found, opened(letter)), {subject_of(found): found.name}, automatic=True)


def invited(invitation: Invitation, link: str) -> dict[str, object]:
    """What the invitation's templates ask for."""
    role = CustomerRole(invitation.customer_role) if invitation.customer_role else StaffRole(str(invitation.staff_role))
    return {
        "name": invitation.name,
        "inviter": invitation.invited_by.name,
        "company": invitation.customer.name if invitation.customer else "",
        "role": str(role.label),
        "expires": invitation.expires_at,
        "link": link,
    }


def notice(letter: Letter) -> Content | None:
    """To a person who has an account: a link to set a password, or that something about their way in changed."""
    number = letter.to_key.partition(":")[2]
    person = User.objects.filter(pk=int(number or 0), is_active=True).first()
    if person is None or (letter.kind == "account.password_reset_key" and not letter.secret):
        return None
    link = opened(letter) if letter.secret else f"{settings.SITE_URL}/account/"
    return Content(noticed(person.name, link), {person.key: person.name}, automatic=True)


def noticed(name: str, link: str) -> dict[str, object]:
    """What the templates of notices ask for."""
    return {"name": name, "link": link, "days": settings.PASSWORD_RESET_TIMEOUT // 86400}


def opened(letter: Letter) -> str:
    """The link that grants a login, for the mail that carries it. Raises Unwritable."""
    try:
        return unseal(letter.secret)
    except InvalidToken:
        # Never what was in it: only that it was sealed under another key.
        raise Unwritable(_("its link was sealed under another SECRET_KEY: invite or ask for it anew")) from None
