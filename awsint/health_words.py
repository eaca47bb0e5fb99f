"""What a customer reads of an AWS Health event: in their language, AWS's own English quoted, and only their own part.

A `Part` is all that is said from: the customer's accounts in the event, their resources counted and some of them named.
What a reader was told last is kept as `state`, so that the next word says what is different since then and a copy says
nothing. Pure, but for translations.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from awsint.models import EntityStatus, EventCategory, EventStatus, HealthEvent, Playbook

EXPIRED = "expired"
# A message names so many resources; the page and its CSV have all of them.
MOST_NAMED = 20
MOST_ACCOUNTS = 20
LONGEST_QUOTE = 6000


@dataclass
class Part:
    """Somebody's part in an event: the customer's, or the whole for the desk. `accounts` are names to be shown,
    `reach` is how many there are, where that is the desk's to know."""

    event: HealthEvent
    status: str
    text: str
    starts_at: datetime | None
    ends_at: datetime | None
    updated_at: datetime | None
    accounts: Sequence[str] = ()
    workloads: Sequence[str] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    named: Sequence[tuple[str, str]] = ()
    reach: int = 0

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def is_current(self) -> bool:
        return self.status in (EventStatus.OPEN, EventStatus.UPCOMING)

    def state(self) -> dict[str, Any]:
        """What somebody knows who was told of it as it stands."""
        return {
            "status": self.status,
            "text": hashlib.sha256(self.text.encode()).hexdigest()[:16],
            "starts_at": self.starts_at.isoformat() if self.starts_at else "",
            "ends_at": self.ends_at.isoformat() if self.ends_at else "",
            "updated_at": self.updated_at.isoformat() if self.updated_at else "",
            "entities": dict(sorted(self.counts.items())),
            "accounts": self.reach,
        }


def is_news(part: Part, told: Mapping[str, Any]) -> bool:
    """Whether something is different from what was told."""
    now = part.state()
    return is_said(part, told) or now["entities"] != told.get("entities") or _further_accounts(part, told) != 0


def is_said(part: Part, told: Mapping[str, Any]) -> bool:
    """Whether AWS says something else than was told, whatever it affects by now."""
    now = part.state()
    return any(now[name] != told.get(name) for name in ("status", "text", "starts_at", "ends_at"))


def _further_accounts(part: Part, told: Mapping[str, Any]) -> int:
    return part.reach - int(told.get("accounts", part.reach))


def is_quiet(part: Part, told: Mapping[str, Any]) -> bool:
    """Whether it is only a further page of what was told: AWS's time is the same, there are more resources."""
    now = part.state()
    same = all(now[name] == told.get(name) for name in ("status", "text", "starts_at", "ends_at", "updated_at"))
    return same and bool(told.get("entities"))


# --- The opening -----------------------------------------------------------------------------------------------------


def title(event: HealthEvent, book: Playbook | None, language: str) -> str:
    """`EC2 us-east-1: instance retirement`; without a playbook AWS's own code."""
    return f"{event.service} {event.region}: {book.title(language) if book else event.code}"


def opening(part: Part, book: Playbook | None, *, language: str, zone: str) -> str:
    """The whole of it, as plain text."""
    with translation.override(language):
        blocks = [
            _intro(part),
            _facts(part, zone),
            *_advice(book, language),
            _resources(part),
            _quote(part),
            _calendar(part),
        ]
        return "\n\n".join(block for block in blocks if block)


def _intro(part: Part) -> str:
    category = part.event.category
    known = category in EventCategory.values
    label = str(EventCategory(category).label) if known else category
    return _("AWS Health tells of an event that concerns you: %(category)s, %(code)s.") % {
        "category": label,
        "code": part.event.code,
    }


def _facts(part: Part, zone: str) -> str:
    lines = [
        _("Service: %(service)s") % {"service": part.event.service},
        _("Region: %(region)s") % {"region": part.event.region},
        _("Status: %(status)s") % {"status": status_label(part.status)},
    ]
    if part.starts_at:
        lines.append(_("Start: %(at)s") % {"at": _moment(part.starts_at, zone)})
    if part.ends_at:
        lines.append(_("End: %(at)s") % {"at": _moment(part.ends_at, zone)})
    if part.accounts:
        shown = _listed(part.accounts[:MOST_ACCOUNTS], len(part.accounts))
        lines.append(_("Accounts: %(accounts)s") % {"accounts": shown})
    if part.workloads:
        lines.append(_("Workload: %(workloads)s") % {"workloads": _listed(part.workloads, len(part.workloads))})
    if part.total:
        lines.append(_("Affected resources: %(number)d") % {"number": part.total})
    return "\n".join(lines)


def _listed(names: Sequence[str], total: int) -> str:
    more = total - len(names)
    text = pgettext("between names", ", ").join(names)
    return text + (ngettext(" and %(more)d more", " and %(more)d more", more) % {"more": more} if more > 0 else "")


