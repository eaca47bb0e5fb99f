"""The rows of the AWS mirror, by subject: accounts.py, cases.py, reading.py."""

from awsint.models.accounts import Account, Hub, Organization, Partition, Setting, State, SupportModel
from awsint.models.cases import CaseFile, CaseLink, Communication, CommunicationVersion, SupportCase
from awsint.models.reading import CallHour, CallLog, Change, InboxMessage, Poll, Round, Via

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
    "Partition",
    "Poll",
    "Round",
    "Setting",
    "State",
    "SupportCase",
    "SupportModel",
    "Via",
]
