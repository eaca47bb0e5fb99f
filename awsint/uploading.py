"""Files of a message on their way to AWS: small ones in a set made right before the call, others by signed links.

A set lives an hour, so none is kept for another attempt; what was handed over by link is, with AWS's number beside our
file's (aws.md, 4.4).
"""

from collections.abc import Iterator
from typing import Any

from awsint.client import SupportApi
from awsint.client.files import MOST_IN_SET, MOST_OF_SET
from awsint.models import Outgoing
from awsint.shapes import Away, AwsError
from helpdesk.storage import store
from tickets.models import Attachment


class Unsent(AwsError):
    """A file could not be handed over. Nothing names it yet, so nothing was said."""


class Missing(Exception):
    """A file of ours is no longer there; its name."""


def handed_over(api: SupportApi, out: Outgoing) -> dict[str, Any]:
    """What a call needs to name the files of `out`, which AWS has then. Raises AwsError, Missing."""
    found = files_of(out)
    if not found:
        return {}
    try:
        return _handed_over(api, out, found)
    except Away as error:
        raise Unsent(error.code, error.text, operation=error.operation) from error


def _handed_over(api: SupportApi, out: Outgoing, found: list[Attachment]) -> dict[str, Any]:
    if len(found) <= MOST_IN_SET and all(one.size <= MOST_OF_SET for one in found):
        return {"attachment_set": api.attachment_set([(one.name, b"".join(_read(one))) for one in found])}
    return {"uploads": tuple(_uploaded(api, out, one) for one in found)}


def files_of(out: Outgoing) -> list[Attachment]:
    """The files that go with it: those of its message, with the first of its parts."""
    if out.message_id is None or out.part > 1:
        return []
    return list(Attachment.objects.filter(message=out.message_id).order_by("created_at", "id"))


def _uploaded(api: SupportApi, out: Outgoing, file: Attachment) -> str:
    known = out.uploads.get(str(file.pk))
    if known is None:
        known = api.upload(file.name, file.size, lambda start, length: _read(file, start, length))
        out.uploads[str(file.pk)] = known
        out.save(update_fields=["uploads"])
    return str(known)


def _read(file: Attachment, start: int = 0, length: int | None = None) -> Iterator[bytes]:
    try:
        yield from store().read(file.key, start, length)
    except FileNotFoundError as error:
        raise Missing(file.name) from error
