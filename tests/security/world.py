"""The little world of T-01: two customers with a ticket each, and canaries in everything that is not for everybody."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction

from awsint.models import (
    Account,
    AffectedAccount,
    AffectedCustomer,
    AffectedEntity,
    Change,
    Communication,
    HealthEvent,
    HealthRule,
    Hub,
    InboxMessage,
    Organization,
    Playbook,
    SupportCase,
    Suppression,
)
from helpdesk.accounts.models import User
from helpdesk.audit.record import Happening, record
from helpdesk.outbox.models import Letter
from helpdesk.storage import store
from tests.security.routes import DESK, OF_CORA, OF_GUS, Route
from tickets import actions
from tickets.models import Attachment, Ticket

AT = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
CORAS = ["canary-acme-title", "canary-acme-text"]
GUSES = ["canary-globex-title", "canary-globex-text"]
LINK = "http://127.0.0.1:8000/invitation/secret-of-an-invitation/"
STAFF = ["canary-acme-note", "canary-globex-note", "canary-acme-history", "canary-globex-history"]
STAFF += ["canary-acme-account", "4417 2290 8813", "441722908813"]


@dataclass
class World:
    cast: Any
    of_cora: Ticket
    of_gus: Ticket
    values: dict[str, str]

    def urls(self, pattern: str, route: Route) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Each URL of a route, with those it must open for."""
        plain = pattern.strip("^$")
        for name, value in self.values.items():
            plain = plain.replace(name, value)
        if "<ref:ref>" in plain or "<str:ref>" in plain:
            for ticket, may in ((self.of_cora, OF_CORA), (self.of_gus, OF_GUS)):
                who = tuple(v for v in route.who if v in may)
                here = plain.replace("<ref:ref>", ticket.ref).replace("<str:ref>", ticket.ref)
                if "<uuid:file>" in here:
                    yield from self._files(here, ticket, who)
                else:
                    yield here, who
        else:
            yield plain.replace("<uuid:file>", str(self.cast.acme.pk)), route.who

    def _files(self, plain: str, ticket: Ticket, who: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
        """What hangs on the opening is for whoever may see the ticket, what hangs on a note for the desk."""
        for kind, whom in (("opening", who), ("note", tuple(v for v in who if v in DESK))):
            one = Attachment.objects.get(message__ticket=ticket, message__kind=kind)
            yield (
                plain.replace("<uuid:file>", str(one.pk)).replace("<str:name>", "any.txt").replace("<int:page>", "1"),
                whom,
            )

    def hidden_from(self, viewer: str) -> list[str]:
        """The canaries this person may never meet."""
        if viewer in DESK:
            return []
        return [
            *([] if viewer in OF_CORA else CORAS),
            *([] if viewer in OF_GUS else GUSES),
            *STAFF,
        ]


def build(cast: Any) -> World:
    of_cora = _filed(cast.acme, cast.cora, "acme", cast.ana)
    of_gus = _filed(cast.globex, cast.gus, "globex", cast.ana)
    for ticket, name in ((of_cora, "acme"), (of_gus, "globex")):
        _attached(ticket, name)
    values = {
        "<int:pk>": str(cast.cora.pk),
        "<int:number>": str(cast.cora.pk),
        "<uuid:pk>": str(cast.acme.pk),
        "<uuid:customer>": str(cast.acme.pk),
        "<str:token>": "unknown-token",
        "<str:document>": "SLA-POLICY",
        "<str:form>": "csv",
        "<str:name>": "support",
        "<str:kind>": "resolution",
        "<str:month>": "2026-03",
    }
    values |= {"<int:letter>": str(Letter.objects.filter(subject=of_cora.ref).latest("id").pk), "<str:mail>": _caught()}
    values |= {"<int:account>": str(_connected(cast.acme).pk), "<str:partition>": "aws"}
    values |= {"<int:organization>": str(_organization(cast.acme).pk)}
    values |= _heard(Account.objects.get())
    values |= {"<int:engineer>": str(cast.ana.pk), "<int:leave>": "1"}
    return World(cast, of_cora, of_gus, values)


def _caught() -> str:
    """A mail that was caught on this machine, with a link that grants a login."""
    name = "01772416800000000000-0000001-000001"
    settings.MAIL_CAUGHT.mkdir(exist_ok=True)
    mail = EmailMultiAlternatives("Invited", LINK, "support@desk.example", ["canary-acme-text@acme.example"])
    mail.attach_alternative(f'<p style="color: red"><a href="{LINK}">In</a></p>', "text/html")
    (settings.MAIL_CAUGHT / f"{name}.eml").write_bytes(mail.message().as_bytes())
    return name


def _connected(customer: Any) -> Account:
    """An account of AWS, whose name and number are the desk's alone."""
    return Account.objects.create(
        customer=customer,
        number="441722908813",
        name="canary-acme-account",
        role_arn="arn:aws:iam::441722908813:role/PartnerSupportSync",
        external_id="canary-acme-account-external-id",
        created_at=AT,
    )


def _heard(account: Account) -> dict[str, str]:
    """What AWS said in that account, how we came to know, and what a queue brought."""
    hub = Hub.objects.create(
        partition="aws",
        account_number="123456789012",
        region="us-east-1",
        principal_arn="arn:aws:iam::123456789012:role/hub",
        queue_url="https://sqs.example/q",
        dead_queue_url="https://sqs.example/dead",
        created_at=AT,
    )
    case = SupportCase.objects.create(
        account=account, case_id="canary-acme-account", subject="canary-acme-account", created_at=AT, detected_at=AT,
        status_at=AT,
    )  # fmt: skip
    said = Communication.objects.create(
        case=case, created_text="1", submitted_by="Amazon Web Services", created_at=AT, detected_at=AT, by_aws=True,
        via="push", body="canary-acme-account",
    )  # fmt: skip
    Change.objects.create(at=AT, account=account, case=case, communication=said, what="communication", via="push")
    message = InboxMessage.objects.create(
        hub=hub, queue="support", key="1", body="canary-acme-account", received_at=AT, state="parked",
        reason="not_json", account_number=account.number,
    )  # fmt: skip
    more = {"<int:case>": str(case.pk), "<int:event>": str(_event(account).pk)}
    more |= {"<int:suppression>": str(_suppression().pk), "<int:book>": str(Playbook.objects.all()[0].pk)}
    more |= {"<int:rule>": str(HealthRule.objects.all()[0].pk)}
    return more | {"<int:communication>": str(said.pk), "<int:message>": str(message.pk), "<int:hub>": str(hub.pk)}


def _event(account: Account) -> HealthEvent:
    """What AWS Health told of that account."""
    event = HealthEvent.objects.create(
        arn="arn:aws:health:us-east-1::event/EC2/X/1", scope="ACCOUNT_SPECIFIC", service="EC2", code="AWS_EC2_X",
        category="issue", region="us-east-1", status="open", description="canary-acme-account", seen_at=AT, via="push",
    )  # fmt: skip
    AffectedCustomer.objects.create(event=event, customer=account.customer)
    row = AffectedAccount.objects.create(event=event, number=account.number, account=account, status="open")
    AffectedEntity.objects.create(account=row, value="canary-acme-account", status="IMPAIRED", seen_at=AT)
    return event


def _suppression() -> Suppression:
    return Suppression.objects.create(
        code="AWS_EC2_X", reason="canary-acme-account", expires_at=AT + timedelta(days=9000), created_at=AT,
        created_by=User.objects.filter(staff_role="lead")[0],
    )  # fmt: skip


def _organization(customer: Any) -> Organization:
    return Organization.objects.create(
        customer=customer,
        name="canary-acme-account",
        account_number="441722908813",
        role_arn="arn:aws:iam::441722908813:role/PartnerOrganizationSync",
        external_id="canary-acme-account-organization-id",
        created_at=AT,
    )


def _attached(ticket: Ticket, name: str) -> None:
    """A file on the opening and one on the note, with a preview each."""
    for message in ticket.messages.filter(kind__in=["opening", "note"]):
        word = "text" if message.kind == "opening" else "note"
        one = Attachment.objects.create(
            stored=uuid4(),
            message=message,
            uploader=message.author,
            name=f"canary-{name}-{word}.txt",
            type="text",
            size=100,
            sha256="0" * 64,
            created_at=AT,
            preview="made",
            pages=1,
        )
        _lies(one.key, f"canary-{name}-{word}".ljust(100).encode())
        _lies(f"{one.key}-1", b"RIFF....WEBP" + f"canary-{name}-{word}".encode())


def _lies(key: str, content: bytes) -> None:
    part = store().spool / key
    part.write_bytes(content)
    store().put(key, part)


def _filed(customer: Any, requester: Any, name: str, engineer: Any) -> Ticket:
    ticket = actions.open_ticket(
        customer=customer,
        title=f"canary-{name}-title",
        description=f"canary-{name}-text",
        category="technical",
        impact="production_down",
        urgency="urgent",
        by=requester,
        at=AT,
    )
    actions.note(ticket=ticket, body=f"canary-{name}-note", by=engineer, at=AT + timedelta(minutes=1))
    # Nothing of the staff's history may reach a customer, so each line of it carries a canary.
    with transaction.atomic():
        happening = Happening("ticket.assigned", {"old": None, "to": f"canary-{name}-history"})
        warned = Happening("ticket.warned", {"kind": f"canary-{name}-history", "percent": 50, "due": None})
        record([happening, warned], by=engineer, at=AT + timedelta(minutes=2), subject=ticket.ref, customer=customer.pk)
    return ticket
