"""The logo on its way in: one small picture, known by what it is and not by what it is called.

It is decoded under limits and drawn anew, so that nothing but pixels is kept. SVG is a program, and is refused.
"""

import warnings
from io import BytesIO
from typing import Any

from django.core.files.uploadhandler import MemoryFileUploadHandler, StopFutureHandlers
from PIL import Image, ImageOps

BIGGEST = 500 * 1024
MOST_PIXELS = 4_000_000
FORMATS = ["PNG", "JPEG", "WEBP"]
# Twice the size it is shown at, for fine screens; letters show it at this one.
FITS = (480, 96)
TYPE = "image/png"


class NotAPicture(Exception):
    """It is none of the three kinds, larger than a logo needs to be, or broken."""


def redrawn(content: bytes) -> bytes:
    """The picture as PNG, within FITS. Raises NotAPicture."""
    if not content or len(content) > BIGGEST:
        raise NotAPicture
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return _drawn(content)
    # Whatever a decoder raises over foreign bytes says the same to whoever sent them.
    except Exception as error:
        raise NotAPicture from error


def _drawn(content: bytes) -> bytes:
    picture: Any = Image.open(BytesIO(content), formats=FORMATS)
    if picture.width * picture.height > MOST_PIXELS:
        raise NotAPicture
    picture.load()
    picture = ImageOps.exif_transpose(picture).convert("RGBA")
    picture.thumbnail(FITS)
    out = BytesIO()
    picture.save(out, "PNG", optimize=True)
    return out.getvalue()


class LogoUpload(MemoryFileUploadHandler):
    """Lets the one field through that carries the logo, at the one door that has it, up to its limit."""

    field, door = "logo_file", "admin:helpdesk_sitesettings_change"

    def handle_raw_input(self, *args: Any, **kwargs: Any) -> None:
        self.activated = False

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super(MemoryFileUploadHandler, self).new_file(*args, **kwargs)
        self.activated, self.size = self._is_wanted(), 0
        if self.activated:
            self.file = BytesIO()
            raise StopFutureHandlers

    def _is_wanted(self) -> bool:
        match, user = self.request.resolver_match, getattr(self.request, "user", None)  # type: ignore[union-attr]
        return bool(self.field_name == self.field and match and match.view_name == self.door and user and user.is_staff)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        if not self.activated:
            return raw_data
        # One byte too many is enough to know.
        if self.size <= BIGGEST:
            self.file.write(raw_data)
            self.size += len(raw_data)
        return None
