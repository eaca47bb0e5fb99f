"""Health's model names CBOR first; what botocore speaks with it shall not change by itself (aws.md, 2.1)."""

import boto3
import pytest


@pytest.mark.parametrize("service", ["support", "health"])
def test_both_services_are_spoken_to_in_json(service: str) -> None:
    client = boto3.client(service, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
    assert client.meta.service_model.resolved_protocol == "json"
