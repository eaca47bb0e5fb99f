"""What a person may send about themselves and others: one form per verb.

A form holds the fields it names and hands on nothing else; rights are the action's. Its field names are its ids, so
that the summary of errors can link to them.
"""

import re
from collections.abc import Iterable
from typing import Any

from allauth.account.forms import ResetPasswordForm, UserTokenForm
from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.utils.translation import ngettext

from helpdesk.accounts.actions import Refused
from helpdesk.accounts.models import Customer, CustomerRole, Invitation, Language, StaffRole, User, check_zone
from helpdesk.text import Line

COMMON_ZONES = [
    *("Asia/Shanghai", "Asia/Urumqi", "Asia/Hong_Kong", "Asia/Taipei", "Asia/Singapore", "Asia/Tokyo", "Asia/Seoul"),
    *("Asia/Bangkok", "Asia/Jakarta", "Asia/Kolkata", "Asia/Dubai", "Australia/Sydney", "Africa/Johannesburg"),
    *("Europe/Berlin", "Europe/London", "Europe/Paris", "Europe/Madrid", "Europe/Stockholm", "Europe/Zurich", "UTC"),
    *("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles", "America/Sao_Paulo"),
]
PHONE = re.compile(r"\+[1-9]\d{6,14}(;ext=\d{1,6})?")
DRESSING = re.compile(r"[\s().-]")


class PlainForm(forms.Form):
    """A form whose field names are its ids."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "%s", **kwargs})

    @property
    def headline(self) -> str:
        count = len(self.errors)
        return ngettext(
            "Not saved yet: please mend %(count)s place.", "Not saved yet: please mend %(count)s places.", count
        ) % {"count": count}

    def refuse(self, refused: Refused) -> None:
        """Puts an action's refusal at its field, or on top where this form does not show that field."""
        self.add_error(refused.field if refused.field in self.fields else None, str(refused))


def a_name() -> Line:
    # Two limits: eighty characters as a reader counts them, and what the column holds.
    return Line(longest=80, max_length=80, error_messages={"required": _l("Write the name.")})


def a_zone() -> forms.CharField:
    return forms.CharField(max_length=64, validators=[check_zone], error_messages={"required": _l("Choose a zone.")})


def a_language() -> forms.ChoiceField:
    return forms.ChoiceField(choices=Language.choices, error_messages={"required": _l("Choose a language.")})


class ProfileForm(PlainForm):
    """One's own account: no address, no role."""

    name = a_name()
    language = a_language()
    zone = a_zone()
    phone = forms.CharField(max_length=40, required=False)

    def clean_phone(self) -> str:
        """As E.164, with an extension where one was given."""
        number = DRESSING.sub("", self.cleaned_data["phone"])
        if number and not PHONE.fullmatch(number):
            raise ValidationError(_("Write it with the country code, like +86 21 5000 0000."))
        return number


class InviteForm(PlainForm):
    """A colleague, or somebody of a company. Only the roles and companies the inviter may give are offered."""

    email = forms.EmailField(
        max_length=254,
        error_messages={"required": _l("Write the mail address."), "invalid": _l("This is no mail address.")},
    )
    name = a_name()
    role = forms.ChoiceField(error_messages={"required": _l("Choose a role.")})
    customer = forms.ModelChoiceField(Customer.objects.none(), required=False, empty_label=None)
    language = a_language()
    zone = a_zone()

    def __init__(self, *args: Any, customers: Iterable[Customer], staff: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["customer"].queryset = customers  # type: ignore[attr-defined]
        self.fields["role"].choices = role_choices(staff)  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        said = self.cleaned_data
        of_company = str(said.get("role", "")).startswith("customer:")
        if of_company and not said.get("customer") and "customer" not in self.errors:
            self.add_error("customer", _("Choose the company."))
        if said.get("role") and not of_company and said.get("customer"):
            self.add_error("customer", _("Colleagues belong to no company. Choose none, or another role."))
        return said

    @property
    def invited(self) -> dict[str, Any]:
        """What the action takes."""
        said = self.cleaned_data
        side, _colon, role = str(said["role"]).partition(":")
        given = {name: said[name] for name in ("email", "name", "language", "zone", "customer")}
        return given | {
            "staff_role": role if side == "staff" else None,
            "customer_role": role if side != "staff" else None,
        }


class ColleagueForm(PlainForm):
    """Somebody new of one company, invited by its administrator."""

    email = forms.EmailField(
        max_length=254,
        error_messages={"required": _l("Write the mail address."), "invalid": _l("This is no mail address.")},
    )
    name = a_name()
    role = forms.ChoiceField(
        choices=CustomerRole.choices,
        error_messages={"required": _l("Choose a role."), "invalid_choice": _l("Choose a role.")},
    )
    language = a_language()
    zone = a_zone()


def role_choices(staff: bool) -> list[tuple[str, Any]]:
    """Roles at a company, and among the staff where the inviter may give those."""
    at_company = [(f"customer:{value}", label) for value, label in CustomerRole.choices]
    return at_company + ([(f"staff:{value}", label) for value, label in StaffRole.choices] if staff else [])


class JoinForm(PlainForm):
    """Somebody accepts an invitation: who they are to us, and a password."""

    name = a_name()
    language = a_language()
    zone = a_zone()
    password = forms.CharField(
        strip=False, max_length=128, error_messages={"required": _l("Choose a password of twelve characters or more.")}
    )

    def __init__(self, *args: Any, invitation: Invitation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.invitation = invitation

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        validate_password(password, User(email=self.invitation.email, name=self.cleaned_data.get("name", "")))
        return password


class StaffRoleForm(PlainForm):
    """The role of a colleague; empty takes it."""

    staff_role = forms.ChoiceField(choices=[("", ""), *StaffRole.choices], required=False)


class MembershipForm(PlainForm):
    """What somebody is at one company; an empty role ends it."""

    customer = forms.ModelChoiceField(Customer.objects.all())
    role = forms.ChoiceField(choices=[("", ""), *CustomerRole.choices], required=False)


class ResetForm(ResetPasswordForm):  # type: ignore[misc]
    """An address is a person's own, and there is one: a single look-up, whether it is known or not."""

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"]
        self.users = list(User.objects.filter(email=email.lower(), is_active=True))
        return email


class ResetTokenForm(UserTokenForm):  # type: ignore[misc]
    """A link to set a password is of no use to somebody who is locked out."""

    def _get_user(self, uidb36: str) -> User | None:
        user: User | None = super()._get_user(uidb36)
        return user if user and user.is_active else None
