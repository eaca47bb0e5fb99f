"""How mails say things: links that lead to SITE_URL alone, instants that are still true when they are read."""

from datetime import datetime
from typing import Any

from babel import dates
from django import template
from django.conf import settings
from django.template import Context
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from helpdesk.outbox.styles import inlined
from helpdesk.templatetags.desk import _locale

register = template.Library()

DAYS = {"zh_Hans": "M 月 d 日 EEE", "en": "EEE, d MMM"}
DAYS_OF_ANOTHER_YEAR = {"zh_Hans": "y 年 M 月 d 日 EEE", "en": "EEE, d MMM y"}


@register.simple_tag
def link(name: str, *args: Any) -> str:
    """The whole address of a page of ours; whatever a Host header said once, it is SITE_URL's."""
    return settings.SITE_URL + reverse(name, args=args)


@register.simple_tag(takes_context=True)
def moment(context: Context, at: datetime) -> str:
    """An instant with its day, in the reader's zone: "Wed, 25 Nov, 18:47". A mail is read on another day."""
    local = timezone.localtime(at)
    forms = DAYS if local.year == timezone.localtime(context["now"]).year else DAYS_OF_ANOTHER_YEAR
    day = dates.format_date(local, forms[_locale()], _locale())
    return _("%(day)s, %(time)s") % {"day": day, "time": local.strftime("%H:%M")}


@register.simple_tag
def zone() -> str:
    """Whose time it is: "Shanghai time". Whoever gets a copy may live elsewhere."""
    name = str(timezone.get_current_timezone())
    place = name if name == "UTC" else dates.get_timezone_location(name, locale=_locale(), return_city=True)
    return _("%(place)s time") % {"place": place}


@register.filter
def dressed(rendered: str, site: Any) -> str:
    """What richtext rendered, with the styles of a mail."""
    return inlined(rendered, site.accent)


@register.filter
def quoted(text: str) -> str:
    """A text as mails quote it: each line behind a sign."""
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())
