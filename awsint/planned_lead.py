"""Whether customers were told of planned changes in time, over the last 90 days: figures, those that were not, a file.

What each verdict stands on is read from the messages themselves, because a customer's row only has what they were told
last: the first word of AWS about the customer's own accounts, and the last one that had come when their ticket was
opened with the letter that tells them. Counted is what was first seen in the period, had a ticket or should have had
one, and is decided (planned.judge).
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils.translation import gettext as _

from awsint import planned, playbooks
from awsint.health_words import title
from awsint.models import AffectedCustomer, HealthEvent
from awsint.planned import Lead, Sums, Told
from helpdesk.accounts.masking import customer_names
from helpdesk.accounts.models import User
from helpdesk.sheets import Cell, Sheet, instant

PERIOD = timedelta(days=90)
MOST_MISSED = 50
# A customer was told when the relay took their letter (told_at), in the words of when their ticket was opened. An
# account's words count for its customer from when it was connected: before that nobody could be told of them.
READ = """
WITH parts AS (
    SELECT p.id, p.event_id, p.customer_id, p.ticket_id, p.told_at, p.opened_at AS words_at, e.starts_at, e.scope,
        coalesce(e.ended_at, e.expired_at) AS over_at, e.seen_at, e.code, e.service, e.region,
        coalesce(s.lead_days, %(usual)s) AS days
    FROM awsint_affectedcustomer p JOIN awsint_healthevent e ON e.id = p.event_id
    LEFT JOIN awsint_setting s ON s.customer_id = p.customer_id
    WHERE e.seen_at >= %(since)s AND e.category = 'scheduledChange' AND p.priority_id IS NOT NULL
        AND (p.suppression_id IS NULL OR p.ticket_id IS NOT NULL)
        AND (%(customer)s::uuid IS NULL OR p.customer_id = %(customer)s::uuid) AND p.id IN (SEEN)),
streams AS (
    SELECT p.id, p.event_id, aa.number, a.created_at AS since FROM parts p
    JOIN awsint_affectedaccount aa ON aa.event_id = p.event_id
    JOIN awsint_account a ON a.id = aa.account_id AND a.customer_id = p.customer_id
    UNION ALL SELECT id, event_id, '', NULL FROM parts WHERE scope = 'PUBLIC'),
words AS (
    SELECT s.id, min(greatest(m.updated_at, s.since)) AS aws_at,
        (array_agg(m.told->>'starts_at' ORDER BY m.updated_at, m.rank))[1] AS aws_starts_at,
        (array_agg(m.told->>'starts_at' ORDER BY m.updated_at DESC, m.rank DESC)
            FILTER (WHERE m.received_at <= p.words_at))[1] AS told_starts_at
    FROM streams s JOIN parts p ON p.id = s.id
    JOIN awsint_healthmessage m ON m.event_id = s.event_id AND m.account = s.number GROUP BY s.id)
SELECT p.id, p.event_id, p.customer_id, p.ticket_id, p.code, p.service, p.region, p.seen_at, p.days, w.aws_at,
    w.aws_starts_at::timestamptz, p.told_at, w.told_starts_at::timestamptz, p.starts_at, p.over_at
FROM parts p JOIN words w ON w.id = p.id ORDER BY p.seen_at DESC, p.id DESC
"""


@dataclass(frozen=True)
class Row:
    """A customer's part with its verdict."""

    part: int
    event: int
    customer: UUID
    ticket: int | None
    code: str
    service: str
    region: str
    seen_at: datetime
    told: Told
    lead: Lead

    @property
    def ref(self) -> str:
        return f"HD-{self.ticket}" if self.ticket else ""

    @property
    def starts_at(self) -> datetime | None:
        """The beginning that the verdict stands on."""
        return self.told.told_starts_at or self.told.aws_starts_at or self.told.starts_at


