"""What a person may send about those around a ticket: who reads along, who follows, how it went."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from helpdesk.accounts.models import User
from helpdesk.text import Block, Line
from tickets.forms import DeskForm
from tickets.models import Score


class ParticipantForm(DeskForm):
    """Who shall read a ticket too: one of the company's people, or an address."""

    person = forms.CharField(required=False)
    email = forms.EmailField(required=False, max_length=254, error_messages={"invalid": _l("This is no mail address.")})
    name = Line(required=False, longest=80, max_length=80)

    def clean_person(self) -> User | None:
        text = self.cleaned_data["person"]
        if not text:
            return None
        found = User.objects.filter(pk=text).first() if text.isdecimal() and len(text) < 10 else None
        if found is None:
            raise forms.ValidationError(_("This person does not belong to the company."))
        return found

    def clean(self) -> dict[str, Any]:
        said = self.cleaned_data
        if not self.errors and not said.get("person") and not said.get("email"):
            self.add_error("email", _("Choose a colleague or write a mail address."))
        return said


class RatingForm(DeskForm):
    """How it went, in one word and as many more as one likes."""

    score = forms.ChoiceField(
        choices=Score.choices,
        error_messages={
            "required": _l("Choose one of the answers."),
            "invalid_choice": _l("Choose one of the answers."),
        },
    )
    body = Block(required=False, longest=2000)
