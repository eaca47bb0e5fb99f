"""The verbs of attached files: kept when they arrived, bound to a message when it is sent, removed, forgotten.

A file lies in the storage before its row is written, and its row is gone before it is deleted: a row without a file
never is, a file without a row is swept an hour later. Until it is bound a file belongs to its sender alone, for a day.
"""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import ArrayField
from django.db import transaction
from django.db.models import JSONField, OuterRef, Sum
from django.db.models.expressions import RawSQL
from django.db.models.functions import JSONObject
from django.utils.translation import gettext as _
from django_q.tasks import async_task

from helpdesk.accounts.doors import limit
from helpdesk.accounts.models import User
from helpdesk.storage import Away, forget_parts, store
from tickets.filetypes import DRAWN, FileType, breaks_its_promise
from tickets.models import Attachment, Files, Message, Ticket
from tickets.workflow import Refused

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from tickets.receiving import Incoming

log = logging.getLogger(__name__)

# On one message, and in all on one ticket.
MOST_FILES = 10
MOST_TOGETHER = 100 * 1024 * 1024
MOST_OF_A_TICKET = 2 * 1024 * 1024 * 1024
# Of one person: files an hour, and waiting to be sent at a time.
AN_HOUR = 200
WAITING_FILES = 50
WAITING_BYTES = 500 * 1024 * 1024
KEPT_UNSENT = timedelta(hours=24)
STRAY_AFTER = timedelta(hours=1)
SLICE = 500
# What a page says of a file.
SHOWN = ["id", "name", "type", "size", "preview", "pages", "width", "height"]
HUNG = """
ARRAY(SELECT jsonb_build_object('id', f.id, 'name', f.name, 'type', f.type, 'size', f.size, 'preview', f.preview,
        'pages', f.pages, 'width', f.width, 'height', f.height)
    FROM tickets_attachment f WHERE f.message_id = tickets_message.id ORDER BY f.created_at, f.id)
"""


class Stopped(Exception):
    """A file was not taken: an HTTP status and a word for the person."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status, self.text = status, text


def may_send(by: User, at: datetime) -> None:
    """Raises Stopped where somebody fills the disk with files that they never send."""
    if not limit(f"files:{by.pk}", AN_HOUR, 3600, at):
        raise Stopped(429, _("That was more than 200 files within an hour. Please go on a little later."))
    mine = Attachment.objects.filter(uploader=by, message=None)
    waits = list(mine.values_list("size", flat=True)[:WAITING_FILES])
    if len(waits) >= WAITING_FILES or sum(waits) >= WAITING_BYTES:
        raise Stopped(429, _("Many of your files wait to be sent already. Send or remove some of them first."))


def keep(*, incoming: "Incoming", by: User, at: datetime, waits_for: Ticket | None = None) -> Attachment:
    """Stores a file that arrived, then writes its row and asks for its preview. Raises Stopped."""
    row = incoming.row()
    if row["type"] == FileType.PROGRAM:
        raise Stopped(422, _("This is a program, whatever its name says. Programs are not accepted."))
    incoming.store()
    if row["type"] in DRAWN:
        row |= {"preview": Attachment.Preview.WANTED, "next_try_at": at}
    try:
        with transaction.atomic():
            kept: Attachment = Attachment.objects.create(**row, uploader=by, waits_for=waits_for, created_at=at)
            if kept.preview == Attachment.Preview.WANTED:
                async_task("tickets.tasks.draw", str(kept.pk))
    except BaseException:
        drop([row["stored"].hex])
        raise
    return kept


def said_of(kept: Attachment) -> str:
    """A word to whoever sent something else than its name says; empty where all is well."""
    if kept.type == FileType.MARKUP:
        return _("This is a web page or a drawing with code. It is sent as a file to download and never shown.")
    if breaks_its_promise(kept.name, FileType(kept.type)):
        return _("Its content is not what its name says, so it is sent as a file to download and not shown.")
    return ""


def numbers(texts: Iterable[str]) -> list[UUID]:
    """Those of the texts that can be a file's number, each once."""
    found = []
    for text in texts:
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return list(dict.fromkeys(found))


def waiting(ids: Iterable[UUID], by: User) -> list[Attachment]:
    """Of these files those that this person can still send, oldest first."""
    return list(Attachment.objects.filter(pk__in=ids, uploader=by, message=None).order_by("created_at", "id"))


def bind(message: Message, files: Files, *, by: User) -> None:
    """Hangs files that their sender uploaded on a new message, in its transaction. Raises Refused, then none is."""
    if not files:
        return
    mine = Attachment.objects.select_for_update().filter(pk__in=files, uploader=by, message=None)
    sizes = list(mine.values_list("size", flat=True))
    if len(sizes) < len(files):
        raise Refused(
            "files", _("A file is no longer there: it was removed, sent before, or waited over a day. Choose it again.")
        )
    if len(sizes) > MOST_FILES:
        raise Refused("files", too_many())
    if sum(sizes) > MOST_TOGETHER:
        raise Refused("files", too_much())
    there = Attachment.objects.filter(message__ticket=message.ticket_id).aggregate(all=Sum("size"))["all"] or 0
    if there + sum(sizes) > MOST_OF_A_TICKET:
        raise Refused("files", _("This ticket holds 2 GB of files already. Put more into S3 and paste a link."))
    Attachment.objects.filter(pk__in=files).update(message=message)


