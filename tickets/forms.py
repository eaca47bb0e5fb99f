"""What a person may send to a ticket: one form per verb.

A form checks its words and nothing else: rights and the ticket's state are the action's. `version` is the ticket the
person looked at; whatever cannot be read there is older than any ticket, so the action will call it stale.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.utils.translation import ngettext

from helpdesk import refs
from helpdesk.accounts.models import Customer, User
from helpdesk.text import Block, Line
from oncall.families import CHOICES
from sla.models import Impact, Urgency
from sla.words import asked
from tickets import attaching
from tickets.models import Attachment, Category, CloseReason, Source, Ticket
from tickets.presence import STATES
from tickets.tagging import names_in
from tickets.workflow import Refused


class SeenVersion(forms.Field):
    """The version in the page's hidden field; 0 where there is none."""

    def to_python(self, value: Any) -> int:
        text = str(value or "")
        return int(text) if text.isdecimal() and text.isascii() and len(text) < 10 else 0


class SentFiles(forms.Field):
    """Numbers of files that were uploaded before, and the files that came with this form (receiving.received)."""

    class Both(forms.Widget):
        def value_from_datadict(self, data: Any, files: Any, name: str) -> list[Any]:
            # A program sends an object, which carries no files.
            before = data.getlist(name) if hasattr(data, "getlist") else []
            return [*before, *(files.getlist(name) if files else [])]

    widget = Both

    def clean(self, value: list[Any]) -> list[UUID]:
        if wrong := [str(one) for one in value if isinstance(one, attaching.Stopped)]:
            raise forms.ValidationError(wrong)
        numbers = attaching.numbers(str(one.pk) if isinstance(one, Attachment) else one for one in value)
        if len(numbers) > attaching.MOST_FILES:
            raise forms.ValidationError(attaching.too_many())
        return numbers


class DeskForm(forms.Form):
    """A form whose field names are its ids, so that the summary of errors can link to them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "%s", **kwargs})

    @property
    def headline(self) -> str:
        count = len(self.errors)
        return ngettext(
            "Not sent yet: please mend %(count)s place.", "Not sent yet: please mend %(count)s places.", count
        ) % {"count": count}

    def refuse(self, refused: Refused) -> None:
        """Puts an action's refusal at its field, or on top where this form does not show that field."""
        self.add_error(refused.field if refused.field in self.fields else None, str(refused))

    @property
    def text(self) -> str:
        """What was typed into the largest field, however wrong the rest is."""
        for name in ("body", "description", "reason", "add"):
            if name in self.fields:
                return str(self[name].value() or "")
        return ""


class ServiceField(forms.ChoiceField):
    """A family of AWS services, or none."""

    def __init__(self) -> None:
        wrong = {"invalid_choice": _l("Choose one of the services.")}
        super().__init__(choices=[("", ""), *CHOICES], required=False, error_messages=wrong)


# --- Filing ----------------------------------------------------------------------------------------------------------


class WordsForm(DeskForm):
    """What every new ticket says, through whatever door it comes."""

    title = Line(error_messages={"required": _l("Write one sentence that says what is wrong.")})
    description = Block(error_messages={"required": _l("Write what happened.")})
    category = forms.ChoiceField(
        choices=Category.choices,
        error_messages={"required": _l("Choose a category."), "invalid_choice": _l("Choose a category.")},
    )
    service = ServiceField()


