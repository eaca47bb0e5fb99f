"""What there is in the simulated AWS: accounts with their roles and plans, cases, files, faults, a clock of its own.

Everything is in memory and under one lock. Who calls follows from the access key: each that STS lent belongs to one
account, so no account can see another's.
"""

import contextlib
import itertools
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from awsint.sim.wire import ApiError

HUB = "123456789012"
AWS = "Amazon Web Services"
LEVELS = ("low", "normal", "high", "urgent", "critical")
# What each plan may choose (oncall.md, 5.2): nobody but the simulator knows plans by name.
PLANS: dict[str, tuple[str, ...]] = {
    "none": (),
    "developer": LEVELS[:2],
    "business": LEVELS[:4],
    "enterprise": LEVELS,
}


@dataclass
class Fault:
    """What goes wrong, with which operation ("" for all), in which account ("" for all), and how often yet.

    Kinds: throttle, error (500), commit-then-500, commit-then-hang, hang, expired, denied, dropped-page.
    """

    kind: str
    account: str = ""
    operation: str = ""
    times: int = 1
    seconds: float = 0


@dataclass
class File:
    """An attachment as AWS keeps it."""

    number: str
    name: str
    data: bytes
    account: str


@dataclass
class Upload:
    """A file that is being handed over in parts."""

    number: str
    account: str
    name: str
    size: int
    parts: dict[int, bytes] = field(default_factory=dict)
    done: bool = False
    used: bool = False


@dataclass
class Word:
    """A communication."""

    body: str
    by: str
    at: datetime
    files: list[str] = field(default_factory=list)


@dataclass
class Case:
    """A case with its words, in the order in which they came in."""

    number: str
    display: str
    account: str
    subject: str
    service: str
    category: str
    severity: str
    language: str
    by: str
    at: datetime
    cc: list[str] = field(default_factory=list)
    status: str = "unassigned"
    words: list[Word] = field(default_factory=list)

    @property
    def newest_first(self) -> list[Word]:
        """By AWS's time; what came later goes before what has the same time."""
        return [word for _n, word in sorted(enumerate(self.words), key=lambda one: (one[1].at, one[0]), reverse=True)]


@dataclass
class Account:
    """An account: who may assume its role, what its plan allows."""

    number: str
    partition: str = "aws"
    role: str = "PartnerSupportSync"
    external_id: str = ""
    plan: str = "business"
    denied: bool = False
    # Whether the role's trust allows sts:SetSourceIdentity.
    takes_person: bool = True
    name: str = ""

    @property
    def role_arn(self) -> str:
        return f"arn:{self.partition}:iam::{self.number}:role/{self.role}"


@dataclass
class Member:
    """An account as its organization knows it."""

    number: str
    name: str
    email: str
    status: str = "ACTIVE"


@dataclass
class Organization:
    """An organization, by its management account: who belongs to it, which services it lets in, whom it lets speak."""

    number: str
    management: str
    partition: str
    at: datetime
    members: dict[str, Member] = field(default_factory=dict)
    services: dict[str, datetime] = field(default_factory=dict)
    delegates: dict[tuple[str, str], datetime] = field(default_factory=dict)


@dataclass(frozen=True)
class Key:
    """An access key that STS lent: whose it is and until when."""

    account: str
    until: datetime


