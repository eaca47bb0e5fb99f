"""Whether the policies of our hub let through what they have to, and what they lack: bus and queue of
deploy/aws/hub.yaml. Pure.

Only what is allowed is looked at, and by the conditions that our template sets; whoever denies something in a policy of
their own finds it out by an event that does not come.
"""

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from awsint import client

Policy = Mapping[str, Any]
SERVICE = "events.amazonaws.com"
# The name of the statement that deploy/aws/hub.yaml gives a queue.
SID = "TheRuleAlone"


def lets_in(policy: Policy, number: str, organization: str) -> bool:
    """Whether an account, or every account of its organization, may put events on a bus."""
    return any(_is_for(one, number, organization) for one in _allowed(policy, "events:PutEvents"))


def takes_events(policy: Policy, rule: str) -> bool:
    """Whether EventBridge may send to a queue for this rule, and not for everybody's."""
    return any(
        SERVICE in _list(_principal(one).get("Service"))
        and any(fnmatchcase(rule, str(arn)) for arn in _conditions(one).get("aws:sourcearn", ()))
        for one in _allowed(policy, "sqs:SendMessage")
    )


def taking_events(policy: Policy, queue: str, rule: str) -> dict[str, Any]:
    """The policy of a queue with what lets EventBridge send to it for this rule; what stands there stays."""
    statements = _list(policy.get("Statement"))
    ours = {
        "Sid": client.free(SID, [str(one.get("Sid", "")) for one in statements]),
        "Effect": "Allow",
        "Principal": {"Service": SERVICE},
        "Action": "sqs:SendMessage",
        "Resource": queue,
        "Condition": {"ArnEquals": {"aws:SourceArn": rule}},
    }
    return {"Version": "2012-10-17"} | dict(policy) | {"Statement": [*statements, ours]}


def named(policy: Policy) -> list[str]:
    """The names of its statements."""
    return [str(one.get("Sid", "")) for one in _list(policy.get("Statement"))]


def _allowed(policy: Policy, action: str) -> Iterator[Policy]:
    service = action.partition(":")[0]
    for one in _list(policy.get("Statement")):
        named = {str(name).lower() for name in _list(one.get("Action"))}
        if one.get("Effect") == "Allow" and named & {action.lower(), f"{service}:*", "*"}:
            yield one


def _is_for(statement: Policy, number: str, organization: str) -> bool:
    principals = [str(one) for one in _list(_principal(statement).get("AWS"))]
    if any(one == number or f"::{number}:" in one for one in principals):
        return True
    if "*" not in principals:
        return False
    conditions = _conditions(statement)
    return not conditions or organization in conditions.get("aws:principalorgid", ())


def _principal(statement: Policy) -> Policy:
    told = statement.get("Principal")
    return {"AWS": told} if isinstance(told, str) else told or {}


def _conditions(statement: Policy) -> dict[str, list[Any]]:
    """Every key that is asked for, whatever the comparison, with its values."""
    told: Mapping[str, Mapping[str, Any]] = statement.get("Condition") or {}
    return {key.lower(): _list(value) for keys in told.values() for key, value in keys.items()}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
