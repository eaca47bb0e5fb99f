"""When the next regular update is owed to a customer (sla.md, rule 11 and reading R9). Pure.

The clock starts with the first response and begins anew with every public word of ours and every AWS reply that the
customer was shown. It stops while the ticket waits for the customer or is resolved, and begins at zero when
work resumes.
"""

from collections.abc import Iterable
from datetime import datetime
from operator import itemgetter

from sla.clock import HEARD, MODES, Reckoning
from sla.facts import Fact, undone_by, without
from sla.worktime import Calendar

WORDS = (["reply", "engineer"], ["reply", "aws"])


def due_at(
    facts: Iterable[Fact], reckoning: Reckoning, update_s: int, calendar: Calendar, now: datetime
) -> datetime | None:
    """When an update is due as things stand at `now`; None while none is owed. `reckoning` is of the same facts."""
    first = reckoning.first_response_at
    if first is None or MODES[reckoning.status] != "running" or not reckoning.spans:
        return None
    heard = sorted((f for f in facts if f[0] <= now and f[2][0] in HEARD), key=itemgetter(0, 1))
    words = [at for at, _id, fact in without(heard, undone_by(heard)) if list(fact) in WORDS and at >= first]
    resumed = [span.start for span in reckoning.spans[1:] if span.kind == "running"]
    return calendar.add(max([first, *words, *resumed]), update_s)