def unbind(message: Message, at: datetime) -> None:
    """The files of a message that was taken back wait again, beside its words in the draft, for another day."""
    back = {"message": None, "waits_for": message.ticket_id, "created_at": at}
    Attachment.objects.filter(message=message, uploader=message.author_id).update(**back)


def stand(files: Iterable[UUID], ticket: Ticket, *, by: User) -> None:
    """From now on these of a person's files, and no others, wait on the form of a ticket."""
    mine = Attachment.objects.filter(uploader=by, message=None)
    mine.filter(waits_for=ticket).update(waits_for=None)
    mine.filter(pk__in=list(files)).update(waits_for=ticket)


def move(ticket: Ticket, to: Ticket) -> None:
    """What waits on a ticket waits on the one it is merged into."""
    Attachment.objects.filter(waits_for=ticket, message=None).update(waits_for=to)


def of_drafts() -> ArraySubquery:
    """For an annotation of drafts: the files that wait beside them."""
    waits = {"message": None, "waits_for": OuterRef("ticket"), "uploader": OuterRef("user")}
    return _shown(Attachment.objects.filter(**waits))


def copy(message: Message, to: Ticket) -> None:
    """Shows the files of a message at the opening of a ticket that was split off it too. They are stored once."""
    rows = list(Attachment.objects.filter(message=message))
    if not rows:
        return
    opening = Message.objects.get(ticket=to)
    for one in rows:
        one.pk, one.message = uuid4(), opening
    Attachment.objects.bulk_create(rows)


def too_many() -> str:
    return _("At most 10 files at a time. Send the others with another message.")


def too_much() -> str:
    return _("Together these files are larger than 100 MB. Send some of them with another message.")


def hung() -> RawSQL:
    """For an annotation of messages: their files as a page shows them. Read with the messages, in one statement.

    As text, because every ticket page asks it and the ORM would build it anew each time.
    """
    return RawSQL(HUNG, [], ArrayField(JSONField()))  # noqa: S611, a fixed text


def _shown(found: "QuerySet[Attachment]") -> ArraySubquery:
    rows = found.order_by("created_at", "id")
    return ArraySubquery(rows.values(json=JSONObject(**{name: name for name in SHOWN})))


@transaction.atomic
def remove(*, file: UUID, by: User) -> bool:
    """Takes back a file that was not sent yet; whether there was one."""
    found = Attachment.objects.select_for_update().filter(pk=file, uploader=by, message=None).first()
    if found is None:
        return False
    _delete([found])
    return True


# --- Sweeping --------------------------------------------------------------------------------------------------------


def forget_unsent(at: datetime) -> int:
    """Removes what was uploaded a day ago and never sent; returns how many."""
    gone = 0
    while found := _forget_slice(at):
        gone += found
    return gone


@transaction.atomic
def _forget_slice(at: datetime) -> int:
    old = Attachment.objects.filter(message=None, archived=False, created_at__lt=at - KEPT_UNSENT)
    found = list(old.select_for_update(skip_locked=True)[:SLICE])
    _delete(found)
    return len(found)


def forget_strays(at: datetime) -> int:
    """Removes files that have no row, an hour after they were written, and what never arrived; returns how many."""
    gone = forget_parts(store().spool, STRAY_AFTER.total_seconds())
    old: list[str] = []
    for key, changed in store().listed():
        if changed < at - STRAY_AFTER:
            old.append(key)
        if len(old) >= SLICE:
            gone += _forget_those_without_row(old)
            old = []
    return gone + _forget_those_without_row(old)


def _forget_those_without_row(keys: list[str]) -> int:
    owners = {key: found[0] for key in keys if (found := numbers([key.partition("-")[0]]))}
    known = set(Attachment.objects.filter(stored__in=set(owners.values())).values_list("stored", flat=True))
    strays = [key for key in keys if owners.get(key) not in known]
    drop(strays)
    return len(strays)


def _delete(found: list[Attachment]) -> None:
    Attachment.objects.filter(pk__in=[one.pk for one in found]).delete()
    keys = [key for one in found for key in (one.key, *preview_keys(one))]
    # Only once no row can come back that wants them.
    transaction.on_commit(lambda: drop(keys))


def preview_keys(one: Attachment) -> list[str]:
    """The keys of its pictures: number 0 is the small one, the others are its pages."""
    return [f"{one.key}-{page}" for page in range(one.pages + 1)] if one.pages else []


def drop(keys: Iterable[str]) -> None:
    """Deletes from the storage, without a fuss."""
    for key in keys:
        try:
            store().delete(key)
        except (OSError, Away):
            # The next sweep finds it.
            log.warning("a file could not be deleted", exc_info=True)
