"""A version of the policy from draft to publication: its author writes it, somebody else approves it.

There is one unpublished version at a time, so that a lower number never takes effect after a higher one. Only its
author changes a draft: whoever approves has written none of it.
"""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _

from helpdesk.accounts.doors import Refused as Refused
from helpdesk.accounts.models import User
from helpdesk.accounts.permissions import Right, may
from helpdesk.audit.record import Happening, record
from sla.changes import FIELDS, cells_of, digest_words, said_by, targets_of
from sla.completing import complete, missing, swap
from sla.definitions import definitions_of, write_definitions
from sla.models import Definition, MatrixCell, PolicyVersion, State, Target
from sla.sound import Finding, findings


class Superseded(Exception):
    """What somebody decided about is not what stands there now: 409, and the fresh page."""


@transaction.atomic
def draft(*, by: User, at: datetime) -> PolicyVersion:
    """A new draft that says what the version in force says. Raises Refused where one is open, PermissionDenied."""
    _demand(by)
    last = PolicyVersion.objects.select_for_update().order_by("-number")[0]
    if last.state != State.PUBLISHED:
        raise Refused("", _("There is an open draft already: version %(number)s.") % {"number": last.number})
    model = PolicyVersion.objects.in_force(at)[0]
    fresh = PolicyVersion.objects.create(number=last.number + 1, author=by, effective_at=at)
    Target.objects.bulk_create([_copy(row, fresh) for row in targets_of(model)])
    MatrixCell.objects.bulk_create([_copy(cell, fresh) for cell in cells_of(model)])
    Definition.objects.bulk_create([_copy(row, fresh) for row in definitions_of(model)])
    complete(fresh)
    swap(fresh)
    _record(Happening("policy.drafted", {"from": model.number}), fresh, by, at)
    return fresh


def _copy(row: Any, policy: PolicyVersion) -> Any:
    row.pk, row.policy = None, policy
    row._state.adding = True
    return row


@transaction.atomic
def change(
    *,
    policy: PolicyVersion,
    targets: Mapping[int, Mapping[str, Any]],
    cells: Mapping[int, int],
    definitions: Mapping[int, Mapping[str, str]] | None = None,
    by: User,
    at: datetime,
) -> PolicyVersion:
    """Writes into a draft what differs: {target id: {field: value}}, {cell id: priority id} and the definitions of
    categories by id.

    Raises Refused where it is no draft of theirs any more, PermissionDenied.
    """
    _demand(by)
    found = _locked(policy, State.DRAFT)
    _demand_author(found, by)
    told: dict[str, Any] = {}
    for row in targets_of(found):
        said = targets.get(row.pk, {})
        if differing := [f for f in FIELDS if f in said and said[f] != getattr(row, f)]:
            told[_name(row)] = {f: _numbers(getattr(row, f), said[f]) for f in differing}
            Target.objects.filter(pk=row.pk).update(**{f: said[f] for f in differing})
    moved = [cell for cell in cells_of(found) if cells.get(cell.pk, cell.priority_id) != cell.priority_id]
    for cell in moved:
        MatrixCell.objects.filter(pk=cell.pk).update(priority=cells[cell.pk])
    words = write_definitions(found, definitions or {})
    if told or moved or words:
        data = {"targets": told, "cells": len(moved)} | ({"definitions": words} if words else {})
        _record(Happening("policy.changed", data), found, by, at)
    return found


def _name(row: Target) -> str:
    """How history names a target: of the default plan by its priority alone."""
    return row.priority.code if row.plan.is_default else f"{row.plan.code} {row.priority.code}"


def _numbers(old: Any, new: Any) -> list[int] | None:
    """Old and new where they are numbers: history carries no texts."""
    return [old, new] if isinstance(new, int) else None


@transaction.atomic
def submit(*, policy: PolicyVersion, by: User, at: datetime) -> PolicyVersion:
    """From now on it stands as it is and waits for somebody else. Raises Refused, PermissionDenied."""
    _demand(by)
    found = _locked(policy, State.DRAFT)
    _demand_author(found, by)
    if lacks := missing(found, targets_of(found)):
        raise Refused("", lacks)
    _demand_sound(found)
    _step(found, state=State.SUBMITTED)
    _record(Happening("policy.submitted"), found, by, at)
    return found


