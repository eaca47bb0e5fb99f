"""Files to and from AWS Support: by links that AWS signs, which are never logged.

A link is followed to AWS's own hosts over https alone (aws.md, 1.1), or to this machine where the endpoint is on it,
for the simulator. Nothing is read whole into memory but the part that is on its way.
"""

import os
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from awsint.client.sessions import WRITES
from awsint.shapes import Away, Invalid

if TYPE_CHECKING:
    from awsint.client.calling import Caller

BLOCK = 64 * 1024
MOST_IN_SET, MOST_OF_SET = 3, 5 * 1024 * 1024
MOST_UPLOADS, MOST_OF_UPLOAD = 10, 157_286_400
TIMEOUT_S = 30
HOST = re.compile(r"[a-z0-9-]+\.attachments\.support\.[a-z0-9-]+\.amazonaws\.com(\.cn)?")
LOOPBACK = ("127.0.0.1", "localhost", "::1")
# As often AWS is asked whether it has put the parts together.
LOOKS = 10


class _Stay(HTTPRedirectHandler):
    """A signed link leads nowhere else."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


_opener = build_opener(_Stay())


def checked(url: str) -> str:
    """The link, where it leads to AWS's own files. Raises Invalid."""
    parts = urlsplit(url)
    here = urlsplit(os.environ.get("AWS_ENDPOINT_URL", "")).hostname in LOOPBACK
    if (parts.scheme == "https" and HOST.fullmatch(parts.hostname or "")) or (here and parts.hostname in LOOPBACK):
        return url
    raise Invalid("Host", "the link leads to a host that is not AWS's")


def fetched(url: str) -> Iterator[bytes]:
    """The bytes behind a link, in blocks. Raises Away."""
    request = Request(checked(url))  # noqa: S310, the scheme was looked at
    try:
        with _opener.open(request, timeout=TIMEOUT_S) as answer:
            while block := answer.read(BLOCK):
                yield block
    except HTTPError as error:
        raise Away(f"HTTP {error.code}", operation="Download") from None
    except OSError as error:
        raise Away(type(error).__name__, operation="Download") from None


def upload(aws: "Caller", name: str, size: int, read: Callable[[int, int], Iterator[bytes]]) -> str:
    """Hands a file over in the parts that AWS asks for, each by a link of its own; returns its number."""
    if not 0 < size <= MOST_OF_UPLOAD:
        raise Invalid("FileSize", f"{size} bytes")
    told = aws.call("get_attachment_upload_links", WRITES, fileName=name, fileSizeBytes=size)
    number, length, done = told["uploadId"], told["partSizeBytes"], []
    while True:
        for link in told["uploadUrls"]:
            # Parts are counted from 1.
            begin = (link["partIndex"] - 1) * length
            part = min(length, size - begin)
            done.append({"partIndex": link["partIndex"], "eTag": _put(link["url"], read(begin, part), part)})
        if len(done) >= told["totalParts"]:
            break
        wanted = {"startIndex": told["nextIndex"]}
        told = aws.call("get_attachment_upload_links", WRITES, uploadId=number, uploadRange=wanted)
    status = aws.call("complete_attachment_upload", WRITES, uploadId=number, completedUploads=done)["uploadStatus"]
    for _look in range(LOOKS):
        if status == "attachment-ready":
            return str(number)
        if status == "failed":
            break
        status = aws.call("describe_attachment_upload_status", uploadId=number)["uploadStatus"]
    raise Away("UploadNotReady", status, operation="CompleteAttachmentUpload")


def _put(url: str, body: Iterator[bytes], length: int) -> str:
    told = {"Content-Length": str(length), "Content-Type": "application/octet-stream"}
    request = Request(checked(url), data=body, method="PUT", headers=told)  # noqa: S310, the scheme was looked at
    try:
        with _opener.open(request, timeout=TIMEOUT_S) as answer:
            return str(answer.headers.get("ETag", ""))
    except HTTPError as error:
        raise Away(f"HTTP {error.code}", operation="Upload") from None
    except OSError as error:
        raise Away(type(error).__name__, operation="Upload") from None
