"""/aws/accounts/: the accounts we look after, and what leads and administrators do with one.

An ExternalId is shown on the answer that made it and never again.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from awsint import account_actions, account_list, connecting, mending, testing
from awsint.access import access_account, desk_only, managers_only, may_manage, readers_only
from awsint.forms import AccountForm, NewAccountForm, initial_of
from awsint.models import Account, Hub, Partition, Setting, State, SupportModel
from helpdesk.accounts.doors import Busy, PersonRequest, Refused, answered_once, fresh_key
from helpdesk.accounts.forms import PlainForm
from helpdesk.accounts.history import history_of
from helpdesk.accounts.masking import masks
from helpdesk.accounts.models import Customer
from helpdesk.accounts.views import see_other

MOST_CUSTOMERS = 2000


def aws_page(
    request: PersonRequest, template: str, told: dict[str, Any], *, tab: str, status: int = 200
) -> HttpResponse:
    """A page of the section, under its tabs; whatever a simulator feeds says so."""
    more = {"section": "aws", "tab": tab, "may_manage": may_manage(request.user), "masked": masks(request.user)}
    more["simulated"] = settings.AWS_IS_SIMULATED
    return render(request, template, more | told, status=status)


@readers_only
@require_safe
def home(request: PersonRequest) -> HttpResponse:
    return redirect("aws_cases")


# --- The list --------------------------------------------------------------------------------------------------------


@readers_only
@require_safe
def accounts(request: PersonRequest) -> HttpResponse:
    """Every account that its reader may see: how it stands, how that is mended, and what we know of it."""
    at, wish, user = timezone.now(), account_list.Wish.read(request.GET), request.user
    told = {
        "now": at,
        "wish": wish,
        "page": account_list.page(user, wish, at),
        "counts": _counted(account_list.counts(user), wish),
        "states": _states(),
        "partitions": Partition.choices,
        "customers": account_list.customers(user),
    }
    return aws_page(request, "aws/accounts.html", told, tab="accounts")


def _states() -> list[tuple[str, str]]:
    read = [(state.value, str(state.label)) for state in State]
    return [*read, (account_list.UNPROVED, _("not proved yet")), (account_list.INACTIVE, _("deactivated"))]


def _counted(counts: dict[str, int], wish: account_list.Wish) -> list[tuple[str, str, int, str]]:
    """(state, its word, how many, where they are listed) of the states there are."""
    words = dict(_states())
    return [(state, words[state], counts[state], wish.link(state=state)) for state in words if counts.get(state)]


# --- One account -----------------------------------------------------------------------------------------------------


@desk_only
@require_safe
def account(request: PersonRequest, account: int) -> HttpResponse:
    return account_page(request, access_account(request.user, account))


def account_page(request: PersonRequest, found: Account, *, status: int = 200, **more: Any) -> HttpResponse:
    """How it stands, how it is connected, what it is to its customer, what was done with it."""
    at = timezone.now()
    told = {
        "now": at,
        "account": found,
        "line": account_list.line(request.user, found, at, {}),
        "steps": steps_of(found),
        "setting": Setting.objects.filter(customer=found.customer_id).first(),
        "history": history_of(account_actions.subject_of(found)),
        "once": fresh_key(),
        **(connecting_told(found, str(more.get("external_id", ""))) if may_manage(request.user) else {}),
        **more,
    }
    return aws_page(request, "aws/account.html", told, tab="accounts", status=status)


def connecting_told(account: Account, external_id: str) -> dict[str, Any]:
    """What the page says about deploying the template. One statement."""
    hub = Hub.objects.filter(partition=account.partition).first()
    kind = "customer-write" if account.may_write else "customer-read"
    return {
        "hub": hub,
        "kind": kind,
        "region": connecting.REGIONS[Partition(account.partition)],
        "console": connecting.console(account.partition),
        "quick_create": connecting.quick_create(kind, account.partition, hub, external_id),
        "stack_set": connecting.stack_set_lines(account),
        "is_china": account.partition == Partition.CHINA,
    }


@managers_only
def template(request: PersonRequest, account: int) -> HttpResponse:
    """The template with what we know filled in; the ExternalId only where the page that showed it sends it back."""
    found = access_account(request.user, account)
    write = request.GET.get("kind", "write" if found.may_write else "read") == "write"
    external_id = request.POST.get("external_id", "")
    current = (found.external_id, found.next_external_id or found.external_id)
    if external_id and not any(constant_time_compare(external_id, one) for one in current):
        raise Http404
    hub = Hub.objects.filter(partition=found.partition).first()
    return as_file(connecting.for_account(found, hub, write=write, external_id=external_id))


def as_file(made: connecting.Template) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{made.name}"'}
    return HttpResponse(made.text, content_type="application/yaml; charset=utf-8", headers=headers)


def steps_of(account: Account) -> list[dict[str, Any]]:
    """What the last test found, each step with its words and, where it failed, the way on."""
    test = account.test
    known = (test.result or {}).get("steps") or test.cursor or [] if test else []
    return [
        one | {"words": mending.step_name(one["step"]), "mend": _way_on(one)} for one in known if isinstance(one, dict)
    ]


def _way_on(one: dict[str, Any]) -> str:
    return "" if one["ok"] or one.get("skipped") else mending.mend_step(one["step"], one.get("kind", ""))


# --- Connect and change ----------------------------------------------------------------------------------------------


@managers_only
def new_account(request: PersonRequest) -> HttpResponse:
    """Connects one account; the answer shows its ExternalId."""
    if request.method != "POST":
        wish = {"partition": Partition.AWS, "support_model": SupportModel.KEPT, "customer": request.GET.get("customer")}
        return _form_page(request, NewAccountForm(initial=wish))
    form = NewAccountForm(request.POST)
    if not form.is_valid():
        return _form_page(request, form)

    def add(at: datetime) -> tuple[Account, str]:
        return account_actions.add_account(wanted=form.wanted, by=request.user, at=at)

    return shown_once(request, form, add, lambda trouble, status: _form_page(request, trouble, status=status))


def shown_once(
    request: PersonRequest,
    form: PlainForm,
    act: Callable[[datetime], tuple[Account, str]],
    again: Callable[[Any, int], HttpResponse],
) -> HttpResponse:
    """Does what makes an ExternalId and shows it on the answer; `again` is the form's page with its trouble."""
    at = timezone.now()
    try:
        with answered_once(request, at=at) as slot:
            if slot.answer:
                # The second half of a double click: the ExternalId is not to be had again.
                messages.info(request, _("It was made already. If you did not see the ExternalId, make another."))
                return slot.answer.response()
            made, external_id = act(at)
            slot.keep(303, reverse("aws_account", args=[made.pk]))
    except Refused as refused:
        form.refuse(refused)
        return again(form, 422)
    except Busy:
        form.add_error(None, _("Somebody else is writing this very moment. Please send it again."))
        return again(form, 409)
    found = access_account(request.user, made.pk)
    return account_page(request, found, status=201, external_id=external_id)


