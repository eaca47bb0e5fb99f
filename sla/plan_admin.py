"""Plans, who has which, and the levels of urgency under /admin/: each save is an action (plans.py, priorities.py)."""

from collections.abc import Iterable
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from helpdesk.accounts.admin import ByAction
from helpdesk.accounts.models import Customer, User
from helpdesk.text import Line
from sla import plans, priorities
from sla.models import Plan, PlanAssignment, Priority


class Told(ByAction):
    """What an action refuses although the form found nothing, because somebody was faster, is said on top."""

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except plans.Refused as refused:
            messages.error(request, _("Not saved. %(why)s") % {"why": refused})
            return redirect(request.path)


class PlanForm(forms.ModelForm):
    label_zh = Line(longest=80, label=_l("Name in Chinese"))
    label_en = Line(longest=80, label=_l("Name in English"))

    class Meta:
        model = Plan
        fields = ("code", "label_zh", "label_en", "calendar", "retired")

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        own = Plan.objects.get(pk=self.instance.pk) if self.instance.pk else None
        told = {"calendar": said.get("calendar"), "retired": said.get("retired", False)}
        for field, text in plans.plan_faults(own, **told, at=timezone.now()):
            self.add_error(field, text)
        return said


@admin.register(Plan)
class PlanAdmin(Told):
    list_display = ["code", "label_zh", "label_en", "calendar", "is_default", "retired"]
    list_filter = ["retired"]
    list_select_related = ["calendar"]
    search_fields = ["code", "label_zh", "label_en"]
    form = PlanForm

    def get_fields(self, request: HttpRequest, obj: Plan | None = None) -> Any:
        return ["code", "label_zh", "label_en", "calendar", *(["retired"] if obj else [])]

    def get_readonly_fields(self, request: HttpRequest, obj: Plan | None = None) -> list[str]:
        return ["code"] if obj else []

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if db_field.name == "calendar" and field:
            field.help_text = _("The hours its promises are counted in. Without one, the default calendar.")
            cast(Any, field).empty_label = _("The default calendar")
        return field

    def act(self, by: User, said: dict[str, Any], old: Plan | None) -> Plan:
        if old is None:
            return plans.create_plan(**said, by=by, at=timezone.now())
        return plans.change_plan(plan=old, **said, by=by, at=timezone.now())


class PriorityForm(forms.ModelForm):
    label_zh = Line(longest=80, label=_l("Name in Chinese"))
    label_en = Line(longest=80, label=_l("Name in English"))

    class Meta:
        model = Priority
        fields = ("code", "rank", "label_zh", "label_en", "retired")

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        own = Priority.objects.get(pk=self.instance.pk) if self.instance.pk else None
        if "rank" in said:
            for field, text in priorities.faults(own, rank=said["rank"], retired=said.get("retired", False)):
                self.add_error(field, text)
        return said

    def _get_validation_exclusions(self) -> set[str]:
        # The database's own words would be said on top of those above.
        return super()._get_validation_exclusions() | {"rank"}  # type: ignore[misc,no-any-return]


@admin.register(Priority)
class PriorityAdmin(Told):
    list_display = ["code", "rank", "label_zh", "label_en", "retired"]
    list_filter = ["retired"]
    ordering = ["retired", "rank", "code"]
    form = PriorityForm

    def get_fields(self, request: HttpRequest, obj: Priority | None = None) -> Any:
        return ["code", "rank", "label_zh", "label_en", *(["retired"] if obj else [])]

    def get_readonly_fields(self, request: HttpRequest, obj: Priority | None = None) -> list[str]:
        return ["code"] if obj else []

    def act(self, by: User, said: dict[str, Any], old: Priority | None) -> Priority:
        if old is None:
            return priorities.create_priority(**said, by=by, at=timezone.now())
        return priorities.change_priority(priority=old, **said, by=by, at=timezone.now())


# --- Who has which ---------------------------------------------------------------------------------------------------


class AssignmentForm(forms.ModelForm):
    class Meta:
        model = PlanAssignment
        fields = ("customer", "plan", "from_at", "until_at")

    def judge(self, others: Iterable[PlanAssignment] | None = None) -> None:
        """Says at its field what is wrong, once the row stands as it would be."""
        if self.errors or not self.instance.customer_id:
            return
        for field, text in plans.faults(self.instance, timezone.now(), others):
            self.add_error(field, text)

    def _get_validation_exclusions(self) -> set[str]:
        # The database's own words would be said on top of those of `judge`.
        return super()._get_validation_exclusions() | {"until_at"}  # type: ignore[misc,no-any-return]

    def save_by(self, by: User) -> PlanAssignment:
        row = self.instance
        said = {"plan": row.plan, "from_at": row.from_at, "until_at": row.until_at, "by": by, "at": timezone.now()}
        if row.pk is None:
            return plans.assign(customer=row.customer, **said)
        return plans.reassign(assignment=row, **said)


class OneAssignmentForm(AssignmentForm):
    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        self.judge()


@admin.register(PlanAssignment)
class PlanAssignmentAdmin(Told):
    list_display = ["customer", "plan", "from_at", "until_at"]
    list_filter = ["plan", "until_at"]
    list_select_related = ["customer", "plan"]
    search_fields = ["customer__name", "customer__code"]
    ordering = ["-from_at", "-pk"]
    show_full_result_count = False
    form = OneAssignmentForm
    fields = ["customer", "plan", "from_at", "until_at"]

    def get_readonly_fields(self, request: HttpRequest, obj: PlanAssignment | None = None) -> list[str]:
        return ["customer"] if obj else []

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "customer":
            kwargs["queryset"] = Customer.objects.active().order_by("name")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def act(self, by: User, said: dict[str, Any], old: PlanAssignment | None) -> PlanAssignment:
        if old is None:
            return plans.assign(**said, by=by, at=timezone.now())
        return plans.reassign(assignment=old, **said, by=by, at=timezone.now())


class AssignmentFormSet(forms.BaseInlineFormSet):
    """The plans of one customer: judged together, as they would stand, and saved in an order that never overlaps."""

    request: HttpRequest
    forms: list[Any]  # AssignmentForm

    def clean(self) -> None:
        typed = [form for form in self.forms if form.instance.pk or form.has_changed()]
        if any(form.errors for form in typed):
            return
        for form in typed:
            if form.has_changed():
                form.judge([one.instance for one in typed if one is not form])

    def save(self, commit: bool = True) -> list[PlanAssignment]:
        # What the admin reads to say what was changed.
        self.new_objects, self.changed_objects, self.deleted_objects = [], [], []
        waiting = [form for form in self.forms if form.has_changed()]
        try:
            while waiting:
                free = [form for form in waiting if not plans.faults(form.instance, timezone.now())]
                now = (free or waiting)[0]
                now.save_by(cast(User, self.request.user))
                waiting.remove(now)
        except plans.Refused as refused:
            messages.error(self.request, _("Not saved. %(why)s") % {"why": refused})
        return []


class AssignmentInline(admin.TabularInline):
    model = PlanAssignment
    form = AssignmentForm
    formset = AssignmentFormSet
    fields = ["plan", "from_at", "until_at"]
    extra = 1
    can_delete = False
    verbose_name_plural = _l("Plans")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_staff and obj is not None)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_staff and obj is not None)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet:
        return super().get_queryset(request).select_related("plan", "customer").order_by("from_at")

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        found = super().get_formset(request, obj, **kwargs)
        found.request = request  # type: ignore[attr-defined]
        return found


# The companies' admin stands on a lower storey, which knows nothing of plans.
cast(Any, admin.site.get_model_admin(Customer)).inlines = [AssignmentInline]
