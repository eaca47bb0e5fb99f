"""The AWS part of a ticket's page: its cases, whose turn it is, what we sent and how far it came, and the resources of
an event of AWS Health that it stands for. One statement.

The desk reads all of it; a customer that a case is there, how it stands and whose turn it is, and their resources.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _l

from awsint import expecting, mapping
from helpdesk import refs
from helpdesk.accounts.models import User
from helpdesk.kept import fetched
from tickets.case_words import CASE_STATUS
from tickets.models import Ticket

READ = """
SELECT (SELECT count(*) FROM awsint_account a WHERE a.customer_id = %(customer)s AND a.is_active AND a.may_write),
(SELECT json_agg(x ORDER BY x.id) FROM (
    SELECT c.id, c.case_id, c.display_id, c.subject, c.status, c.severity, c.said_at, c.said_by_aws, c.created_at,
        c.is_open, c.gone_at, a.name AS account, a.number, a.partition,
        (SELECT count(*) FROM awsint_communication w WHERE w.case_id = c.id AND w.by_aws AND NOT w.automatic
            AND w.seen_at IS NULL) AS unseen
    FROM awsint_caselink l JOIN awsint_supportcase c ON c.id = l.case_id JOIN awsint_account a ON a.id = c.account_id
    WHERE l.ticket_id = %(ticket)s) x),
(SELECT json_agg(y ORDER BY y.id) FROM (
    SELECT o.id, o.verb, o.message_id, o.part, o.parts, o.code, o.doubles, p.state, p.reason, p.next_try_at, p.sent_at
    FROM awsint_outgoing o JOIN outbox_letter p ON p.id = o.letter_id
    WHERE o.ticket_id = %(ticket)s ORDER BY o.id DESC LIMIT 20) y),
(SELECT json_agg(z ORDER BY z.id) FROM (
    SELECT c.id, c.ticket_id, c.event_id, v.service, v.region, v.code, r.total, r.handled, r.over
    FROM awsint_affectedcustomer c JOIN awsint_healthevent v ON v.id = c.event_id, LATERAL (
        SELECT count(*) AS total, count(*) FILTER (WHERE e.handled_at IS NOT NULL) AS handled,
            count(*) FILTER (WHERE e.handled_at IS NULL AND e.status IN ('UNIMPAIRED', 'RESOLVED')) AS over
        FROM awsint_affectedaccount a JOIN awsint_account w ON w.id = a.account_id AND w.customer_id = c.customer_id
        JOIN awsint_affectedentity e ON e.account_id = a.id WHERE a.event_id = c.event_id) r
    WHERE c.customer_id = %(customer)s AND r.total > 0 AND c.ticket_id IN (
        SELECT %(ticket)s::bigint UNION ALL SELECT id FROM tickets_ticket WHERE merged_into_id = %(ticket)s)) z)
"""
STATES = {
    "held": _l("held"),
    "ready": _l("on its way to AWS"),
    "sending": _l("on its way to AWS"),
    "sent": _l("at AWS"),
    "unknown": _l("AWS gave no answer: we look whether it has it, before it may leave again"),
    "failed": _l("AWS did not take it"),
    "cancelled": _l("taken back"),
}
# What to do about a refusal, by AWS's code.
MEND = {
    "SubscriptionRequiredException": _l("The account lost its support plan. Open the case by hand in AWS's console."),
    "AccessDenied": _l("AWS denies us the account. Its page says how to mend that; then send it again."),
    "AccessDeniedException": _l(
        "The role does not allow it. Give the account the read-write template, then send again."
    ),
    "CaseIdNotFound": _l("AWS no longer knows the case. Open a new one with these words."),
    "InvalidParameterValueException": _l("AWS does not offer what was chosen any more. Choose again and send it anew."),
    "FileMissing": _l("A file is no longer there. Attach it again and send it anew."),
}
OTHERWISE = _l("Look at the reason, mend it and send it anew: your words stand in the timeline.")


@dataclass(frozen=True)
class Case:
    """A linked case as the panel shows it."""

    told: dict[str, Any]
    rank: int

    def __getattr__(self, name: str) -> Any:
        return self.told[name]

    @property
    def title(self) -> str:
        return str(self.told["display_id"] or self.told["case_id"])

    @property
    def words(self) -> Any:
        return CASE_STATUS.get(self.told["status"], self.told["status"])

    @property
    def asked_at(self) -> datetime | None:
        return None if self.told["said_by_aws"] or not self.told["said_at"] else _instant(self.told["said_at"])

    @property
    def last_at(self) -> datetime | None:
        return _instant(self.told["said_at"])

    @property
    def expected_at(self) -> datetime | None:
        return expecting.expected_at(self.told["severity"], self.asked_at) if self.told["is_open"] else None

    @property
    def is_lower(self) -> bool:
        return bool(self.told["is_open"]) and expecting.is_lower(self.told["severity"], self.rank)

    @property
    def console(self) -> str:
        return expecting.console(self.told["partition"], self.told["display_id"])

    @property
    def turn(self) -> str:
        if not self.told["is_open"]:
            return ""
        return mapping.who_acts([self.told["status"]])


@dataclass(frozen=True)
class Sending:
    """Something we sent, and how far it came."""

    told: dict[str, Any]

    def __getattr__(self, name: str) -> Any:
        return self.told[name]

    @property
    def words(self) -> Any:
        return STATES.get(self.told["state"], self.told["state"])

    @property
    def waits_until(self) -> datetime | None:
        waits = self.told["state"] == "ready" and self.told["reason"] in ("quota", "deferred")
        return _instant(self.told["next_try_at"]) if waits else None

    @property
    def mend(self) -> Any:
        return MEND.get(self.told["code"], OTHERWISE) if self.told["state"] == "failed" else ""


@dataclass(frozen=True)
class Resources:
    """What an event of AWS Health touches of the ticket's customer, and how far it is dealt with (handling.py)."""

    told: dict[str, Any]

    def __getattr__(self, name: str) -> Any:
        return self.told[name]

    @property
    def ref(self) -> str:
        return refs.ref(self.told["ticket_id"])

    @property
    def done(self) -> int:
        return int(self.told["handled"] + self.told["over"])


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def panel(ticket: Ticket, viewer: User) -> tuple[str, dict[str, Any]] | None:
    """The template and what it shows; None where there is nothing to show."""
    accounts, cases, sent, parts = fetched(READ, {"customer": ticket.customer_id, "ticket": ticket.pk})[0]
    found = [Case(one, ticket.priority.rank) for one in _read(cases)]
    touched = [Resources(one) for one in _read(parts)]
    if not (found or touched or (accounts and viewer.is_desk)):
        return None
    if not viewer.is_desk:
        return "aws/_panel_portal.html", {"cases": found, "parts": touched}
    sendings = [Sending(one) for one in _read(sent)]
    under_way = [one for one in sendings if one.state != "sent" or one.doubles]
    told = {
        "cases": found,
        "parts": touched,
        "sendings": under_way,
        "may_open": bool(accounts),
    }
    # Words of the ticket go to the newest case that AWS works on.
    working = [case for case in found if case.is_open and case.display_id]
    if working and ticket.status != "closed":
        told["send_to"] = reverse("aws_answer", args=[ticket.ref, working[-1].id])
    return "aws/_panel.html", told


def _read(found: Any) -> list[dict[str, Any]]:
    known: list[dict[str, Any]] = json.loads(found) if isinstance(found, str) else found or []
    return known