class FilingForm(WordsForm):
    """A new ticket. The company is asked only where there is a choice; what is asked about the impact depends on the
    category, so that nobody with a question about a bill is asked whether production is down."""

    customer = forms.ChoiceField(error_messages={"required": _l("Choose the company."), "invalid_choice": ""})
    impact = forms.ChoiceField(error_messages={"required": _l("Choose how large the impact is.")})
    urgency = forms.ChoiceField(error_messages={"required": _l("Choose how urgent it is.")})
    files = SentFiles(required=False)  # type: ignore[assignment]

    def __init__(
        self,
        *args: Any,
        customers: Iterable[Customer],
        impacts: Iterable[Impact],
        urgencies: Iterable[Urgency],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.customers, self.urgencies = list(customers), list(urgencies)
        self.impacts = asked(impacts, str(self["category"].value() or ""))
        self._offer("customer", [(str(c.pk), c.name) for c in self.customers], _("Choose one of your companies."))
        self._offer("impact", [(i.code, i.label) for i in self.impacts], _("Choose one of the answers."))
        self._offer("urgency", [(u.code, u.label) for u in self.urgencies], _("Choose one of the answers."))

    def _offer(self, name: str, choices: list[tuple[str, str]], otherwise: str) -> None:
        field = self.fields[name]
        field.choices = choices  # type: ignore[attr-defined]
        field.error_messages["invalid_choice"] = otherwise

    @property
    def company(self) -> UUID | None:
        """Whose promises the form shows: of the company that is chosen so far, else of the first."""
        chosen = str(self["customer"].value() or "")
        known = [c.pk for c in self.customers]
        return next((pk for pk in known if str(pk) == chosen), known[0] if known else None)

    def clean_customer(self) -> Customer:
        return next(c for c in self.customers if str(c.pk) == self.cleaned_data["customer"])

    @property
    def headline(self) -> str:
        count = len(self.errors)
        return ngettext(
            "Not filed yet: please mend %(count)s place.", "Not filed yet: please mend %(count)s places.", count
        ) % {"count": count}


class PhoneForm(FilingForm):
    """A ticket that an engineer files for a customer's person."""

    requester = forms.ChoiceField(error_messages={"required": _l("Choose who asked.")})
    source = forms.ChoiceField(choices=[(Source.PHONE, _l("By phone")), (Source.WEB, _l("Otherwise"))])

    def __init__(self, *args: Any, people: Iterable[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.people = list(people)
        self._offer("requester", [(str(p.pk), p.name) for p in self.people], _("Choose one of the company's people."))

    def clean_requester(self) -> User:
        return next(p for p in self.people if str(p.pk) == self.cleaned_data["requester"])


# --- On a ticket -----------------------------------------------------------------------------------------------------


class SeenMessage(forms.Field):
    """The number of the newest message on the page; None where the page did not say, which asks nothing."""

    def to_python(self, value: Any) -> int | None:
        text = str(value or "")
        return int(text) if text.isdecimal() and text.isascii() and len(text) < 19 else None


class ReplyForm(DeskForm):
    last_seen_message = SeenMessage(required=False)
    body = Block(error_messages={"required": _l("Write something first.")})
    files = SentFiles(required=False)  # type: ignore[assignment]
    then = forms.ChoiceField(choices=[("", ""), ("ask", ""), ("resolve", "")], required=False)

    def clean(self) -> dict[str, Any]:
        # The sheet was yellow: nobody who meant a note may find it with the customer.
        if self.data.get("kind") == "note":
            raise forms.ValidationError(_("This was marked as an internal note, so it was not sent to the customer."))
        return self.cleaned_data


class DeskReplyForm(ReplyForm):
    """What the desk says besides: of which broken promises this is the apology, by their numbers."""

    apologies = forms.Field(required=False, widget=forms.SelectMultiple)

    def clean_apologies(self) -> list[int]:
        # A box of the page; what is no number was put there by nobody of ours.
        given = (str(one) for one in self.cleaned_data["apologies"] or [])
        return [int(one) for one in given if one.isdecimal() and one.isascii() and len(one) < 10]


class SeenAt(forms.Field):
    """The instant of the draft a page stood on; None where it stood on none."""

    UNREADABLE = datetime(1970, 1, 1, tzinfo=UTC)

    def to_python(self, value: Any) -> datetime | None:
        if not value:
            return None
        try:
            at = datetime.fromisoformat(str(value))
        except ValueError:
            return self.UNREADABLE
        return at if at.tzinfo else self.UNREADABLE


class DraftForm(DeskForm):
    """What stands in the composer. `over` is the newer draft that somebody replaces knowingly."""

    kind = forms.CharField(required=False)
    body = Block(required=False)
    draft_at = SeenAt(required=False)
    over = SeenAt(required=False)

    def clean(self) -> dict[str, Any]:
        if "over" in self.data:
            self.cleaned_data["draft_at"] = self.cleaned_data["over"]
        return self.cleaned_data


class BeatForm(forms.Form):
    """What a ticket's page knows when it says that somebody is there."""

    state = forms.ChoiceField(choices=[(state, state) for state in STATES])
    seen = forms.IntegerField(min_value=0, max_value=2**62)
    version = forms.IntegerField(min_value=0, max_value=2**62)


class NoteForm(DeskForm):
    last_seen_message = SeenMessage(required=False)
    body = Block(error_messages={"required": _l("Write something first.")})
    files = SentFiles(required=False)  # type: ignore[assignment]


class StepForm(DeskForm):
    version = SeenVersion(required=False)


class ReleaseForm(DeskForm):
    message = forms.IntegerField(min_value=1, max_value=2**53)


class ResolveForm(StepForm):
    body = Block(error_messages={"required": _l("Write how it was solved: the customer reads it.")})


class ReopenForm(StepForm):
    body = Block(error_messages={"required": _l("Write what is still wrong.")})


class CloseForm(StepForm):
    body = Block(required=False)


class WithdrawForm(StepForm):
    reason = forms.ChoiceField(
        choices=[(r.value, r.label) for r in CloseReason if r not in (CloseReason.CONFIRMED, CloseReason.LAPSED)],
        error_messages={
            "required": _l("Choose one of the reasons."),
            "invalid_choice": _l("Choose one of the reasons."),
        },
    )


class AssignForm(StepForm):
    to = forms.CharField(required=False)
    reason = Line(required=False)

    def clean_to(self) -> User | None:
        text = self.cleaned_data["to"]
        if not text:
            return None
        found = User.objects.filter(pk=text).first() if text.isdecimal() and len(text) < 10 else None
        if found is None:
            raise forms.ValidationError(_("This person cannot take tickets."))
        return found


class ClassifyForm(StepForm):
    service = ServiceField()


class PrioritiseForm(StepForm):
    priority = forms.CharField(error_messages={"required": _l("Choose a priority.")}, max_length=20)
    reason = Line(error_messages={"required": _l("Write down why: the customer's promise changes with it.")})


class TagForm(StepForm):
    """Tags to put on, as they were typed, and to take off, one button each."""

    add = Line(required=False, longest=1000)
    remove = Line(required=False, longest=1000)

    def clean(self) -> dict[str, Any]:
        for name in ("add", "remove"):
            try:
                self.cleaned_data[name] = names_in(self.cleaned_data.get(name, ""))
            except Refused as refused:
                self.add_error(name, str(refused))
        if not self.errors and not any(self.cleaned_data[name] for name in ("add", "remove")):
            self.add_error("add", _("Write a tag first."))
        return self.cleaned_data


class StatusForm(DeskForm):
    """A step of the workflow on many tickets; what resolves them is one text for all."""

    step = forms.ChoiceField(
        choices=[
            ("start", _l("Start work")),
            ("ask", _l("Wait for customer")),
            ("resume", _l("Resume")),
            ("resolve", _l("Resolve")),
            (CloseReason.DUPLICATE.value, _l("Close as duplicate")),
            (CloseReason.SPAM.value, _l("Close as spam")),
        ],
        error_messages={"required": _l("Choose a step."), "invalid_choice": _l("Choose a step.")},
    )
    body = Block(required=False)

    def clean(self) -> dict[str, Any]:
        if (
            self.cleaned_data.get("step") == "resolve"
            and not self.cleaned_data.get("body")
            and "body" not in self.errors
        ):
            self.add_error("body", _("Write how it was solved: the customer reads it."))
        return self.cleaned_data


class SplitForm(StepForm):
    """What the filing form asks, of a ticket whose text somebody wrote already."""

    title = Line(error_messages={"required": _l("Write one sentence that says what is wrong.")})
    category = forms.ChoiceField(choices=Category.choices, error_messages={"invalid_choice": _l("Choose a category.")})
    impact = forms.ChoiceField(error_messages={"required": _l("Choose how large the impact is.")})
    urgency = forms.ChoiceField(error_messages={"required": _l("Choose how urgent it is.")})

    def __init__(self, *args: Any, impacts: Iterable[Impact], urgencies: Iterable[Urgency], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, rows in (("impact", asked(impacts, str(self["category"].value() or ""))), ("urgency", urgencies)):
            field = self.fields[name]
            field.choices = [(row.code, row.label) for row in rows]  # type: ignore[attr-defined]
            field.error_messages["invalid_choice"] = _("Choose one of the answers.")


class OtherForm(StepForm):
    """The number of another ticket, as `by` may see it: what is not theirs does not exist."""

    other = Line(longest=40, error_messages={"required": _l("Write a number such as HD-1042.")})

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.by = by

    def clean_other(self) -> Ticket:
        typed = self.cleaned_data["other"]
        number = refs.number(typed)
        found: Ticket | None = Ticket.objects.visible_to(self.by).filter(pk=number).first() if number else None
        if found is None:
            raise forms.ValidationError(
                _("There is no ticket %(ref)s. Write a number such as HD-1042."), params={"ref": typed}
            )
        return found


class LinkForm(OtherForm):
    kind = forms.ChoiceField(
        choices=[("related", ""), ("parent", ""), ("child", "")],
        error_messages={
            "required": _l("Choose one of the answers."),
            "invalid_choice": _l("Choose one of the answers."),
        },
    )


class CannedForm(DeskForm):
    """A canned reply in one language or both; which blanks there are, the action knows."""

    name = Line(longest=80, error_messages={"required": _l("Give it a name you will look for.")})
    body_zh = Block(required=False)
    body_en = Block(required=False)
    shared = forms.BooleanField(required=False)
