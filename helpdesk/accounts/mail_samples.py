"""Letters about an account nobody has, for previews; made in memory like the tickets' own (tickets/mail_samples.py)."""

from datetime import UTC, datetime, timedelta

from django.conf import settings

from helpdesk.accounts.actions import link
from helpdesk.accounts.letters import invited, noticed
from helpdesk.accounts.models import Customer, Invitation, User
from helpdesk.outbox.content import Content
from helpdesk.outbox.models import Letter

AT = datetime(2026, 3, 4, 3, 20, tzinfo=UTC)
NAMES = {"zh-hans": ("周晓雯", "陈佳", "蓝海电商"), "en": ("Maya Turner", "Tom Ellis", "Harbour Books")}


def sample(kind: str, language: str) -> tuple[Letter, Content]:
    """A letter of this kind that nobody gets, and what it says; its link leads nowhere."""
    name, inviter, company = NAMES[language]
    letter = Letter(
        pk=7, kind=kind, to_key="sample", to_address="customer@customer.example", language=language,
        zone="Asia/Shanghai", created_at=AT,
    )  # fmt: skip
    if kind == "account.invitation":
        invitation = Invitation(
            name=name,
            invited_by=User(name=inviter),
            customer=Customer(name=company),
            customer_role="member",
            expires_at=AT + timedelta(days=7),
        )
        given = invited(invitation, link("sample"))
    elif kind == "account.password_reset_key":
        given = noticed(name, f"{settings.SITE_URL}/accounts/password/reset/key/sample/")
    else:
        given = noticed(name, f"{settings.SITE_URL}/account/")
    return letter, Content(given, {"sample": name}, automatic=True)
