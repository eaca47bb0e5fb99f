"""Decides what an event is to each customer it affects, and keeps the decision with its reason.

The rows of the rules are read afresh each time; the thinking is health_rules.py. A customer's part gets the highest
that any message of any of their accounts ever had; suppressions keep it from becoming a ticket while they hold.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from awsint.health_payload import PUBLIC, Entity, Told
from awsint.health_rules import Decision, Rule, Standing, decide, higher
from awsint.health_store import Stored, What, connected, told_of
from awsint.models import (
    AffectedAccount,
    AffectedCustomer,
    AffectedEntity,
    HealthEvent,
    HealthMessage,
    HealthRule,
    Setting,
    Suppression,
    Usage,
)
from helpdesk.kept import kept, update_all
from sla.models import Priority

# Every region and what is in none.
EVERYWHERE = "global"
FIELDS = [
    *("code", "effect", "categories", "statuses", "scope", "code_words", "services", "regions"),
    *("actionabilities", "personas", "production", "registered", "vip", "starts_within_h"),
]


@dataclass(frozen=True)
class Book:
    """The rules as they stand: their rows by code, and the priorities, the most pressing first."""

    rules: Sequence[Rule]
    rows: dict[str, int]
    ladder: Sequence[str]

    def decide(self, told: Told, standing: Standing, at: datetime) -> Decision:
        return decide(self.rules, told, standing, at, ladder=self.ladder)

    def higher(self, one: Decision | None, other: Decision) -> Decision:
        return higher(one, other, self.ladder) if one else other


def book() -> Book:
    """Two statements."""
    return of_rows(_active_rules(), ladder())


@kept
def _active_rules() -> QuerySet[HealthRule]:
    return HealthRule.objects.filter(is_active=True)


def of_rows(rows: Iterable[HealthRule], steps: Sequence[str]) -> Book:
    """The rules of rows that may not be saved: a draft, for a dry run."""
    rules = [Rule(priority=row.priority_id or "", **{name: getattr(row, name) for name in FIELDS}) for row in rows]
    return Book(rules, {row.code: row.pk for row in rows}, steps)


def ladder() -> list[str]:
    return list(Priority.objects.order_by("rank", "retired", "code").values_list("code", flat=True))


# --- What is new -----------------------------------------------------------------------------------------------------


def weigh(stored: Stored, *, via: str, at: datetime) -> None:
    """Decides by the new messages. Some eight statements, whatever they are."""
    rules, event = book(), stored.event
    if event.scope == PUBLIC:
        found, whole = _public(event, stored.fresh, rules, at)
    else:
        found, whole = _specific(stored, rules, at)
    _keep(event, found, rules, at, told=True)
    if event.scope != PUBLIC and any(not told.account for told in stored.fresh):
        # A word on the whole concerns everybody who is in it.
        AffectedCustomer.objects.filter(event=event).update(due=True)
    _keep_event(stored, whole, rules, via, at)


def _specific(stored: Stored, rules: Book, at: datetime) -> tuple[dict[UUID, Decision], Decision | None]:
    known = {number: row.account for number, row in stored.accounts.items() if row.account}
    vips = _vips({account.customer_id for account in known.values()})
    found: dict[UUID, Decision] = {}
    whole: Decision | None = None
    for told in stored.fresh:
        account = known.get(told.account)
        vip = account is not None and account.customer_id in vips
        decision = rules.decide(told, Standing(bool(account and account.is_production), False, vip), at)
        whole = rules.higher(whole, decision)
        if account:
            found[account.customer_id] = rules.higher(found.get(account.customer_id), decision)
    return found, whole


def _public(
    event: HealthEvent, messages: Sequence[Told], rules: Book, at: datetime
) -> tuple[dict[UUID, Decision], Decision | None]:
    customers = registered(event)
    vips = _vips(customers)
    found: dict[UUID, Decision] = {}
    whole: Decision | None = None
    for told in messages:
        if not customers:
            whole = rules.higher(whole, rules.decide(told, Standing(), at))
        for customer in customers:
            decision = rules.decide(told, Standing(registered=True, vip=customer in vips), at)
            found[customer] = rules.higher(found.get(customer), decision)
            whole = rules.higher(whole, decision)
    return found, whole


def registered(event: HealthEvent) -> set[UUID]:
    """Who is registered for the service in the region of a public event. One statement."""
    rows = Usage.objects.filter(service__iexact=event.service, customer__is_active=True)
    if event.region != EVERYWHERE:
        rows = rows.filter(region__in=[event.region, EVERYWHERE])
    return set(rows.values_list("customer_id", flat=True))


def _vips(customers: Iterable[UUID]) -> set[UUID]:
    return set(Setting.objects.filter(customer__in=list(customers), vip=True).values_list("customer_id", flat=True))


def _keep(event: HealthEvent, found: dict[UUID, Decision], rules: Book, at: datetime, *, told: bool) -> None:
    """Each customer's part with the higher of what it had and what is decided now. Three statements.

    `told`: AWS said something, so that there may be something to tell even where nothing else is decided.
    """
    rows = {row.customer_id: row for row in AffectedCustomer.objects.filter(event=event, customer__in=found)}
    new = [AffectedCustomer(event=event, customer_id=customer) for customer in found if customer not in rows]
    hushed = suppressions(event, at)
    for row in [*rows.values(), *new]:
        before, hush = stored_decision(row) if row.reason else None, row.suppression_id
        _decide(row, rules.higher(before, found[row.customer_id]), rules)
        row.suppression = next((one for one in hushed if one.customer_id in (None, row.customer_id)), None)
        changed = before is None or before.priority != (row.priority_id or "") or hush != row.suppression_id
        row.due = row.due or told or changed
    _hush(event, hushed, [*rows.values(), *new])
    AffectedCustomer.objects.bulk_create(new)
    update_all(list(rows.values()), ["priority", "rule", "reason", "suppression", "due"])


def _hush(event: HealthEvent, hushed: Sequence[Suppression], parts: Iterable[AffectedCustomer]) -> None:
    """The event bears a suppression that keeps it from one of its customers, as long as that is in force."""
    found = next((part.suppression for part in parts if part.suppression), None)
    event.suppression = found or next((one for one in hushed if one.pk == event.suppression_id), None)


def stored_decision(row: AffectedCustomer | HealthEvent) -> Decision:
    told = row.reason
    return Decision(
        row.priority_id or "",
        told.get("rule", ""),
        told.get("raised", ""),
        told.get("billing", False),
        told.get("facts", {}),
    )


def _decide(row: AffectedCustomer | HealthEvent, decision: Decision, rules: Book) -> None:
    row.priority_id, row.rule_id = decision.priority or None, rules.rows.get(decision.rule)
    row.reason = {
        "rule": decision.rule,
        "raised": decision.raised,
        "billing": decision.billing,
        "facts": decision.facts,
    }


def _keep_event(stored: Stored, whole: Decision | None, rules: Book, via: str, at: datetime) -> None:
    """The event has the highest of all its parts."""
    event = stored.event
    if whole is None:
        return
    before = event.priority_id or ""
    _decide(event, rules.higher(stored_decision(event) if event.reason else None, whole), rules)
    if before and event.priority_id != before:
        stored.changed(What.PRIORITY, at, via, before, event.priority_id or "")


# --- Suppressions ----------------------------------------------------------------------------------------------------


def suppressions(event: HealthEvent, at: datetime) -> list[Suppression]:
    """Those in force that are about this event. One statement."""
    return [row for row in _in_force(at) if _is_about(row, event)]


@kept
def _in_force(at: datetime) -> QuerySet[Suppression]:
    return Suppression.objects.filter(Q(ended_at=None) | Q(ended_at__gt=at), expires_at__gt=at).order_by("pk")


def _is_about(row: Suppression, event: HealthEvent) -> bool:
    return (
        (not row.code or fnmatchcase(event.code, row.code))
        and (not row.service or row.service.upper() == event.service)
        and (not row.region or row.region == event.region)
    )


ANY = AffectedEntity.objects.filter(account=OuterRef("pk"))

# --- Time goes on ----------------------------------------------------------------------------------------------------


def weigh_again(event: HealthEvent, *, via: str, at: datetime) -> Stored:
    """What its newest messages are now, because time went on, rules changed or accounts were connected: it can raise
    and never lowers. In the caller's transaction, which holds the event."""
    rules, stored = book(), Stored(event, [])
    if event.scope == PUBLIC:
        head = HealthMessage.objects.filter(event=event).order_by("-updated_at", "-rank").first()
        found, whole = _public(event, [told_of(head)] if head else [], rules, at)
    else:
        _adopt(event)
        rows = AffectedAccount.objects.filter(event=event).select_related("account", "head").defer("head__raw")
        stored.accounts = {row.number: row for row in rows}
        hurt = set(AffectedAccount.objects.filter(Exists(ANY), event=event).values_list("pk", flat=True))
        # One of its resources stands for all: the rules ask whether there is any.
        stored.fresh = [
            told_of(row.head, [Entity("*", "UNKNOWN")] if row.pk in hurt else [])
            for row in stored.accounts.values()
            if row.head
        ]
        found, whole = _specific(stored, rules, at)
        stored.fresh = []
    _keep(event, found, rules, at, told=False)
    _keep_event(stored, whole, rules, via, at)
    return stored


def _adopt(event: HealthEvent) -> None:
    """Accounts that were unknown when the event came may be connected now."""

    rows = list(AffectedAccount.objects.filter(event=event, account=None))
    known = connected(event, [row.number for row in rows])
    for row in rows:
        row.account = known.get(row.number)
    AffectedAccount.objects.bulk_update([row for row in rows if row.account], ["account"])
