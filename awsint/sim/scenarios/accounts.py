"""The accounts of the demo: what AWS knows of them, and beside it whose they are on the desk.

One has no plan and one does not let us in, so that both can be seen. Their ExternalIds are made of their
numbers: they open nothing but the simulator.
"""

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class DemoAccount:
    """`company` is the code of the demo's company; `workload` and `model` are the desk's own words."""

    number: str
    company: str
    name: str
    partition: str = "aws"
    plan: str = "business"
    denied: bool = False
    workload: tuple[str, ...] = ()
    model: str = "resold"
    may_write: bool = True
    role: str = "PartnerSupportSync"

    @property
    def external_id(self) -> str:
        return hashlib.sha256(f"helpdesk demo {self.partition} {self.number}".encode()).hexdigest()[:40]

    @property
    def role_arn(self) -> str:
        return f"arn:{self.partition}:iam::{self.number}:role/{self.role}"

    @property
    def in_organization(self) -> bool:
        """Whether it is of the partner's own organization: whose support we resell, outside China."""
        return self.partition == "aws" and self.model == "resold"


ACCOUNTS = [
    DemoAccount(
        "210000000011", "ACME", "acme-production", plan="enterprise", workload=("production", "business-critical")
    ),
    DemoAccount("210000000012", "ACME", "acme-staging", plan="business", workload=("staging",)),
    DemoAccount("210000000021", "GLOBEX", "globex-main", plan="business", workload=("production",)),
    DemoAccount(
        "210000000031", "NORDLICHT", "nordlicht-iot", plan="none", model="partner_led", workload=("production",)
    ),
    DemoAccount("210000000041", "MERIDIAN", "meridian-shop", plan="enterprise", workload=("production",)),
    DemoAccount("210000000051", "TIDEWATER", "tidewater-grid", denied=True, model="kept"),
    DemoAccount("210000000061", "YUANFAN", "远帆-海外", plan="business", workload=("production",)),
    DemoAccount("310000000011", "YUANFAN", "远帆-北京", "aws-cn", "enterprise", workload=("production",)),
    DemoAccount("310000000021", "HAITUO", "海拓-充电平台", "aws-cn", "business", workload=("production",)),
    DemoAccount(
        "310000000031", "QINGHE", "青禾-影像", "aws-cn", "business", workload=("production", "business-critical")
    ),
    DemoAccount("310000000041", "XINGHE", "星河-直播", "aws-cn", "business"),
]
ORGANIZATION = DemoAccount("210000000001", "", "partner-management", plan="none", role="PartnerOrganizationSync")
# Members that nobody has connected yet, to be found there: name and status.
STRANGERS = {
    "210000000071": ("alpenblick-booking", "ACTIVE"),
    "210000000081": ("澄江-跨境电商", "ACTIVE"),
    "210000000091": ("acme-sandbox", "SUSPENDED"),
}
