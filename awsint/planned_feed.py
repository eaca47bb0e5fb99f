"""A company's planned changes as a calendar that its own programs subscribe to (RFC 5545), and the link it lies behind.

The link opens without a login, so its secret has 256 bits, only the hash is stored, and it opens one company's changes
and nobody else's; a link to all customers' does not exist. The same facts give the same bytes: times are of the stored
rows, and SEQUENCE counts the states that a change ran through (planned_read.WORDS).
"""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from icalendar import Calendar, Event

from awsint import planned_read, playbooks
from awsint.models import HealthFeed, Playbook, Setting
from awsint.planned import Change
from helpdesk.accounts.doors import Refused
from helpdesk.accounts.models import Customer, User
from helpdesk.accounts.permissions import Right, may
from helpdesk.audit.record import Happening, record

TYPE = "text/calendar; charset=utf-8"
# What began longer ago is left out, and so is what is beyond the first thousand.
KEPT = timedelta(days=90)
MOST = 1000
READ_STEP = timedelta(hours=1)
MOST_ACCOUNTS = 20


# --- The link --------------------------------------------------------------------------------------------------------


def feeds_of(customers: Sequence[Any]) -> dict[Any, HealthFeed]:
    """The links in force. One statement, none for nobody."""
    rows = HealthFeed.objects.filter(customer__in=list(customers), ended_at=None) if customers else []
    return {row.customer_id: row for row in rows}


@transaction.atomic
def make_feed(*, customer: Customer, by: User, at: datetime) -> tuple[HealthFeed, str]:
    """A company's link and its secret, which is never to be had again. Raises Refused where there is one."""
    demand(by, customer)
    feed, token = _made(customer, by, at)
    _tell(customer, "aws.feed_made", by, at)
    return feed, token


@transaction.atomic
def replace_feed(*, customer: Customer, by: User, at: datetime) -> tuple[HealthFeed, str]:
    """Another link; whatever is subscribed to the old one reads nothing any more."""
    demand(by, customer)
    _end(customer, at)
    feed, token = _made(customer, by, at)
    _tell(customer, "aws.feed_replaced", by, at)
    return feed, token


@transaction.atomic
def end_feed(*, customer: Customer, by: User, at: datetime) -> None:
    """Ends the link at once. A second time it does nothing."""
    demand(by, customer)
    if _end(customer, at):
        _tell(customer, "aws.feed_ended", by, at)


def demand(by: User, customer: Customer) -> None:
    """A link is a key: those who look after a company's keys look after it, and so do our managers."""
    if not may(by, Right.KEYS, customer.pk):
        raise PermissionDenied


def _made(customer: Customer, by: User, at: datetime) -> tuple[HealthFeed, str]:
    token = secrets.token_urlsafe(32)
    row = HealthFeed(customer=customer, token_hash=_hashed(token), created_at=at.replace(microsecond=0), created_by=by)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        raise Refused("", _("There is a link already. Replace it if it is lost.")) from error
    return row, token


def _end(customer: Customer, at: datetime) -> int:
    rows = HealthFeed.objects.filter(customer=customer, ended_at=None)
    ended: int = rows.update(ended_at=at.replace(microsecond=0))
    return ended


def _tell(customer: Customer, action: str, by: User, at: datetime) -> None:
    record([Happening(action)], by=by, at=at, subject=f"customer:{customer.pk}", customer=customer.pk)


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()


def opened_by(token: str, at: datetime) -> HealthFeed | None:
    """The link of this secret with its customer; None where it is wrong, ended, or the company is not active.

    One statement, and a second one in the first use of an hour.
    """
    rows = HealthFeed.objects.filter(token_hash=_hashed(token[:200]), ended_at=None, customer__is_active=True)
    feed: HealthFeed | None = rows.select_related("customer").first()
    if feed and (feed.read_at is None or feed.read_at <= at - READ_STEP):
        HealthFeed.objects.filter(pk=feed.pk).update(read_at=at.replace(microsecond=0))
    return feed


