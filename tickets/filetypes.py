"""What a file is, told by its first bytes and never by its name; and what it may be called.

Only a picture, a PDF and plain text are ever shown; everything else is for downloading. What a browser would run as a
page (HTML, SVG, XML) counts as `markup`; what a machine would run is a `program` and not taken at all.
"""

import re
import unicodedata

from django.db import models
from django.utils.translation import gettext_lazy as _

from helpdesk.text import UNSTORABLE, clean_line

# As much of a file as is looked at.
HEAD = 4096
LONGEST_NAME = 120
LOOKED_AT = 1000


class FileType(models.TextChoices):
    PNG = "png", _("picture")
    JPEG = "jpeg", _("picture")
    GIF = "gif", _("picture")
    WEBP = "webp", _("picture")
    PDF = "pdf", "PDF"
    TEXT = "text", _("text")
    MARKUP = "markup", _("web page or drawing")
    OFFICE = "office", _("office document")
    ZIP = "zip", _("archive")
    GZIP = "gzip", _("archive")
    MP4 = "mp4", _("video")
    PROGRAM = "program", _("program")
    OTHER = "other", _("file")


PICTURES = (FileType.PNG, FileType.JPEG, FileType.GIF, FileType.WEBP)
# What a worker draws; the web process decodes none of it.
DRAWN = (*PICTURES, FileType.PDF)
# What is said of a file when it is sent out. All the rest is just bytes: pages and programs first of all, and texts,
# whose encoding nobody knows for sure.
MIME = {
    FileType.PNG: "image/png",
    FileType.JPEG: "image/jpeg",
    FileType.GIF: "image/gif",
    FileType.WEBP: "image/webp",
    FileType.PDF: "application/pdf",
    FileType.ZIP: "application/zip",
    FileType.GZIP: "application/gzip",
    FileType.MP4: "video/mp4",
}
BYTES = "application/octet-stream"

MAGIC = [
    (b"\x89PNG\r\n\x1a\n", FileType.PNG),
    (b"\xff\xd8\xff", FileType.JPEG),
    (b"GIF87a", FileType.GIF),
    (b"GIF89a", FileType.GIF),
    (b"%PDF-", FileType.PDF),
    (b"\x1f\x8b", FileType.GZIP),
    (b"\x7fELF", FileType.PROGRAM),
    (b"\xca\xfe\xba\xbe", FileType.PROGRAM),
    (b"\x00asm", FileType.PROGRAM),
    # Mach-O in both byte orders, and shortcuts of Windows.
    (b"\xcf\xfa\xed\xfe", FileType.PROGRAM),
    (b"\xfe\xed\xfa\xcf", FileType.PROGRAM),
    (b"\xce\xfa\xed\xfe", FileType.PROGRAM),
    (b"L\x00\x00\x00\x01\x14\x02\x00", FileType.PROGRAM),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", FileType.OFFICE),
]
# A browser that was left alone with such a beginning would make a page of it.
PAGE = re.compile(
    rb"^\s*<(?:[!?]|[a-z])|<(?:script|html|head|body|svg|iframe|object|embed|img|meta|link|base|style|form)\b|"
    rb"^(?:mime-version|content-type)\s*:|\+adw-",
    re.I,
)
CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
# By what an ending promises; only for a word to whoever sends something else.
PROMISED = {
    **{ending: (FileType(ending),) for ending in ("png", "jpeg", "gif", "webp", "pdf")},
    "jpg": (FileType.JPEG,),
    **dict.fromkeys(["txt", "log", "csv", "md", "json"], (FileType.TEXT, FileType.MARKUP)),
    **dict.fromkeys(["docx", "xlsx", "pptx"], (FileType.OFFICE,)),
}


def type_of(head: bytes) -> FileType:
    """The type by the first HEAD bytes."""
    for magic, found in MAGIC:
        if head.startswith(magic):
            # A picture or archive that goes on as a page is still one, and only ever sent as what it is.
            return found
    if head.startswith(b"MZ") and b"\x00" in head[:64]:
        return FileType.PROGRAM
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return FileType.WEBP
    if head[4:8] == b"ftyp":
        return FileType.MP4
    if head.startswith(b"PK\x03\x04"):
        return FileType.OFFICE if _is_office(head) else FileType.ZIP
    return _text_or_other(head)


def _is_office(head: bytes) -> bool:
    return b"[Content_Types].xml" in head or b"mimetypeapplication/vnd.oasis" in head[:100]


def _text_or_other(head: bytes) -> FileType:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        # UTF-16, where every other byte of Latin is NUL: as a browser would read it.
        head = head.decode("utf-16", errors="ignore").encode(errors="ignore")
    if not head or CONTROLS.search(head):
        return FileType.OTHER
    if PAGE.search(head):
        return FileType.MARKUP
    return FileType.TEXT


def breaks_its_promise(name: str, found: FileType) -> bool:
    """Whether the name's ending says something else than the bytes do."""
    ending = name.rpartition(".")[2].lower()
    return found not in PROMISED.get(ending, (found,))


# --- Names -----------------------------------------------------------------------------------------------------------

WINDOWS_DEVICES = re.compile(r"^(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.I)
# Line and paragraph ends, direction marks, zero widths: nothing that is not seen may stand in a name.
UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def clean_name(said: str) -> str:
    """A file's name for showing and for Content-Disposition: its last part, without what is not seen; never empty.

    On the disk it is not used at all. The ending stays when the name is cut.
    """
    last = re.split(r"[/\\]", UNSTORABLE.sub("", said[-LOOKED_AT:]))[-1]
    seen = "".join(c for c in last if unicodedata.category(c) not in UNSEEN)
    name = re.sub(r'[<>:"|?*]', "_", clean_line(seen)).strip(". ")
    if not name:
        return "file"
    if WINDOWS_DEVICES.match(name):
        name = f"_{name}"
    return _cut(name)


def _cut(name: str) -> str:
    if len(name) <= LONGEST_NAME:
        return name
    stem, dot, ending = name.rpartition(".")
    if not dot or len(ending) > 10:
        return name[:LONGEST_NAME]
    return f"{stem[: LONGEST_NAME - len(ending) - 1]}.{ending}"
