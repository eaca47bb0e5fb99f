"""/aws/health/rules and /aws/health/playbooks: how events are decided, what is held back, and what customers read."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from awsint import health_rule_actions as actions
from awsint import health_trying, playbooks
from awsint.access import managers_only, may_manage, readers_only
from awsint.account_views import aws_page
from awsint.models import HealthEvent, HealthRule, Playbook, Suppression
from awsint.wishes import number, word
from helpdesk.accounts.doors import PersonRequest, Refused
from helpdesk.accounts.history import history_of
from helpdesk.accounts.masking import customer_names
from helpdesk.accounts.models import Customer, User, hidden_from
from helpdesk.accounts.views import see_other
from sla.models import Priority

# So many of the newest events, and of the codes among them that no playbook speaks of.
NEWEST, MOST_CODES = 2000, 50


@readers_only
@require_safe
def rules(request: PersonRequest) -> HttpResponse:
    return _rules_page(request, list(HealthRule.objects.all()))


@managers_only
@require_POST
def change_rules(request: PersonRequest) -> HttpResponse:
    """Tries a draft on the newest events; saves it once that was looked at."""
    said = request.POST.dict()
    try:
        draft = actions.drafted(said)
        if "save" not in said:
            told = {"tried": health_trying.tried(draft), "digest": actions.digest(draft)}
            return _rules_page(request, draft, told, status=200)
        actions.save_rules(draft=draft, tried=said.get("tried", ""), by=request.user, at=timezone.now())
    except Refused as refused:
        return _rules_page(request, actions.typed(said), {"trouble": str(refused)}, status=422)
    messages.success(request, _("The rules are saved. They hold for what AWS says from now on."))
    return see_other(reverse("aws_health_rules"))


@managers_only
@require_POST
def suppress(request: PersonRequest) -> HttpResponse:
    said, at = request.POST, timezone.now()
    try:
        actions.suppress(
            code=word(said, "code", 120).upper(),
            service=word(said, "service"),
            region=word(said, "region"),
            customer=_customer(said.get("customer", "")),
            reason=word(said, "reason", 300),
            days=number(said.get("days", "")) or 0,
            by=request.user,
            at=at,
        )
    except Refused as refused:
        return _rules_page(request, list(HealthRule.objects.all()), {"trouble": str(refused)}, status=422)
    messages.success(request, _("Such events open no tickets until then."))
    return see_other(reverse("aws_health_rules") + "#suppressions")


def _customer(text: str) -> Customer | None:
    try:
        return Customer.objects.filter(pk=UUID(text)).first() if text else None
    except ValueError:
        return None


@managers_only
@require_POST
def end_suppression(request: PersonRequest, suppression: int) -> HttpResponse:
    found = get_object_or_404(Suppression, pk=suppression)
    actions.end_suppression(suppression=found, by=request.user, at=timezone.now())
    messages.success(request, _("It no longer holds."))
    return see_other(reverse("aws_health_rules") + "#suppressions")


def _rules_page(
    request: PersonRequest, rows: list[HealthRule], more: dict[str, Any] | None = None, status: int = 200
) -> HttpResponse:
    at, user = timezone.now(), request.user
    told = {
        "now": at,
        "rules": rows,
        "priorities": list(Priority.objects.order_by("rank", "retired", "code")),
        "suppressions": _suppressions(user, at),
        "customers": Customer.objects.order_by("name")[:500] if may_manage(user) else [],
        "codes": unwritten(),
        "history": history_of(actions.RULES, user),
    }
    return aws_page(request, "aws/health_rules.html", told | (more or {}), tab="health", status=status)


def _suppressions(user: User, at: datetime) -> list[tuple[Suppression, str]]:
    """Those in force, with what their customer is called to this reader."""
    rows = Suppression.objects.filter(expires_at__gt=at, ended_at=None).select_related("created_by").order_by("-pk")
    if not user.sees_every_customer and user.is_desk:
        rows = rows.filter(Q(customer=None) | ~Q(customer__in=hidden_from(user)))
    found = list(rows[:200])
    names = customer_names(user, [row.customer_id for row in found if row.customer_id])
    return [(row, names.get(row.customer_id, "") if row.customer_id else "") for row in found]


def unwritten() -> list[tuple[str, int]]:
    """Codes of the newest events that no playbook speaks of, the most frequent first. Two statements."""
    recent = HealthEvent.objects.order_by("-seen_at", "-id").values("pk")[:NEWEST]
    rows = HealthEvent.objects.filter(pk__in=recent).values_list("code").annotate(n=Count("pk"))
    found = list(rows.order_by("-n", "code"))
    known = playbooks.of_codes([code for code, _n in found])
    return [(code, count) for code, count in found if code not in known][:MOST_CODES]


# --- Playbooks -------------------------------------------------------------------------------------------------------


@readers_only
@require_safe
def books(request: PersonRequest) -> HttpResponse:
    """All of them, by code or word."""
    asked = word(request.GET, "q")
    rows = Playbook.objects.all()
    if asked:
        rows = rows.filter(Q(code__icontains=asked) | Q(title_en__icontains=asked) | Q(title_zh__icontains=asked))
    told = {"asked": asked, "books": rows[:500], "codes": unwritten()}
    return aws_page(request, "aws/playbooks.html", told, tab="health")


@managers_only
def new_book(request: PersonRequest) -> HttpResponse:
    return _book(request, None)


@managers_only
def book(request: PersonRequest, book: int) -> HttpResponse:
    return _book(request, get_object_or_404(Playbook, pk=book))


def _book(request: PersonRequest, row: Playbook | None) -> HttpResponse:
    names = ("code", *actions.TEXTS)
    if request.method != "POST":
        given = {name: getattr(row, name) for name in names} if row else {"code": word(request.GET, "code", 120)}
        return aws_page(request, "aws/playbook.html", {"book": row, "given": given}, tab="health")
    said = {name: request.POST.get(name, "") for name in names}
    code = " ".join(said.pop("code").upper().split())
    try:
        actions.write_playbook(playbook=row, code=code, by=request.user, at=timezone.now(), **said)
    except Refused as refused:
        told = {"book": row, "given": said | {"code": code}, "trouble": str(refused), "field": refused.field}
        return aws_page(request, "aws/playbook.html", told, tab="health", status=422)
    messages.success(request, _("The playbook is saved."))
    return see_other(reverse("aws_playbooks"))
