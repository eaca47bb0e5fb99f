"""The door of django-q2: what recurs, or takes long, with AWS. Each may run twice or late.

The SDK is met only where there is something to read: a desk without accounts does not pay for it in memory.
"""

from django.utils import timezone
from django_q.tasks import async_task

from awsint import calls, leases, notices
from awsint.models import CaseFile
from helpdesk import tasks

READ = "awsint.tasks.read_accounts"


def poll_cases() -> int:
    """Each minute: accounts that are new are enrolled, and workers asked for those that are due; returns how many."""
    at = timezone.now()
    leases.enrol(at)
    return _ask(leases.bites_wanted(at))


def read_accounts() -> int:
    """Reads accounts for a minute and leaves the rest to a successor; returns how many were read."""
    from awsint import polling

    heart = polling.bite(timezone.now, tasks.beat)
    if heart:
        # Where our hub is refused one look a minute is enough.
        _ask(leases.bites_wanted(timezone.now(), notices.hubs_down()))
    return heart.read if heart else 0


def _ask(wanted: int) -> int:
    for _bite in range(wanted):
        async_task(READ)
    return wanted


def fetch_files() -> int:
    """Each minute: files of cases that are due; returns how many were tried."""
    at = timezone.now()
    if not CaseFile.objects.filter(state=CaseFile.State.WANTED, next_try_at__lte=at).exists():
        return 0
    from awsint import case_files

    return case_files.fetch_due(timezone.now, tasks.beat)


def keep_calls() -> None:
    """Each night: the call log's days."""
    calls.keep(timezone.now())


def count_calls() -> None:
    """Every few minutes: this hour's calls, for the picture of the day."""
    calls.count_lately(timezone.now())
