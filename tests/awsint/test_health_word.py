"""A customer is told of an event, and the provider says what became of the letter: delivered, or come back."""

import csv
import io
import time
from datetime import UTC, timedelta
from typing import Any

import pytest

from awsint import health_flow, health_proof, watching
from awsint.models import HealthEvent
from helpdesk.outbox import channels, claim, deliver
from helpdesk.outbox.compose import compose
from helpdesk.outbox.models import Letter
from helpdesk.settings import mail as mail_of
from tests.awsint.test_health import ACME, GLOBEX, NOW, account, children, said, take
from tests.awsint.test_health_pages import now
from tests.cast import Cast
from tests.entering import enter, words
from tests.outbox import amazon
from tests.outbox.amazon import mail as about
from tests.outbox.conftest import server
from tests.outbox.test_mail_events import made, post, sns_of

pytestmark = pytest.mark.django_db
__all__ = ["made", "now", "server", "sns_of"]
BACK = "smtp; 550 5.1.1 <gus@globex.example> user unknown"


@pytest.fixture
def world(cast: Cast, hub: Any) -> Cast:
    account(cast.acme, ACME, workload=["production"])
    account(cast.globex, GLOBEX, workload=["production"])
    return cast


def relayed(server: Any, settings: Any, connect: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The opening letters leave by SMTP, as the pulse sends them; the relay is that of SES and numbers each."""
    settings.MAIL = mail_of(f"{server.url}?set=desk-mail")
    server.behave = lambda step, what: f"250 Ok 0102-{what.split('.')[1]:0>12}" if step == "ACCEPTED" else None
    post_office, relay = deliver.Post(1), channels.Smtp()
    with monkeypatch.context() as patch:
        patch.setattr("socket.create_connection", connect)
        Letter.objects.exclude(kind="ticket.aws_event").update(state="cancelled")
        for letter in claim.claim(9, by="us", at=NOW):
            post_office._deliver(deliver.Job(letter, NOW, time.monotonic(), False), relay)
    relay.rest()


def test_the_proof_says_delivered_and_bounced_on_the_providers_word_alone(
    world: Cast, server: Any, sns_of: amazon.Amazon, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(said(ACME, "i-acme"), said(GLOBEX, "i-globex"))
    relayed(server, settings, sns_of.real, monkeypatch)
    assert {str(mail["X-SES-CONFIGURATION-SET"]) for _at, mail in server.mails} == {"desk-mail"}
    event = HealthEvent.objects.get()
    client = enter(world.ana)
    page = words(client.get(f"/aws/health/{event.pk}/"))
    assert page.count("accepted by the relay") == page.count("no word of delivery from the provider") == 2
    theirs = {letter.customer: letter for letter in Letter.objects.filter(kind="ticket.aws_event", state="sent")}
    one, other = theirs[world.acme.pk], theirs[world.globex.pk]
    assert one.provider_id != other.provider_id
    at = f"{NOW.astimezone(UTC):%H:%M:%S}"
    day = f"{NOW.astimezone(UTC):%Y-%m-%d}"

    def ses(text: str) -> int:
        return post(sns_of.signed(text.replace("2026-03-02", day), NOW))

    readers = [one.to_address, *(reader["address"] for reader in one.cc)]
    assert ses(amazon.delivery(about(one.provider_id, *readers), *readers, at=at)) == 200
    lost = [other.to_address, *(reader["address"] for reader in other.cc)]
    assert ses(amazon.bounce(about(other.provider_id, *lost), *lost, at=at, said=BACK)) == 200
    page = words(client.get(f"/aws/health/{event.pk}/"))
    assert "told 18:00 , delivered" in page
    assert "not told: the letter came back" in page
    assert BACK in page
    # Whoever works on the ticket reads it there, and the customer does not.
    ticket = children()["GLOBEX"].ref
    assert f"Letter {other.pk} bounced: its address takes no mail" in words(client.get(f"/tickets/{ticket}/?show=all"))
    assert "bounced" not in words(enter(world.gus).get(f"/tickets/{ticket}/"))
    masked = words(enter(world.audrey).get(f"/aws/health/{event.pk}/"))
    assert "bounced" in masked
    assert "user unknown" not in masked
    rows = list(csv.DictReader(io.StringIO(proof(client, event).lstrip("\ufeff"))))
    told = {row["To"]: (row["Delivery"], row["What the provider says"]) for row in rows}
    assert told[one.to_address] == ("delivered", "250 2.6.0 Message received")
    assert told[other.to_address] == ("bounced", f"Permanent/General {BACK}")
    assert "user unknown" not in proof(enter(world.audrey), event)
    counts = health_flow.counts(world.ana, NOW)
    assert [counts[name] for name in ("accepted", "delivered", "bounced", "unsaid")] == [2, 1, 1, 0]
    # One is told since the relay took it; whose letter came back is not, and the leads hear of it.
    assert health_proof.note(NOW + timedelta(minutes=1)) == 0
    parts = event.customers.values_list("customer__name", "told_at")
    assert {name: bool(told_at) for name, told_at in parts} == {"Acme": True, "Globex": False}
    watching.watch(NOW + timedelta(minutes=11))
    (letter,) = Letter.objects.filter(kind="aws.health_untold")
    mail = compose(letter, NOW + timedelta(minutes=11))
    assert mail is not None
    assert "the letter came back" in str(mail.body)


def proof(client: Any, event: HealthEvent) -> str:
    return b"".join(client.get(f"/aws/health/{event.pk}/proof.csv").streaming_content).decode()
