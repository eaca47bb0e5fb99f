"""What leads and administrators type about AWS: one form per verb. Rights and uniqueness are the action's."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from awsint.account_actions import Wanted
from awsint.models import Account, Partition, SupportModel
from helpdesk.accounts.forms import PlainForm, a_name
from helpdesk.accounts.models import Customer, User

MOST_TAGS = 10
LONGEST_TAG = 30
NUMBER = re.compile(r"[0-9]{12}")
DRESSING = re.compile(r"[\s-]")
SEPARATORS = re.compile(r"[,;，；、]")
DATE = {"invalid": _l("Write the date as 2026-03-31.")}


def clean_number(text: str) -> str:
    """The twelve digits, however they were grouped. Raises ValidationError."""
    number = DRESSING.sub("", text)
    if not NUMBER.fullmatch(number):
        raise ValidationError(_("An AWS account number has 12 digits."))
    return number


def clean_tags(text: str) -> list[str]:
    """Tags in small letters, each once. Raises ValidationError."""
    found = list(dict.fromkeys(" ".join(tag.lower().split()) for tag in SEPARATORS.split(text)))
    tags = [tag for tag in found if tag]
    if len(tags) > MOST_TAGS or any(len(tag) > LONGEST_TAG for tag in tags):
        raise ValidationError(_("At most 10 tags, each of at most 30 characters."))
    return tags


class AccountForm(PlainForm):
    """What may be changed of an account."""

    name = a_name()
    role_arn = forms.CharField(max_length=200, required=False)
    may_write = forms.BooleanField(required=False)
    support_model = forms.ChoiceField(choices=SupportModel.choices, error_messages={"required": _l("Choose one.")})
    model_from = forms.DateField(required=False, error_messages=DATE)
    model_until = forms.DateField(required=False, error_messages=DATE)
    workload = forms.CharField(max_length=400, required=False)
    contact = forms.ModelChoiceField(User.objects.none(), required=False)

    def __init__(self, *args: Any, customer: Customer | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if customer:
            people = User.objects.people().filter(is_active=True).order_by("name")
            theirs = people.filter(memberships__customer=customer, memberships__is_active=True)
            self.fields["contact"].queryset = theirs  # type: ignore[attr-defined]

    def clean_workload(self) -> list[str]:
        return clean_tags(self.cleaned_data["workload"])


class NewAccountForm(AccountForm):
    """An account to connect."""

    customer = forms.ModelChoiceField(
        Customer.objects.active(),
        error_messages={"required": _l("Choose the company."), "invalid_choice": _l("Choose the company.")},
    )
    number = forms.CharField(max_length=40, error_messages={"required": _l("Write the account number.")})
    partition = forms.ChoiceField(choices=Partition.choices, error_messages={"required": _l("Choose one.")})
    field_order = ["customer", "number", "partition", "name"]

    def clean_number(self) -> str:
        return clean_number(self.cleaned_data["number"])

    @property
    def wanted(self) -> Wanted:
        said = dict(self.cleaned_data)
        return Wanted(**(said | {"workload": tuple(said["workload"])}))


def initial_of(account: Account) -> dict[str, Any]:
    """What the form shows of an account before it is changed."""
    names = ("name", "role_arn", "may_write", "support_model", "model_from", "model_until", "contact")
    return {name: getattr(account, name) for name in names} | {"workload": ", ".join(account.workload)}


class FileForm(PlainForm):
    """A list of accounts: typed, pasted or as a file."""

    text = forms.CharField(required=False, widget=forms.Textarea, strip=False)
    file = forms.FileField(required=False)


class HubForm(PlainForm):
    """Our own place in a partition."""

    account_number = forms.CharField(max_length=40, error_messages={"required": _l("Write the account number.")})
    region = forms.CharField(max_length=30, error_messages={"required": _l("Write the region.")})
    principal_arn = forms.CharField(max_length=200, error_messages={"required": _l("Write the ARN.")})
    profile = forms.RegexField(r"^[A-Za-z0-9_.@-]*$", max_length=64, required=False)
    bus_arn = forms.CharField(max_length=300, required=False)
    queue_url = forms.CharField(max_length=300, required=False)
    dead_queue_url = forms.CharField(max_length=300, required=False)
    health_queue_url = forms.CharField(max_length=300, required=False)
    health_dead_queue_url = forms.CharField(max_length=300, required=False)
    template_url = forms.CharField(max_length=300, required=False)
    is_active = forms.BooleanField(required=False)

    def clean_account_number(self) -> str:
        return clean_number(self.cleaned_data["account_number"])


class OrganizationForm(PlainForm):
    """What may be changed of an organization."""

    name = a_name()
    organization_id = forms.RegexField(
        r"^(o-[a-z0-9]{10,32})?$",
        max_length=34,
        required=False,
        error_messages={"invalid": _l("It begins with o- and has only small letters and digits.")},
    )
    role_arn = forms.CharField(max_length=200, required=False)
    customer = forms.ModelChoiceField(Customer.objects.active(), required=False)
    is_active = forms.BooleanField(required=False)


class NewOrganizationForm(OrganizationForm):
    """An organization to write down."""

    partition = forms.ChoiceField(choices=Partition.choices, error_messages={"required": _l("Choose one.")})
    account_number = forms.CharField(max_length=40, error_messages={"required": _l("Write the account number.")})
    field_order = ["name", "partition", "account_number"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["is_active"]

    def clean_account_number(self) -> str:
        return clean_number(self.cleaned_data["account_number"])
