"""Calendars and their versions under /admin/: a draft is typed or imported by its author, published by somebody else.

Saving and every step is an action (calendar_actions.py); published versions are read-only here as everywhere.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from helpdesk.accounts.admin import ByAction
from helpdesk.accounts.models import User
from helpdesk.text import Line
from sla import calendar_actions as actions
from sla.calendar_ends import endings
from sla.calendar_forms import CalendarForm, ImportForm, next_year
from sla.calendar_sound import doubts
from sla.calendar_text import days_of, lines_of, windows_text
from sla.calendar_year import Preview, hours_of, picture, preview
from sla.hours import BadCalendar
from sla.models import Calendar, CalendarVersion, State

EDITED = ["around", "zone", *(f"day_{day}" for day in range(7)), "exceptions", "known_until"]
SHOWN = ["calendar", "number", "state", "author", "approver", "published_at", "effective_at"]
STEPS: dict[str, Callable[..., Any]] = {
    "submit": actions.submit,
    "give_back": actions.give_back,
    "discard": actions.discard,
    "publish": actions.publish,
}


def warn(request: HttpRequest) -> None:
    """Says which calendars want their next list."""
    for one in endings(timezone.now()):
        text = _("The holidays of “%(name)s” are known until %(day)s only: import the next year's list.")
        told = {"name": one.version.calendar.label, "day": str(one.version.known_until)}
        messages.warning(request, text % told)


class NamesForm(forms.ModelForm):
    label_zh = Line(longest=80, label=_l("Name in Chinese"))
    label_en = Line(longest=80, label=_l("Name in English"))

    class Meta:
        model = Calendar
        fields = ("code", "label_zh", "label_en")


@admin.register(Calendar)
class CalendarAdmin(ByAction):
    list_display = ["code", "label_zh", "label_en", "is_default"]
    form = NamesForm
    fields = ["code", "label_zh", "label_en"]

    def get_readonly_fields(self, request: HttpRequest, obj: Calendar | None = None) -> list[str]:
        return ["code"] if obj else []

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if request.method == "GET":
            warn(request)
        return super().changelist_view(request, extra_context)

    def act(self, by: User, said: dict[str, Any], old: Calendar | None) -> Calendar:
        if old is None:
            return actions.create(**said, by=by, at=timezone.now())
        return actions.rename(calendar=old, **said, by=by, at=timezone.now())

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        found = CalendarVersion.objects.filter(calendar__pk=object_id) if object_id.isdecimal() else None
        versions = found.select_related("author", "approver").order_by("-number")[:50] if found is not None else []
        return super().change_view(request, object_id, form_url, {"versions": versions} | (extra_context or {}))

    def get_urls(self) -> list[Any]:
        own = path("<int:pk>/draft/", self.admin_site.admin_view(self.draft), name="sla_calendar_draft")
        return [own, *super().get_urls()]

    def draft(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Begins a version with what the newest one says, and opens it for its author."""
        calendar = get_object_or_404(Calendar, pk=pk)
        if request.method != "POST":
            return redirect("admin:sla_calendar_change", pk)
        try:
            made = actions.draft(calendar=calendar, by=cast(User, request.user), at=timezone.now())
        except actions.Refused as refused:
            messages.error(request, str(refused))
            return redirect("admin:sla_calendar_change", pk)
        return redirect("admin:sla_calendarversion_change", made.pk)


