"""The queues of a hub: what EventBridge put there, in batches, each deleted only once it is stored with us."""

from collections.abc import Sequence
from datetime import UTC, datetime

from awsint.client.calling import Caller
from awsint.client.sessions import WAITS
from awsint.shapes import QueueMessage

MOST = 10


class QueueApi:
    """One queue of SQS."""

    def __init__(self, caller: Caller, url: str) -> None:
        self.aws, self.url = caller, url

    def receive(self, most: int = MOST, wait_s: int = 20, hidden_s: int = 120) -> list[QueueMessage]:
        """Up to ten messages, after at most `wait_s`; nobody else gets them for `hidden_s`."""
        told = self.aws.call(
            "receive_message",
            WAITS,
            QueueUrl=self.url,
            MaxNumberOfMessages=min(most, MOST),
            WaitTimeSeconds=wait_s,
            VisibilityTimeout=hidden_s,
            MessageSystemAttributeNames=["ApproximateReceiveCount", "SentTimestamp"],
        )
        return [_message(one) for one in told.get("Messages", [])]

    def delete(self, handles: Sequence[str]) -> list[str]:
        """Deletes messages, ten at a time; returns the handles of those that were not."""
        left: list[str] = []
        for begin in range(0, len(handles), MOST):
            some = handles[begin : begin + MOST]
            entries = [{"Id": str(n), "ReceiptHandle": handle} for n, handle in enumerate(some)]
            told = self.aws.call("delete_message_batch", QueueUrl=self.url, Entries=entries)
            left += [some[int(one["Id"])] for one in told.get("Failed", [])]
        return left

    def keep(self, handle: str, seconds: int) -> None:
        """Nobody else gets it for so long, from now."""
        self.aws.call("change_message_visibility", QueueUrl=self.url, ReceiptHandle=handle, VisibilityTimeout=seconds)

    def send(self, body: str) -> str:
        """Puts a message there; returns its number."""
        number: str = self.aws.call("send_message", QueueUrl=self.url, MessageBody=body)["MessageId"]
        return number

    def depth(self) -> int:
        """About how many lie there."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        told = self.aws.call("get_queue_attributes", QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return sum(int(told[name]) for name in names)


def _message(told: dict[str, object]) -> QueueMessage:
    about = told.get("Attributes") or {}
    sent = about.get("SentTimestamp") if isinstance(about, dict) else None
    return QueueMessage(
        message_id=str(told["MessageId"]),
        handle=str(told["ReceiptHandle"]),
        body=str(told["Body"]),
        receives=int(about.get("ApproximateReceiveCount", 1)) if isinstance(about, dict) else 1,
        sent_at=datetime.fromtimestamp(int(sent) / 1000, UTC) if sent else None,
    )
