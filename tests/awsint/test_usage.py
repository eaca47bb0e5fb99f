"""Who is registered for a service in a region hears of AWS's public events, and of those that go on already."""

import html
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from awsint import health, usage
from awsint.models import HealthEvent, Hub, Usage
from helpdesk.accounts.doors import Refused
from helpdesk.accounts.models import Customer, CustomerTeam
from helpdesk.audit.models import Entry
from tests.awsint.test_health import ACME, NOW, children, letters, said, take
from tests.cast import BORN, Cast
from tests.entering import enter, words

pytestmark = pytest.mark.django_db
PUBLIC: dict[str, Any] = {"scope": "PUBLIC", "code": "AWS_S3_OPERATIONAL_ISSUE"}


@pytest.fixture(autouse=True)
def now() -> Iterator[Any]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def desk(customer: Customer, verb: str = "") -> str:
    return f"/aws/customers/{customer.pk}/services{verb}"


def company(customer: Customer, verb: str = "") -> str:
    return f"/company/{customer.pk}/aws-services{verb}"


def rows(customer: Customer) -> set[tuple[str, str]]:
    return set(Usage.objects.filter(customer=customer).values_list("service", "region"))


def test_whoever_is_added_hears_of_what_goes_on(cast: Cast, hub: Hub) -> None:
    take(said(ACME, **PUBLIC))
    take(said(ACME, scope="PUBLIC", code="AWS_EC2_OPERATIONAL_ISSUE", region="eu-west-1", arn="arn:aws:health:x::y/z"))
    assert HealthEvent.objects.count() == 2
    client = enter(cast.lee)
    given = {"services": "s3, lambda", "regions": "us-east-1 global"}
    assert client.post(desk(cast.globex, "/add"), given).status_code == 303
    assert "4 rows are added. 1 public event that goes on matches" in words(client.get(desk(cast.globex)))
    assert rows(cast.globex) == {(s, r) for s in ("S3", "LAMBDA") for r in ("us-east-1", "global")}
    assert health.sweep(NOW + timedelta(minutes=1)) == 1
    assert set(children()) == {"GLOBEX"}
    assert letters("ticket.aws_event")[0].to_key == cast.gus.key
    (entry,) = Entry.objects.filter(action="aws.usage_added")
    assert (entry.subject, entry.data["count"]) == (f"aws:usage:{cast.globex.pk}", 4)
    assert "registered the company" in words(client.get(desk(cast.globex)))
    # Once more it is there already, and nobody is told twice.
    client.post(desk(cast.globex, "/add"), given)
    assert "They were all there already." in words(client.get(desk(cast.globex)))
    health.sweep(NOW + timedelta(minutes=2))
    assert len(letters("ticket.aws_event")) == 1


def test_a_companys_administrator_says_what_it_uses(cast: Cast, hub: Hub) -> None:
    client = enter(cast.carla)
    assert "Registered for nothing yet" in words(client.get(company(cast.acme)))
    assert company(cast.acme) in client.get(f"/company/{cast.acme.pk}/").content.decode()
    assert client.post(company(cast.acme, "/add"), {"services": "EC2", "regions": "cn-north-1"}).status_code == 303
    (row,) = Usage.objects.all()
    assert (row.customer, row.service, row.region) == (cast.acme, "EC2", "cn-north-1")
    asked = words(client.post(company(cast.acme, "/remove"), {"row": row.pk}))
    assert "Remove these services?" in asked
    assert "EC2 cn-north-1" in asked
    assert client.post(company(cast.acme, "/remove"), {"row": row.pk, "sure": "1"}).status_code == 303
    assert not Usage.objects.exists()
    assert Entry.objects.get(action="aws.usage_removed").actor == cast.carla.key
    assert client.post(company(cast.acme, "/remove"), {}).status_code == 422


