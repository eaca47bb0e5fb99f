"""The documents, for everybody: an index, and each document in the reader's language, now or under an older version."""

from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from docs.models import DocumentVersion
from docs.render import GUIDES, NAMES, Document, finished
from docs.render import render as rendered
from sla.models import PolicyVersion, State


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Every document there is, with the version in force."""
    now = timezone.now()
    policy = in_force(now)
    found = [(name, rendered(name, language(), policy, now)) for name in NAMES]
    guides = [(name, rendered(name, language(), policy, now)) for name in GUIDES]
    told = {"documents": found, "guides": guides, "policy": policy, "section": "docs"}
    return render(request, "docs/index.html", told | switch())


@require_safe
def document(request: HttpRequest, document: str) -> HttpResponse:
    """A document as it stands, or with `?version=` as it was promised then."""
    name = document
    if name not in NAMES + GUIDES:
        raise Http404
    now = timezone.now()
    current = in_force(now)
    if name in GUIDES:
        return guide(request, name, current, now)
    policy = asked_for(request.GET.get("version", "")) or current
    frozen = DocumentVersion.objects.filter(name=name, language=language(), policy=policy).first()
    told: dict[str, Any] = {
        "document": shown(name, policy, current, frozen, now),
        "name": name,
        "policy": policy,
        "current": current,
        "frozen": frozen,
        "coming": policy.effective_at > now,
        "older": policy.number < current.number,
        "published": PolicyVersion.objects.filter(state=State.PUBLISHED).order_by("-number"),
        "section": "docs",
    }
    return render(request, "docs/document.html", told | switch(policy.number if policy != current else None))


def guide(request: HttpRequest, name: str, policy: PolicyVersion, now: datetime) -> HttpResponse:
    """How something is done, as it is done today."""
    told = {"document": rendered(name, language(), policy, now), "name": name, "guide": True, "section": "docs"}
    return render(request, "docs/document.html", told | switch())


def shown(
    name: str, policy: PolicyVersion, current: PolicyVersion, frozen: DocumentVersion | None, now: datetime
) -> Document:
    """In force: as the rows stand now. Any other version: as it was approved, where that was kept."""
    if frozen and policy != current:
        return finished(frozen.html)
    return rendered(name, language(), policy, now)


def in_force(at: datetime) -> PolicyVersion:
    """The version that holds at an instant."""
    return PolicyVersion.objects.in_force(at).select_related("author", "approver")[0]


def asked_for(number: str) -> PolicyVersion | None:
    """The published version somebody named; None where nobody named one. Raises Http404 for one there is not."""
    if not number:
        return None
    plain = number.isascii() and number.isdecimal() and len(number) < 9
    found = PolicyVersion.objects.filter(state=State.PUBLISHED, number=int(number)) if plain else None
    version = found.select_related("author", "approver").first() if found is not None else None
    if version is None:
        raise Http404
    return version


def language() -> str:
    """The directory of the reader's language."""
    return "zh-hans" if (get_language() or "").startswith("zh") else "en"


def switch(number: int | None = None) -> dict[str, str]:
    """The same page in the other language: a link, because these pages are for everybody."""
    other = "en" if language() == "zh-hans" else "zh-hans"
    return {"other": other, "other_query": f"?lang={other}" + (f"&version={number}" if number else "")}
