"""Attached files in S3, or what speaks like it, through django-storages. Private: no address of it is ever given out.

A file is written to the local disk first, then sent in parts of 8 MB, one at a time, so that memory stays flat; the
bucket shows it when all are there. Reading streams. Errors of the network become Away.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files import File
from storages.backends.s3 import S3Storage

from helpdesk.storage import BLOCK, Away

PART = 8 * 1024 * 1024


class BucketStore(S3Storage):  # type: ignore[misc]
    def __init__(self, *, spool: Path, **options: Any) -> None:
        self._spool = Path(spool)
        one_by_one = TransferConfig(multipart_threshold=PART, multipart_chunksize=PART, use_threads=False)
        patience = Config(
            connect_timeout=5,
            read_timeout=20,
            retries={"max_attempts": 3},
            s3={"addressing_style": "path"} if options.get("endpoint_url") else None,
        )
        super().__init__(**options, transfer_config=one_by_one, client_config=patience, default_acl=None)

    @property
    def spool(self) -> Path:
        self._spool.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self._spool

    def put(self, key: str, part: Path) -> None:
        with _plain_errors(), part.open("rb") as written:
            self.save(self._at(key), File(written))
        part.unlink()

    def read(self, key: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        if length == 0:
            return iter(())
        last = "" if length is None else str(start + length - 1)
        asked = {"Range": f"bytes={start}-{last}"} if start or last else {}
        with _plain_errors():
            body = self._object(key).get(**asked)["Body"]
        return iter(body.iter_chunks(BLOCK))

    def delete(self, key: str) -> None:
        with _plain_errors():
            self._object(key).delete()

    def listed(self) -> Iterator[tuple[str, datetime]]:
        with _plain_errors():
            for found in self.bucket.objects.filter(Prefix=f"{self.location}/" if self.location else ""):
                yield found.key.rsplit("/", 1)[-1], found.last_modified

    def room(self) -> int | None:
        return None

    def _object(self, key: str) -> Any:
        return self.bucket.Object(self._normalize_name(self._at(key)))

    def _at(self, key: str) -> str:
        return f"{key[:2]}/{key}"


@contextmanager
def _plain_errors() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            raise FileNotFoundError(str(error)) from error
        raise Away(str(error)) from error
    except BotoCoreError as error:
        raise Away(str(error)) from error
