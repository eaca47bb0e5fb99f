"""The rows of the desk, by subject: ticket.py, said.py, people.py."""

from tickets.models.people import AssignmentDecision, Follow, Handled, Load, Mention, Participant, Satisfaction, Score
from tickets.models.said import Attachment, Canned, Draft, Files, Message, SearchRow
from tickets.models.ticket import OPEN, Category, CloseReason, Link, Source, Status, Tag, Ticket, Turn

__all__ = [
    "OPEN",
    "AssignmentDecision",
    "Attachment",
    "Canned",
    "Category",
    "CloseReason",
    "Draft",
    "Files",
    "Follow",
    "Handled",
    "Link",
    "Load",
    "Mention",
    "Message",
    "Participant",
    "Satisfaction",
    "Score",
    "SearchRow",
    "Source",
    "Status",
    "Tag",
    "Ticket",
    "Turn",
]
