"""A case becomes a ticket of its account's customer: whose it is, how urgent, and the words it opens with."""

from datetime import datetime

from awsint.mapping import address_in, category_of, family_of, priority_of, who_acts
from awsint.models import Account, CaseLink, Communication, SupportCase
from helpdesk.accounts import house
from helpdesk.accounts.models import Customer, CustomerRole, Membership, User
from helpdesk.audit.record import SYSTEM
from helpdesk.text import TITLE
from sla import clocks
from sla.models import Priority
from tickets import opening
from tickets.models import Message, Source, Ticket


def open_for(case: SupportCase, first: Communication | None, *, held: bool, quiet: bool, at: datetime) -> Ticket:
    """Opens the ticket of a case with its first words, where a customer may read them now, and links the two.

    `quiet` writes no receipt: of what AWS knew before we looked nobody needs one.
    """
    account = case.account
    shown = first if first and not (held and first.by_aws) else None
    wanted = opening.Opening(
        customer=account.customer,
        requester=requester_of(account, case.submitted_by, at),
        title=title_of(case),
        description=shown.body if shown and shown.body.strip() else title_of(case),
        category=category_of(case.service, case.category),
        service=family_of(case.service),
        priority=priority_of(case.severity, ranked(account.customer, at)),
        source=Source.AWS_SUPPORT,
        author=house.aws(at),
        case_turn=who_acts([case.status]),
        said_at=shown.created_at if shown else case.created_at,
        said_by=None if shown and shown.by_aws else (shown or case).submitted_by,
        receipt="" if quiet else "ticket.received",
    )
    (ticket,) = opening.open_many([wanted], by=SYSTEM, at=at)
    CaseLink.objects.create(case=case, ticket=ticket, linked_at=at)
    if shown:
        shown.message = Message.objects.filter(ticket=ticket).earliest("pk")
    return ticket


def title_of(case: SupportCase) -> str:
    return (case.subject or f"AWS {case.display_id}")[:TITLE]


def ranked(customer: Customer, at: datetime) -> list[str]:
    """The priorities that are promised to a customer now, the most urgent first."""
    promised = clocks.targets_of(clocks.terms_in_force(at, customer.pk))
    return list(Priority.objects.filter(code__in=promised).order_by("rank").values_list("code", flat=True))


def requester_of(account: Account, submitted_by: str, at: datetime) -> User:
    """Whose ticket it is: the person of the customer who wrote, else the account's contact, else the company's oldest
    administrator or person. A company of nobody has a stand-in, so that nothing is lost."""
    theirs = Membership.objects.filter(customer=account.customer, is_active=True, user__is_active=True)
    people = theirs.filter(user__is_service=False).select_related("user").order_by("user__created_at", "user_id")
    address = address_in(submitted_by)
    if address and (wrote := people.filter(user__email__iexact=address).first()):
        return wrote.user
    known = list(people.filter(user=account.contact_id)) if account.contact_id else []
    known = known or list(people.filter(role=CustomerRole.ADMIN)[:1]) or list(people[:1])
    return known[0].user if known else stand_in(account.customer, at)


def stand_in(customer: Customer, at: datetime) -> User:
    """Whose the tickets of a company without people are, so that nothing is lost: a service user of its own.

    No login form takes the address for one, there is no password, and no letter goes there."""
    password = User()
    password.set_unusable_password()
    given = {"name": customer.name[:80], "is_service": True, "language": customer.language}
    # Of two that come first the second finds the row of the other.
    person, _new = User.objects.get_or_create(
        email=f"aws:{customer.pk.hex}", defaults=given | {"password": password.password, "created_at": at}
    )
    Membership.objects.get_or_create(user=person, customer=customer, defaults={"role": CustomerRole.MEMBER})
    return person
