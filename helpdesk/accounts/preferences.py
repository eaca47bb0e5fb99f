"""How a person likes to work: keys, where to go after sending, what to be told of. No history: it concerns nobody else.

A key that acts without a modifier can be switched off (WCAG 2.1.4). Whoever is not of the desk has that switch and
those of their mails. What somebody must act on is always sent: a question, a solution to confirm, a link to come in, a
broken promise. An auditor gets no mails of tickets, and has no switch for them.
"""

from typing import Any

from django import forms

from helpdesk.accounts.forms import PlainForm
from helpdesk.accounts.models import (
    MAILS_TO_ADMINISTRATORS,
    MAILS_TO_CUSTOMERS,
    MAILS_TO_THE_DESK,
    AfterSend,
    CustomerRole,
    Mail,
    News,
    User,
)
from helpdesk.accounts.permissions import customers_of

OF_THE_DESK = ("after_send", "news", "notify")


class PreferencesForm(PlainForm):
    """The switches this person has; what a form does not show stays as it is."""

    shortcuts = forms.BooleanField(required=False)
    after_send = forms.ChoiceField(choices=AfterSend.choices)
    news = forms.MultipleChoiceField(choices=News.choices, required=False)
    notify = forms.BooleanField(required=False)
    mails = forms.MultipleChoiceField(required=False)

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        initial = {name: getattr(person, name) for name in ("shortcuts", *OF_THE_DESK)}
        offered = mails_of(person)
        initial["mails"] = [mail.value for mail in offered if mail not in person.no_mail]
        super().__init__(*args, initial=initial, **kwargs)
        self.offered = offered
        if offered:
            self.fields["mails"].choices = [(mail.value, mail.label) for mail in offered]  # type: ignore[attr-defined]
        else:
            del self.fields["mails"]
        if not person.is_desk:
            for name in OF_THE_DESK:
                del self.fields[name]

    def wanted(self) -> dict[str, Any]:
        """The columns as they shall be: of mails, what the person does without."""
        given = dict(self.cleaned_data)
        chosen = given.pop("mails", [])
        return given | {"no_mail": [mail.value for mail in self.offered if mail.value not in chosen]}


def mails_of(person: User) -> list[Mail]:
    """The mails that a person may switch off."""
    if person.staff_role:
        return MAILS_TO_THE_DESK if person.is_desk else []
    runs_one = CustomerRole.ADMIN in customers_of(person).values()
    return [*MAILS_TO_CUSTOMERS, *(MAILS_TO_ADMINISTRATORS if runs_one else [])]


def prefer(*, person: User, **wanted: Any) -> None:
    """Keeps what somebody chose for themselves. One statement, none where nothing differs."""
    changed = {name: value for name, value in wanted.items() if getattr(person, name) != value}
    if not changed:
        return
    User.objects.filter(pk=person.pk).update(**changed)
    for name, value in changed.items():
        setattr(person, name, value)
