"""/aws/accounts/import: a list of accounts, looked at first, then connected all together or not at all."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from awsint import account_actions, account_file
from awsint.access import managers_only
from awsint.account_actions import Wanted
from awsint.account_views import aws_page
from awsint.forms import FileForm
from awsint.models import Account
from helpdesk.accounts.doors import Busy, PersonRequest, Refused, answered_once, fresh_key
from helpdesk.accounts.models import User
from helpdesk.pictures import BIGGEST as MOST_BYTES

Again = Callable[[str], HttpResponse]


@managers_only
def import_accounts(request: PersonRequest) -> HttpResponse:
    """Shows what a list would connect, and line by line what is wrong with it; a second click connects."""
    if request.method != "POST":
        return _page(request, "")
    text, trouble = _sent(request)
    if trouble:
        return _page(request, text, trouble=trouble)
    if "sure" not in request.POST:
        return _page(request, text, looked=account_file.look(text, request.user))
    return connect_all(request, lambda: _wanted(text, request.user), lambda words: _again(request, text, words))


def _wanted(text: str, by: User) -> list[Wanted]:
    """What the list connects. Raises Refused where anything in it is wrong, and its page says what."""
    looked = account_file.look(text, by)
    if looked.faults:
        raise Refused("", "")
    return looked.wanted


def _again(request: PersonRequest, text: str, words: str) -> HttpResponse:
    return _page(request, text, looked=account_file.look(text, request.user), trouble=words)


def _sent(request: PersonRequest) -> tuple[str, str]:
    """The list, and why it cannot be read."""
    form = FileForm(request.POST, request.FILES)
    form.is_valid()
    upload, text = form.cleaned_data.get("file"), form.cleaned_data.get("text", "")
    if upload is not None:
        if upload.size > MOST_BYTES:
            return "", _("This file is too large: a list is at most 500 KB.")
        text = account_file.decoded(upload.read())
    if not text.strip():
        return "", _("Choose a file, or paste the list.")
    return text[:MOST_BYTES], ""


def _page(
    request: PersonRequest, text: str, *, looked: account_file.Looked | None = None, trouble: str = ""
) -> HttpResponse:
    told = {
        "text": text,
        "looked": looked,
        "trouble": trouble,
        "example": account_file.EXAMPLE,
        "most": account_file.MOST_LINES,
        "once": fresh_key(),
    }
    bad = trouble or (looked and looked.faults)
    return aws_page(request, "aws/import.html", told, tab="accounts", status=422 if bad else 200)


def connect_all(request: PersonRequest, find: Callable[[], list[Wanted]], again: Again) -> HttpResponse:
    """Connects what `find` finds and shows each ExternalId once; `again` is the page with words of why not."""
    at = timezone.now()
    try:
        with answered_once(request, at=at) as slot:
            if slot.answer:
                messages.info(
                    request, _("They were connected already. If you did not see an ExternalId, make another.")
                )
                return slot.answer.response()
            made = account_actions.add_accounts(wanted=find(), by=request.user, at=at)
            slot.keep(303, reverse("aws_accounts"))
    except Refused as refused:
        return again(str(refused))
    except Busy:
        return again(_("Somebody else is writing this very moment. Please send it again."))
    return shown_page(request, made)


def shown_page(request: PersonRequest, made: list[tuple[Account, str]]) -> HttpResponse:
    pairs = [(account.number, external_id) for account, external_id in made]
    told = {"made": made, "as_text": account_file.ids_as_text(pairs)}
    return aws_page(request, "aws/shown_once.html", told, tab="accounts", status=201)
