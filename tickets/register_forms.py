"""What may be sent about a broken promise: a cause, an excusal asked for, and what was decided about it."""

from django import forms
from django.utils.translation import gettext_lazy as _l

from helpdesk.text import Block, Line
from sla.models.register import Reason, Why
from tickets.forms import DeskForm

LONGEST = 2000


class CauseForm(DeskForm):
    cause = forms.ChoiceField(
        choices=Why.choices,
        error_messages={"required": _l("Choose the kind of cause."), "invalid_choice": _l("Choose the kind of cause.")},
    )
    words = Block(longest=LONGEST, error_messages={"required": _l("Write what happened.")})
    corrective_action = Block(
        longest=LONGEST, error_messages={"required": _l("Write what changes so that it does not happen again.")}
    )


class ExcuseForm(DeskForm):
    reason = forms.ChoiceField(
        choices=Reason.choices,
        error_messages={
            "required": _l("Choose one of the reasons."),
            "invalid_choice": _l("Choose one of the reasons."),
        },
    )
    note = Block(longest=LONGEST, required=False)
    arn = Line(longest=300, required=False)


class DecisionForm(DeskForm):
    """Names the proposal that was read: another one may stand there meanwhile."""

    proposal = forms.IntegerField(min_value=1, max_value=2**31 - 1)


class DeclineForm(DecisionForm):
    note = Block(longest=LONGEST, error_messages={"required": _l("Write down why: whoever asked reads it.")})
