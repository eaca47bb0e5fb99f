"""What AWS tells us and what can go wrong with it, in our words. Nothing here knows boto3.

`client/` turns answers of the SDK into these and its errors into those; everybody else works with them alone. Instants
of AWS are kept twice: verbatim, because they identify a communication, and as a datetime to compare with other instants
of AWS. They are never compared with our own clock to decide anything.
"""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Place:
    """How an account is reached: `number` has 12 digits, the role is assumed from the hub of its partition.

    Without a role it is the hub's own account.
    """

    number: str
    partition: str
    role_arn: str = ""
    external_id: str = ""


@dataclass(frozen=True)
class FileRef:
    """An attachment that a communication names; `size` is None where AWS does not say."""

    attachment_id: str
    name: str
    size: int | None = None


@dataclass(frozen=True)
class Said:
    """One communication of a case. AWS gives it no id: (case, created_text, submitted_by, ordinal) is one (aws.md).

    `created_text` is timeCreated verbatim. `files` are of any size.
    """

    case_id: str
    body: str
    submitted_by: str
    created_text: str
    created_at: datetime
    files: tuple[FileRef, ...] = ()

    @property
    def by_aws(self) -> bool:
        return self.submitted_by.strip() == "Amazon Web Services"


@dataclass(frozen=True)
class CaseRead:
    """A case as DescribeCases tells it, with its newest communications (at most five), newest first.

    `more` is the token that reads on from them; empty where these are all.
    """

    case_id: str
    display_id: str
    subject: str
    status: str
    service: str
    category: str
    severity: str
    submitted_by: str
    created_text: str
    created_at: datetime
    language: str
    cc: tuple[str, ...] = ()
    said: tuple[Said, ...] = ()
    more: str = ""


@dataclass(frozen=True)
class Severity:
    """A level an account may choose, as DescribeSeverityLevels lists them."""

    code: str
    name: str


@dataclass(frozen=True)
class OrgAccount:
    """A member of an organization: what Organizations says of it."""

    number: str
    name: str
    email: str
    status: str


@dataclass(frozen=True)
class NotDescribed:
    """An event of AWS Health that the API did not describe, for this account; its own word why."""

    arn: str
    account: str
    code: str


@dataclass(frozen=True)
class QueueMessage:
    """A message of an SQS queue with the handle that deletes it."""

    message_id: str
    handle: str
    body: str
    receives: int
    sent_at: datetime | None = None


@dataclass(frozen=True)
class Call:
    """One call that was made, for the call log: no bodies, no credentials."""

    at: datetime
    account: str
    partition: str
    service: str
    operation: str
    result: str
    ms: int
    attempts: int = 1
    request_id: str = ""


@dataclass
class Calls:
    """Collects the calls of one reading, so that they are stored in one statement."""

    made: list[Call] = field(default_factory=list)


class AwsError(Exception):
    """A call that did not succeed. `code` is AWS's own word for it, `kind` ours; the text may name accounts and roles
    and is for the staff alone (A-04)."""

    kind = "ERROR"

    def __init__(self, code: str, text: str = "", *, operation: str = "") -> None:
        super().__init__(text or code)
        self.code, self.text, self.operation = code, text, operation


class Denied(AwsError):
    """The role refuses us: no such role, another ExternalId, an action it does not allow."""

    kind = "ACCESS_DENIED"


class NoPlan(AwsError):
    """The account has no support plan with an API (SubscriptionRequiredException)."""

    kind = "NO_PLAN"


class Throttled(AwsError):
    """Too many calls; tried again as often as allowed and still too many."""

    kind = "THROTTLED"


class Away(AwsError):
    """No answer, or a 5xx, after all attempts. Whether a mutation happened is unknown."""


class ClockSkew(AwsError):
    """Our server's clock is wrong: RequestExpired, SignatureDoesNotMatch. Nothing happened; it passes once the clock is
    mended, so what was to be sent waits."""


class HubBroken(AwsError):
    """Our own identity does not work, or STS does not answer: no account of the partition can be read. Nothing
    happened; it passes once that is mended, so what was to be sent waits."""


class CaseUnknown(AwsError):
    """CaseIdNotFound. One unknown id fails a whole list of them."""


class LimitReached(AwsError):
    """A quota that backoff within a call does not help: CaseCreationLimitExceeded, AttachmentLimitExceeded .."""


class Invalid(AwsError):
    """AWS refuses what we asked for: a severity no longer offered, a body too long, a case already resolved."""
