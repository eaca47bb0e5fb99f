"""/aws/health/<id>/: whom an event affects and what became of it: accounts, customers, tickets, letters, messages.

A page of customers at once, in a fixed number of statements; what a reader may not see of customers is not counted.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import BigIntegerField, Case, Count, F, Max, Q, QuerySet, Sum, Value, When
from django.db.models.functions import Cast, TruncMinute
from django.utils.translation import gettext as _

from awsint import health_letters, playbooks
from awsint.health_letters import Notice
from awsint.health_store import told_of
from awsint.models import (
    AffectedAccount,
    AffectedCustomer,
    AffectedEntity,
    HealthChange,
    HealthEvent,
    HealthMessage,
    Playbook,
    Scope,
)
from awsint.wishes import number
from helpdesk.accounts.masking import aws_name, aws_number, customer_names, masks
from helpdesk.accounts.models import User, hidden_from
from helpdesk.sheets import Cell, Sheet, instant

# A row has a dozen things in it, and an event may touch thousands of customers.
ROWS = 25
# So many resources of an account, messages and unknown accounts are shown; a file has all resources.
NAMED, MESSAGES, UNKNOWN, CHANGES = 10, 30, 100, 50


@dataclass
class AccountLine:
    row: AffectedAccount
    name: str
    number: str
    count: int = 0
    handled: int = 0
    entities: list[Any] = field(default_factory=list)


@dataclass
class Line:
    """A customer's part: ticket, decision, accounts, and the letters that prove the notice."""

    part: AffectedCustomer
    customer: str
    notice: Notice
    accounts: list[AccountLine] = field(default_factory=list)


# --- The map ---------------------------------------------------------------------------------------------------------


def page(user: User, event: HealthEvent, after: str) -> tuple[list[Line], str]:
    """A page of the customers and the key of the next. Seven statements at most."""
    rows = AffectedCustomer.objects.visible_to(user).filter(event=event)
    rows = rows.select_related("customer", "ticket", "priority", "rule", "suppression")
    if (last := number(after)) is not None:
        rows = rows.filter(pk__gt=last)
    found = list(rows.order_by("pk")[: ROWS + 1])
    kept = found[:ROWS]
    names = customer_names(user, [part.customer_id for part in kept])
    notices = health_letters.of_parts(kept)
    made = [Line(part, names.get(part.customer_id, ""), notices[part.pk]) for part in kept]
    _add_accounts(user, event, made)
    return made, str(kept[-1].pk) if len(found) > ROWS else ""


def _add_accounts(user: User, event: HealthEvent, made: Sequence[Line]) -> None:
    by_customer = {line.part.customer_id: line for line in made}
    rows = AffectedAccount.objects.filter(event=event, account__customer__in=by_customer).select_related("account")
    lines = {row.pk: account_line(user, row) for row in rows.order_by("number")}
    for line in lines.values():
        if line.row.account:
            by_customer[line.row.account.customer_id].accounts.append(line)
    _add_entities(lines)


def account_line(user: User, row: AffectedAccount) -> AccountLine:
    name = aws_name(user, row.account.pk, row.account.name) if row.account else ""
    return AccountLine(row, name, aws_number(user, row.number))


FIRST = """
SELECT e.* FROM unnest(%s::bigint[]) AS a (id), LATERAL (
    SELECT * FROM awsint_affectedentity WHERE account_id = a.id ORDER BY value LIMIT %s) e
"""


def _add_entities(lines: dict[int, AccountLine]) -> None:
    rows = AffectedEntity.objects.filter(account__in=lines).values_list("account")
    for account, count, handled in rows.annotate(n=Count("pk"), handled=Count("handled_at")).order_by():
        lines[account].count, lines[account].handled = count, handled
    for entity in AffectedEntity.objects.raw(FIRST, [list(lines), NAMED]):
        lines[entity.account_id].entities.append(entity)


def unknown(user: User, event: HealthEvent) -> list[AccountLine]:
    """Accounts that are nobody's we know, the first of them."""
    rows = AffectedAccount.objects.filter(event=event, account=None)
    return [account_line(user, row) for row in rows.order_by("number")[:UNKNOWN]]


# --- Beside it -------------------------------------------------------------------------------------------------------


def messages(user: User, event: HealthEvent) -> list[HealthMessage]:
    """The newest of those that came: of the event as a whole, and of accounts whose customer the reader may see."""
    found = list(_heard(user, event).defer("raw", "told").order_by("-updated_at", "-rank")[:MESSAGES])
    for message in found:
        message.account = aws_number(user, message.account) if message.account else ""
    return found