@managers_only
def edit_account(request: PersonRequest, account: int) -> HttpResponse:
    """Changes what may be changed: neither whose it is nor which."""
    found = access_account(request.user, account)
    if request.method != "POST":
        return _form_page(request, AccountForm(initial=initial_of(found), customer=found.customer), found)
    form = AccountForm(request.POST, customer=found.customer)
    if form.is_valid():
        try:
            account_actions.change_account(account=found, by=request.user, at=timezone.now(), **form.cleaned_data)
        except Refused as refused:
            form.refuse(refused)
        else:
            messages.success(request, _("The account is changed."))
            return see_other(reverse("aws_account", args=[found.pk]))
    return _form_page(request, form, found)


def _form_page(
    request: PersonRequest, form: AccountForm, account: Account | None = None, *, status: int = 0
) -> HttpResponse:
    told: dict[str, Any] = {"form": form, "account": account, "once": fresh_key(), "role": account_actions.ROLE}
    told["customers"] = [] if account else list(Customer.objects.active().order_by("name")[:MOST_CUSTOMERS])
    status = status or (422 if form.errors else 200)
    return aws_page(request, "aws/account_form.html", told, tab="accounts", status=status)


# --- Verbs that ask --------------------------------------------------------------------------------------------------


@managers_only
@require_POST
def deactivate(request: PersonRequest, account: int) -> HttpResponse:
    """Reads it no more; the first click asks, the second does it."""
    found = access_account(request.user, account)
    if "sure" not in request.POST:
        return _ask(request, found, "deactivate")
    account_actions.deactivate_account(account=found, by=request.user, at=timezone.now())
    messages.success(request, _("The account is deactivated: it is not read any more."))
    return see_other(reverse("aws_account", args=[found.pk]))


@managers_only
@require_POST
def activate(request: PersonRequest, account: int) -> HttpResponse:
    found = access_account(request.user, account)
    account_actions.activate_account(account=found, by=request.user, at=timezone.now())
    messages.success(request, _("The account is active."))
    return see_other(reverse("aws_account", args=[found.pk]))


@managers_only
@require_POST
def test(request: PersonRequest, account: int) -> HttpResponse:
    """Begins a test; a worker does it, and the page says how far it came."""
    found = access_account(request.user, account)
    if not found.is_active:
        return account_page(request, found, status=409, trouble=_("Activate the account first."))
    testing.begin(account=found, by=request.user, at=timezone.now())
    return see_other(reverse("aws_account", args=[found.pk]) + "#connection")


@managers_only
@require_POST
def rotate(request: PersonRequest, account: int) -> HttpResponse:
    """Makes a new ExternalId; the first click asks, the answer to the second shows it."""
    found = access_account(request.user, account)
    if "sure" not in request.POST:
        return _ask(request, found, "rotate")

    def make(at: datetime) -> tuple[Account, str]:
        return account_actions.rotate_external_id(account=found, by=request.user, at=at)

    def again(trouble: PlainForm, status: int) -> HttpResponse:
        return account_page(request, found, status=status, trouble=" ".join(map(str, trouble.non_field_errors())))

    return shown_once(request, PlainForm({}), make, again)


def _ask(request: PersonRequest, found: Account, verb: str) -> HttpResponse:
    told = {"account": found, "verb": verb, "once": fresh_key()}
    return aws_page(request, "aws/account_sure.html", told, tab="accounts")


# --- How its customer hears ------------------------------------------------------------------------------------------


@managers_only
@require_POST
def notice(request: PersonRequest, account: int) -> HttpResponse:
    """Whether the account's customer reads what AWS says at once."""
    found = access_account(request.user, account)
    only = request.POST.get("notice_only")
    if only not in ("0", "1"):
        return account_page(request, found, status=422, trouble=_("Choose one of the two."))
    account_actions.set_notice_only(
        customer=found.customer, notice_only=only == "1", by=request.user, at=timezone.now()
    )
    messages.success(request, _("How the customer hears of AWS is changed."))
    return see_other(reverse("aws_account", args=[found.pk]))
