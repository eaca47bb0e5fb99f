"""AWS Organizations: which accounts an organization has."""

from collections.abc import Iterator
from typing import Any

from awsint.client.calling import Caller
from awsint.shapes import OrgAccount


class OrganizationApi:
    """One organization, through its management account or a delegated administrator."""

    def __init__(self, caller: Caller) -> None:
        self.aws = caller

    def describe(self) -> dict[str, Any]:
        """Its id, management account and feature set, in AWS's words."""
        told: dict[str, Any] = self.aws.call("describe_organization")["Organization"]
        return told

    def accounts(self) -> Iterator[OrgAccount]:
        """Its members, whatever their status."""
        given: dict[str, Any] = {}
        while True:
            answer = self.aws.call("list_accounts", **given)
            for one in answer["Accounts"]:
                yield OrgAccount(one["Id"], one.get("Name", ""), one.get("Email", ""), one.get("Status", ""))
            if not answer.get("NextToken"):
                return
            given = {"NextToken": answer["NextToken"]}