def measured(user: User, customer: UUID | None, at: datetime) -> list[Row]:
    """Every verdict of the last 90 days about customers whom somebody may see, the newest first. One statement."""
    return list(_rows(user, customer, at))


def _rows(user: User, customer: UUID | None, at: datetime) -> Iterator[Row]:
    seen, params = AffectedCustomer.objects.visible_to(user).order_by().values("pk").query.sql_with_params()
    given: dict[str, Any] = {"since": at - PERIOD, "customer": customer, "usual": planned.USUAL_DAYS}
    # Who may see what is Django's own SQL, its parameters by name as ours are.
    for place, value in enumerate(params):
        given[f"seen{place}"] = value
        seen = seen.replace("%s", f"%(seen{place})s", 1)
    with connection.cursor() as cursor:
        cursor.execute(READ.replace("SEEN", seen), given)
        for part, event, whose, ticket, code, service, region, seen_at, days, *instants in cursor:
            told = Told(days, *instants)
            if lead := planned.judge(told, at):
                yield Row(part, event, whose, ticket, code, service, region, seen_at, told, lead)


def sums(rows: Sequence[Row]) -> Sums:
    return Sums(dict(Counter(row.lead.why for row in rows)))


@dataclass(frozen=True)
class Missed:
    """One that was not told in time, in the words of its reader."""

    row: Row
    customer: str
    title: str

    @property
    def lead(self) -> Any:
        return planned.in_days(self.row.lead.lead)

    @property
    def aws_lead(self) -> Any:
        return planned.in_days(self.row.lead.aws_lead)


def missed(user: User, rows: Sequence[Row], language: str) -> list[Missed]:
    """The newest of them. Two statements, none where there is none."""
    found = [row for row in rows if not row.lead.kept][:MOST_MISSED]
    if not found:
        return []
    names = customer_names(user, {row.customer for row in found})
    called = _titles(found, language)
    return [Missed(row, names.get(row.customer, ""), called[row.part]) for row in found]


def _titles(rows: Sequence[Row], language: str) -> dict[int, str]:
    books = playbooks.of_codes({row.code for row in rows})
    bare = {row.part: HealthEvent(code=row.code, service=row.service, region=row.region) for row in rows}
    return {part: title(event, books.get(event.code), language) for part, event in bare.items()}


def why_words() -> dict[str, str]:
    return {
        planned.KEPT: _("in time"),
        planned.AWS_LATE: _("AWS told late"),
        planned.LATE: _("we told late"),
        planned.UNTOLD: _("we did not tell"),
    }


# --- As a file -------------------------------------------------------------------------------------------------------


def sheet(user: User, customer: UUID | None, at: datetime) -> Sheet:
    """Every verdict with what it stands on."""
    head = [
        _("Customer"), _("Event"), _("Service"), _("Region"), _("Ticket"), _("AWS told"), _("Start as AWS told first"),
        _("Customer told"), _("Start as told"), _("Start now"), _("Days promised"), _("Hours ahead, AWS"),
        _("Hours ahead, we"), _("Attainable"), _("Verdict"),
    ]  # fmt: skip
    return Sheet(_("Told ahead"), head, _cells(user, measured(user, customer, at)))


def _cells(user: User, rows: Sequence[Row]) -> Iterator[list[Cell]]:
    names = customer_names(user, {row.customer for row in rows})
    words, zone = why_words(), user.zone
    for row in rows:
        told, lead = row.told, row.lead
        yield [
            names.get(row.customer, ""), row.code, row.service, row.region, row.ref, instant(told.aws_at, zone),
            instant(told.aws_starts_at, zone), instant(told.told_at, zone), instant(told.told_starts_at, zone),
            instant(told.starts_at, zone), told.days, _hours(lead.aws_lead), _hours(lead.lead),
            _("yes") if lead.attainable else _("no"), words[lead.why],
        ]  # fmt: skip


def _hours(lead: timedelta | None) -> int | None:
    return None if lead is None else lead // timedelta(hours=1)
