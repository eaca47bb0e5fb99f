"""One call: its turn, its time, its result, and a second try where lent credentials ran out before their time."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from botocore.config import Config
from botocore.exceptions import ClientError

from awsint.client import buckets, sent, sessions
from awsint.client.errors import STALE, ours
from awsint.shapes import Away, AwsError, Call, Calls, HubBroken, Place


class Caller:
    """Calls of one service in one account, for one piece of work that began at `at`.

    `name` is the session's and `person` who acts, where somebody does: both stand in the customer's own CloudTrail.
    """

    def __init__(
        self,
        service: str,
        place: Place,
        made: Calls,
        *,
        at: datetime,
        turn: buckets.Turn,
        name: str = "hd-poll",
        person: str = "",
    ) -> None:
        self.service, self.place, self.made, self.turn = service, place, made, turn
        self.who = sessions.Who(place, name, person)
        self.at, self.begun = at, time.monotonic()
        self.region, self.url = "", ""
        self._clients: dict[int, tuple[sessions.Lent | None, Any]] = {}

    def share(self, clients: dict[int, tuple[sessions.Lent | None, Any]]) -> None:
        """Takes clients that outlive this piece of work: what they learnt of how fast they may call is kept."""
        self._clients = clients

    def call(self, operation: str, config: Config = sessions.READS, /, **given: Any) -> dict[str, Any]:
        """The answer of AWS. Raises AwsError."""
        try:
            return self._once(operation, config, given)
        except AwsError as error:
            if error.code not in STALE:
                raise
            # Refused at the door: nothing has happened, so even what changes something may be asked once more.
            self._renew(error)
        return self._once(operation, config, given)

    def _renew(self, error: AwsError) -> None:
        sessions.drop(self.place)
        if isinstance(error, HubBroken):
            sessions.drop_hub(self.place.partition)
            self._clients.clear()

    def _once(self, operation: str, config: Config, given: dict[str, Any]) -> dict[str, Any]:
        method = getattr(self._client(config), operation)
        if self.service in buckets.LIMITED:
            buckets.take(self.place.partition, self.place.number, self.turn)
        with self._noted(self.service, _word(operation)) as answer:
            with ours(_word(operation), hub=not self.place.role_arn):
                answer |= method(**given)
            return answer

    def _client(self, config: Config) -> Any:
        """Made once for each kind of call, and again when its credentials were renewed."""
        lent = sessions.credentials(self.who, lambda: self._noted("sts", "AssumeRole"))
        kept = self._clients.get(id(config))
        if kept is None or kept[0] is not lent:
            client = sessions.client(self.service, self.place, config, lent=lent, region=self.region, url=self.url)
            self._clients[id(config)] = kept = (lent, client)
        return kept[1]

    @contextmanager
    def _noted(self, service: str, operation: str) -> Iterator[dict[str, Any]]:
        """Takes note of a call, whose answer goes into what is given."""
        begun, before, result = time.monotonic(), sent.times(), "broken off"
        answer: dict[str, Any] = {}
        told = answer
        try:
            yield answer
            result = "ok"
        except AwsError as error:
            result = error.code
            told = error.__cause__.response if isinstance(error.__cause__, ClientError) else {}
            raise
        finally:
            attempts = max(1, sent.times() - before)
            self._note(service, operation, result, begun, attempts, told.get("ResponseMetadata", {}))
            if service in buckets.LIMITED:
                buckets.spend(self.place.partition, self.place.number, attempts - 1)

    def _note(
        self, service: str, operation: str, result: str, begun: float, attempts: int, told: dict[str, Any]
    ) -> None:
        self.made.made.append(
            Call(
                at=self.at + timedelta(seconds=begun - self.begun),
                account=self.place.number,
                partition=self.place.partition,
                service=service,
                operation=operation,
                result=result[:80],
                ms=round((time.monotonic() - begun) * 1000),
                attempts=attempts,
                request_id=told.get("RequestId", "")[:64],
            )
        )


def needed(answer: dict[str, Any], name: str) -> Any:
    """A member that AWS's model leaves open, and without which the answer says nothing. Raises Away: it was answered,
    and nobody knows what."""
    if answer.get(name) in (None, ""):
        raise Away("OddAnswer", f"AWS answered without {name}")
    return answer[name]


def _word(operation: str) -> str:
    return "".join(word.capitalize() for word in operation.split("_"))
