"""/aws/hubs/: our own place in each partition. No credential is asked for, shown or stored."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from awsint import connecting, hub_actions
from awsint.access import managers_only
from awsint.account_views import as_file, aws_page
from awsint.forms import HubForm
from awsint.models import Account, Hub, Organization, Partition
from helpdesk.accounts.doors import PersonRequest, Refused
from helpdesk.accounts.history import history_of
from helpdesk.accounts.views import see_other


@managers_only
@require_safe
def hubs(request: PersonRequest) -> HttpResponse:
    """The three partitions, each with its hub or without."""
    known = {hub.partition: hub for hub in Hub.objects.all()}
    rows = [(partition, known.get(partition.value)) for partition in Partition]
    return aws_page(request, "aws/hubs.html", {"rows": rows}, tab="hubs")


@managers_only
def hub(request: PersonRequest, partition: str) -> HttpResponse:
    """Writes down the hub of a partition."""
    place, found = _partition(partition), Hub.objects.filter(partition=partition).first()
    if request.method != "POST":
        return _page(request, place, found, HubForm(initial=_initial(place, found)))
    form = HubForm(request.POST)
    if form.is_valid():
        try:
            hub_actions.write_hub(partition=partition, by=request.user, at=timezone.now(), **form.cleaned_data)
        except Refused as refused:
            form.refuse(refused)
        else:
            messages.success(request, _("The hub is written down."))
            return see_other(reverse("aws_hub", args=[partition]))
    return _page(request, place, found, form)


def _partition(code: str) -> Partition:
    if code not in Partition.values:
        raise Http404
    return Partition(code)


def _initial(partition: Partition, hub: Hub | None) -> dict[str, Any]:
    if hub is None:
        return {"region": connecting.REGIONS[partition], "is_active": True}
    return {name: getattr(hub, name) for name in hub_actions.HUB}


def _page(request: PersonRequest, partition: Partition, hub: Hub | None, form: HubForm) -> HttpResponse:
    told = {
        "partition": partition,
        "hub": hub,
        "form": form,
        "console": connecting.console(partition),
        "region": connecting.REGIONS[partition],
        "history": history_of(f"aws:{partition.value}:{hub.account_number}") if hub else [],
        "now": timezone.now(),
    }
    return aws_page(request, "aws/hub.html", told, tab="hubs", status=422 if form.errors else 200)


@managers_only
@require_safe
def template(request: PersonRequest, partition: str) -> HttpResponse:
    """The hub's template, with the accounts and organizations we know filled in."""
    place = _partition(partition)
    named = Organization.objects.filter(partition=place, is_active=True).exclude(organization_id="")
    organizations = list(named.order_by("organization_id").values_list("organization_id", flat=True))
    accounts = Account.objects.filter(partition=place, is_active=True)
    numbers = list(accounts.order_by("number").values_list("number", flat=True)[: connecting.MOST_IN_A_POLICY + 1])
    numbers = numbers if len(numbers) <= connecting.MOST_IN_A_POLICY else []
    return as_file(connecting.for_hub(place, numbers, organizations))
