"""Drafts of the policy under /admin/: their author edits targets, definitions and the matrix; saving is an action.

Everything else is read-only there, published versions above all. Drafts begin, are submitted and published on
/sla-config/publish.
"""

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminIntegerFieldWidget, AdminTextInputWidget, RelatedFieldWidgetWrapper
from django.db import models
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from helpdesk.accounts.admin import ByAction
from helpdesk.accounts.models import User
from helpdesk.text import Line
from sla import actions, calendar_admin, plan_admin  # noqa: F401
from sla.changes import FIELDS
from sla.definitions import FIELDS as WORDS
from sla.definitions import change_impact
from sla.models import Definition, Impact, MatrixCell, PolicyVersion, Priority, State, Target
from sla.sound import faults

# The default plan first.
ORDER = ("-plan__is_default", "plan__code", "priority__rank")
WIDE = AdminTextInputWidget(attrs={"size": 40})


class TargetForm(forms.ModelForm):
    """One priority's promise. Numbers are judged by sla/sound.py, together with their neighbours."""

    response_time_minutes = forms.IntegerField(label=_l("First response, minutes"), widget=AdminIntegerFieldWidget)
    resolution_time_hours = forms.IntegerField(label=_l("Resolution, hours"), widget=AdminIntegerFieldWidget)
    update_minutes = forms.IntegerField(label=_l("Update, minutes"), widget=AdminIntegerFieldWidget)
    description_zh = Line(longest=100, label=_l("Definition in Chinese"), required=False, widget=WIDE)
    description_en = Line(longest=200, label=_l("Definition in English"), required=False, widget=WIDE)

    class Meta:
        model = Target
        fields = FIELDS

    def _post_clean(self) -> None:
        # The model's own validators would say the same once more, in other words.
        for name in FIELDS:
            if name in self.cleaned_data:
                setattr(self.instance, name, self.cleaned_data[name])


class TargetFormSet(forms.BaseInlineFormSet):
    def clean(self) -> None:
        if any(form.errors for form in self.forms):
            return
        of_plans: dict[int, dict[int, Any]] = {}
        for form in self.forms:
            of_plans.setdefault(form.instance.plan_id, {})[form.instance.priority.rank] = form
        for by_rank in of_plans.values():
            for rank, field, text in faults((rank, form.instance) for rank, form in by_rank.items()):
                by_rank[rank].add_error(field, text)


class OfTheVersion(admin.TabularInline):
    """Rows that come with the draft and go with it."""

    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_own_draft(request, obj)


class TargetInline(OfTheVersion):
    model = Target
    form = TargetForm
    formset = TargetFormSet
    fields = ("plan", "priority", *FIELDS)
    readonly_fields = ["plan", "priority"]
    verbose_name_plural = _l("Targets")

    def get_queryset(self, request: HttpRequest) -> models.QuerySet:
        return super().get_queryset(request).select_related("plan", "priority").order_by(*ORDER)


class MatrixInline(OfTheVersion):
    model = MatrixCell
    fields = ["impact", "urgency", "priority"]
    readonly_fields = ["impact", "urgency"]
    verbose_name_plural = _l("Impact and urgency")

    def get_queryset(self, request: HttpRequest) -> models.QuerySet:
        found = super().get_queryset(request).select_related("impact", "urgency", "priority")
        return found.order_by("impact__rank", "urgency__rank")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "priority":
            kwargs["queryset"] = Priority.objects.filter(retired=False)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        # Without the admin's signs for adding and changing a priority: they would stand in every row.
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget = field.widget.widget
        return field


class DefinitionForm(forms.ModelForm):
    """What a priority means for the tickets of one category."""

    description_zh = Line(longest=100, label=_l("Definition in Chinese"), widget=WIDE)
    description_en = Line(longest=200, label=_l("Definition in English"), widget=WIDE)

    class Meta:
        model = Definition
        fields = WORDS


class DefinitionInline(OfTheVersion):
    model = Definition
    form = DefinitionForm
    fields = ("category", "priority", *WORDS)
    readonly_fields = ["category", "priority"]
    verbose_name_plural = _l("What the priorities mean for a category")

    def get_queryset(self, request: HttpRequest) -> models.QuerySet:
        return super().get_queryset(request).select_related("priority").order_by("category", "priority__rank")


def is_own_draft(request: HttpRequest, version: PolicyVersion | None) -> bool:
    if version is None:
        return bool(request.user.is_staff)
    return bool(request.user.is_staff and version.state == State.DRAFT and version.author_id == request.user.pk)


@admin.register(PolicyVersion)
class PolicyVersionAdmin(ByAction):
    list_display = ["number", "state", "author", "approver", "effective_at", "published_at"]
    ordering = ["-number"]
    fields = ("number", "state", "author", "approver", "published_at", "effective_at")
    readonly_fields = fields
    inlines = [TargetInline, MatrixInline, DefinitionInline]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: PolicyVersion | None = None) -> bool:
        return is_own_draft(request, obj)

    def save_model(self, request: HttpRequest, obj: PolicyVersion, form: Any, change: bool) -> None:
        """Nothing of the version itself can be changed here; its rows are saved below."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        rows = {one.model: one.cleaned_data for one in formsets}
        for one in formsets:
            # What the admin reads to say what was changed.
            one.new_objects, one.changed_objects, one.deleted_objects = [], [], []
        targets = {said["id"].pk: said for said in rows.get(Target, [])}
        cells = {said["id"].pk: said["priority"].pk for said in rows.get(MatrixCell, [])}
        words = {said["id"].pk: said for said in rows.get(Definition, [])}
        told: dict[str, Any] = {"targets": targets, "cells": cells, "definitions": words}
        try:
            actions.change(policy=form.instance, **told, by=cast(User, request.user), at=timezone.now())
        except actions.Refused as refused:
            messages.error(request, _("Not saved. %(why)s") % {"why": refused})


class ImpactForm(forms.ModelForm):
    label_zh = Line(longest=80, label=_l("Answer in Chinese"), widget=WIDE)
    label_en = Line(longest=80, label=_l("Answer in English"), widget=WIDE)
    hint_zh = Line(longest=200, label=_l("Explanation in Chinese"), widget=WIDE)
    hint_en = Line(longest=200, label=_l("Explanation in English"), widget=WIDE)

    class Meta:
        model = Impact
        fields = ("label_zh", "label_en", "hint_zh", "hint_en")


@admin.register(Impact)
class ImpactAdmin(ByAction):
    """The words of what is asked about the impact, for all tickets and for those about bills."""

    list_display = ["code", "category", "label_zh", "label_en"]
    list_filter = ["category"]
    ordering = ["category", "rank"]
    form = ImpactForm
    fields = ["code", "category", "label_zh", "label_en", "hint_zh", "hint_en"]
    readonly_fields = ["code", "category"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def act(self, by: User, said: dict[str, Any], old: Impact) -> Impact:
        return change_impact(impact=old, by=by, at=timezone.now(), **said)
