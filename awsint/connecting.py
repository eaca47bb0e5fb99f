"""What has to be deployed in an account to let us in, with its values filled in, and where one does that.

The templates of deploy/aws are filled as text: a parameter gets its default, quoted as JSON, which YAML reads the same
way. An ExternalId goes in only where it is being shown (account_views.py).
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from django.conf import settings

from awsint.models import Account, Hub, Organization, Partition

FOLDER = Path(settings.BASE_DIR) / "deploy" / "aws"
STACK = "PartnerSupportSync"
# Where AWS Support's events arrive, and with them the stack.
REGIONS = {Partition.AWS: "us-east-1", Partition.CHINA: "cn-north-1", Partition.GOV: "us-gov-west-1"}
CONSOLES = {
    Partition.AWS: "console.aws.amazon.com",
    Partition.CHINA: "console.amazonaws.cn",
    Partition.GOV: "console.amazonaws-us-gov.com",
}
# More account numbers than this do not fit into the policy of a bus.
MOST_IN_A_POLICY = 200


# The forms in which the rules of AWS Health come and the role that makes the hub's side. Terraform's are for AWS alone.
HEALTH = ("health.yaml", "health.tf", "hub-setup.yaml", "hub.tf")
_BUS = re.compile(r'(?<=variable "hub_bus_arn" {\n)  type        = string')


@dataclass(frozen=True)
class Template:
    """A template with its values: what it is called as a file, and its text."""

    name: str
    text: str


def for_account(account: Account, hub: Hub | None, *, write: bool, external_id: str = "") -> Template:
    """The customer's template, read-only or read-write."""
    kind = "customer-write" if write else "customer-read"
    return Template(f"{kind}-{account.number}.yaml", filled(kind, account.partition, values(hub, external_id)))


def for_organization(organization: Organization, hub: Hub | None, external_id: str = "") -> Template:
    given = {name: value for name, value in values(hub, external_id).items() if name != "HubBusArn"}
    text = filled("organization", organization.partition, given)
    return Template(f"organization-{organization.account_number}.yaml", text)


def for_health(organization: Organization, hub: Hub | None, form: str) -> Template:
    """What sends AWS Health to the hub, in each region: CloudFormation's template or Terraform's. Or the role that
    makes the hub's side, or the hub in Terraform."""
    bus = hub.bus_arn if hub else ""
    if form == "hub-setup.yaml":
        given = {"HubRoleArn": hub.principal_arn} if hub else {}
        return Template(f"hub-setup-{organization.partition}.yaml", filled("hub-setup", organization.partition, given))
    if form == "hub.tf":
        return Template(form, (FOLDER / "terraform" / form).read_text())
    if form == "health.tf":
        text = (FOLDER / "terraform" / form).read_text()
        known = f"\n  default     = {json.dumps(bus)}" if bus else ""
        return Template(form, _BUS.sub(lambda found: f"{found[0]}{known}", text, count=1))
    text = filled("health", organization.partition, {"HubBusArn": bus} if bus else {})
    return Template(f"health-{organization.account_number}.yaml", text)


def for_hub(partition: str, accounts: list[str], organizations: list[str]) -> Template:
    """The hub's template with those who may send it changes; many accounts are too long for a policy."""
    given = {"CustomerAccounts": ",".join(accounts), "CustomerOrganizations": ",".join(organizations)}
    return Template(f"hub-{partition}.yaml", filled("hub", partition, given))


def values(hub: Hub | None, external_id: str = "") -> dict[str, str]:
    """The parameters that we know."""
    known = {"ExternalId": external_id}
    if hub:
        known |= {"HubRoleArn": hub.principal_arn, "HubBusArn": hub.bus_arn}
    return {name: value for name, value in known.items() if value}


def filled(kind: str, partition: str, given: dict[str, str]) -> str:
    """The text of a template with these defaults."""
    folder = FOLDER / "cn" if partition == Partition.CHINA else FOLDER
    text = (folder / f"{kind}.yaml").read_text()
    for name, value in given.items():
        text = _default(text, name, value)
    return text


def _default(text: str, name: str, value: str) -> str:
    place = re.compile(rf"^(  {name}:\n    Type: \w+\n    Description: .*\n)(    Default: .*\n)?", re.M)
    quoted = json.dumps(value)
    return place.sub(lambda found: f"{found[1]}    Default: {quoted}\n", text, count=1)


# --- The console -----------------------------------------------------------------------------------------------------


def console(partition: str) -> str:
    """Where CloudFormation of the partition begins a stack."""
    region = REGIONS[Partition(partition)]
    return f"https://{CONSOLES[Partition(partition)]}/cloudformation/home?region={region}#/stacks/create"


def quick_create(kind: str, partition: str, hub: Hub | None, external_id: str = "") -> str:
    """A link that opens the console with everything filled in; empty where the templates are hosted nowhere."""
    if hub is None or not hub.template_url:
        return ""
    # Nothing but S3 is taken by CloudFormation, and only a whole address.
    address = f"{hub.template_url.rstrip('/')}/{'cn/' if partition == Partition.CHINA else ''}{kind}.yaml"
    given = {f"param_{name}": value for name, value in values(hub, external_id).items()}
    asked = {"templateURL": address, "stackName": STACK} | given
    told = "&".join(f"{name}={quote(value, safe='')}" for name, value in asked.items())
    return console(partition).replace("/stacks/create", f"/stacks/quickcreate?{told}")


def stack_set_lines(account: Account) -> str:
    """What one types to bring an account into a StackSet; each has its own ExternalId, so it overrides that one."""
    region = REGIONS[Partition(account.partition)]
    lines = [
        f"aws cloudformation create-stack-instances --stack-set-name {STACK}",
        f"--accounts {account.number} --regions {region}",
        "--parameter-overrides ParameterKey=ExternalId,ParameterValue=EXTERNAL_ID",
    ]
    return " \\\n  ".join(lines)
