"""The little world of T-01: two customers with a ticket each, and canaries in everything that is not for everybody."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction

from helpdesk.audit.record import Happening, record
from tests.security.routes import DESK, OF_CORA, OF_GUS, Route
from tickets import actions
from tickets.models import Ticket

AT = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
CORAS = ["canary-acme-title", "canary-acme-text"]
GUSES = ["canary-globex-title", "canary-globex-text"]
STAFF = ["canary-acme-note", "canary-globex-note", "canary-acme-history", "canary-globex-history"]


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
                yield plain.replace("<ref:ref>", ticket.ref).replace("<str:ref>", ticket.ref), who
        else:
            yield plain, route.who

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
    values = {
        "<int:pk>": str(cast.cora.pk),
        "<int:number>": str(cast.cora.pk),
        "<uuid:pk>": str(cast.acme.pk),
        "<uuid:customer>": str(cast.acme.pk),
        "<str:token>": "unknown-token",
    }
    values |= {"<int:engineer>": str(cast.ana.pk), "<int:leave>": "1"}
    return World(cast, of_cora, of_gus, values)


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
        record([happening], by=engineer, at=AT + timedelta(minutes=2), subject=ticket.ref, customer=customer.pk)
    return ticket
