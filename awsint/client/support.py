"""AWS Support as the desk uses it: cases, what was said on them, their files; what an account may choose.

AWS's own limits are kept here before a call is made, because the SDK does not look at them (aws.md, 1.1). A mutation is
one attempt: raised as Away nobody knows whether it happened, raised as anything else it did not.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from awsint.client import files
from awsint.client.calling import Caller, needed
from awsint.client.sessions import WRITES
from awsint.shapes import AwsError, CaseRead, CaseUnknown, FileRef, Invalid, Said, Severity

MOST_IDS = 100
PAGE, LONG_PAGE = 50, 100
MOST_BODY, MOST_CC = 8000, 10
DRY = "DryRunOperationException"


class SupportApi:
    """AWS Support in one account."""

    def __init__(self, caller: Caller) -> None:
        self.aws = caller

    # Reading

    def open_cases(self, page: int = PAGE) -> Iterator[CaseRead]:
        """Every case that is not resolved, with its newest words."""
        yield from self._cases(includeResolvedCases=False, includeCommunications=True, maxResults=page)

    def all_cases(self, after: datetime | None = None, *, words: bool = False, page: int = PAGE) -> Iterator[CaseRead]:
        """Resolved ones too; `after` leaves out what AWS has nothing new of since then."""
        given: dict[str, Any] = {"afterTime": after.isoformat()} if after else {}
        yield from self._cases(includeResolvedCases=True, includeCommunications=words, maxResults=page, **given)

    def cases(self, case_ids: Sequence[str]) -> list[CaseRead]:
        """These cases, resolved ones too. Those that AWS does not know are missing: one of them would fail the call,
        so the list is halved until it is found."""
        found: list[CaseRead] = []
        for begin in range(0, len(case_ids), MOST_IDS):
            found += self._some(list(case_ids[begin : begin + MOST_IDS]))
        return found

    def _some(self, ids: list[str]) -> list[CaseRead]:
        try:
            return list(
                self._cases(caseIdList=ids, includeResolvedCases=True, includeCommunications=True, maxResults=LONG_PAGE)
            )
        except CaseUnknown:
            if len(ids) == 1:
                return []
        half = len(ids) // 2
        return [*self._some(ids[:half]), *self._some(ids[half:])]

    def _cases(self, **given: Any) -> Iterator[CaseRead]:
        for answer in self._pages("describe_cases", given):
            yield from (_case(told) for told in answer.get("cases", []))

    def more_said(self, case_id: str, token: str) -> Iterator[Said]:
        """What was said before the words that came with the case, newest first."""
        for answer in self._pages("describe_communications", {"caseId": case_id, "nextToken": token}):
            yield from (_said(told, case_id) for told in answer.get("communications", []))

    def said(self, case_id: str, after: datetime | None = None) -> Iterator[Said]:
        """Everything said on a case, newest first."""
        given: dict[str, Any] = {"caseId": case_id, "maxResults": LONG_PAGE}
        if after:
            given["afterTime"] = after.isoformat()
        for answer in self._pages("describe_communications", given):
            yield from (_said(told, case_id) for told in answer.get("communications", []))

    def _pages(self, operation: str, given: dict[str, Any]) -> Iterator[dict[str, Any]]:
        while True:
            answer = self.aws.call(operation, **given)
            yield answer
            token = answer.get("nextToken")
            if not token:
                return
            given = {**given, "nextToken": token}

    def attachment(self, file: FileRef) -> Iterator[bytes]:
        """Its bytes in blocks, whatever its size. Raises AwsError, and Away where the way is not one of AWS's."""
        try:
            answer = self.aws.call("get_attachment_download_link", attachmentId=file.attachment_id)
        except AwsError as error:
            # An older partition, or a role that may only read small ones.
            if error.code not in ("AccessDeniedException", "AccessDenied", "UnknownOperationException"):
                raise
            told = self.aws.call("describe_attachment", attachmentId=file.attachment_id)
            return iter([needed(told, "attachment").get("data", b"")])
        return files.fetched(answer["downloadUrl"]["url"])

    # What may be chosen

    def severities(self, language: str = "en") -> list[Severity]:
        """The levels this account may choose, the lowest first."""
        told = self.aws.call("describe_severity_levels", language=language).get("severityLevels", [])
        return [Severity(one["code"], one.get("name", "")) for one in told]

    def services(self, language: str = "en") -> list[dict[str, Any]]:
        """Services with their categories: {"code", "name", "categories": [{"code", "name"}]}."""
        found: list[dict[str, Any]] = self.aws.call("describe_services", language=language).get("services", [])
        return found

    def languages(self, service: str, category: str, issue_type: str = "technical") -> list[str]:
        """Codes of the languages in which AWS answers there."""
        given = {"issueType": issue_type, "serviceCode": service, "categoryCode": category}
        told = self.aws.call("describe_supported_languages", **given).get("supportedLanguages", [])
        return [one["code"] for one in told]

    def create_options(
        self, service: str, category: str, language: str, issue_type: str = "technical"
    ) -> dict[str, Any]:
        """How a case there would be answered in a language: {"languageAvailability": "available", "best_effort" or
        "unavailable", "communicationTypes": [{"type", "supportedHours", "datesWithoutSupport"}]}, in AWS's words."""
        given = {"issueType": issue_type, "serviceCode": service, "categoryCode": category, "language": language}
        return self.aws.call("describe_create_case_options", **given)

    # Changing

    def create_case(
        self,
        *,
        subject: str,
        body: str,
        service: str,
        category: str,
        severity: str,
        language: str,
        issue_type: str = "technical",
        cc: Sequence[str] = (),
        uploads: Sequence[str] = (),
        attachment_set: str = "",
    ) -> str:
        """Opens a case and returns its number."""
        given = {
            "subject": subject,
            "communicationBody": _body(body),
            "serviceCode": service,
            "categoryCode": category,
            "severityCode": severity,
            "language": language,
            "issueType": issue_type,
            **_with(cc, uploads, attachment_set),
        }
        number: str = needed(self.aws.call("create_case", WRITES, **given), "caseId")
        return number

    def add_communication(
        self, case_id: str, body: str, *, cc: Sequence[str] = (), uploads: Sequence[str] = (), attachment_set: str = ""
    ) -> None:
        """Says something on a case. AWS tells no number of it."""
        more = _with(cc, uploads, attachment_set)
        self.aws.call("add_communication_to_case", WRITES, caseId=case_id, communicationBody=_body(body), **more)

    def resolve(self, case_id: str) -> str:
        """Resolves a case and returns its new status, empty where AWS does not say."""
        status: str = self.aws.call("resolve_case", WRITES, caseId=case_id).get("finalCaseStatus", "")
        return status

    def dry_run(self, action: str) -> None:
        """Whether we may: raises what would be raised. "create", "reply" or "resolve"; nothing happens at AWS."""
        operation, given = DRY_RUNS[action]
        try:
            answer = self.aws.call(operation, WRITES, **given, dryRun=True)
        except CaseUnknown:
            # Whoever may not is refused before the case is looked for.
            return
        except AwsError as error:
            if error.code == DRY:
                return
            raise
        raise Invalid("NoDryRun", f"it was done: {answer.get('caseId', '')}", operation=operation)

    # Files on their way to AWS

    def attachment_set(self, pieces: Sequence[tuple[str, bytes]]) -> str:
        """A set of at most three files of at most 5 MB; it lives for an hour."""
        if not 0 < len(pieces) <= files.MOST_IN_SET or any(len(data) > files.MOST_OF_SET for _name, data in pieces):
            raise Invalid("AttachmentSetSizeLimitExceeded", operation="AddAttachmentsToSet")
        told = [{"fileName": name, "data": data} for name, data in pieces]
        number: str = needed(self.aws.call("add_attachments_to_set", WRITES, attachments=told), "attachmentSetId")
        return number

    def upload(self, name: str, size: int, read: Callable[[int, int], Iterator[bytes]]) -> str:
        """Hands a file of up to 150 MB over in parts and returns its number; `read` gives the bytes from a place on."""
        return files.upload(self.aws, name, size, read)


