"""The rows of the AWS mirror, by subject: accounts.py, cases.py, reading.py, sending.py."""

from awsint.models.accounts import Account, Hub, Organization, Partition, Setting, State, SupportModel
from awsint.models.cases import CaseFile, CaseLink, Communication, CommunicationVersion, SupportCase
from awsint.models.reading import CallHour, CallLog, Change, InboxMessage, Poll, Round, Via
from awsint.models.sending import Outgoing

__all__ = [
    "Account",
    "CallHour",
    "CallLog",
    "CaseFile",
    "CaseLink",
    "Change",
    "Communication",
    "CommunicationVersion",
    "Hub",
    "InboxMessage",
    "Organization",
    "Outgoing",
    "Partition",
    "Poll",
    "Round",
    "Setting",
    "State",
    "SupportCase",
    "SupportModel",
    "Via",
]
