"""One word of an engineer to every customer of an event: a public reply on each of their tickets, by a worker.

It counts on each ticket at the instant it was asked for. With `close` each ticket is resolved with it, which is asked
of a person once AWS has closed the event and never happens by itself. A ticket that takes no word stops no other.
"""

from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _

from awsint import health_page
from awsint.models import EventStatus, HealthEvent
from helpdesk.accounts.doors import Refused
from helpdesk.accounts.models import User
from helpdesk.audit.record import Happening, record
from helpdesk.jobs import work
from helpdesk.jobs.models import Job
from helpdesk.text import clean_block, showable
from tickets import actions
from tickets.models import Ticket
from tickets.workflow import Conflict

KIND = "aws.health_cast"
SLICE = 20
MOST_TEXT = 20_000


@transaction.atomic
def begin(*, event: HealthEvent, body: str, close: bool, by: User, at: datetime) -> Job:
    """Asks a worker to say it on each ticket that this person may see. Raises Refused, PermissionDenied."""
    if not by.is_desk:
        raise PermissionDenied
    text = clean_block(showable(body)).strip()
    if not text or len(text) > MOST_TEXT:
        raise Refused("body", _("Write what every customer of the event is to read."))
    if close and event.status != EventStatus.CLOSED:
        raise Refused("body", _("AWS has not closed the event."))
    record([Happening("aws.health_cast", {"close": close})], by=by, at=at, subject=f"aws:health:{event.pk}")
    args = {"event": event.pk, "body": text, "close": close, "by": by.pk}
    return work.begin(KIND, args, by=by, at=at, page=f"/aws/health/{event.pk}/")


def slice_of(job: Job, at: datetime) -> work.Step:
    """Some tickets; the last slice says the same on the ticket of ours."""
    event = HealthEvent.objects.select_related("ticket").get(pk=job.args["event"])
    by = User.objects.get(pk=job.args["by"])
    cursor = job.cursor or {"after": 0, "said": 0, "left": 0}
    parts = health_page.tickets_after(by, event, cursor["after"], SLICE)
    tickets = [part.ticket for part in parts if part.ticket]
    done = [_say(ticket, job, by) for ticket in tickets]
    said, left = cursor["said"] + sum(done), cursor["left"] + len(done) - sum(done)
    if len(parts) == SLICE:
        return work.Step({"after": parts[-1].pk, "said": said, "left": left}, said + left, None)
    if event.ticket:
        _say(event.ticket, job, by)
    return work.Step(None, said + left, said + left, {"said": said, "left": left})


def _say(ticket: Ticket, job: Job, by: User) -> bool:
    try:
        with transaction.atomic():
            actions.reply(
                ticket=ticket,
                body=job.args["body"],
                then="resolve" if job.args["close"] else "",
                by=by,
                at=job.asked_at,
            )
    except (Conflict, Refused, PermissionDenied):
        return False
    return True