@admin.register(CalendarVersion)
class CalendarVersionAdmin(ByAction):
    list_display = ["calendar", "number", "state", "author", "approver", "effective_at", "known_until"]
    list_filter = ["calendar", "state"]
    list_select_related = ["calendar", "author", "approver"]
    ordering = ["calendar__code", "-number"]
    form = CalendarForm

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: CalendarVersion | None = None) -> bool:
        return bool(request.user.is_staff) and (obj is None or is_own_draft(request, obj))

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if request.method == "GET":
            warn(request)
        return super().changelist_view(request, extra_context)

    def get_fields(self, request: HttpRequest, obj: CalendarVersion | None = None) -> Any:
        if obj is not None and is_own_draft(request, obj):
            return [*SHOWN, *EDITED]
        return [*SHOWN, "zone", "week_said", "exceptions_said", "known_until"]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        # The fields are the form's own, not the row's.
        return CalendarForm

    def get_readonly_fields(self, request: HttpRequest, obj: CalendarVersion | None = None) -> list[str]:
        return SHOWN

    @admin.display(description=_l("Hours of the week"))
    def week_said(self, row: CalendarVersion) -> str:
        if row.rules["kind"] == "24x7":
            return _("Around the clock")
        form = CalendarForm(instance=row)
        said = [
            (form.fields[f"day_{n}"].label, windows_text(row.rules["week"].get(str(n), [])) or "—") for n in range(7)
        ]
        return format_html_join("", "<div>{} {}</div>", said)

    @admin.display(description=_l("Exceptions"))
    def exceptions_said(self, row: CalendarVersion) -> str:
        lines = lines_of(days_of(row.rules)).splitlines() or ["—"]
        return format_html_join("", "<div>{}</div>", ((line,) for line in lines))

    def save_model(self, request: HttpRequest, obj: CalendarVersion, form: Any, change: bool) -> None:
        try:
            actions.change(version=obj, **form.told, by=cast(User, request.user), at=timezone.now())
        except actions.Refused as refused:
            messages.error(request, _("Not saved. %(why)s") % {"why": refused})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        version = self.get_object(request, object_id)
        more = self.shown(request, version, timezone.now()) if isinstance(version, CalendarVersion) else {}
        return super().change_view(request, object_id, form_url, more | (extra_context or {}))

    def shown(self, request: HttpRequest, version: CalendarVersion, at: datetime) -> dict[str, Any]:
        """The year in a picture, and the steps that may be taken now."""
        year = version.known_until.year if version.known_until else at.year
        try:
            drawn = picture(year, hours_of(version.zone, version.rules), version.rules.get("names", {}))
        except BadCalendar:
            drawn = None
        return {
            "version": version,
            "year": year,
            "picture": drawn if version.rules["kind"] != "24x7" else None,
            "own_draft": is_own_draft(request, version),
            "imports": is_own_draft(request, version) and version.rules["kind"] != "24x7",
            "own": version.author_id == request.user.pk,
            "digest": actions.digest(version),
            "doubts": doubts(version, [], [], at) if version.state != State.PUBLISHED else [],
            "zone_now": timezone.get_current_timezone_name(),
        }

    def get_urls(self) -> list[Any]:
        guard = self.admin_site.admin_view
        own = [
            path("<int:pk>/import/", guard(self.take_in), name="sla_calendarversion_import"),
            path("<int:pk>/step/<slug:verb>/", guard(self.step), name="sla_calendarversion_step"),
        ]
        return [*own, *super().get_urls()]

    def step(self, request: HttpRequest, pk: int, verb: str) -> HttpResponse:
        """Submits, gives back, discards or publishes a version, and comes back to it with a word where it could not."""
        version = get_object_or_404(CalendarVersion.objects.select_related("calendar"), pk=pk)
        if verb not in STEPS:
            raise Http404
        if request.method != "POST":
            return redirect("admin:sla_calendarversion_change", pk)
        try:
            given = published(request) if verb == "publish" else {}
            STEPS[verb](version=version, by=cast(User, request.user), at=timezone.now(), **given)
        except actions.Refused as refused:
            messages.error(request, str(refused))
        except actions.Superseded:
            messages.error(
                request, _("This version has changed meanwhile. Nothing was published: this is how it stands.")
            )
        else:
            if verb == "discard":
                return redirect("admin:sla_calendar_change", version.calendar_id)
        return redirect("admin:sla_calendarversion_change", pk)

    def take_in(self, request: HttpRequest, pk: int) -> HttpResponse:
        """A year's list: first what it would change, then, accepted, into the draft."""
        version = get_object_or_404(CalendarVersion.objects.select_related("calendar"), pk=pk)
        if not is_own_draft(request, version) or version.rules["kind"] == "24x7":
            raise Http404
        at = timezone.now()
        if request.method != "POST":
            return self.import_page(request, version, ImportForm(initial={"year": next_year(version, at.date())}))
        form = ImportForm(request.POST, request.FILES)
        seen = seen_of(version, form) if form.is_valid() else None
        if seen and "accept" in request.POST:
            return self.accepted(request, version, form, at)
        return self.import_page(request, version, form, seen)

    def accepted(self, request: HttpRequest, version: CalendarVersion, form: ImportForm, at: datetime) -> HttpResponse:
        year = form.cleaned_data["year"]
        try:
            actions.take_in(version=version, days=form.read.days, year=year, by=cast(User, request.user), at=at)
        except actions.Refused as refused:
            form.add_error(None, str(refused))
            return self.import_page(request, version, form)
        messages.success(request, _("The list of %(year)s stands in the draft.") % {"year": year})
        return redirect("admin:sla_calendarversion_change", version.pk)

    def import_page(
        self, request: HttpRequest, version: CalendarVersion, form: ImportForm, seen: Preview | None = None
    ) -> HttpResponse:
        told = {
            **self.admin_site.each_context(request),
            "title": _("Import a year's list"),
            "version": version,
            "form": form,
            "seen": seen,
            "notes": form.read.notes,
            "back": reverse("admin:sla_calendarversion_change", args=[version.pk]),
            "opts": CalendarVersion._meta,
        }
        status = 422 if form.is_bound and form.errors else 200
        return TemplateResponse(request, "admin/sla/calendarversion/import.html", told, status=status)


def is_own_draft(request: HttpRequest, version: CalendarVersion) -> bool:
    return bool(request.user.is_staff and version.state == State.DRAFT and version.author_id == request.user.pk)


def seen_of(version: CalendarVersion, form: ImportForm) -> Preview | None:
    """What the list would change; None, with the word at the list, where the calendar would be unsound."""
    try:
        return preview(version.zone, version.rules, form.read.days, form.cleaned_data["year"])
    except BadCalendar as bad:
        form.add_error("text", str(bad))
        return None


class WhenForm(forms.Form):
    effective_at = forms.DateTimeField(
        required=False,
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"],
        error_messages={"invalid": _l("Write day and time, like 2026-07-01 09:00.")},
    )


def published(request: HttpRequest) -> dict[str, Any]:
    """What the approver names. Raises Refused."""
    form = WhenForm(request.POST)
    if not form.is_valid():
        raise actions.Refused("effective_at", " ".join(str(one) for one in form.errors["effective_at"]))
    return {"effective_at": form.cleaned_data["effective_at"], "seen": request.POST.get("seen", "")[:64]}