def test_what_is_no_code_is_said_at_its_field(cast: Cast, hub: Hub) -> None:
    client = enter(cast.lee)
    for given, answer in [
        ({"services": "everything", "regions": "us-east-1"}, "No service of AWS Health has this code: EVERYTHING."),
        ({"services": "S3", "regions": "us-east-1 Frankfurt"}, "This is no region of AWS: frankfurt."),
        ({"services": "", "regions": "global"}, "Name at least one service by its code"),
        ({"services": "<b>", "regions": "global", "sure": "1"}, "No service of AWS Health has this code: <B>."),
        ({"services": "S3", "regions": " "}, "Name at least one region"),
    ]:
        page = client.post(desk(cast.acme, "/add"), given)
        assert page.status_code == 422
        assert answer in words(page)
        assert 'aria-invalid="true"' in page.content.decode()
    assert not Usage.objects.exists()
    # A code that AWS has told an event of is known, and who knows better says so.
    take(said(ACME, scope="PUBLIC", code="AWS_QUUX_STRANGE_THING"))
    assert client.post(desk(cast.acme, "/add"), {"services": "QUUX", "regions": "global"}).status_code == 303
    given = {"services": "EVERYTHING", "regions": "us-gov-west-1", "sure": "1"}
    assert client.post(desk(cast.acme, "/add"), given).status_code == 303
    assert rows(cast.acme) == {("QUUX", "global"), ("EVERYTHING", "us-gov-west-1")}
    many = {"services": " ".join(f"S{n}" for n in range(60)), "regions": " ".join(usage.regions()), "sure": "1"}
    assert "at most 2000 rows" in words(client.post(desk(cast.acme, "/add"), many))


def test_regions_are_told_by_their_form() -> None:
    good = [
        "us-east-1",
        "ap-southeast-7",
        "us-gov-west-1",
        "us-iso-east-1",
        "us-isob-east-1",
        "cn-northwest-1",
        "global",
    ]
    assert usage.read_regions(" ".join([*usage.regions(), *good])) == list(dict.fromkeys([*usage.regions(), *good]))
    for bad in ("us-east", "useast1", "us-east-1a", "us-middle-1", "all", "US_EAST_1", "us-east-12"):
        with pytest.raises(Refused):
            usage.read_regions(bad)


def test_nobody_else_comes_in(cast: Cast, hub: Hub) -> None:
    row = Usage.objects.create(customer=cast.acme, service="S3", region="us-east-1", created_at=BORN)
    other = Usage.objects.create(customer=cast.globex, service="S3", region="us-east-1", created_at=BORN)
    given = {"services": "EC2", "regions": "global"}
    gone = {"row": row.pk, "sure": "1"}
    for outsider in (cast.cora, cast.gus, cast.audrey, cast.ana):
        client = enter(outsider)
        for side in (desk, company):
            assert client.post(side(cast.acme, "/add"), given).status_code == 404, outsider
            assert client.post(side(cast.acme, "/remove"), gone).status_code == 404, outsider
            seen = outsider == cast.ana and side is desk
            assert client.get(side(cast.acme)).status_code == (200 if seen else 404), outsider
    assert "Add services" not in words(enter(cast.ana).get(desk(cast.acme)))
    assert enter(cast.carla).get(company(cast.globex)).status_code == 404
    assert enter(cast.carla).get("/aws/health/usage").status_code == 404
    # A row of another customer's is none of this one's.
    enter(cast.carla).post(company(cast.acme, "/remove"), {"row": other.pk, "sure": "1"})
    assert Usage.objects.count() == 2
    for url in (desk(cast.acme), company(cast.acme), "/aws/health/usage"):
        assert "/accounts/login" in Client().get(url).headers["Location"]
    auditor = words(enter(cast.audrey).get("/aws/health/usage?q=Acme"))
    assert "CUST-0001" in auditor
    assert "Acme" not in auditor
    assert enter(cast.audrey).get("/aws/health/usage.csv").status_code == 404
    cast.acme.restricted = True
    cast.acme.save()
    CustomerTeam.objects.filter(customer=cast.acme).delete()
    client = enter(cast.ana)
    assert client.get(desk(cast.acme)).status_code == 404
    assert "Acme" not in words(client.get("/aws/health/usage"))
    assert "ACME" not in text_of(client.get("/aws/health/usage.csv"))


