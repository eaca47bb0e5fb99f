"""Files to and from AWS Support: by links that AWS signs, which are never logged.

A link is followed to AWS's own hosts over https alone (aws.md, 1.1), or to this machine where the endpoint is on it,
for the simulator. Nothing is read whole into memory but the part that is on its way.
"""

import os
import re
import time
from collections.abc import Callable, Iterator
from http.client import HTTPException
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
# After so many seconds each, AWS is asked whether it has put the parts together.
LOOKS = (0.2, 0.4, 0.8, 1.6, 3.0, 4.0, 4.0)


class _Stay(HTTPRedirectHandler):
    """A signed link leads nowhere else."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


_opener = build_opener(_Stay())


def checked(url: str) -> str:
    """The link, where it leads to AWS's own files. Raises Invalid."""
    parts = urlsplit(url)
    here = urlsplit(os.environ.get("AWS_ENDPOINT_URL", "")).hostname in LOOPBACK
    theirs = parts.scheme == "https" and parts.port in (None, 443) and HOST.fullmatch(parts.hostname or "")
    if theirs or (here and parts.scheme in ("http", "https") and parts.hostname in LOOPBACK):
        return url
    raise Invalid("Host", "the link leads to a host that is not AWS's")


def fetched(url: str) -> Iterator[bytes]:
    """The bytes behind a link, in blocks. Raises Away."""
    request = Request(checked(url))  # noqa: S310, the scheme was looked at
    got = 0
    try:
        with _opener.open(request, timeout=TIMEOUT_S) as answer:
            while block := answer.read(BLOCK):
                got += len(block)
                yield block
            # A connection that is cut ends like a file does.
            if got != int(answer.headers.get("Content-Length", got)):
                raise Away("CutOff", f"{got} bytes came", operation="Download")
    except HTTPError as error:
        raise Away(f"HTTP {error.code}", operation="Download") from None
    except (OSError, HTTPException) as error:
        raise Away(type(error).__name__, operation="Download") from None


def upload(aws: "Caller", name: str, size: int, read: Callable[[int, int], Iterator[bytes]]) -> str:
    """Hands a file over in the parts that AWS asks for, each by a link of its own; returns its number.

    Nobody sees it before it is named in what is said on a case, so all of it may be tried again.
    """
    if not 0 < size <= MOST_OF_UPLOAD:
        raise Invalid("FileSize", f"{size} bytes")
    number, done = _parts(aws, name, size, read)
    status = aws.call("complete_attachment_upload", WRITES, uploadId=number, completedUploads=done)["uploadStatus"]
    for seconds in LOOKS:
        if status != "attachment-not-ready":
            break
        time.sleep(seconds)
        status = aws.call("describe_attachment_upload_status", uploadId=number)["uploadStatus"]
    if status == "attachment-ready":
        return number
    if status == "failed":
        raise Invalid("UploadFailed", name, operation="CompleteAttachmentUpload")
    raise Away("UploadNotReady", status, operation="CompleteAttachmentUpload")


def _parts(
    aws: "Caller", name: str, size: int, read: Callable[[int, int], Iterator[bytes]]
) -> tuple[str, list[dict[str, Any]]]:
    """AWS's number of the file and what it said to each part. Links come ten at a time."""
    told = aws.call("get_attachment_upload_links", fileName=name, fileSizeBytes=size)
    number, length, done = str(told["uploadId"]), told["partSizeBytes"], []
    while True:
        for link in told["uploadUrls"]:
            # Parts are counted from 1.
            begin = (link["partIndex"] - 1) * length
            part = min(length, size - begin)
            done.append({"partIndex": link["partIndex"], "eTag": _put(link["url"], read(begin, part), part)})
        if not told.get("nextIndex"):
            return number, done
        wanted = {"startIndex": told["nextIndex"]}
        told = aws.call("get_attachment_upload_links", fileName=name, uploadId=number, uploadRange=wanted)


def _put(url: str, body: Iterator[bytes], length: int) -> str:
    told = {"Content-Length": str(length), "Content-Type": "application/octet-stream"}
    request = Request(checked(url), data=body, method="PUT", headers=told)  # noqa: S310, the scheme was looked at
    try:
        with _opener.open(request, timeout=TIMEOUT_S) as answer:
            return str(answer.headers.get("ETag", ""))
    except HTTPError as error:
        raise Away(f"HTTP {error.code}", operation="Upload") from None
    except (OSError, HTTPException) as error:
        raise Away(type(error).__name__, operation="Upload") from None
