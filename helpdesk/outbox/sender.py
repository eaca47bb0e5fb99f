"""As whom the desk writes: its name in the reader's language, its mailbox, its looks."""

from dataclasses import dataclass
from functools import lru_cache

from helpdesk import site
from helpdesk.models import SiteSettings
from helpdesk.outbox.styles import on_dark

ACCENT = "#25508f"


@dataclass(frozen=True)
class Sender:
    """`logo` is a picture with its type, "image/png"; empty where the name stands alone."""

    name: str
    mailbox: str
    accent: str = ACCENT
    address: str = ""
    logo: bytes = b""
    logo_type: str = ""

    @property
    def accent_on_dark(self) -> str:
        return on_dark(self.accent)


def sender() -> Sender:
    """As whom the desk writes now, in the language in use."""
    row = site.current()
    logo = _logo(row.logo_digest) if row.logo_digest else b""
    return Sender(row.name, row.mailbox, row.colour or ACCENT, row.address, logo, row.logo_type)


@lru_cache(maxsize=4)
def _logo(digest: str) -> bytes:
    """The picture with this digest; another one has another. Asked once a process."""
    found = SiteSettings.objects.filter(logo_digest=digest).values_list("logo", flat=True).first()
    return bytes(found or b"")
