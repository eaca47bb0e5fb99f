"""From a letter to a mail: words in the reader's language and zone, headers, both parts, the logo.

The trio templates/email/<kind>.{subject,txt,html} is rendered strictly: what a template asks for and nobody gave is an
error that names it, never a gap in a customer's mail. Providers may replace Message-ID and Date and drop Reply-To: the
token in the marker line is what always comes back (tokens.py). Nothing here reads the clock, and the same letter at
the same instant is the same mail.
"""

from datetime import datetime
from email.mime.image import MIMEImage
from email.utils import format_datetime
from functools import cache
from typing import Any, NoReturn
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives
from django.core.validators import validate_email
from django.template import Context, Engine, TemplateDoesNotExist, TemplateSyntaxError
from django.utils import timezone, translation

from helpdesk.outbox import tokens
from helpdesk.outbox.addresses import LONGEST_SUBJECT, bare, named, one_line
from helpdesk.outbox.content import Bounces, Content, NobodyLeft, Unwritable, content_of
from helpdesk.outbox.models import Letter
from helpdesk.outbox.sender import Sender, sender
from helpdesk.outbox.styles import styles
from helpdesk.outbox.threads import message_id
from helpdesk.outbox.wrapping import wrapped

LOGO = "logo"


class _Missing(str):
    """What a template puts where something is missing: an error that says what."""

    def __mod__(self, name: Any) -> NoReturn:
        raise Unwritable(f"the template asks for “{name}”, which nobody gave")


def compose(letter: Letter, at: datetime) -> EmailMultiAlternatives | None:
    """The mail that a letter becomes at an instant; None where there is nothing to say any more.

    Raises Unwritable where it will never become one, with the reason for whoever runs the desk.
    """
    with translation.override(letter.language or settings.LANGUAGE_CODE), timezone.override(_zone(letter.zone)):
        content = content_of(letter, at)
        return write(letter, content, at) if content else None


def write(letter: Letter, content: Content, at: datetime) -> EmailMultiAlternatives:
    """The mail with this content, in the language and zone in use. Asks the database nothing. Raises Unwritable."""
    by, recipients = sender(), _recipients(letter, content)
    marker = tokens.make(content.reply_to) if content.reply_to else ""
    given = _given(letter, content, by, marker, at)
    mail = EmailMultiAlternatives(
        subject=one_line(_rendered(letter.kind, "subject", given), LONGEST_SUBJECT),
        body=wrapped(_rendered(letter.kind, "txt", given)),
        from_email=named(by.name, by.mailbox),
        to=recipients[:1],
        cc=recipients[1:],
        reply_to=[named(by.name, f"reply+{marker}@{settings.MAIL_DOMAIN}")] if marker else None,
        headers=_headers(letter, content, at),
    )
    mail.attach_alternative(_rendered(letter.kind, "html", given), "text/html")
    if by.logo:
        _attach_logo(mail, by)
    if content.files:
        # What is attached stands beside the text, not within it.
        mail.mixed_subtype = "mixed"  # type: ignore[attr-defined]
        for name, sent, kind in content.files:
            mail.attach(name, sent, kind)
    return mail


def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name if name in _zones() else settings.DEFAULT_ZONE)


@cache
def _zones() -> set[str]:
    return available_timezones()


# --- Whom and whence -------------------------------------------------------------------------------------------------


def _recipients(letter: Letter, content: Content) -> list[str]:
    """Those of the letter who may still read it, as addresses with their names: the first is To, the rest Cc."""
    known = [(letter.to_key, letter.to_address), *((reader["key"], reader["address"]) for reader in letter.cc)]
    kept = [(content.readers[key], address) for key, address in known if key in content.readers]
    if not kept:
        raise NobodyLeft("nobody of those it was written to may read it any more")
    if letter.bouncers:
        kept = [(name, address) for name, address in kept if bare(address) not in letter.bouncers]
    if not kept:
        raise Bounces("an earlier letter came back: correct the address with the person, or send it again")
    for _name, address in kept:
        try:
            validate_email(address)
        except ValidationError:
            raise Unwritable(f"“{one_line(address, 100)}” is no mail address: correct it with the person") from None
    return [named(name, address) for name, address in kept]


def _headers(letter: Letter, content: Content, at: datetime) -> dict[str, str]:
    headers = {
        "Date": format_datetime(at),
        "Message-ID": message_id(letter.pk),
        "X-Helpdesk-Id": f"{letter.pk}.{tokens.code(f'letter:{letter.pk}')}",
        # Whoever is away need not tell us so.
        "X-Auto-Response-Suppress": "OOF, AutoReply",
    }
    if content.references:
        headers["References"] = " ".join(content.references)
        headers["In-Reply-To"] = content.references[-1]
    if settings.MAIL["set"] and settings.MAIL["way"] == "smtp":
        # By the API it goes beside the mail (settings.ANYMAIL).
        headers["X-SES-CONFIGURATION-SET"] = settings.MAIL["set"]
    if content.automatic:
        headers["Auto-Submitted"] = "auto-generated"
    return headers


# --- Words -----------------------------------------------------------------------------------------------------------


def _given(letter: Letter, content: Content, by: Sender, marker: str, at: datetime) -> dict[str, Any]:
    """What every template may ask for, and what this letter says."""
    chinese = (translation.get_language() or "").startswith("zh")
    return {
        "site": by,
        "logo": LOGO if by.logo else "",
        "s": styles(by.accent, chinese=chinese),
        "page_language": "zh-Hans" if chinese else "en",
        "marker": marker,
        "kind": letter.kind,
        "now": at,
        **content.context,
    }


def _rendered(kind: str, part: str, given: dict[str, Any]) -> str:
    name = f"email/{kind}.{part}"
    try:
        return str(_engine(part == "html").get_template(name).render(Context(given, autoescape=part == "html")))
    except Unwritable as missing:
        raise Unwritable(f"{name}: {missing}") from None
    except (TemplateDoesNotExist, TemplateSyntaxError) as wrong:
        raise Unwritable(f"{name}: {type(wrong).__name__}: {wrong}") from wrong


@cache
def _engine(escapes: bool) -> Engine:
    """The pages' own tags, with templates that may leave nothing out; text is not escaped."""
    pages = settings.TEMPLATES[0]
    return Engine(
        dirs=[str(folder) for folder in pages["DIRS"]],
        builtins=[*pages["OPTIONS"]["builtins"], "helpdesk.templatetags.mail"],
        string_if_invalid=_Missing("%s"),
        autoescape=escapes,
    )


def _attach_logo(mail: EmailMultiAlternatives, by: Sender) -> None:
    """The logo goes along: a picture from elsewhere would say who opened the mail, and many programs show none."""
    picture = MIMEImage(by.logo, by.logo_type.rpartition("/")[2])
    picture.add_header("Content-ID", f"<{LOGO}>")
    picture.add_header("Content-Disposition", "inline", filename=f"logo.{by.logo_type.rpartition('/')[2]}")
    mail.mixed_subtype = "related"  # type: ignore[attr-defined]
    mail.attach(picture)
