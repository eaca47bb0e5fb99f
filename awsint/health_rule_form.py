"""What those with Right.AWS type of one rule of AWS Health: every condition a row has, each with its own check."""

import re
from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from awsint.models import EventCategory, EventStatus, HealthRule, Scope
from helpdesk.accounts.forms import PlainForm
from helpdesk.text import Line
from sla.models import Priority

# As AWS names them; what a row has beside them stays.
ACTIONABILITIES = ["ACTION_REQUIRED", "ACTION_MAY_BE_REQUIRED", "INFORMATIONAL"]
PERSONAS = ["OPERATIONS", "SECURITY", "BILLING"]
LAST_PLACE, MOST_WORDS, MOST_HOURS = 29_999, 40, 8760
CODE_WORD, SERVICE, REGION = (
    re.compile(r"[A-Z0-9_]{2,60}"),
    re.compile(r"[A-Z0-9_-]{1,60}"),
    re.compile(r"[a-z]{2,}(-[a-z0-9]+)*"),
)
LISTS = ("categories", "statuses", "actionabilities", "personas")
WORDS = ("code_words", "services", "regions")
PLACE = {"invalid": _l("A place is a number from 1 on."), "min_value": _l("A place is a number from 1 on.")}
HOURS = {name: _l("Whole hours, from 1 to 8,760.") for name in ("invalid", "min_value", "max_value")}


class Words(forms.CharField):
    """Words parted by blanks or commas, as a list; each must look like its kind."""

    def __init__(self, kind: re.Pattern[str], case: Callable[[str], str], trouble: Any) -> None:
        super().__init__(required=False, max_length=2000)
        self.kind, self.case, self.trouble = kind, case, trouble

    def clean(self, value: Any) -> list[str]:
        text = super().clean(value)
        found = list(dict.fromkeys(self.case(word) for word in re.split(r"[\s,，、;；]+", text) if word))
        for word in found:
            if not self.kind.fullmatch(word):
                raise ValidationError(f"{word[:60]}: {self.trouble}")
        if len(found) > MOST_WORDS:
            raise ValidationError(_("At most 40 of them."))
        return found


class RuleForm(PlainForm):
    """One row. `code` is asked of a new one alone: decisions name it for ever."""

    code = forms.RegexField(
        r"^[A-Za-z0-9_-]+$",
        max_length=12,
        error_messages={
            "required": _l("Write a short code, such as H11."),
            "invalid": _l("Letters, digits, - and _ alone."),
        },
    )
    note_zh = Line(longest=200, max_length=200, error_messages={"required": _l("Write it in both languages.")})
    note_en = Line(longest=200, max_length=200, error_messages={"required": _l("Write it in both languages.")})
    position = forms.IntegerField(min_value=1, max_value=LAST_PLACE, error_messages=PLACE)
    is_active = forms.BooleanField(required=False)
    categories = forms.MultipleChoiceField(choices=EventCategory.choices, required=False)
    statuses = forms.MultipleChoiceField(choices=EventStatus.choices, required=False)
    scope = forms.ChoiceField(choices=[("", _l("any")), *Scope.choices], required=False)
    code_words = Words(CODE_WORD, str.upper, _l("a word of a code has capital letters, digits and _."))
    services = Words(SERVICE, str.upper, _l("a service is written as AWS does: EC2, RDS."))
    regions = Words(REGION, str.lower, _l("a region is written as us-east-1 or cn-north-1; global is one too."))
    actionabilities = forms.MultipleChoiceField(choices=[(one, one) for one in ACTIONABILITIES], required=False)
    personas = forms.MultipleChoiceField(choices=[(one, one) for one in PERSONAS], required=False)
    production = forms.BooleanField(required=False)
    registered = forms.ChoiceField(
        choices=[("", _l("either")), ("yes", _l("registered")), ("no", _l("not registered"))], required=False
    )
    vip = forms.BooleanField(required=False)
    starts_within_h = forms.IntegerField(min_value=1, max_value=MOST_HOURS, required=False, error_messages=HOURS)
    effect = forms.ChoiceField(error_messages={"required": _l("Choose what follows.")})

    def __init__(self, *args: Any, rule: HealthRule | None = None, **kwargs: Any) -> None:
        if rule and not args:
            kwargs["initial"] = initial_of(rule)
        super().__init__(*args, **kwargs)
        if rule:
            del self.fields["code"]
            for name in ("actionabilities", "personas"):
                field: Any = self.fields[name]
                field.choices = [
                    *field.choices,
                    *((one, one) for one in getattr(rule, name) if one not in dict(field.choices)),
                ]
        effects: Any = self.fields["effect"]
        effects.choices = choices()

    def made(self, rule: HealthRule | None) -> HealthRule:
        """The row as the form has it; nothing is saved."""
        said = self.cleaned_data
        row = HealthRule.objects.get(pk=rule.pk) if rule else HealthRule(code=said["code"])
        for name in ("note_zh", "note_en", "position", "is_active", "scope", "production", "vip", "starts_within_h"):
            setattr(row, name, said[name])
        for name in (*LISTS, *WORDS):
            setattr(row, name, list(said[name]))
        row.registered = {"yes": True, "no": False}.get(said["registered"])
        other = said["effect"] in HealthRule.Effect.values
        row.effect = said["effect"] if other else HealthRule.Effect.PRIORITY
        row.priority_id = None if other else said["effect"]
        return row


def choices() -> list[tuple[str, str]]:
    """What can follow: a priority, or one of the other effects. One statement."""
    named = [(one.code, str(one)) for one in Priority.objects.order_by("rank", "retired", "code")]
    effect = HealthRule.Effect
    return named + [(one.value, str(one.label)) for one in effect if one != effect.PRIORITY]


def initial_of(rule: HealthRule) -> dict[str, Any]:
    names = ("note_zh", "note_en", "position", "is_active", "scope", "production", "vip", "starts_within_h", *LISTS)
    return {
        **{name: getattr(rule, name) for name in names},
        **{name: " ".join(getattr(rule, name)) for name in WORDS},
        "registered": "" if rule.registered is None else "yes" if rule.registered else "no",
        "effect": rule.priority_id or rule.effect,
    }
