"""The door to one's own preferences; the form stands on the account's page too."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from helpdesk.accounts.doors import PersonRequest
from helpdesk.accounts.preferences import PreferencesForm, prefer


@login_required
def preferences(request: PersonRequest) -> HttpResponse:
    """Keys, the way on after sending, news, and which mails to get."""
    form = PreferencesForm(request.POST if request.method == "POST" else None, person=request.user)
    if form.is_valid():
        prefer(person=request.user, **form.wanted())
        messages.success(request, _("Your preferences are saved."))
        return HttpResponse(status=303, headers={"Location": reverse("account")})
    return render(request, "accounts/preferences.html", {"preferences": form}, status=422 if form.errors else 200)