@transaction.atomic
def give_back(*, policy: PolicyVersion, by: User, at: datetime) -> PolicyVersion:
    """A submitted version becomes its author's draft again. Raises Refused, PermissionDenied."""
    _demand(by)
    found = _locked(policy, State.SUBMITTED)
    _step(found, state=State.DRAFT)
    complete(found)
    _record(Happening("policy.returned"), found, by, at)
    return found


@transaction.atomic
def discard(*, policy: PolicyVersion, by: User, at: datetime) -> None:
    """Drops a draft; its number is free again, its history stays. Raises Refused, PermissionDenied."""
    _demand(by)
    found = _locked(policy, State.DRAFT)
    found.targets.all().delete()
    found.matrix.all().delete()
    found.definitions.all().delete()
    number = found.number
    found.delete()
    record([Happening("policy.discarded")], by=by, at=at, subject=subject_of(number))


@transaction.atomic
def publish(
    *,
    policy: PolicyVersion,
    effective_at: datetime | None,
    seen: str,
    after: int,
    accepted: bool = False,
    by: User,
    at: datetime,
) -> PolicyVersion:
    """Makes a submitted version a promise, from `effective_at` on (None: from now).

    `seen` is the digest of what the approver has read, `after` the number they saw published last, `accepted` that they
    know the cautions about it. Raises Superseded where the first two are not so any more, Refused, PermissionDenied.
    """
    _demand(by)
    found = PolicyVersion.objects.select_for_update().filter(pk=policy.pk).first()
    last = PolicyVersion.objects.filter(state=State.PUBLISHED).order_by("-number")[0]
    if found is None or found.state != State.SUBMITTED or last.number != after or digest(found) != seen:
        raise Superseded
    if found.author_id == by.pk:
        raise Refused("", second_person())
    when = (effective_at or at).replace(microsecond=0)
    if lacks := missing(found, targets_of(found)):
        raise Refused("", lacks)
    if effective_at and when < at.replace(microsecond=0):
        raise Refused("effective_at", _("This is past. A promise begins now or later."))
    if _demand_sound(found) and not accepted:
        raise Refused("accepted", not_accepted())
    _step(found, state=State.PUBLISHED, approver=by, published_at=at, effective_at=when)
    _record(Happening("policy.published", {"from": last.number, "effective_at": when.isoformat()}), found, by, at)
    return found


def _demand_sound(policy: PolicyVersion) -> list[Finding]:
    """The cautions about a version; Refused where something blocks it. Three statements."""
    told = review(policy)
    if told and told[0].blocks:
        raise Refused("", str(told[0]))
    return told


def review(policy: PolicyVersion) -> list[Finding]:
    """Everything to be said of a version, what blocks it first. Three statements."""
    said = said_by([policy])[policy.pk]
    return findings(said.targets, said.cells, said.definitions)


def not_accepted() -> str:
    return _("Read what is to be known about this version, and say that you did.")


def second_person() -> str:
    return _("You wrote this version. Another administrator has to publish it.")


def digest(policy: PolicyVersion) -> str:
    """The sha256 of what a version says. Two statements."""
    return hashlib.sha256(digest_words(policy).encode()).hexdigest()


def subject_of(number: int) -> str:
    """How history names a version."""
    return f"policy:{number}"


def _locked(policy: PolicyVersion, state: State) -> PolicyVersion:
    found = PolicyVersion.objects.select_for_update().filter(pk=policy.pk).first()
    if found is None or found.state != state:
        raise Refused("", _("Somebody else took this version a step meanwhile. Look at it again."))
    return found


def _step(policy: PolicyVersion, **values: Any) -> None:
    for name, value in values.items():
        setattr(policy, name, value)
    policy.save(update_fields=list(values))


def _demand(by: User) -> None:
    if not may(by, Right.ADMIN):
        raise PermissionDenied


def _demand_author(policy: PolicyVersion, by: User) -> None:
    if policy.author_id != by.pk:
        raise Refused("", _("Only its author changes a draft, so that somebody else can approve it."))


def _record(happening: Happening, policy: PolicyVersion, by: User, at: datetime) -> None:
    record([happening], by=by, at=at, subject=subject_of(policy.number))


def open_version() -> PolicyVersion | None:
    """The version that is not published yet, if any. One statement."""
    waiting: Iterable[PolicyVersion] = PolicyVersion.objects.exclude(state=State.PUBLISHED).select_related("author")[:1]
    return next(iter(waiting), None)
