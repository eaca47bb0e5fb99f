"""The rows of the AWS mirror, by subject: accounts.py, cases.py, reading.py, sending.py, watching.py, health.py,
health_rules.py, health_feed.py."""

from awsint.models.accounts import Account, Hub, Organization, Partition, Setting, State, SupportModel
from awsint.models.cases import CaseFile, CaseLink, Communication, CommunicationVersion, SupportCase
from awsint.models.health import (
    AffectedAccount,
    AffectedCustomer,
    AffectedEntity,
    EntityStatus,
    HealthChange,
    HealthEvent,
    HealthMessage,
    HealthReading,
)
from awsint.models.health_feed import HealthFeed
from awsint.models.health_rules import EventCategory, EventStatus, HealthRule, Playbook, Scope, Suppression, Usage
from awsint.models.reading import CallHour, CallLog, Change, InboxMessage, Poll, Round, Via
from awsint.models.sending import Outgoing
from awsint.models.watching import Alarm, Look, QueueState

__all__ = [
    "Account",
    "AffectedAccount",
    "AffectedCustomer",
    "AffectedEntity",
    "Alarm",
    "CallHour",
    "CallLog",
    "CaseFile",
    "CaseLink",
    "Change",
    "Communication",
    "CommunicationVersion",
    "EntityStatus",
    "EventCategory",
    "EventStatus",
    "HealthChange",
    "HealthEvent",
    "HealthFeed",
    "HealthMessage",
    "HealthReading",
    "HealthRule",
    "Hub",
    "InboxMessage",
    "Look",
    "Organization",
    "Outgoing",
    "Partition",
    "Playbook",
    "Poll",
    "QueueState",
    "Round",
    "Scope",
    "Setting",
    "State",
    "SupportCase",
    "SupportModel",
    "Suppression",
    "Usage",
    "Via",
]
