"""What was promised before: every published version with what it changed, and a page for each that stays."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from docs.figures import Sheet
from docs.models import DocumentVersion
from docs.sla_views import rows_of
from helpdesk.accounts.doors import PersonRequest
from helpdesk.accounts.history import history_of
from helpdesk.accounts.masking import person_names
from helpdesk.accounts.models import User
from sla import actions
from sla.changes import differences, said_by
from sla.models import PolicyVersion, State

MOST_VERSIONS = 20


@login_required
@require_safe
def history(request: PersonRequest) -> HttpResponse:
    """Every published version with what it changed, old and new, and who wrote and approved it. For the staff.

    Twenty at a time, by number; the same few statements however many.
    """
    if not request.user.staff_role:
        raise Http404
    before = request.GET.get("before", "")
    found = PolicyVersion.objects.filter(state=State.PUBLISHED).order_by("-number")
    if before.isascii() and before.isdecimal() and len(before) < 9:
        found = found.filter(number__lt=int(before))
    versions = list(found[: MOST_VERSIONS + 1])
    said, names = said_by(versions), _names(request.user, versions)
    documents = DocumentVersion.objects.filter(policy__in=versions).order_by("-language")
    shown = versions[:MOST_VERSIONS]
    told = [
        {
            "version": one,
            "before": older,
            "changes": differences(said[older.pk], said[one.pk]) if older else [],
            "documents": [document for document in documents if document.policy_id == one.pk],
            "author": names.get(one.author_id),
            "approver": names.get(one.approver_id),
        }
        for one, older in zip(shown, [*versions[1:], None], strict=False)
    ]
    more = shown[-1].number if len(versions) > MOST_VERSIONS else None
    return render(request, "docs/sla_history.html", {"versions": told, "more": more, "section": "sla"})


def _names(reader: User, versions: list[PolicyVersion]) -> Mapping[Any, str]:
    """Who wrote and approved them, as this reader may read names. One statement or none."""
    people = {pk for one in versions for pk in (one.author_id, one.approver_id) if pk}
    return person_names(reader, people)


@login_required
@require_safe
def version(request: PersonRequest, number: int) -> HttpResponse:
    """One published version, as it was promised: for everybody who is logged in; the staff reads who made it."""
    one = PolicyVersion.objects.filter(state=State.PUBLISHED, number=number).first() if number < 2**31 else None
    if one is None:
        raise Http404
    staff, sheet = bool(request.user.staff_role), Sheet(one, timezone.now(), request.GET.get("plan", ""))
    told: dict[str, Any] = {
        "policy": one,
        "sheet": sheet,
        "matrix": rows_of(sheet),
        "documents": DocumentVersion.objects.filter(policy=one).order_by("-language"),
        "staff": staff,
        "section": "sla",
    }
    if staff:
        names = _names(request.user, [one])
        told |= {"author": names.get(one.author_id), "approver": names.get(one.approver_id)}
        told |= {"lines": history_of(actions.subject_of(one.number), request.user), **_changed(one)}
    return render(request, "docs/sla_version.html", told)


def _changed(one: PolicyVersion) -> dict[str, Any]:
    """What it changed of the version before. Four statements."""
    before = PolicyVersion.objects.filter(state=State.PUBLISHED, number__lt=one.number).order_by("-number").first()
    if before is None:
        return {"before": None, "changes": []}
    said = said_by([before, one])
    return {"before": before, "changes": differences(said[before.pk], said[one.pk])}
