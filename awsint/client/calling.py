"""One call: its turn, its time, its result, and a second try where lent credentials ran out before their time."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from botocore.config import Config
from botocore.exceptions import ClientError

from awsint.client import buckets, sessions
from awsint.client.errors import EXPIRED, ours
from awsint.shapes import AwsError, Call, Calls, Place


class Caller:
    """Calls of one service in one account, for one piece of work that began at `at`.

    `person` is who acts, where somebody does: it stands in the customer's own CloudTrail.
    """

    def __init__(
        self, service: str, place: Place, made: Calls, *, at: datetime, turn: buckets.Turn, name: str = "hd-poll"
    ) -> None:
        self.service, self.place, self.made, self.turn, self.name = service, place, made, turn, name
        self.at, self.begun = at, time.monotonic()
        self.region, self.url = "", ""
        self._clients: dict[int, Any] = {}

    def call(self, operation: str, config: Config = sessions.READS, /, **given: Any) -> dict[str, Any]:
        """The answer of AWS. Raises AwsError."""
        try:
            return self._once(operation, config, given)
        except AwsError as error:
            if error.code not in EXPIRED or not self.place.role_arn:
                raise
        sessions.drop(self.place)
        self._clients.clear()
        return self._once(operation, config, given)

    def _once(self, operation: str, config: Config, given: dict[str, Any]) -> dict[str, Any]:
        buckets.take(self.place.partition, self.place.number, self.turn)
        begun, answer, result = time.monotonic(), {}, "ok"
        try:
            with ours(operation):
                answer = self._method(operation, config)(**given)
                return answer
        except AwsError as error:
            result = error.code
            cause = error.__cause__
            answer = cause.response if isinstance(cause, ClientError) else {}
            raise
        finally:
            self._note(operation, result, begun, answer.get("ResponseMetadata", {}))

    def _method(self, operation: str, config: Config) -> Callable[..., dict[str, Any]]:
        client = self._clients.get(id(config))
        if client is None:
            client = sessions.client(self.service, self.place, config, name=self.name, region=self.region, url=self.url)
            self._clients[id(config)] = client
        method: Callable[..., dict[str, Any]] = getattr(client, operation)
        return method

    def _note(self, operation: str, result: str, begun: float, told: dict[str, Any]) -> None:
        now = time.monotonic()
        self.made.made.append(
            Call(
                at=self.at + timedelta(seconds=begun - self.begun),
                account=self.place.number,
                partition=self.place.partition,
                service=self.service,
                operation="".join(word.capitalize() for word in operation.split("_")),
                result=result[:80],
                ms=round((now - begun) * 1000),
                attempts=told.get("RetryAttempts", 0) + 1,
                request_id=told.get("RequestId", "")[:64],
            )
        )
