"""/aws/health/setup: what connects AWS Health of an organization, looked at live, and carried out once seen."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from awsint import connecting, setup, setup_job
from awsint.access import access_organization, managers_only
from awsint.account_views import as_file, aws_page
from awsint.models import Hub, Organization, Partition
from awsint.setup import Roles
from awsint.wishes import number, word
from helpdesk.accounts.doors import PersonRequest, Refused
from helpdesk.accounts.views import see_other

MOST = 500
MOST_REGIONS = 40


@managers_only
@require_safe
def page(request: PersonRequest) -> HttpResponse:
    """An organization of one's choice, or the first: how its set-up stood when it was looked at last."""
    pk = number(request.GET.get("organization", ""))
    rows = _organizations()
    found = next((one for one in rows if one.pk == pk), None) if pk else next(iter(rows), None)
    if pk and found is None:
        raise Http404
    return _page(request, rows, found)


def _organizations() -> list[Organization]:
    rows = Organization.objects.filter(is_active=True).select_related("customer", "setup")
    return list(rows.order_by("name", "pk")[:MOST])


def _page(
    request: PersonRequest, rows: list[Organization], found: Organization | None, *, status: int = 200, **more: Any
) -> HttpResponse:
    told: dict[str, Any] = {"now": timezone.now(), "organizations": rows, "organization": found}
    if found:
        job = found.setup
        roles = setup_job.roles_of(job) if job else Roles()
        done = setup_job.done_of((job.result or {}).get("steps") if job else None)
        told |= {
            "hub": Hub.objects.filter(partition=found.partition, is_active=True).first(),
            "is_china": found.partition == Partition.CHINA,
            "always": setup.ALWAYS[found.partition],
            "job": job,
            "was_dry": bool(job and job.args["dry"]),
            "done": done,
            "to_do": [one for one in done if one.to_do],
            "left": [one for one in done if not one.good and not one.to_do],
            "role": roles.management,
            "hub_role": roles.hub,
            "regions": " ".join(found.health_regions),
        }
    return aws_page(request, "aws/health_setup.html", told | more, tab="health", status=status)


@managers_only
@require_POST
def run(request: PersonRequest, organization: int) -> HttpResponse:
    """Looks; or carries out what was seen, where the first click asks and the second does it."""
    found, said = access_organization(organization), request.POST
    roles = Roles(word(said, "role", 200), word(said, "hub_role", 200))
    regions = word(said, "regions", 800).replace(",", " ").lower().split()
    dry = "carry_out" not in said
    given = {"role": roles.management, "hub_role": roles.hub, "regions": " ".join(regions)}
    try:
        if not found.is_active:
            raise Refused("organization", _("This organization is not in use."))
        if len(regions) > MOST_REGIONS:
            raise Refused("regions", _("At most %(most)s regions.") % {"most": MOST_REGIONS})
        if not dry and "sure" not in said:
            setup.demand_sound(found, setup.hub_of(found), roles, regions)
            return _ask(request, found, given)
        setup_job.begin(organization=found, roles=roles, regions=regions, dry=dry, by=request.user, at=timezone.now())
    except Refused as refused:
        told = given | {"trouble": str(refused), "field": refused.field}
        return _page(request, _organizations(), found, status=422, **told)
    if not dry:
        messages.info(request, _("The set-up is being carried out."))
    return see_other(f"{setup_job.PAGE}?organization={found.pk}#steps")


def _ask(request: PersonRequest, found: Organization, given: dict[str, str]) -> HttpResponse:
    done = setup_job.done_of((found.setup.result or {}).get("steps") if found.setup else None)
    told = {"organization": found, "to_do": [one for one in done if one.to_do], **given}
    return aws_page(request, "aws/health_setup_sure.html", told, tab="health")


@managers_only
@require_safe
def template(request: PersonRequest, organization: int, form: str) -> HttpResponse:
    """The rules of a region as a file, for whoever deploys them without the desk."""
    found = access_organization(organization)
    if form not in connecting.HEALTH:
        raise Http404
    hub = Hub.objects.filter(partition=found.partition).first()
    made = as_file(connecting.for_health(found, hub, form))
    if form.endswith(".tf"):
        made["Content-Type"] = "text/plain; charset=utf-8"
    return made
