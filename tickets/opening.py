"""The only way a ticket comes about: one from a form, or thousands from an event of AWS.

Each is checked, reckoned and given to somebody on its own; what is written is written for up to SLICE of them at once,
in one transaction, in lock order: Ticket, history, Clock, Load, outbox. Who takes a ticket is chosen one after another
(assigning.py), because each choice rests on the loads the one before left; a ticket that is given to somebody, or that
belongs to one that has somebody, asks for no choice.

Tickets that are part of an event at AWS (Ticket.is_part) are told to their customers alone: the parent, which belongs
to the house, is the one that is worked on, so colleagues hear of that one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from helpdesk import richtext
from helpdesk.accounts.models import Customer, User
from helpdesk.accounts.permissions import Doer, Right, customers_of, may
from helpdesk.audit.record import About, Happening, System, record_all
from helpdesk.kept import draw, insert
from helpdesk.outbox.enqueue import Draft, enqueue
from helpdesk.text import clean_block, clean_line, showable
from sla import clocks, definitions
from sla.clock import ClockState
from tickets import assigning, attaching, loads, notify, search
from tickets.deed import keep_due, report
from tickets.models import AssignmentDecision, Category, Files, Message, Source, Ticket
from tickets.workflow import Refused

# One transaction holds the writers' lock of history for less than a second (decisions.md, Clocks).
SLICE = 200
# Titles of AWS know no limit that we know.
LONGEST_TITLE = 500


@dataclass(frozen=True, kw_only=True)
class Opening:
    """A ticket before it is one.

    The priority is `priority` where given, else what impact and urgency propose. `requester` is who asks, or on whose
    behalf it is filed; `author` whose words the opening text is, where somebody else files them. What was said at AWS
    is plain text with AWS's own time as `said_at`, and `said_by` who wrote it there, None where nothing was.
    `assigned_to` or a `parent` leave no choice of an engineer. `receipt` is the letter to the requester, if any.
    """

    customer: Customer
    requester: User
    title: str
    description: str
    category: str = Category.TECHNICAL
    impact: str = ""
    urgency: str = ""
    service: str = ""
    priority: str | None = None
    source: str = Source.WEB
    author: User | None = None
    files: Files = ()
    follows: Ticket | None = None
    parent: Ticket | None = None
    assigned_to: User | None = None
    case_turn: str | None = None
    said_at: datetime | None = None
    said_by: str | None = None
    receipt: str = "ticket.received"

    @property
    def is_given(self) -> bool:
        return self.assigned_to is not None or self.parent is not None

    @property
    def is_plain(self) -> bool:
        return self.said_at is not None


@dataclass
class _Filed:
    """A ticket on its way into the database."""

    spec: Opening
    ticket: Ticket
    # The opening text and its HTML.
    words: tuple[str, str]
    message: Message = field(init=False)
    choice: assigning.Choice | None = None
    states: list[ClockState] = field(default_factory=list)


def open_many(specs: Sequence[Opening], *, by: Doer, at: datetime) -> list[Ticket]:
    """Opens tickets, SLICE of them in a transaction; returns them in their order. Raises Refused.

    Callers whose transaction is open already stay in that one.
    """
    opened: list[Ticket] = []
    for begin in range(0, len(specs), SLICE):
        opened += _open(specs[begin : begin + SLICE], by, at.replace(microsecond=0))
    return opened


@transaction.atomic(savepoint=False)
def _open(specs: Sequence[Opening], by: Doer, at: datetime) -> list[Ticket]:
    known = _Known(clocks.terms_of_all(at, [spec.customer.pk for spec in specs]))
    filed = [_prepare(spec, known, by, at) for spec in specs]
    # The choice holds whoever files next, until all is committed: what depends on nobody is written before it.
    draw([one.ticket for one in filed])
    _say(filed, by, at)
    # Whoever is to be chosen goes first: the choice is made before anybody's load is held.
    for one in filed:
        if not one.spec.is_given:
            _choose(one, at)
            _write([one], known, by, at)
    _write([one for one in filed if one.spec.is_given], known, by, at)
    return [one.ticket for one in filed]


# --- One ticket ------------------------------------------------------------------------------------------------------


@dataclass
class _Known:
    """What tickets of one transaction have in common, asked and reckoned once."""

    terms: Mapping[UUID | None, clocks.Terms]
    states: dict[Any, list[ClockState]] = field(default_factory=dict)

    def states_of(self, terms: clocks.Terms, facts: list[list[Any]], at: datetime) -> list[ClockState]:
        key = (terms, *map(tuple, facts))
        if key not in self.states:
            self.states[key] = clocks.begin(terms=terms, facts=facts, at=at)
        return self.states[key]


def _prepare(spec: Opening, known: _Known, by: Doer, at: datetime) -> _Filed:
    """Checks what is asked and binds it to the terms in force. No write."""
    if isinstance(by, User):
        _may_file(spec.customer, spec.requester, by)
    terms = known.terms[spec.customer.pk]
    return _Filed(spec, _ticket(spec, terms, _priority(spec, terms), at), _words(spec))


def _words(spec: Opening) -> tuple[str, str]:
    if spec.is_plain:
        body = clean_block(showable(spec.description))
        return body, richtext.as_typed(body)
    return spec.description, richtext.render(spec.description)


def _may_file(customer: Customer, requester: User, by: User) -> None:
    # Who belongs where was read in this very request: a company deactivated while somebody typed is not among them.
    theirs = by == requester or by.is_service
    desk = by.is_desk and (not customer.restricted or Customer.objects.known_to(by).filter(pk=customer.pk).exists())
    allowed = desk or (theirs and may(by, Right.OPEN_TICKET, customer.pk))
    if allowed and customer.pk in customers_of(requester):
        return
    if (desk or customer.pk in customers_of(by)) and Customer.objects.active().filter(pk=customer.pk).exists():
        raise Refused("requester", _("This person does not belong to the company."))
    raise Refused(
        "customer", _("This company can no longer file tickets here. Your text is kept below; please call us.")
    )


def _priority(spec: Opening, terms: clocks.Terms) -> str:
    priority = spec.priority or clocks.matrix_of(terms.policy).get((spec.impact, spec.urgency))
    if priority is None or priority not in clocks.targets_of(terms):
        raise Refused("priority", _("This is not a priority we know."))
    if not definitions.fits(terms.policy, spec.impact, spec.category):
        codes = ", ".join(definitions.answers_of(terms.policy, spec.category))
        raise Refused("impact", _("This answer is not for this category. Choose one of %(codes)s.") % {"codes": codes})
    return priority


def _ticket(spec: Opening, terms: clocks.Terms, priority: str, at: datetime) -> Ticket:
    title = clean_line(showable(spec.title))[:LONGEST_TITLE] or "AWS" if spec.is_plain else spec.title
    given = spec.assigned_to.pk if spec.assigned_to else spec.parent.assigned_to_id if spec.parent else None
    return Ticket(
        customer=spec.customer,
        requester=spec.requester,
        assigned_to_id=given,
        title=title,
        priority_id=priority,
        category=spec.category,
        source=spec.source,
        impact=spec.impact,
        urgency=spec.urgency,
        service=spec.service,
        follows=spec.follows,
        parent=spec.parent,
        case_turn=spec.case_turn,
        policy_id=terms.policy,
        plan_id=terms.plan,
        calendar_id=terms.calendar,
        created_at=at,
        last_event_at=at,
    )


def _choose(one: _Filed, at: datetime) -> None:
    """Chooses who takes it."""
    spec, ticket = one.spec, one.ticket
    one.choice = assigning.choose(
        customer=spec.customer,
        reader=spec.requester,
        service=spec.service,
        priority=ticket.priority_id,
        response_due_in_s=clocks.targets_of(ticket.terms)[ticket.priority_id].response_s,
        at=at,
    )
    ticket.assigned_to_id = one.choice.to.user if one.choice.to else None


# --- All of them -----------------------------------------------------------------------------------------------------


def _write(filed: list[_Filed], known: _Known, by: Doer, at: datetime) -> None:
    """Writes what is known once it is chosen who takes them, each kind of row at once."""
    for one in filed:
        _promise(one, known, at)
    insert([one.ticket for one in filed], numbered=True)
    told = [About(_happenings(one), one.ticket.ref, one.ticket.customer_id) for one in filed]
    record_all(told, by=by, at=at)
    begun = [clocks.Begun(one.ticket.ref, one.states, report(one.ticket)) for one in filed]
    clocks.start(begun, at=at)
    _keep_who(filed, by, at)
    enqueue([draft for one in filed for draft in _letters(one, by)], at=at)


def _promise(one: _Filed, known: _Known, at: datetime) -> None:
    """Reckons the clocks; their due times stand in the ticket's own row."""
    ticket = one.ticket
    facts = [["created", ticket.priority_id, one.spec.source], *([["assigned"]] if ticket.assigned_to_id else [])]
    one.states = known.states_of(ticket.terms, facts, at)
    keep_due(ticket, one.states)


