"""How allauth behaves here: nobody signs up, its mails are letters, its links lead to SITE_URL.

Neither words nor time tell a stranger who has an account: a wrong login costs one look-up and one hash either way and
answers on the beat, and a reset asked for an unknown address writes and commits as much as for a known one, and leaves
nothing.
"""

import base64
import hashlib
import time
from typing import Any
from urllib.parse import quote

import qrcode
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.forms import default_token_generator
from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from qrcode.image.svg import SvgPathFillImage

from helpdesk.accounts import actions
from helpdesk.accounts.middleware import client_ip
from helpdesk.accounts.models import User
from helpdesk.kept import done
from helpdesk.outbox.enqueue import Draft, enqueue
from helpdesk.outbox.models import NOT_LEFT, Letter, cancelled

BEAT_S = 0.25
NOBODY = User(email="", name="", language="en", zone="UTC", password="!")  # noqa: S106


class Adapter(DefaultAccountAdapter):  # type: ignore[misc]
    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": _("Address and password do not match. Check both, or set a new password."),
        "too_many_login_attempts": _("Too many attempts with wrong passwords. Wait five minutes, then try again."),
        "rate_limited": _("Too many attempts. Wait a few minutes, then try again."),
        "enter_current_password": _("This is not your password. Type the one you log in with."),
        "incorrect_password": _("This is not your password. Type the one you log in with."),
        "incorrect_code": _("This code does not match. Type the one your app shows now."),
        "invalid_password_reset": _("This link does not work any more. Ask for a new one."),
        "account_inactive": _("This account is deactivated."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        self._begun = time.monotonic()
        super().pre_authenticate(request, **credentials)

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Waits for the beat: where memory happens to lie makes the same hash some per cent slower for hours."""
        time.sleep(-(time.monotonic() - self._begun) % BEAT_S)

    def login(self, request: HttpRequest, user: User) -> None:
        super().login(request, user)
        actions.logged_in(person=user, at=timezone.now())

    def set_password(self, user: User, password: str) -> None:
        """Called by change and reset alike; whoever is logged in here stays so."""
        request: HttpRequest = self.request
        keep = request.session.session_key if request.user == user else None
        actions.set_password(person=user, password=password, at=timezone.now(), keep_session=keep)

    def is_safe_url(self, url: str | None) -> bool:
        """Only paths of our own: no page here ever needs to send anybody further."""
        return bool(url) and str(url).startswith("/") and super().is_safe_url(url)

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_ip(request) or "0.0.0.0"  # noqa: S104

    def get_reset_password_from_key_url(self, key: str) -> str:
        return f"{settings.SITE_URL}/accounts/password/reset/key/{quote(key)}/"

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """A letter in the outbox instead of a mail from the request."""
        kind = "account." + template_prefix.rpartition("/")[2]
        person = context.get("user")
        if person is None:
            self._as_if()
        else:
            self._write(kind, person, context.get("password_reset_url", ""))

    @transaction.atomic
    def _write(self, kind: str, person: User, secret: str) -> None:
        """The newest letter of a kind replaces those that have not left yet."""
        waiting = Letter.objects.filter(subject=person.key, kind=kind, state__in=NOT_LEFT)
        waiting.update(**cancelled(Letter.Reason.REPLACED))
        enqueue([Draft(kind, person, secret=secret)], at=timezone.now(), subject=person.key)

    @transaction.atomic
    def _as_if(self) -> None:
        """What a letter to somebody costs, down to the commit, without one."""
        url = self.get_reset_password_from_key_url(f"0-{default_token_generator.make_token(NOBODY)}")
        enqueue([Draft("account.password_reset_key", NOBODY, secret=url)], at=timezone.now(), subject=NOBODY.key)
        # As one statement: the ORM looks for rows that point at it, which no known address waits for.
        done("DELETE FROM outbox_letter WHERE subject = %s", [NOBODY.key])


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """allauth keeps the secrets of authenticator apps; in our database they are encrypted."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": _("This code does not match. Type the one your app shows now."),
    }

    def encrypt(self, text: str) -> str:
        return _fernet().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _fernet().decrypt(encrypted_text.encode()).decode()

    def build_totp_svg(self, url: str) -> str:
        """With its own white ground, so that it can be scanned from a dark page."""
        image: bytes = qrcode.make(url, image_factory=SvgPathFillImage).to_string()
        return image.decode()

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """A passkey belongs to where the desk stands, whatever a Host header says; on one's own machine to its name."""
        entity: dict[str, str] = super().get_public_key_credential_rp_entity()
        return entity | ({"id": settings.SITE_HOST} if settings.SITE_IS_SECURE else {})


def _fernet() -> Fernet:
    # Its own key, derived: what opens letters does not open factors.
    digest = hashlib.sha256(b"accounts.second_factor:" + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(digest))