# A dry run needs what a real call needs, and does none of it.
NOBODYS_CASE = "case-000000000000-muen-2026-0000000000000000"
DRY_RUNS: dict[str, tuple[str, dict[str, Any]]] = {
    "create": (
        "create_case",
        {"subject": "TEST CASE-Please ignore", "communicationBody": "TEST CASE-Please ignore"},
    ),
    "reply": (
        "add_communication_to_case",
        {"caseId": NOBODYS_CASE, "communicationBody": "TEST CASE-Please ignore"},
    ),
    "resolve": ("resolve_case", {"caseId": NOBODYS_CASE}),
}


def _body(body: str) -> str:
    if not 0 < len(body) <= MOST_BODY:
        raise Invalid("BodyLength", f"{len(body)} characters")
    return body


def _with(cc: Sequence[str], uploads: Sequence[str], attachment_set: str) -> dict[str, Any]:
    if len(cc) > MOST_CC or len(uploads) > files.MOST_UPLOADS:
        raise Invalid("TooMany", f"{len(cc)} cc, {len(uploads)} files")
    given = {"ccEmailAddresses": list(cc), "uploadIds": list(uploads), "attachmentSetId": attachment_set}
    return {name: value for name, value in given.items() if value}


# --- Answers ---------------------------------------------------------------------------------------------------------


def _case(told: dict[str, Any]) -> CaseRead:
    recent = told.get("recentCommunications") or {}
    return CaseRead(
        case_id=needed(told, "caseId"),
        display_id=told.get("displayId", ""),
        subject=told.get("subject", ""),
        status=told.get("status", ""),
        service=told.get("serviceCode", ""),
        category=told.get("categoryCode", ""),
        severity=told.get("severityCode", ""),
        submitted_by=told.get("submittedBy", ""),
        created_text=told.get("timeCreated", ""),
        created_at=instant(told.get("timeCreated", "")),
        language=told.get("language", ""),
        cc=tuple(told.get("ccEmailAddresses") or ()),
        said=tuple(_said(one, told["caseId"]) for one in recent.get("communications") or ()),
        more=recent.get("nextToken") or "",
    )


def _said(told: dict[str, Any], case_id: str) -> Said:
    # `attachments` lists all, `attachmentSet` the small ones alone, and only the latter before 2025.
    named = {one["attachmentId"]: one for one in [*(told.get("attachmentSet") or ()), *(told.get("attachments") or ())]}
    return Said(
        case_id=told.get("caseId") or case_id,
        body=told.get("body", ""),
        submitted_by=told.get("submittedBy", ""),
        created_text=told.get("timeCreated", ""),
        created_at=instant(told.get("timeCreated", "")),
        files=tuple(FileRef(number, one.get("fileName", "")) for number, one in named.items()),
    )


def instant(text: str) -> datetime:
    """AWS's text of an instant; one without a zone is in UTC. Raises Invalid."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise Invalid("Time", f"no instant: {text[:40]!r}") from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)
