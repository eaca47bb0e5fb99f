"""What is deployed in AWS with an account's values in it, and the lists that connect many accounts at once."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import ManualArgs, lint_by_config
from django.core.files.uploadedfile import SimpleUploadedFile

from awsint import connecting
from awsint.account_actions import ROLE
from awsint.models import Account, Hub, Organization, Partition
from helpdesk.jobs.models import Job
from tests.awsint.test_accounts import connect, known, said, shown
from tests.entering import enter

AT = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
# Operations of 2026 that the linter's list of actions does not know yet (aws.md, 1.1).
NEW = {
    "getattachmentdownloadlink",
    "getattachmentuploadlinks",
    "completeattachmentupload",
    "describeattachmentuploadstatus",
}
HUB = {
    "account_number": "999988887777",
    "region": "us-east-1",
    "principal_arn": "arn:aws:iam::999988887777:role/PartnerHelpDesk",
    "bus_arn": "arn:aws:events:us-east-1:999988887777:event-bus/partner-support",
    "queue_url": "https://sqs.us-east-1.amazonaws.com/999988887777/partner-support",
    "is_active": "on",
}
LIST = "number,name,customer,partition,may_write,workload\n111122223333,orders,acme,aws,yes,production;eu\n"


# --- Templates -------------------------------------------------------------------------------------------------------


def faults(paths: list[Path], region: str) -> list[str]:
    """What cfn-lint says, without that it does not know the newest actions."""
    told = [str(one) for one in lint_by_config(ManualArgs(regions=[region], templates=[str(p) for p in paths]))]
    return [one for one in told if not any(f"'{name}' is not one of" in one for name in NEW)]


def test_aws_would_take_every_template_as_it_is_and_filled_in(tmp_path: Path) -> None:
    account = Account(number="441722908813", partition="aws")
    hub = Hub(partition="aws", **{name: HUB[name] for name in ("principal_arn", "bus_arn")})
    (tmp_path / "filled.yaml").write_text(connecting.for_account(account, hub, write=True, external_id="A" * 43).text)
    (tmp_path / "hub.yaml").write_text(connecting.for_hub("aws", ["441722908813"], ["o-abcdefghij"]).text)
    world = [*connecting.FOLDER.glob("*.yaml"), *tmp_path.glob("*.yaml")]
    china = list((connecting.FOLDER / "cn").glob("*.yaml"))
    assert (len(world), len(china)) == (9, 6)
    assert faults(world, "us-east-1") == []
    assert faults(china, "cn-north-1") == []


def test_a_template_allows_what_is_needed_and_nothing_else() -> None:
    read, write = ((connecting.FOLDER / f"customer-{kind}.yaml").read_text() for kind in ("read", "write"))
    actions = [set(re.findall(r"(?:support|health|iam|sts|events|organizations):\w+", text)) for text in (read, write)]
    writes = {"CreateCase", "AddCommunicationToCase", "ResolveCase", "AddAttachmentsToSet"}
    assert {name.split(":")[1] for name in actions[1] - actions[0]} >= writes
    assert not any("*" in name for both in actions for name in both)
    assert {name for name in actions[0] if not name.startswith("support:Describe")} == {
        "support:GetAttachmentDownloadLink",
        "sts:AssumeRole",
        "sts:ExternalId",
        "sts:SetSourceIdentity",
        "events:PutEvents",
    }
    for path in Path(connecting.FOLDER).rglob("customer-*.yaml"):
        text = path.read_text()
        assert f"RoleName: {ROLE}" in text
        assert "sts:ExternalId: !Ref ExternalId" in text
        assert "Service: events.amazonaws.com" in text
        # AWS Health has no organization view in China: there the account tells it itself (decisions.md).
        assert ("health:DescribeEvents" in text) == ("/cn/" in str(path))


@pytest.mark.parametrize(
    ("partition", "host", "region"),
    [
        ("aws", "console.aws.amazon.com", "us-east-1"),
        ("aws-cn", "console.amazonaws.cn", "cn-north-1"),
        ("aws-us-gov", "console.amazonaws-us-gov.com", "us-gov-west-1"),
    ],
)
def test_each_partition_has_its_own_console(partition: str, host: str, region: str) -> None:
    hub = Hub(partition=partition, principal_arn="arn:x", bus_arn="", template_url="https://b.s3.amazonaws.com/d")
    assert connecting.console(partition) == f"https://{host}/cloudformation/home?region={region}#/stacks/create"
    link = connecting.quick_create("customer-read", partition, hub, "the-id")
    folder = "d%2Fcn%2F" if partition == Partition.CHINA else "d%2F"
    assert f"templateURL=https%3A%2F%2Fb.s3.amazonaws.com%2F{folder}customer-read.yaml" in link
    assert link.endswith("param_ExternalId=the-id&param_HubRoleArn=arn%3Ax")
    assert connecting.quick_create("customer-read", partition, None) == ""


@pytest.mark.django_db
def test_the_template_is_filled_in_and_holds_the_external_id_only_while_it_is_shown(cast: Any) -> None:
    lee = enter(cast.lee)
    assert lee.post("/aws/hubs/aws/", HUB).status_code == 303
    made = shown(connect(cast.lee, cast.acme))
    here = f"/aws/accounts/{Account.objects.get().pk}/template"
    plain = lee.get(here + "?kind=write").content.decode()
    assert f'Default: "{HUB["principal_arn"]}"' in plain
    assert f'Default: "{HUB["bus_arn"]}"' in plain
    assert "support:CreateCase" in plain
    assert made not in plain
    whole = lee.post(here, {"external_id": made})
    assert f'Default: "{made}"' in whole.content.decode()
    assert whole["Content-Disposition"] == 'attachment; filename="customer-read-441722908813.yaml"'
    assert lee.post(here, {"external_id": "guessed"}).status_code == 404
    page = said(lee.get(f"/aws/accounts/{Account.objects.get().pk}/"))
    assert "https://console.aws.amazon.com/cloudformation" in page
    assert "create-stack-instances" in page


# --- Hubs ------------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("region", "cn-north-1"),
        ("principal_arn", "arn:aws:iam::111122223333:role/Another"),
        ("queue_url", "https://evil.example/999988887777/partner-support"),
        ("queue_url", "http://169.254.169.254/999988887777/x"),
        ("bus_arn", "arn:aws:events:eu-west-1:999988887777:event-bus/partner-support"),
        ("template_url", "https://evil.example/templates"),
    ],
)
def test_a_hub_is_one_place_and_no_other_machine(cast: Any, field: str, value: str) -> None:
    answer = enter(cast.lee).post("/aws/hubs/aws/", HUB | {field: value})
    assert answer.status_code == 422
    assert f'id="{field}_error"' in answer.content.decode()
    assert not Hub.objects.exists()


@pytest.mark.django_db
def test_a_hub_is_written_down_and_changed_with_its_history(cast: Any) -> None:
    lee = enter(cast.lee)
    lee.post("/aws/hubs/aws/", HUB)
    lee.post("/aws/hubs/aws/", HUB | {"profile": "partner"})
    assert Hub.objects.get().profile == "partner"
    assert said(lee.get("/aws/hubs/aws/")).count("Lee changed the hub") == 2
    assert "by push and poll" in said(lee.get("/aws/hubs/"))
    known(cast.acme)
    assert 'Default: "000000000001"' in lee.get("/aws/hubs/aws/template").content.decode()


# --- Lists -----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_list_is_looked_at_first_and_then_connected_with_its_ids_shown_once(cast: Any) -> None:
    lee = enter(cast.lee)
    looked = lee.post("/aws/accounts/import", {"text": LIST})
    assert "1 account would be connected" in said(looked)
    assert not Account.objects.exists()
    done = lee.post("/aws/accounts/import", {"text": LIST, "sure": "1", "once": "k"})
    made = Account.objects.get()
    assert (made.customer, made.name, made.may_write, made.workload) == (
        cast.acme,
        "orders",
        True,
        ["production", "eu"],
    )
    assert f"111122223333,{made.external_id}" in done.content.decode()
    assert lee.post("/aws/accounts/import", {"text": LIST, "sure": "1", "once": "k"}).status_code == 303


@pytest.mark.django_db
def test_a_list_with_faults_names_line_and_field_and_writes_nothing(cast: Any) -> None:
    known(cast.globex, 441722908813)
    bad = LIST + "12,x,acme,aws,,\n111122223333,again,acme,aws,,\n441722908813,taken,acme,aws,,\n1,,nobody,mars,,\n"
    answer = enter(cast.lee).post("/aws/accounts/import", {"text": bad, "sure": "1"})
    words = said(answer)
    assert answer.status_code == 422
    for fault in (
        "Line 3, number : An AWS account number has 12 digits.",
        "Line 4, number : This number stands here twice.",
        "Line 5, number : This account is connected already.",
        "Line 6, customer : There is no active customer of this code or name.",
        "Line 6, partition",
        "Line 6, name",
    ):
        assert fault in words
    assert "Globex" not in words
    assert Account.objects.count() == 1


@pytest.mark.django_db
def test_a_list_saved_by_excel_in_china_is_read(cast: Any) -> None:
    content = "账户号,名称,客户\n111122223333,订单系统,Acme\n".encode("gb18030")
    file = SimpleUploadedFile("accounts.csv", content, "text/csv")
    assert "订单系统" in said(enter(cast.lee).post("/aws/accounts/import", {"file": file}))
    assert "missing: number, name, customer" in said(enter(cast.lee).post("/aws/accounts/import", {"text": "a,b\n1,2"}))


# --- Organizations ---------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_an_organizations_members_are_ticked_mapped_and_the_others_stay_listed(cast: Any) -> None:
    lee = enter(cast.lee)
    form = {"name": "Ours", "partition": "aws", "account_number": "222233334444"}
    assert shown(lee.post("/aws/organizations/new", form)) == Organization.objects.get().external_id
    one = Organization.objects.get()
    rows = [
        {"number": f"{n:012}", "name": f"member {n}", "email": f"m{n}@x.example", "status": "ACTIVE"} for n in (1, 2, 3)
    ]
    one.listing = Job.objects.create(
        kind="aws.members", state="done", asked_by="user:1", asked_at=AT, touched_at=AT, finished_at=AT,
        result={"members": rows},
    )  # fmt: skip
    one.save()
    known(cast.globex, 1)
    here = f"/aws/organizations/{one.pk}/"
    page = said(lee.get(here))
    assert "3 accounts, 2 of them not connected" in page.replace(" ,", ",")
    assert "Globex connected" in page
    ticked = {"account": "000000000002", "customer_000000000002": str(cast.acme.pk)}
    assert lee.post(f"{here}import", {"account": "000000000002"}).status_code == 422
    assert lee.post(f"{here}import", ticked | {"account": "999999999999"}).status_code == 422
    done = lee.post(f"{here}import", ticked)
    made = Account.objects.get(number="000000000002")
    assert (done.status_code, made.customer, made.organization) == (201, cast.acme, one)
    assert made.external_id in done.content.decode()
    assert "member 3" in said(lee.get(here + "?unknown=1"))
    assert "member 2" not in said(lee.get(here + "?unknown=1"))


@pytest.mark.django_db
def test_an_organization_of_one_customer_cannot_name_anothers_account(cast: Any) -> None:
    known(cast.acme, 222233334444)
    form = {"name": "Theirs", "partition": "aws", "account_number": "222233334444", "customer": str(cast.globex.pk)}
    answer = enter(cast.lee).post("/aws/organizations/new", form)
    assert answer.status_code == 422
    assert "Acme" not in said(answer).replace(
        "Acme", "", said(answer).count("Acme") - answer.content.decode().count("for Acme")
    )
    assert not Organization.objects.exists()
