"""A reading of an account under way."""

from dataclasses import dataclass
from datetime import datetime

from awsint.leases import Lease
from awsint.models import Account, Via


@dataclass(frozen=True)
class Reading:
    """Whose cases are read, how we came to it, when, and under which lease where it is the poll's."""

    account: Account
    via: Via
    at: datetime
    lease: Lease | None = None
