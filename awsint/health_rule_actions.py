"""What those with Right.AWS change of how AWS Health is decided and told: rules, suppressions, playbooks."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from awsint import playbooks
from awsint.account_actions import demand
from awsint.models import HealthRule, Playbook, Suppression
from helpdesk.accounts.doors import Refused
from helpdesk.accounts.models import Customer, User
from helpdesk.audit.record import Happening, record
from helpdesk.text import clean_block, showable
from sla.models import Priority

RULES, PLAYBOOKS = "aws:health:rules", "aws:health:playbooks"
STORE = "store"
# Everything a row says; and where a new one stands among those of its place.
COLUMNS = (
    *("code", "note_zh", "note_en", "position", "is_active", "categories", "statuses", "scope", "code_words"),
    *("services", "regions", "actionabilities", "personas", "production", "registered", "vip", "starts_within_h"),
    *("effect", "priority_id"),
)
LAST = 2**63
CODE = re.compile(r"[A-Z0-9_*-]{2,120}")
MOST_DAYS = 90
TEXTS = ("title_zh", "title_en", "means_zh", "means_en", "do_zh", "do_en")


# --- Rules -----------------------------------------------------------------------------------------------------------


def drafted(said: Mapping[str, str]) -> list[HealthRule]:
    """The rules as a form has them, in their new order; nothing is saved. Raises Refused."""
    rows = list(HealthRule.objects.all())
    known = set(Priority.objects.values_list("code", flat=True))
    for row in rows:
        place = said.get(f"position-{row.pk}", "")
        if not (place.isascii() and place.isdecimal() and 0 < int(place) < 30_000):
            raise Refused("position", _("A place is a number from 1 on."))
        row.position, row.is_active = int(place), f"active-{row.pk}" in said
        for name in ("code_words", "services", "regions"):
            setattr(row, name, _words(said.get(f"{name}-{row.pk}", "")))
        if row.effect in ("priority", "store"):
            _follow(row, said.get(f"effect-{row.pk}", ""), known)
    return sorted(rows, key=lambda row: (row.position, row.pk))


def typed(said: Mapping[str, str]) -> list[HealthRule]:
    """The rules as somebody typed them, right or wrong, so that nothing of it is lost."""
    rows = list(HealthRule.objects.all())
    for row in rows:
        row.position = said.get(f"position-{row.pk}", row.position)
        row.is_active = f"active-{row.pk}" in said
        for name in ("code_words", "services", "regions"):
            setattr(row, name, _words(said.get(f"{name}-{row.pk}", "")))
        if row.effect in ("priority", "store") and (effect := said.get(f"effect-{row.pk}")):
            row.effect, row.priority_id = ("store", None) if effect == STORE else ("priority", effect)
    return rows


def _follow(row: HealthRule, effect: str, known: set[str]) -> None:
    if effect != STORE and effect not in known:
        raise Refused("effect", _("Choose what follows."))
    row.effect = "store" if effect == STORE else "priority"
    row.priority_id = None if effect == STORE else effect


def _words(text: str) -> list[str]:
    return [word[:60] for word in re.split(r"[\s,，]+", text.replace("\x00", "")) if word][:40]


def digest(draft: Sequence[HealthRule]) -> str:
    """What a draft says, so that only what was tried is saved."""
    said = [[row.pk, *(getattr(row, name) for name in COLUMNS)] for row in draft]
    return hashlib.sha256(repr(said).encode()).hexdigest()


@transaction.atomic
def save_rules(*, draft: Sequence[HealthRule], tried: str, by: User, at: datetime) -> int:
    """Keeps a draft that was tried on the newest events; returns how many rows differ. Raises Refused,
    PermissionDenied."""
    demand(by)
    if tried != digest(draft):
        raise Refused("tried", _("Try it on the last events first."))
    before = HealthRule.objects.select_for_update().in_bulk()
    fields = ["position", "is_active", "effect", "priority_id", "code_words", "services", "regions"]
    changed = [
        row for row in draft
        if any(getattr(row, name) != getattr(before[row.pk], name) for name in fields)
    ]  # fmt: skip
    HealthRule.objects.bulk_update(changed, [name.removesuffix("_id") for name in fields])
    if changed:
        data = {"rules": [row.code for row in changed]}
        record([Happening("aws.health_rules_changed", data)], by=by, at=at, subject=RULES)
    return len(changed)


def with_row(row: HealthRule) -> list[HealthRule]:
    """The rules with one row as somebody wants it, in their order. One statement."""
    return sorted([*HealthRule.objects.exclude(pk=row.pk), row], key=lambda one: (one.position, one.pk or LAST))


@transaction.atomic
def save_rule(*, row: HealthRule, tried: str, by: User, at: datetime) -> HealthRule:
    """Keeps one row, new or changed, that was tried on the newest events. Raises Refused, PermissionDenied."""
    demand(by)
    before = {one.pk: one for one in HealthRule.objects.select_for_update()}
    if tried != digest(with_row(row)):
        raise Refused("tried", _("Try it on the last events first."))
    old = before.get(row.pk)
    if any(one.code == row.code and one.pk != row.pk for one in before.values()):
        raise Refused("code", _("There is a rule of this code already."))
    row.save()
    if old is None:
        record([Happening("aws.health_rule_added", {"rules": [row.code]})], by=by, at=at, subject=RULES)
        return row
    fields = [name for name in COLUMNS if getattr(row, name) != getattr(old, name)]
    if fields:
        data = {"rules": [row.code], "fields": [name.removesuffix("_id") for name in fields]}
        record([Happening("aws.health_rules_changed", data)], by=by, at=at, subject=RULES)
    return row


@transaction.atomic
def delete_rule(*, rule: HealthRule, by: User, at: datetime) -> None:
    """What it decided stays decided, and names it by its code. Raises PermissionDenied."""
    demand(by)
    if HealthRule.objects.filter(pk=rule.pk).delete()[0]:
        record([Happening("aws.health_rule_deleted", {"rules": [rule.code]})], by=by, at=at, subject=RULES)


# --- Suppressions ----------------------------------------------------------------------------------------------------


@transaction.atomic
def suppress(
    *, code: str, service: str, region: str, customer: Customer | None, reason: str, days: int, by: User, at: datetime
) -> Suppression:
    """Keeps such events from opening tickets for some days. Raises Refused, PermissionDenied."""
    demand(by)
    if not (code or service or customer):
        raise Refused("code", _("Name a code, a service or a customer: everything cannot be suppressed."))
    if code and not CODE.fullmatch(code):
        raise Refused("code", _("A code has capital letters, digits and _; * stands for anything."))
    if not reason.strip():
        raise Refused("reason", _("Say why."))
    if not 1 <= days <= MOST_DAYS:
        raise Refused("days", _("From 1 to 90 days."))
    made = Suppression.objects.create(
        code=code,
        service=service.upper()[:60],
        region=region.lower()[:30],
        customer=customer,
        reason=showable(reason).strip()[:300],
        expires_at=at + timedelta(days=days),
        created_at=at,
        created_by=by,
    )
    data = {"code": code, "service": made.service, "region": made.region}
    record([Happening("aws.suppression_added", data)], by=by, at=at, subject=RULES)
    return made


@transaction.atomic
def end_suppression(*, suppression: Suppression, by: User, at: datetime) -> None:
    demand(by)
    if Suppression.objects.filter(pk=suppression.pk, ended_at=None).update(ended_at=at):
        data = {"code": suppression.code, "service": suppression.service, "region": suppression.region}
        record([Happening("aws.suppression_ended", data)], by=by, at=at, subject=RULES)


# --- Playbooks -------------------------------------------------------------------------------------------------------


@transaction.atomic
def write_playbook(*, playbook: Playbook | None, code: str, by: User, at: datetime, **texts: str) -> Playbook:
    """A playbook in both languages, made or changed. Raises Refused, PermissionDenied."""
    demand(by)
    if not CODE.fullmatch(code):
        raise Refused("code", _("A code has capital letters, digits and _; * stands for anything."))
    row = playbook or Playbook()
    row.code, row.updated_at, row.updated_by = code, at, by
    for name in TEXTS:
        text = clean_block(showable(texts.get(name, ""))).strip()
        if not text:
            raise Refused(name, _("Write it in both languages."))
        setattr(row, name, text[:120] if name.startswith("title") else text[:8000])
    try:
        with transaction.atomic():
            _number(row)
            row.save()
    except IntegrityError as error:
        raise Refused("code", _("There is a playbook of this code already.")) from error
    record([Happening("aws.playbook_changed", {"code": code})], by=by, at=at, subject=PLAYBOOKS)
    return row


def _number(row: Playbook) -> None:
    """What changed nothing keeps its number: nobody's calendar is told of it."""
    before = Playbook.objects.filter(pk=row.pk).first()
    if before is None or any(getattr(before, name) != getattr(row, name) for name in ("code", *TEXTS)):
        playbooks.revised(row, before)