class World:
    """Everything there is. `told` is called with each change of a case that EventBridge would tell of."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.told: Callable[[dict[str, Any]], None]
        self.reset()

    def reset(self) -> None:
        """As if nothing had ever been."""
        with self.lock:
            self.accounts: dict[str, Account] = {}
            self.cases: dict[str, dict[str, Case]] = defaultdict(dict)
            self.organizations: dict[str, Organization] = {}
            self.files: dict[str, File] = {}
            self.uploads: dict[str, Upload] = {}
            self.sets: dict[str, tuple[str, datetime, list[str]]] = {}
            self.keys: dict[str, Key] = {}
            self.faults: list[Fault] = []
            self.bodies: list[tuple[str, str, str]] = []
            self.calls: list[tuple[str, str]] = []
            self.numbers = itertools.count(1)
            self.latency_s = 0.0
            self.skew = timedelta(0)
            self.fixed: datetime | None = None
            # Believed and not confirmed (aws.md, 1.2): settings of the simulator too.
            self.answer_reopens, self.new_status, self.redacts = True, "unassigned", False
            self.page_of_cases = 0
            self.told = lambda _event: None
            self.health: Any = None

    # The clock

    def now(self) -> datetime:
        """AWS's time."""
        return (self.fixed or datetime.now(UTC)) + self.skew

    def set_clock(self, at: datetime | None) -> None:
        """Stops the clock at an instant, or lets it run again."""
        self.fixed = at

    def advance(self, **by: float) -> datetime:
        """Moves a stopped clock on."""
        self.fixed = (self.fixed or datetime.now(UTC)) + timedelta(**by)
        return self.now()

    # Accounts

    def account(self, number: str, **given: Any) -> Account:
        """The account of this number, made where it is new, with what is given changed."""
        with self.lock:
            account = self.accounts.setdefault(number, Account(number))
            for name, value in given.items():
                setattr(account, name, value)
            return account

    def organization(self, management: str, *numbers: str) -> Organization:
        """The organization that this account manages, made where it is new, with these accounts as members too."""
        with self.lock:
            if management not in self.organizations:
                number, known = f"o-{int(management):x}".ljust(12, "0"), self.accounts.get(management)
                partition = known.partition if known else "aws"
                self.organizations[management] = Organization(number, management, partition, self.now())
            found = self.organizations[management]
            for one in (management, *numbers):
                # A member is not yet an account that lets us in.
                account = self.accounts.get(one)
                name = account.name if account and account.name else f"account {one}"
                found.members.setdefault(one, Member(one, name, f"aws+{one}@accounts.example"))
            return found

    def may_assume(self, role_arn: str, external_id: str | None) -> Account:
        """The account whose role this is, where it lets us in. Raises ApiError."""
        found = next((one for one in self.accounts.values() if one.role_arn == role_arn), None)
        if found is None or found.denied or (found.external_id and found.external_id != external_id):
            raise ApiError("AccessDenied", f"not authorized to perform: sts:AssumeRole on resource: {role_arn}", 403)
        return found

    def lend(self, key: str, account: str, seconds: int) -> None:
        """STS lent this access key."""
        with self.lock:
            self.keys[key] = Key(account, datetime.now(UTC) + timedelta(seconds=seconds))

    def expire(self, account: str) -> None:
        """Every key of an account ends now."""
        with self.lock:
            for name, key in self.keys.items():
                if key.account == account:
                    self.keys[name] = Key(account, datetime.now(UTC) - timedelta(seconds=1))

    def who(self, key: str) -> Account:
        """Who calls with this access key. Raises ApiError."""
        known = self.keys.get(key)
        if known is None and key.startswith("ASIA"):
            # Lent before this simulator was started: what was lent is not kept.
            raise ApiError("ExpiredTokenException", "The security token included in the request is expired")
        if known is None:
            return self.accounts.setdefault(HUB, Account(HUB, plan="none"))
        if known.until <= datetime.now(UTC):
            raise ApiError("ExpiredTokenException", "The security token included in the request is expired")
        return self.accounts[known.account]

    # Faults

    def vanish(self, case: str) -> None:
        """AWS knows this case no more."""
        with self.lock:
            for cases in self.cases.values():
                cases.pop(case, None)

    def fault(self, kind: str, *, account: str = "", operation: str = "", times: int = 1, seconds: float = 0) -> None:
        """From now on this goes wrong, so many times."""
        with self.lock:
            self.faults.append(Fault(kind, account, operation, times, seconds))

    def meets(self, account: str, operation: str, *kinds: str) -> Fault | None:
        """The first of these faults that meets a call; it has then met it once more."""
        with self.lock:
            for fault in self.faults:
                meant = fault.account in ("", account) and fault.operation in ("", operation)
                if meant and fault.kind in kinds and fault.times > 0:
                    fault.times -= 1
                    return fault
        return None

    def wait(self) -> None:
        """The way to AWS and back."""
        if self.latency_s:
            time.sleep(self.latency_s)

    # Events

    def tell(self, account: Account, case: Case, name: str, origin: str = "") -> None:
        """What EventBridge would put on the customer's bus (aws.md, 1.6): a hint, best effort."""
        number = next(self.numbers)
        event: dict[str, Any] = {
            "version": "0",
            "id": f"00000000-0000-4000-8000-{number:012d}",
            "detail-type": "Support Case Update",
            "source": "aws.support",
            "account": account.number,
            "time": self.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": "us-east-1" if account.partition == "aws" else "cn-north-1",
            "resources": [],
            "detail": {
                "case-id": case.number,
                "display-id": case.display,
                "communication-id": f"ekko:us-east-1:{number:08x}" if name == "AddCommunicationToCase" else "",
                "event-name": name,
                "origin": origin if name == "AddCommunicationToCase" else "",
            },
        }
        # Whether anybody hears it changes nothing at AWS.
        with contextlib.suppress(Exception):
            self.told(event)
