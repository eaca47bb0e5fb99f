"""Who may find a message: words of its row in the index (search.py) that nobody can type."""

from uuid import UUID

from tickets.models import Message


def marks(kind: str, customer: UUID, requester: int) -> list[str]:
    """Who may find a message of a ticket, as words that nobody can type; an opening has one more."""
    if kind == Message.Kind.NOTE:
        return [note_of(customer)]
    public = [said_to(customer), asked_by(requester)]
    return [*public, OPENING] if kind == Message.Kind.OPENING else public


OPENING = "=o"


def said_to(customer: UUID) -> str:
    return f"=c{customer.hex}"


def note_of(customer: UUID) -> str:
    return f"=n{customer.hex}"


def asked_by(requester: int) -> str:
    return f"=r{requester}"


def taken_part_in(person: int) -> str:
    """The mark of a participant, who may find what was said to the customer."""
    return f"=p{person}"
