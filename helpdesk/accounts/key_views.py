"""The page of keys: one's own, and those of the companies one looks after. A secret is shown once, on the answer."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.views.decorators.http import require_POST

from helpdesk.accounts import keys
from helpdesk.accounts.doors import Busy, PersonRequest, Refused, answered_once, fresh_key
from helpdesk.accounts.models import Customer, StaffRole, User
from helpdesk.text import Line

MOST = 200
MOST_CHOICES = 500
DAYS = [(30, _l("30 days")), (90, _l("90 days")), (365, _l("A year")), (730, _l("Two years"))]


class KeyForm(forms.Form):
    """A new key."""

    name = Line(longest=80, error_messages={"required": _l("Say what the key is for.")})
    customer = forms.ChoiceField(required=False)
    may_write = forms.BooleanField(required=False)
    days = forms.TypedChoiceField(
        choices=DAYS, coerce=int, error_messages={"required": _l("Choose how long it lasts.")}
    )

    def __init__(self, *args: Any, companies: list[Customer], **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "%s", **kwargs})
        self.companies = {str(c.pk): c for c in companies}
        field = self.fields["customer"]
        field.choices = [("", ""), *((pk, c.name) for pk, c in self.companies.items())]  # type: ignore[attr-defined]
        field.error_messages["invalid_choice"] = _("Choose one of your companies.")

    def clean_customer(self) -> Customer | None:
        return self.companies.get(self.cleaned_data["customer"])


def _may_have_keys(user: User) -> None:
    # An auditor reads evidence in the browser and nothing by program.
    if user.staff_role == StaffRole.AUDITOR:
        raise Http404


@login_required
def api_keys(request: PersonRequest) -> HttpResponse:
    """The keys this person looks after, and the form for a new one."""
    _may_have_keys(request.user)
    companies = list(keys.companies_for_keys(request.user)[:MOST_CHOICES])
    if request.method != "POST":
        return _page(request, KeyForm(initial={"days": 365}, companies=companies))
    form = KeyForm(request.POST, companies=companies)
    if not form.is_valid():
        return _page(request, form, status=422)
    at = timezone.now()
    try:
        with answered_once(request, at=at) as slot:
            if slot.answer:
                # The second half of a double click: the key was made and its text is not to be had again.
                messages.info(request, _("The key was made already. If you did not see it, end it and make another."))
                return slot.answer.response()
            key, token = keys.create_key(**form.cleaned_data, by=request.user, at=at)
            slot.keep(303, reverse("api_keys"))
    except Refused as refused:
        form.add_error(refused.field or None, str(refused))
        return _page(request, form, status=422)
    except Busy:
        form.add_error(None, _("Somebody else is writing this very moment. Please send it again."))
        return _page(request, form, status=409)
    return _page(request, KeyForm(initial={"days": 365}, companies=companies), made=key, token=token, status=201)


def _page(request: PersonRequest, form: KeyForm, *, status: int = 200, **more: Any) -> HttpResponse:
    at = timezone.now()
    context = {
        "form": form,
        "keys": [(key, key.works_at(at)) for key in keys.keys_for(request.user)[:MOST]],
        "once": fresh_key(),
        "now": at,
        **more,
    }
    return render(request, "accounts/keys.html", context, status=status)


@login_required
@require_POST
def revoke_api_key(request: PersonRequest, pk: int) -> HttpResponse:
    """Ends a key; the first click asks, the second does it."""
    _may_have_keys(request.user)
    key = get_object_or_404(keys.keys_for(request.user), pk=pk)
    if "sure" not in request.POST:
        return render(request, "accounts/key_revoke.html", {"key": key})
    keys.revoke_key(key=key, by=request.user, at=timezone.now())
    messages.success(request, _("The key has ended. Programs that use it are refused from now on."))
    return HttpResponse(status=303, headers={"Location": reverse("api_keys")})
