"""A half-configured desk does not start: each of these is an error, with what to do about it.

They run with every command and, because web servers run no checks, once more when the web server loads the desk.
"""

import re
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ImproperlyConfigured

from helpdesk.outbox.sns import TOPIC

SHORTEST_SECRET = 50
SHORTEST_PASSWORD = 24
DOMAIN = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*")


@register()
def configuration(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """What is wrong with the settings."""
    return [Error(text, hint=hint, id=f"helpdesk.E{number:03}") for number, text, hint in problems()]


def refuse_half_configured() -> None:
    """For doors that run no checks. Raises ImproperlyConfigured with the first problem, in one line."""
    for number, text, hint in problems():
        raise ImproperlyConfigured(f"helpdesk.E{number:03}: {text} {hint}")


def problems() -> list[tuple[int, str, str]]:
    """(number, what is wrong, what to do), worst first."""
    site = urlsplit(settings.SITE_URL)
    found = []
    if site.scheme not in ("http", "https") or not site.hostname or site.path:
        found.append((1, "SITE_URL is not an address.", "Write it like https://desk.example, without a path."))
    elif not settings.SITE_IS_SECURE and not settings.SITE_IS_LOCAL:
        found.append((2, "SITE_URL is http and not on this machine.", "Use https, or http://127.0.0.1 to try it out."))
    if settings.SITE_IS_SECURE and len(secret()) < SHORTEST_SECRET:
        found.append((3, "SECRET_KEY is missing or short.", f"Set {SHORTEST_SECRET} random characters or more."))
    if "*" in settings.ALLOWED_HOSTS:
        found.append((4, "ALLOWED_HOSTS lets any host name in.", "Name the hosts, or leave it out: SITE_URL says it."))
    if settings.SITE_IS_SECURE and settings.DATABASE_IS_EMBEDDED:
        found.append((5, "DATABASE_URL is missing.", "The embedded database serves a desk on one's own machine only."))
    if settings.STORAGE_PROBLEM:
        found.append((6, settings.STORAGE_PROBLEM, "Write it like /srv/files or s3://bucket?region=eu-central-1."))
    return found + mail_problems()


def mail_problems() -> list[tuple[int, str, str]]:
    """The same about what letters need."""
    found = []
    if settings.EMAIL_PROBLEM:
        hint = "Write it like smtp://user:password@mail.example:587, smtps://…, ses://eu-central-1, console: or none:."
        found.append((7, settings.EMAIL_PROBLEM, hint))
    if settings.SITE_IS_SECURE and settings.EMAIL_IS_MISSING:
        found.append((8, "EMAIL_URL is missing.", "Nobody would hear of anything; none: says that this is meant."))
    for topic in sorted(settings.SES_EVENTS["topics"]):
        if not TOPIC.fullmatch(topic):
            hint = "Write them like arn:aws:sns:eu-central-1:123456789012:desk-mail, with commas."
            found.append((10, "SES_EVENT_TOPICS has what is no topic of Amazon SNS.", hint))
    name, _, password = settings.SES_EVENTS["secret"].partition(":")
    if settings.SES_EVENTS["topics"] and (not name or len(password) < SHORTEST_PASSWORD):
        hint = f"Write it like sns:…, {SHORTEST_PASSWORD} characters or more, and give SNS the address https://sns:…@…"
        found.append((11, "SES_EVENT_SECRET is missing or short.", hint))
    if not DOMAIN.fullmatch(settings.MAIL_DOMAIN):
        found.append((9, "MAIL_DOMAIN is no domain.", "Write it like desk.example, without an @."))
    return found


def secret() -> str:
    try:
        return settings.SECRET_KEY
    except ImproperlyConfigured:
        return ""
