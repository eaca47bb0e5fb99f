"""What may be said of a colleague's work: skills, languages, capacity; days away; whose team they are on."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from helpdesk.accounts.forms import PlainForm
from helpdesk.accounts.models import Customer, User
from oncall.families import FAMILIES, Family
from oncall.models import MOST_CAPACITY

# The languages that tickets come in.
SPOKEN = [("zh", _l("Chinese")), ("en", _l("English"))]
LEVELS = [(0, "—"), (1, _l("1: basics")), (2, _l("2: solid")), (3, _l("3: expert"))]


class SettingsForm(PlainForm):
    """Capacity, languages, and a level for each family of services."""

    capacity = forms.IntegerField(
        min_value=1,
        max_value=MOST_CAPACITY,
        error_messages={
            "required": _l("Write a number from 1 to 200."),
            "invalid": _l("Write a number from 1 to 200."),
            "min_value": _l("Write a number from 1 to 200."),
            "max_value": _l("Write a number from 1 to 200."),
        },
    )
    languages = forms.MultipleChoiceField(
        choices=SPOKEN,
        error_messages={
            "required": _l("Tick one language at least."),
            "invalid_choice": _l("Tick one language at least."),
        },
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        wrong = {"invalid_choice": _l("Choose a level from 0 to 3.")}
        for code in FAMILIES:
            self.fields[f"skill_{code}"] = forms.TypedChoiceField(
                choices=LEVELS, coerce=int, required=False, error_messages=wrong
            )

    @property
    def families(self) -> Iterator[tuple[Family, BoundField]]:
        return ((family, self[f"skill_{code}"]) for code, family in FAMILIES.items())

    @property
    def told(self) -> dict[str, Any]:
        """What the action takes."""
        said = self.cleaned_data
        skills = {code: said[f"skill_{code}"] or 0 for code in FAMILIES}
        return {"capacity": said["capacity"], "languages": said["languages"], "skills": skills}


class LeaveForm(PlainForm):
    """Whole days away, both of them included, as the colleague's own zone counts them."""

    first = forms.DateField(error_messages={"required": _l("Say from when."), "invalid": _l("This is no date.")})
    last = forms.DateField(error_messages={"required": _l("Say until when."), "invalid": _l("This is no date.")})

    def clean_last(self) -> date:
        """A date that has a day after it."""
        if self.cleaned_data["last"] == date.max:
            raise forms.ValidationError(_("This is no date."))
        last: date = self.cleaned_data["last"]
        return last

    def span(self, person: User) -> dict[str, datetime]:
        """The instants, half-open."""
        first, last = self.cleaned_data["first"], self.cleaned_data["last"]
        return {
            "starts_at": datetime.combine(first, time.min, person.tz),
            "ends_at": datetime.combine(last + timedelta(days=1), time.min, person.tz),
        }


class TeamForm(PlainForm):
    """A customer to look after, perhaps as its named engineer."""

    customer = forms.ModelChoiceField(
        Customer.objects.none(),
        error_messages={"required": _l("Choose the company."), "invalid_choice": _l("Choose the company.")},
    )
    named = forms.BooleanField(required=False)

    def __init__(self, *args: Any, customers: Iterable[Customer], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["customer"].queryset = customers  # type: ignore[attr-defined]