def _say(filed: list[_Filed], by: Doer, at: datetime) -> None:
    """Writes the opening texts, before the tickets they belong to: their keys are looked at when all is committed."""
    for one in filed:
        one.message = _opening(one, by, at)
    said = [one.message for one in filed]
    insert(said)
    search.index(said)
    for one in filed:
        if isinstance(by, User):
            attaching.bind(one.message, one.spec.files, by=by)


def _opening(one: _Filed, by: Doer, at: datetime) -> Message:
    spec = one.spec
    author = spec.author or by
    if isinstance(author, System):
        raise TypeError("the desk itself writes no messages: name an author")
    body, html = one.words
    return Message(
        ticket=one.ticket,
        kind=Message.Kind.OPENING,
        author=author,
        by_desk=author.is_desk,
        source=spec.source,
        body=body,
        html=html,
        at=at,
        released_at=at,
        said_at=spec.said_at,
        said_by=spec.said_by,
    )


def _happenings(one: _Filed) -> list[Happening]:
    ticket = one.ticket
    data = {
        "message": one.message.pk,
        "priority": ticket.priority_id,
        "impact": ticket.impact,
        "urgency": ticket.urgency,
        "source": ticket.source,
        "service": ticket.service,
    }
    found = [Happening("ticket.opened", data, ["created", ticket.priority_id, ticket.source], public=True)]
    if one.spec.follows:
        found.append(Happening("ticket.followed_up", {"ref": one.spec.follows.ref}, public=True))
    if one.choice:
        found.append(one.choice.happening)
    elif ticket.assigned_to_id:
        found.append(assigning.given(ticket))
    return found


def _keep_who(filed: list[_Filed], by: Doer, at: datetime) -> None:
    """The decisions and the burdens they are. One statement for each choice, two for all that were given."""
    for one in filed:
        if one.choice:
            # Whoever files for a customer has spoken with them.
            desk = isinstance(by, User) and by.is_desk
            worked = (one.ticket.customer_id, by.pk) if isinstance(by, User) and desk else None
            assigning.keep(one.choice, one.ticket, worked=worked, at=at)
    given = [one.ticket for one in filed if not one.choice and one.ticket.assigned_to_id]
    if given:
        AssignmentDecision.objects.bulk_create([assigning.inherited(ticket, at) for ticket in given])
        loads.burden((loads.Weight.of(ticket) for ticket in given), at=at)


def _letters(one: _Filed, by: Doer) -> Iterable[Draft]:
    choice, spec = one.choice, one.spec
    leads = notify.leads() if choice and not choice.to else []
    engineer: Any = choice.told if choice else None
    if spec.assigned_to and not one.ticket.is_part and notify.wants(spec.assigned_to.no_mail, "ticket.assigned"):
        engineer = spec.assigned_to
    return notify.opened(one.ticket, by=by, engineer=engineer, leads=leads, receipt=spec.receipt)
