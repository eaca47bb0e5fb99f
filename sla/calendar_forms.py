"""What a person may type about a calendar. A mistake is named at its field, line or event; what was typed stays."""

from datetime import date
from typing import Any
from zoneinfo import available_timezones

from babel import dates
from django import forms
from django.contrib.admin.widgets import AdminTextInputWidget
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from helpdesk.models import in_chinese
from helpdesk.pictures import BIGGEST, LogoUpload
from helpdesk.text import Block
from sla import calendar_sound
from sla.calendar_ics import read_ics
from sla.calendar_text import (
    FIRST_YEAR,
    LAST_YEAR,
    Read,
    Unreadable,
    days_of,
    lines_of,
    read_lines,
    rules_with,
    windows_of,
    windows_text,
)
from sla.models import CalendarVersion

LINES = forms.Textarea(attrs={"rows": 16, "cols": 70})
MOST_TOLD = 20


class CalendarForm(forms.ModelForm):
    """The hours of a week, the exceptions, the zone, and until when the exceptions are published."""

    around = forms.BooleanField(
        required=False, label=_l("Around the clock"), help_text=_l("Every second counts. The rest is not asked then.")
    )
    zone = forms.ChoiceField(
        label=_l("Time zone"),
        choices=[(name, name) for name in sorted(available_timezones())],
        error_messages={"invalid_choice": _l("Choose a zone.")},
    )
    exceptions = Block(
        required=False,
        longest=50_000,
        label=_l("Exceptions"),
        widget=LINES,
        help_text=_l(
            "A line each: 2027-01-01 is closed, 2027-02-05..02-11 春节 closed with a name, "
            "2027-02-14 workday worked instead, 2027-02-14 workday 09:00-12:00 with hours of its own."
        ),
    )
    known_until = forms.DateField(
        required=False,
        label=_l("Holidays known until"),
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        help_text=_l("The last day whose exceptions are published. Empty where no holidays are kept."),
    )

    class Meta:
        model = CalendarVersion
        fields: tuple[str, ...] = ()

    field_order = ["around", "zone", *(f"day_{day}" for day in range(7)), "exceptions", "known_until"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rules = self.instance.rules
        names = dates.get_day_names("wide", context="stand-alone", locale="zh_Hans" if in_chinese() else "en_GB")
        for day in range(7):
            field = forms.CharField(required=False, max_length=200, label=names[day], widget=AdminTextInputWidget)
            self.fields[f"day_{day}"] = field
            self.initial[f"day_{day}"] = windows_text(rules.get("week", {}).get(str(day), []))
        self.fields["day_0"].help_text = _("Windows such as 09:00-12:00, 13:00-18:00; a day may end at 24:00.")
        begun: dict[str, Any] = {
            "around": rules["kind"] == "24x7",
            "zone": self.instance.zone,
            "exceptions": lines_of(days_of(rules)),
            "known_until": self.instance.known_until,
        }
        self.initial.update(begun)
        self.order_fields(self.field_order)
        self.told: dict[str, Any] = {}

    def _post_clean(self) -> None:
        """Nothing of the row itself is typed: the action writes it."""

    def clean(self) -> dict[str, Any]:
        said = self.cleaned_data
        if said.get("around"):
            self.told = {"zone": said.get("zone", self.instance.zone), "rules": {"kind": "24x7"}, "known_until": None}
            return said
        week = {str(day): windows for day in range(7) if (windows := self._windows(f"day_{day}"))}
        read = read_lines(said.get("exceptions", ""))
        if read.faults:
            self.add_error("exceptions", spoken(read))
        if not self.errors:
            self._judge(rules_with({"week": week}, read.days))
        return said

    def _windows(self, name: str) -> list[list[str]]:
        try:
            return windows_of(self.cleaned_data.get(name, ""))
        except Unreadable as wrong:
            self.add_error(name, str(wrong))
            return []

    def _judge(self, rules: dict[str, Any]) -> None:
        told = {"zone": self.cleaned_data["zone"], "rules": rules, "known_until": self.cleaned_data["known_until"]}
        for field, text in calendar_sound.faults(**told):
            self.add_error({"week": "day_0"}.get(field, field), text)
        self.told = told


def spoken(read: Read) -> list[str]:
    """What is wrong with a list, each with its place; of many the first."""
    told = [str(fault) for fault in read.faults[:MOST_TOLD]]
    more = len(read.faults) - len(told)
    return [*told, _("and %(count)s more") % {"count": more}] if more else told


class ImportForm(forms.Form):
    """Next year's list: pasted, or as an iCalendar file, which becomes lines."""

    year = forms.IntegerField(
        label=_l("Year"),
        min_value=FIRST_YEAR,
        max_value=LAST_YEAR,
        error_messages={
            "required": _l("Say which year."),
            "invalid": _l("Say which year."),
            "min_value": _l("Write a year from %(limit_value)s on."),
            "max_value": _l("Write a year up to %(limit_value)s."),
        },
    )
    text = Block(required=False, longest=50_000, label=_l("The list"), widget=LINES)
    calendar_file = forms.FileField(required=False, label=_l("Or an iCalendar file"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.read = Read()

    def clean(self) -> dict[str, Any]:
        said = self.cleaned_data
        if self.errors:
            return said
        sent, year = said.get("calendar_file"), said["year"]
        if sent and sent.size > BIGGEST:
            self.add_error("calendar_file", _("The file is larger than a calendar of a year can be."))
            return said
        self.read = read_ics(sent.read(), year) if sent else read_lines(said.get("text", ""), year)
        field = "calendar_file" if sent else "text"
        if self.read.faults:
            self.add_error(field, spoken(self.read))
        elif not self.read.days:
            self.add_error(field, _("Paste the list, or choose a file."))
        return said

    @property
    def lines(self) -> str:
        """What is shown in the list's field: what was pasted, or the file's days as lines."""
        if self.is_bound and self.cleaned_data.get("calendar_file") and self.read.days:
            return lines_of(self.read.days)
        return str(self["text"].value() or "")


class CalendarUpload(LogoUpload):
    """Lets the one field through that carries an iCalendar file, at the one door that has it, up to its limit."""

    field, door = "calendar_file", "admin:sla_calendarversion_import"


def next_year(version: CalendarVersion, today: date) -> int:
    """The year whose list is wanted."""
    return version.known_until.year + 1 if version.known_until else today.year
