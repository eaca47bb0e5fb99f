"""Files of every kind, made here and small; and people who send them."""

import gzip
import io
import struct
import zipfile
import zlib
from typing import Any
from urllib.parse import urlencode

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from tickets.models import Attachment, Ticket

EXE = b"MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff\x00\x00" + bytes(200)
ELF = b"\x7fELF\x02\x01\x01" + bytes(200)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>'
HTML = b"<!doctype html><title>x</title><script>alert(document.cookie)</script>"
LOG = "2026-11-25 09:58:01 ERROR 连接超时 pool=orders\n".encode()


def picture(form: str = "PNG", size: tuple[int, int] = (64, 48), color: str = "navy") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, color).save(out, form)
    return out.getvalue()


def huge_png(side: int = 30_000) -> bytes:
    """A picture of a few hundred kilobytes that wants gigabytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    squeezed = zlib.compressobj(9)
    lines = b"".join(squeezed.compress(bytes(1 + side // 8)) for _ in range(side)) + squeezed.flush()
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", lines) + chunk(b"IEND", b"")


def pdf(pages: int = 2, width: float = 300, height: float = 400) -> bytes:
    """A PDF with that many pages, of nothing but a line of text each."""
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>"]
    kids = b" ".join(b"%d 0 R" % (3 + 2 * n) for n in range(pages))
    objects.append(b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, pages))
    for n in range(pages):
        said = b"BT /F1 24 Tf 40 300 Td (Page %d) Tj ET" % (n + 1)
        font = b"<< /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >>"
        box = b"[0 0 %g %g]" % (width, height)
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox %s /Contents %d 0 R /Resources %s >>" % (box, 4 + 2 * n, font)
        )
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(said), said))
    out, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, len(out))
    return out + b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + table + end


def bomb_zip() -> bytes:
    """A hundred megabytes of nothing, ten times over."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for n in range(10):
            archive.writestr(f"{n}.txt", bytes(10_000_000))
    return out.getvalue()


def bomb_gzip() -> bytes:
    return gzip.compress(bytes(50_000_000))


def send(client: Client, name: str, content: bytes, ticket: Ticket | None = None, **more: Any) -> Any:
    """As the script sends a file."""
    asked = urlencode({"name": name, "for": ticket.ref if ticket else ""})
    return client.post(f"/tickets/files?{asked}", content, content_type="application/octet-stream", **more)


def sent(client: Client, name: str, content: bytes) -> str:
    """The number of a file that arrived."""
    answer = send(client, name, content)
    assert answer.status_code == 201, answer.content.decode()
    number: str = answer.json()["id"]
    return number


def form_file(name: str, content: bytes) -> SimpleUploadedFile:
    """As a form without a script sends one."""
    return SimpleUploadedFile(name, content)


def only_file() -> Attachment:
    return Attachment.objects.get()
