"""/aws/health/rules/<id>/: one rule with all it asks, tried on the newest events before it holds; a new one; none."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from awsint import health_rule_actions as actions
from awsint import health_trying
from awsint.access import managers_only
from awsint.account_views import aws_page
from awsint.health_rule_form import RuleForm
from awsint.models import HealthRule
from helpdesk.accounts.doors import PersonRequest, Refused, answered_once, fresh_key
from helpdesk.accounts.views import see_other


@managers_only
def new_rule(request: PersonRequest) -> HttpResponse:
    return _rule(request, None)


@managers_only
def rule(request: PersonRequest, rule: int) -> HttpResponse:
    return _rule(request, get_object_or_404(HealthRule, pk=rule))


def _rule(request: PersonRequest, found: HealthRule | None) -> HttpResponse:
    """The first click tries it on the newest events, the second saves what was tried."""
    form = RuleForm(request.POST, rule=found) if request.method == "POST" else RuleForm(rule=found)
    if request.method != "POST" or not form.is_valid():
        return _page(request, found, form)
    row = form.made(found)
    if "save" not in request.POST:
        draft = actions.with_row(row)
        told = {"tried": health_trying.tried(draft), "digest": actions.digest(draft)}
        return _page(request, found, form, told)
    return _save(request, found, form, row)


def _save(request: PersonRequest, found: HealthRule | None, form: RuleForm, row: HealthRule) -> HttpResponse:
    at = timezone.now()
    try:
        with answered_once(request, at=at) as slot:
            if slot.answer:
                return slot.answer.response()
            actions.save_rule(row=row, tried=request.POST.get("tried", ""), by=request.user, at=at)
            slot.keep(303, reverse("aws_health_rules"))
    except Refused as refused:
        form.refuse(refused)
        return _page(request, found, form)
    messages.success(request, _("The rules are saved. They hold for what AWS says from now on."))
    return see_other(reverse("aws_health_rules"))


def _page(
    request: PersonRequest, found: HealthRule | None, form: RuleForm, more: dict[str, Any] | None = None
) -> HttpResponse:
    told = {"rule": found, "form": form, "once": fresh_key(), "now": timezone.now()}
    return aws_page(
        request, "aws/health_rule.html", told | (more or {}), tab="health", status=422 if form.errors else 200
    )


@managers_only
def delete_rule(request: PersonRequest, rule: int) -> HttpResponse:
    """The first look says what would have been without it; the second click deletes it."""
    found = get_object_or_404(HealthRule, pk=rule)
    if request.method != "POST":
        tried = health_trying.tried(HealthRule.objects.exclude(pk=found.pk))
        differing = sum(one.differs for one in tried)
        told = {"rule": found, "tried": tried, "differing": differing, "now": timezone.now()}
        return aws_page(request, "aws/health_rule_sure.html", told, tab="health")
    actions.delete_rule(rule=found, by=request.user, at=timezone.now())
    messages.success(request, _("The rule is deleted. What it decided stays decided."))
    return see_other(reverse("aws_health_rules"))
