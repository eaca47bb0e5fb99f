"""How a person likes to work: keys, where to go after sending, what to be told of. No history: it concerns nobody else.

A key that acts without a modifier can be switched off (WCAG 2.1.4). Whoever is not of the desk has only that switch.
"""

from typing import Any

from django import forms

from helpdesk.accounts.forms import PlainForm
from helpdesk.accounts.models import AfterSend, News, User

OF_THE_DESK = ("after_send", "news", "notify")


class PreferencesForm(PlainForm):
    """The switches this person has; what a form does not show stays as it is."""

    shortcuts = forms.BooleanField(required=False)
    after_send = forms.ChoiceField(choices=AfterSend.choices)
    news = forms.MultipleChoiceField(choices=News.choices, required=False)
    notify = forms.BooleanField(required=False)

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        initial = {name: getattr(person, name) for name in ("shortcuts", *OF_THE_DESK)}
        super().__init__(*args, initial=initial, **kwargs)
        if not person.is_desk:
            for name in OF_THE_DESK:
                del self.fields[name]


def prefer(*, person: User, **wanted: Any) -> None:
    """Keeps what somebody chose for themselves. One statement, none where nothing differs."""
    changed = {name: value for name, value in wanted.items() if getattr(person, name) != value}
    if not changed:
        return
    User.objects.filter(pk=person.pk).update(**changed)
    for name, value in changed.items():
        setattr(person, name, value)