def _advice(book: Playbook | None, language: str) -> list[str]:
    if book is None:
        return [_("What it means for you: one of our engineers is assessing this event and writes to you here.")]
    return [
        "\n".join([_("What it means"), book.means(language)]),
        "\n".join([_("What to do"), book.do(language)]),
    ]


def _resources(part: Part) -> str:
    if not part.named:
        return ""
    lines = [f"- {value} ({entity_label(status)})" for value, status in part.named[:MOST_NAMED]]
    more = part.total - len(lines)
    if more > 0:
        lines.append(
            ngettext("and %(more)d more on the ticket’s page", "and %(more)d more on the ticket’s page", more)
            % {"more": more}
        )
    return "\n".join([_("Affected resources"), *lines])


def _quote(part: Part) -> str:
    if not part.text:
        return ""
    text = part.text if len(part.text) <= LONGEST_QUOTE else part.text[:LONGEST_QUOTE] + "…"
    return "\n".join([_("In AWS’s own words:"), *(f"> {line}".rstrip() for line in text.splitlines())])


def _calendar(part: Part) -> str:
    if part.event.category != EventCategory.CHANGE:
        return ""
    return _("Your planned changes at a glance: %(url)s") % {"url": f"{settings.SITE_URL}/planned/"}


# --- What is new -----------------------------------------------------------------------------------------------------


def news(part: Part, told: Mapping[str, Any], *, language: str, zone: str) -> str:
    """What is different since what was told, and AWS's new text; plain."""
    with translation.override(language):
        now = part.state()
        lines = [*_status_line(part, told), *_time_lines(part, told, zone), *_resource_lines(part, told)]
        head = lines or [_("AWS updated this event.")]
        blocks = ["\n".join(head)]
        if now["text"] != told.get("text"):
            blocks.append(_quote(part))
        return "\n\n".join(block for block in blocks if block)


def _status_line(part: Part, told: Mapping[str, Any]) -> list[str]:
    old = told.get("status", "")
    if old == part.status:
        return []
    if part.status == EXPIRED:
        return [_("AWS no longer lists this event: it keeps them for 90 days.")]
    if part.status == EventStatus.CLOSED:
        return [_("AWS has closed this event. We keep the ticket open until you and we agree that it is over.")]
    return [
        _("Status: %(old)s → %(new)s") % {"old": status_label(old), "new": status_label(part.status)}
        if old
        else _("Status: %(status)s") % {"status": status_label(part.status)}
    ]


def _time_lines(part: Part, told: Mapping[str, Any], zone: str) -> list[str]:
    lines = []
    now = part.state()
    if part.starts_at and now["starts_at"] != told.get("starts_at"):
        old = _moment(datetime.fromisoformat(told["starts_at"]), zone) if told.get("starts_at") else "-"
        lines.append(_("Start: %(old)s → %(new)s") % {"old": old, "new": _moment(part.starts_at, zone)})
    if part.ends_at and now["ends_at"] != told.get("ends_at"):
        lines.append(_("End: %(at)s") % {"at": _moment(part.ends_at, zone)})
    return lines


def _resource_lines(part: Part, told: Mapping[str, Any]) -> list[str]:
    old: Mapping[str, int] = told.get("entities") or {}
    more, accounts = part.total - sum(old.values()), _further_accounts(part, told)
    lines = []
    if accounts > 0:
        lines.append(
            ngettext(
                "%(more)d further account is affected: %(total)d now.",
                "%(more)d further accounts are affected: %(total)d now.",
                accounts,
            )
            % {"more": accounts, "total": part.reach}
        )
    if more > 0:
        lines.append(
            ngettext(
                "%(more)d further resource is affected: %(total)d now.",
                "%(more)d further resources are affected: %(total)d now.",
                more,
            )
            % {"more": more, "total": part.total}
        )
    if dict(old) != dict(part.counts):
        sums = [f"{entity_label(status)}: {number}" for status, number in sorted(part.counts.items())]
        lines.append(_("Resources by status: %(sums)s") % {"sums": pgettext("between names", ", ").join(sums)})
    return lines


def again(names: Sequence[str], *, language: str) -> str:
    """That resources are to do again; empty where there are none."""
    if not names:
        return ""
    with translation.override(language):
        head = ngettext(
            "%(count)d resource is to do again: AWS says something worse of it, or it is new.",
            "%(count)d resources are to do again: AWS says something worse of them, or they are new.",
            len(names),
        ) % {"count": len(names)}
        more = len(names) - MOST_NAMED
        rest = [_("and %(more)d more on the ticket’s page") % {"more": more}] if more > 0 else []
        return "\n".join([head, *(f"- {name}" for name in names[:MOST_NAMED]), *rest])


# --- Small words -----------------------------------------------------------------------------------------------------


def status_label(status: str) -> str:
    if status == EXPIRED:
        return _("no longer listed")
    return str(EventStatus(status).label) if status in EventStatus.values else status


def entity_label(status: str) -> str:
    return str(EntityStatus(status).label) if status in EntityStatus.values else status


def _moment(at: datetime, zone: str) -> str:
    return f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M} ({zone})"