@transaction.atomic
def set_lead_days(*, customer: Customer, days: int, by: User, at: datetime) -> Setting:
    """So many days ahead the company is told of planned changes."""
    if not may(by, Right.AWS):
        raise PermissionDenied
    setting = Setting.objects.select_for_update().filter(customer=customer).first() or Setting(customer=customer)
    if setting.lead_days != days or setting._state.adding:
        old, setting.lead_days = setting.lead_days, days
        setting.save()
        happening = Happening("aws.lead_days_changed", {"old": old, "new": days})
        record([happening], by=by, at=at, subject=f"customer:{customer.pk}", customer=customer.pk)
    return setting


# --- What it opens ---------------------------------------------------------------------------------------------------


def calendar(customer: Customer, at: datetime) -> bytes:
    """The company's planned changes in its own language. Five statements, whatever there are."""
    rows = planned_read.of_customers([customer.pk]).filter(planned_read.is_planned(at), event__starts_at__gt=at - KEPT)
    parts = list(planned_read.with_event(rows).order_by("event__starts_at", "pk")[:MOST])
    with translation.override(customer.language):
        found = planned_read.changes(parts, customer.language)
        books = playbooks.of_codes({one.code for one in found}) if found else {}
        body: bytes = _calendar(customer, found, books).to_ical(sorted=False)
        return body


def _calendar(customer: Customer, found: Sequence[Change], books: dict[str, Playbook]) -> Calendar:
    whole = Calendar()
    whole.add("prodid", "-//helpdesk//AWS planned changes//EN")
    whole.add("version", "2.0")
    whole.add("calscale", "GREGORIAN")
    name = _("AWS planned changes, %(company)s") % {"company": customer.name}
    whole.add("x-wr-calname", name)
    whole.add("name", name)
    whole.add("refresh-interval", timedelta(hours=1), parameters={"value": "DURATION"})
    whole.add("x-published-ttl", "PT1H")
    for one in found:
        whole.add_component(_event(one, books.get(one.code), customer))
    return whole


def _event(one: Change, book: Playbook | None, customer: Customer) -> Event:
    event = Event()
    event.add("uid", f"aws-health-{one.event}-{one.customer}")
    event.add("dtstamp", _utc(one.changed_at))
    event.add("last-modified", _utc(one.changed_at))
    event.add("sequence", one.sequence)
    event.add("dtstart", _utc(one.starts_at))
    if one.ends_at and one.ends_at > one.starts_at:
        event.add("dtend", _utc(one.ends_at))
    event.add("summary", one.title)
    event.add("description", _description(one, book, customer.language))
    event.add("status", "CANCELLED" if one.cancelled else "CONFIRMED")
    # It occupies a thing and not a person.
    event.add("transp", "TRANSPARENT")
    if one.ticket:
        event.add("url", f"{settings.SITE_URL}/tickets/{one.ticket}/")
    return event


def _utc(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(microsecond=0)


def _description(one: Change, book: Playbook | None, language: str) -> str:
    lines = [
        _("Service: %(service)s") % {"service": one.service},
        _("Region: %(region)s") % {"region": one.region},
    ]
    if one.accounts:
        lines.append(_("Accounts: %(accounts)s") % {"accounts": _names(one.accounts)})
    if one.resources:
        lines.append(_("Affected resources: %(number)d") % {"number": one.resources})
    if one.ticket:
        lines.append(_("Ticket: %(ref)s") % {"ref": one.ticket})
    if book:
        lines += ["", _("What it means"), book.means(language), "", _("What to do"), book.do(language)]
    return "\n".join(lines)


def _names(accounts: Sequence[str]) -> str:
    more = len(accounts) - MOST_ACCOUNTS
    text = pgettext("between names", ", ").join(accounts[:MOST_ACCOUNTS])
    return text + (ngettext(" and %(more)d more", " and %(more)d more", more) % {"more": more} if more > 0 else "")


def digest(body: bytes) -> str:
    """What says whether a program has these very bytes already."""
    return hashlib.sha256(body).hexdigest()[:32]
