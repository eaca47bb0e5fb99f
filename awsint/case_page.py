"""/aws/cases/<id>: one case with all that was said on it, how AWS changed that afterwards, its files, its tickets."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet

from awsint import case_files, case_list
from awsint.models import CaseFile, Communication, CommunicationVersion, SupportCase
from awsint.wishes import oldest
from helpdesk.accounts.masking import customer_names, masks, person_names
from helpdesk.accounts.models import User

WORDS = 100


@dataclass
class Word:
    """Something said, as its reader may see it: an auditor reads neither text nor names."""

    said: Communication
    who: str
    body: str
    seen_by: str
    versions: list[CommunicationVersion] = field(default_factory=list)
    files: list[CaseFile] = field(default_factory=list)


def known_to(user: User) -> QuerySet[Any]:
    return SupportCase.objects.visible_to(user).select_related("account__customer").defer("words")


def line_of(user: User, case: SupportCase) -> case_list.Line:
    """The case as the list shows it. One statement, one more to an auditor."""
    names = customer_names(user, [case.account.customer_id]) if masks(user) else {}
    return case_list.line(user, case, case_list.tickets_of(user, [case.pk])[case.pk], names)


def words(user: User, case: SupportCase, after: str) -> tuple[list[Word], str]:
    """What was said, the oldest first, and the key of what comes next. Four statements however much it is."""
    rows = Communication.objects.filter(case=case)
    if masks(user):
        rows = rows.defer("body")
    found, further = oldest(rows, "created_at", after, WORDS)
    versions, files = _versions(user, found), _files(found)
    people = person_names(user, {said.seen_by_id for said in found if said.seen_by_id})
    return [_word(user, said, versions[said.pk], files[said.pk], people) for said in found], further


def _word(
    user: User,
    said: Communication,
    versions: list[CommunicationVersion],
    files: list[CaseFile],
    people: dict[int, str],
) -> Word:
    hidden = masks(user)
    return Word(
        said=said,
        who="AWS" if said.by_aws else "" if hidden else said.submitted_by,
        body="" if hidden else said.body,
        seen_by=people.get(said.seen_by_id or 0, ""),
        versions=versions,
        files=files,
    )


def _versions(user: User, said: Iterable[Communication]) -> dict[int, list[CommunicationVersion]]:
    found: dict[int, list[CommunicationVersion]] = defaultdict(list)
    rows = CommunicationVersion.objects.filter(communication__in=[one.pk for one in said]).order_by("number")
    for row in rows.defer("body") if masks(user) else rows:
        found[row.communication_id].append(row)
    return found


def _files(said: Iterable[Communication]) -> dict[int, list[CaseFile]]:
    found: dict[int, list[CaseFile]] = defaultdict(list)
    rows = CaseFile.objects.filter(communication__in=[one.pk for one in said]).select_related("attachment")
    for row in rows.order_by("pk"):
        row.why = case_files.REASONS.get(row.reason, "")  # type: ignore[attr-defined]
        found[row.communication_id].append(row)
    return found