def _heard(user: User, event: HealthEvent) -> QuerySet[HealthMessage]:
    rows = HealthMessage.objects.filter(event=event)
    if user.sees_every_customer or masks(user):
        return rows
    # Those that are not to be read are few, as a rule: so the newest are found without looking at all the others.
    others = Q(account=None) | Q(account__customer__in=hidden_from(user))
    return rows.exclude(account__in=AffectedAccount.objects.filter(others, event=event).values("number"))


def text_of(user: User, event: HealthEvent, newest: HealthMessage | None) -> str:
    """AWS's newest words that concern customers whom the reader may see; none to an auditor. `newest` is the first of
    `messages`."""
    if masks(user):
        return ""
    if user.sees_every_customer or event.scope == Scope.PUBLIC:
        return event.description
    # Read by itself: a message carries the whole of what AWS told.
    return told_of(newest).description if newest else ""


@dataclass(frozen=True)
class Book:
    """The playbook that speaks of an event, as its reader reads it."""

    row: Playbook
    title: str
    means: str
    do: str


def book(event: HealthEvent, language: str) -> Book | None:
    row = playbooks.of_codes([event.code]).get(event.code)
    return Book(row, row.title(language), row.means(language), row.do(language)) if row else None


COUNTED = [HealthChange.What.ACCOUNTS, HealthChange.What.RESOURCES]


def changes(user: User, event: HealthEvent) -> list[HealthChange]:
    """What we took note of, the newest first; of accounts and resources, which push brings one by one, a line a minute.
    Whoever may not see every customer reads no sums over all of them. One statement."""
    is_counted = Q(what__in=COUNTED)
    alone = Case(When(is_counted, then=Value(0)), default=F("pk"), output_field=BigIntegerField())
    number = Case(When(is_counted, then=Cast("new", BigIntegerField())), default=Value(0))
    rows = event.changes.annotate(minute=TruncMinute("at"), alone=alone).values("minute", "what", "via", "alone")
    told = rows.annotate(
        last=Max("pk"), seen=Max("at"), before=Max("old"), after=Max("new"), came=Sum(number), heard=Sum("told")
    )
    found = [_change(event, row) for row in told.order_by("-last")[:CHANGES]]
    if not user.sees_every_customer and not masks(user):
        for change in found:
            change.told = 0
            if change.what in COUNTED:
                change.new = ""
    return found


def _change(event: HealthEvent, row: Mapping[str, Any]) -> HealthChange:
    new = str(row["came"]) if row["what"] in COUNTED else row["after"]
    return HealthChange(
        event=event, at=row["seen"], what=row["what"], via=row["via"], old=row["before"], new=new, told=row["heard"]
    )


def sums(user: User, event: HealthEvent) -> dict[str, int]:
    """How many customers have a ticket, and how many of them are still open. One statement."""
    rows = AffectedCustomer.objects.visible_to(user).filter(event=event)
    live = Q(ticket__isnull=False) & ~Q(ticket__status__in=["resolved", "closed"])
    found: dict[str, int] = rows.aggregate(tickets=Count("ticket"), open=Count("pk", filter=live))
    return found


# --- Resources as a file ---------------------------------------------------------------------------------------------


def sheet(user: User, event: HealthEvent) -> Sheet:
    head = [
        _("Customer"), _("Account"), _("Number"), _("Resource"), _("Status"), _("Before"), _("AWS's time"),
        _("Handled"), "ARN",
    ]  # fmt: skip
    return Sheet(_("Resources"), head, _rows(user, event))


def entities(user: User, event: HealthEvent) -> QuerySet[AffectedEntity]:
    """Resources in accounts of customers whom the reader may see; to those who see every one, unknown accounts' too."""
    rows = AffectedEntity.objects.filter(account__event=event)
    if not user.sees_every_customer:
        mine = AffectedCustomer.objects.visible_to(user).filter(event=event).values("customer")
        rows = rows.filter(account__account__customer__in=mine)
    return rows.select_related("account__account__customer").order_by("account__number", "value")


def _rows(user: User, event: HealthEvent) -> Iterator[list[Cell]]:
    for one in entities(user, event).iterator(chunk_size=1000):
        account = one.account.account
        yield [
            account.customer.name if account else "", account.name if account else "", one.account.number, one.value,
            one.status, one.before, instant(one.updated_at, user.zone), instant(one.handled_at, user.zone), one.arn,
        ]  # fmt: skip


# --- Who is told -----------------------------------------------------------------------------------------------------


def tickets_after(user: User, event: HealthEvent, after: int, most: int) -> list[AffectedCustomer]:
    rows = AffectedCustomer.objects.visible_to(user).filter(event=event, pk__gt=after).exclude(ticket=None)
    return list(rows.select_related("ticket").order_by("pk")[:most])
