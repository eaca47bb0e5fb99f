"""How the documents say a figure, in the reader's language. One function a kind; spans of time are desk.promised's."""

from datetime import date

from babel import dates
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from helpdesk.models import in_chinese


def close(text: str) -> str:
    """Without the space between a number and a Han character, as the checklist prints it: the browser sets one."""
    return text.replace(" ", "") if in_chinese() else text


def days(count: int) -> str:
    return ngettext("%(count)s day", "%(count)s days", count) % {"count": count}


def percent(figure: object) -> str:
    return f"{figure}%"


def long_date(day: date) -> str:
    """As a contract writes it: 2026年7月1日, 1 July 2026."""
    return str(dates.format_date(day, "long", locale="zh_Hans" if in_chinese() else "en_GB"))


def minutes_and_seconds(seconds: int) -> str:
    return _("%(minutes)s min %(seconds)s s") % {"minutes": seconds // 60, "seconds": seconds % 60}


def listed(words: list[str]) -> str:
    return ("、" if in_chinese() else ", ").join(words)


def table(name: str, **context: object) -> SafeString:
    return SafeString(render_to_string(f"docs/tables/{name}.html", context).strip())