def text_of(answer: Any) -> str:
    return b"".join(answer.streaming_content).decode()


def test_the_list_of_all_customers(cast: Cast, hub: Hub) -> None:
    for region in ("us-east-1", "eu-west-1"):
        Usage.objects.create(customer=cast.acme, service="S3", region=region, created_at=BORN)
    client = enter(cast.ana)
    for wish, acme, globex in [
        ("", True, True), ("state=with", True, False), ("state=without", False, True), ("q=glob", False, True),
        ("q=eu-west-1", True, False), ("q=s3", True, False), ("q=nobody", False, False),
    ]:  # fmt: skip
        seen = words(client.get(f"/aws/health/usage?{wish}"))
        assert ("Acme" in seen, "Globex" in seen) == (acme, globex), wish
    assert "hears of no public event" in words(client.get("/aws/health/usage?state=without"))
    assert text_of(client.get("/aws/health/usage.csv?state=with")).count("ACME,S3,") == 2


def test_a_list_is_looked_at_first_and_never_half_wrong(cast: Cast, hub: Hub) -> None:
    take(said(ACME, **PUBLIC))
    client, url = enter(cast.lee), "/aws/health/usage/import"
    wrong = "customer,service,region\nACME,S3,us-east-1\nInitech,S3,global\nGLOBEX,S3 WHAT,us-east-1\n"
    seen = words(client.post(url, {"text": wrong, "sure": "1"}))
    assert "Line 3, customer : There is no active customer" in seen
    assert "Line 4, service : No service of AWS Health has this code: WHAT." in seen
    assert not Usage.objects.exists()
    assert "missing: region" in words(client.post(url, {"text": "customer,service\n"}))
    # What is given out can be brought in.
    for customer in (cast.acme, cast.globex):
        for region in ("us-east-1", "eu-west-1"):
            Usage.objects.create(customer=customer, service="S3", region=region, created_at=BORN)
    given = text_of(client.get("/aws/health/usage.csv"))
    Usage.objects.all().delete()
    assert "4 rows would be added, customers: 2" in words(client.post(url, {"text": given}))
    assert not Usage.objects.exists()
    assert client.post(url, {"text": given, "sure": "1"}).status_code == 303
    assert Usage.objects.count() == 4
    health.sweep(NOW + timedelta(minutes=1))
    assert set(children()) == {"ACME", "GLOBEX"}
    assert enter(cast.ana).get(url).status_code == 404
    assert enter(cast.carla).post(url, {"text": given, "sure": "1"}).status_code == 404


def test_as_many_statements_for_many_as_for_few(cast: Cast, hub: Hub) -> None:
    client = enter(cast.lee)

    def asked(number: int) -> list[int]:
        Usage.objects.bulk_create(
            Usage(customer=cast.acme, service=f"S{n}", region="global", created_at=BORN) for n in range(number)
        )
        Customer.objects.bulk_create(
            Customer(name=f"C {n:03}", code=f"C{number}-{n}", created_at=BORN) for n in range(number)
        )
        urls = ("/aws/health/usage", "/aws/health/usage?state=without", desk(cast.acme), desk(cast.acme) + "?q=s")
        return [_statements(client, url) for url in urls]

    few = asked(3)
    Usage.objects.all().delete()
    assert asked(60) == few
    page = client.get("/aws/health/usage").content.decode()
    further = html.unescape(re.findall(r'rel="next" href="([^"]+)"', page)[0])
    assert "C 059" in words(client.get("/aws/health/usage" + further))
    page = client.get(desk(cast.acme)).content.decode()
    further = html.unescape(re.findall(r'rel="next" href="([^"]+)"', page)[0])
    assert len(re.findall(r'name="row"', client.get(further).content.decode())) == 10


def _statements(client: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as seen:
        assert client.get(url).status_code == 200
    return len(seen)
