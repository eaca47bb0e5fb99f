"""What is typed for AWS: a new case, an answer. Options are those that the account offers; the words are never lost."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from awsint.case_actions import MOST_CC, Wanted
from awsint.models import Account
from helpdesk.text import Block, Line
from tickets.forms import DeskForm, SentFiles

# More parts than this are a file and no letter.
MOST_TEXT = 5 * 7900


class AnswerForm(DeskForm):
    """Words for a case that is there."""

    body = Block(error_messages={"required": _l("Write what AWS shall read.")})
    files = SentFiles(required=False)  # type: ignore[assignment]

    def clean_body(self) -> str:
        body: str = self.cleaned_data["body"]
        if len(body) > MOST_TEXT:
            raise ValidationError(_("This is too long for AWS even in parts. Attach it as a file."))
        return body


class OpenCaseForm(AnswerForm):
    """A new case in one of the customer's accounts."""

    account = forms.ModelChoiceField(
        Account.objects.none(),
        error_messages={"required": _l("Choose the account."), "invalid_choice": _l("Choose the account.")},
    )
    subject = Line(longest=200, error_messages={"required": _l("Give the case a title: AWS lists it by it.")})
    service = forms.CharField(error_messages={"required": _l("Choose the service.")}, max_length=120)
    category = forms.CharField(error_messages={"required": _l("Choose the category.")}, max_length=120)
    severity = forms.CharField(error_messages={"required": _l("Choose the severity.")}, max_length=20)
    language = forms.CharField(error_messages={"required": _l("Choose the language.")}, max_length=10)
    cc = forms.CharField(required=False, max_length=2000)

    def __init__(self, *args: Any, accounts: Any, offered: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["account"].queryset = accounts  # type: ignore[attr-defined]
        self.offered = offered

    def clean_service(self) -> str:
        return self._one_of("service", [one["code"] for one in self.offered["services"]], _("Choose the service."))

    def clean_severity(self) -> str:
        word = _("The account does not offer this severity. Choose another.")
        return self._one_of("severity", self.offered["severities"], word)

    def clean_language(self) -> str:
        word = _("AWS does not answer in this language there. Choose another.")
        return self._one_of("language", self.offered["languages"], word)

    def _one_of(self, name: str, known: list[str], otherwise: str) -> str:
        value: str = self.cleaned_data[name]
        if known and value not in known:
            raise ValidationError(otherwise)
        return value

    def clean_cc(self) -> tuple[str, ...]:
        addresses = [
            one for one in self.cleaned_data["cc"].replace(";", ",").replace("\n", ",").split(",") if one.strip()
        ]
        if len(addresses) > MOST_CC:
            raise ValidationError(_("AWS takes at most 10 addresses in copy."))
        for one in addresses:
            try:
                validate_email(one.strip())
            except ValidationError:
                raise ValidationError(_("“%(it)s” is no mail address.") % {"it": one.strip()}) from None
        return tuple(one.strip() for one in addresses)

    def clean(self) -> dict[str, Any]:
        service = next(
            (one for one in self.offered["services"] if one["code"] == self.cleaned_data.get("service")), None
        )
        known = [one["code"] for one in service["categories"]] if service else []
        if known and self.cleaned_data.get("category") and self.cleaned_data["category"] not in known:
            self.add_error("category", _("This category is not of the chosen service."))
        return self.cleaned_data

    @property
    def wanted(self) -> Wanted:
        told = self.cleaned_data
        return Wanted(told["service"], told["category"], told["severity"], told["language"], cc=told["cc"])
