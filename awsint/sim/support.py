"""AWS Support as the simulator does it: one function an operation, `(world, account, given) -> answer`.

What is believed of AWS and nobody confirmed (an answer reopens a resolved case, a new case is unassigned) are settings
of the world.
"""

import hashlib
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from awsint.sim.wire import ApiError
from awsint.sim.world import AWS as AWS
from awsint.sim.world import LEVELS, PLANS, Account, Case, File, Upload, Word, World

Operation = Callable[[World, Account, dict[str, Any]], dict[str, Any]]
OPERATIONS: dict[str, Operation] = {}
NEWEST = 5
AN_HOUR = 10
SMALL = 5 * 1024 * 1024
PART = 5 * 1024 * 1024
AT_A_TIME = 10
NAMES = {
    "low": "General guidance",
    "normal": "System impaired",
    "high": "Production system impaired",
    "urgent": "Production system down",
    "critical": "Business-critical system down",
}
SERVICES = {
    "amazon-elastic-compute-cloud-linux": ("Elastic Compute Cloud (EC2 - Linux)", ["instance-issue", "other"]),
    "amazon-relational-database-service-mysql": ("Relational Database Service (MySQL)", ["connectivity", "other"]),
    "amazon-simple-storage-service": ("Simple Storage Service", ["permissions", "other"]),
    "elastic-load-balancing-application": ("Elastic Load Balancing (ALB)", ["unhealthy-targets", "other"]),
    "aws-lambda": ("Lambda", ["performance", "other"]),
    "amazon-virtual-private-cloud": ("Virtual Private Cloud", ["vpn", "other"]),
    "amazon-dynamodb": ("DynamoDB", ["throttling", "other"]),
    "service-eks": ("Elastic Kubernetes Service", ["cluster", "other"]),
    "account-management": ("Account", ["billing", "other"]),
    "general-info": ("General Info and Getting Started", ["using-aws", "other"]),
}
LANGUAGES = {"en": "English", "zh": "中文", "ja": "日本語", "ko": "한국어"}
SECRET = re.compile(r"(?:AKIA|ASIA)[A-Z0-9]{16}|-----BEGIN [A-Z ]*PRIVATE KEY-----")


def operation(function: Operation) -> Operation:
    OPERATIONS["".join(word.capitalize() for word in function.__name__.split("_"))] = function
    return function


def allowed(account: Account) -> None:
    """Raises ApiError where the account has no plan with an API."""
    if not PLANS[account.plan]:
        raise ApiError(
            "SubscriptionRequiredException", "AWS Premium Support Subscription is required to use this service."
        )


def _tried(given: dict[str, Any]) -> None:
    if given.get("dryRun"):
        raise ApiError("DryRunOperationException", "Request would have succeeded, but DryRun flag is set.", 412)


def text_of(at: datetime) -> str:
    """An instant in AWS's text."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


# --- Reading ---------------------------------------------------------------------------------------------------------


@operation
def describe_cases(world: World, account: Account, given: dict[str, Any]) -> dict[str, Any]:
    cases = world.cases[account.number]
    if ids := given.get("caseIdList"):
        unknown = [number for number in ids if number not in cases]
        if unknown:
            raise ApiError("CaseIdNotFound", f"The case was not found: {unknown[0]}")
        found = [cases[number] for number in ids]
    else:
        found = sorted(cases.values(), key=lambda case: case.at, reverse=True)
    if given.get("displayId"):
        found = [case for case in found if case.display == given["displayId"]]
    if not given.get("includeResolvedCases", False):
        found = [case for case in found if case.status != "resolved"]
    found = [case for case in found if _within(case.words, given)] if _dated(given) else found
    page, token = _page(world, account, "DescribeCases", found, given)
    with_words = given.get("includeCommunications", True)
    return {"cases": [_case(world, case, with_words) for case in page], "nextToken": token}


def _dated(given: dict[str, Any]) -> bool:
    return "afterTime" in given or "beforeTime" in given


def _within(words: list[Word], given: dict[str, Any]) -> list[Word]:
    after, before = _instant(given.get("afterTime")), _instant(given.get("beforeTime"))
    return [w for w in words if (not after or w.at >= after) and (not before or w.at <= before)]


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _page(
    world: World, account: Account, name: str, rows: list[Any], given: dict[str, Any]
) -> tuple[list[Any], str | None]:
    begin, size = int(given.get("nextToken", "0").rpartition(":")[2]), given.get("maxResults", 100)
    if begin and world.meets(account.number, name, "dropped-page"):
        raise ApiError("InternalServerError", status=500)
    rest = rows[begin : begin + size]
    return rest, f"page:{begin + size}" if begin + size < len(rows) else None


def _case(world: World, case: Case, with_words: bool) -> dict[str, Any]:
    told: dict[str, Any] = {
        "caseId": case.number,
        "displayId": case.display,
        "subject": case.subject,
        "status": case.status,
        "serviceCode": case.service,
        "categoryCode": case.category,
        "severityCode": case.severity,
        "submittedBy": case.by,
        "timeCreated": text_of(case.at),
        "ccEmailAddresses": case.cc,
        "language": case.language,
    }
    if with_words:
        words = case.newest_first
        more = f"words:{NEWEST}" if len(words) > NEWEST else None
        recent = [_word(world, case, word) for word in words[:NEWEST]]
        told["recentCommunications"] = {"communications": recent, "nextToken": more}
    return told


def _word(world: World, case: Case, word: Word) -> dict[str, Any]:
    files = [world.files[number] for number in word.files]
    named = [{"attachmentId": file.number, "fileName": file.name} for file in files]
    small = [one for one, file in zip(named, files, strict=True) if len(file.data) <= SMALL]
    return {
        "caseId": case.number,
        "body": word.body,
        "submittedBy": word.by,
        "timeCreated": text_of(word.at),
        "attachments": named,
        "attachmentSet": small,
    }


@operation
def describe_communications(world: World, account: Account, given: dict[str, Any]) -> dict[str, Any]:
    case = _known(world, account, given["caseId"])
    words = [word for word in case.newest_first if word in _within(case.words, given)]
    page, token = _page(world, account, "DescribeCommunications", words, given)
    return {"communications": [_word(world, case, word) for word in page], "nextToken": token}


def _known(world: World, account: Account, number: str | None) -> Case:
    case = world.cases[account.number].get(number or "")
    if case is None:
        raise ApiError("CaseIdNotFound", f"The case was not found: {number}")
    return case


@operation
def describe_services(_world: World, _account: Account, given: dict[str, Any]) -> dict[str, Any]:
    wanted = given.get("serviceCodeList") or list(SERVICES)
    services = [
        {
            "code": code,
            "name": SERVICES[code][0],
            "categories": [{"code": one, "name": one.replace("-", " ").capitalize()} for one in SERVICES[code][1]],
        }
        for code in wanted
        if code in SERVICES
    ]
    return {"services": services}


@operation
def describe_severity_levels(_world: World, account: Account, _given: dict[str, Any]) -> dict[str, Any]:
    return {"severityLevels": [{"code": code, "name": NAMES[code]} for code in PLANS[account.plan]]}


@operation
def describe_supported_languages(_world: World, account: Account, _given: dict[str, Any]) -> dict[str, Any]:
    codes = ("zh", "en") if account.partition == "aws-cn" else tuple(LANGUAGES)
    return {
        "supportedLanguages": [
            {"code": code, "language": LANGUAGES[code], "display": LANGUAGES[code]} for code in codes
        ]
    }


@operation
def describe_create_case_options(_world: World, _account: Account, _given: dict[str, Any]) -> dict[str, Any]:
    return {"languageAvailability": "available", "communicationTypes": []}


# --- Changing --------------------------------------------------------------------------------------------------------


@operation
def create_case(world: World, account: Account, given: dict[str, Any]) -> dict[str, Any]:
    severity = given.get("severityCode", "low")
    if severity not in PLANS[account.plan]:
        raise ApiError("InvalidParameterValueException", f"severityCode {severity} is not available")
    if given.get("language", "en") not in LANGUAGES:
        raise ApiError("InvalidParameterValueException", "language is not available")
    _tried(given)
    since = world.now() - timedelta(hours=1)
    if sum(case.at > since and case.by != AWS for case in world.cases[account.number].values()) >= AN_HOUR:
        raise ApiError("CaseCreationLimitExceeded", "The case creation limit for the account has been exceeded.")
    case = new_case(world, account, given)
    return {"caseId": case.number}


def new_case(world: World, account: Account, given: dict[str, Any]) -> Case:
    """A case, by whoever calls."""
    with world.lock:
        n = next(world.numbers)
        place = {"aws": "muen", "aws-cn": "mucn"}.get(account.partition, "mugov")
        digest = hashlib.sha256(f"{account.number}:{n}".encode()).hexdigest()[:16]
        by = given.get("submittedBy") or f"PartnerSupportSync (Role) <{account.number}@accounts.example>"
        case = Case(
            number=f"case-{account.number}-{place}-{world.now():%Y}-{digest}",
            display=str(170000000000000 + n),
            account=account.number,
            subject=given["subject"],
            service=given.get("serviceCode", "general-info"),
            category=given.get("categoryCode", "other"),
            severity=given.get("severityCode", "low"),
            language=given.get("language", "en"),
            by=by,
            at=given.get("at") or world.now(),
            cc=list(given.get("ccEmailAddresses", [])),
            status=world.new_status,
        )
        world.cases[account.number][case.number] = case
        case.words.append(Word(_kept(world, given["communicationBody"]), by, case.at, _files(world, account, given)))
        world.bodies.append((account.number, "CreateCase", f"{given['subject']}\n{given['communicationBody']}"))
    world.tell(account, case, "CreateCase")
    return case


def _kept(world: World, body: str) -> str:
    """As AWS stores it: secrets may be blanked."""
    return SECRET.sub("[REDACTED]", body) if world.redacts else body


def _files(world: World, account: Account, given: dict[str, Any]) -> list[str]:
    numbers: list[str] = []
    if name := given.get("attachmentSetId"):
        owner, until, files = world.sets.get(name, ("", world.now(), []))
        if owner != account.number:
            raise ApiError("AttachmentSetIdNotFound")
        if until <= world.now():
            raise ApiError("AttachmentSetExpired")
        numbers += files
    for number in given.get("uploadIds", []):
        upload = _upload(world, account, number)
        if not upload.done:
            raise ApiError("InvalidParameterValueException", "The upload is not ready")
        numbers.append(keep_file(world, account, upload.name, b"".join(upload.parts[n] for n in sorted(upload.parts))))
    return numbers


@operation
def add_communication_to_case(world: World, account: Account, given: dict[str, Any]) -> dict[str, Any]:
    if given.get("dryRun"):
        _tried(given)
    case = _known(world, account, given.get("caseId"))
    by = f"PartnerSupportSync (Role) <{account.number}@accounts.example>"
    world.bodies.append((account.number, "AddCommunicationToCase", given["communicationBody"]))
    say(world, account, case, given["communicationBody"], by=by, files=_files(world, account, given))
    return {"result": True}


def say(
    world: World,
    account: Account,
    case: Case,
    body: str,
    *,
    by: str = AWS,
    at: datetime | None = None,
    files: list[str] | None = None,
) -> Word:
    """Something said on a case, by AWS or by the customer's side. `at` may lie in the past: late."""
    with world.lock:
        word = Word(_kept(world, body), by, at or world.now(), files or [])
        case.words.append(word)
        if by != AWS and case.status == "resolved" and world.answer_reopens:
            case.status = "reopened"
        elif by != AWS and case.status == "pending-customer-action":
            case.status = "customer-action-completed"
    world.tell(account, case, "AddCommunicationToCase", "AWS" if by == AWS else "CUSTOMER")
    return word


@operation
def resolve_case(world: World, account: Account, given: dict[str, Any]) -> dict[str, Any]:
    if given.get("dryRun"):
        _tried(given)
    case = _known(world, account, given.get("caseId"))
    before = case.status
    set_status(world, account, case, "resolved")
    return {"initialCaseStatus": before, "finalCaseStatus": "resolved"}


def set_status(world: World, account: Account, case: Case, status: str) -> None:
    """A case's new status. EventBridge tells of two of them alone (aws.md, 1.6)."""
    with world.lock:
        before, case.status = case.status, status
    if before != status and status in ("resolved", "reopened"):
        world.tell(account, case, "ResolveCase" if status == "resolved" else "ReopenCase")


# --- Files -----------------------------------------------------------------------------------------------------------


def keep_file(world: World, account: Account, name: str, data: bytes) -> str:
    """Stores a file and returns its number."""
    with world.lock:
        number = f"attachment-{next(world.numbers):010d}"
        world.files[number] = File(number, name, data, account.number)
    return number


@operation
def add_attachments_to_set(world: World, account: Account, given: dict[str, Any]) -> dict[str, Any]:
    pieces = given["attachments"]
    if len(pieces) > 3 or any(len(one.get("data", b"")) > SMALL for one in pieces):
        raise ApiError("AttachmentSetSizeLimitExceeded")
    with world.lock:
        number = f"set-{next(world.numbers):010d}"
        until = world.now() + timedelta(hours=1)
        files = [keep_file(world, account, one.get("fileName", "file"), one.get("data", b"")) for one in pieces]
        world.sets[number] = (account.number, until, files)
    return {"attachmentSetId": number, "expiryTime": text_of(until)}


@operation
def describe_attachment(world: World, account: Account, given: dict[str, Any]) -> dict[str, Any]:
    file = _file(world, account, given["attachmentId"])
    if len(file.data) > SMALL:
        raise ApiError("InvalidParameterValueException", "The attachment is larger than 5 MB")
    return {"attachment": {"fileName": file.name, "data": file.data}}


def _file(world: World, account: Account, number: str) -> File:
    file = world.files.get(number)
    if file is None or file.account != account.number:
        raise ApiError("AttachmentIdNotFound")
    return file


@operation
def get_attachment_download_link(world: World, account: Account, given: dict[str, Any]) -> dict[str, Any]:
    file = _file(world, account, given["attachmentId"])
    link = f"{given['here']}/_files/{file.number}"
    return {"fileName": file.name, "downloadUrl": {"url": link, "expiryDate": text_of(world.now())}}


def _upload(world: World, account: Account, number: str) -> Upload:
    upload = world.uploads.get(number)
    if upload is None or upload.account != account.number:
        raise ApiError("UploadIdNotFound")
    return upload


@operation
def get_attachment_upload_links(world: World, account: Account, given: dict[str, Any]) -> dict[str, Any]:
    if "uploadId" in given:
        upload = _upload(world, account, given["uploadId"])
    else:
        if "fileName" not in given or "fileSizeBytes" not in given:
            raise ApiError("InvalidParameterValueException", "fileName and fileSizeBytes, or uploadId")
        with world.lock:
            upload = Upload(
                f"upload-{next(world.numbers):010d}", account.number, given["fileName"], given["fileSizeBytes"]
            )
            world.uploads[upload.number] = upload
    total = -(-upload.size // PART)
    asked = given.get("uploadRange", {})
    begin = asked.get("startIndex", 1)
    end = min(asked.get("endIndex", begin + AT_A_TIME), total + 1)
    until = text_of(world.now() + timedelta(hours=1))
    links = [
        {"url": f"{given['here']}/_uploads/{upload.number}/{n}", "partIndex": n, "expiryDate": until}
        for n in range(begin, end)
    ]
    following = {"nextIndex": end} if end <= total else {}
    return {"uploadId": upload.number, "partSizeBytes": PART, "totalParts": total, "uploadUrls": links, **following}


@operation
def complete_attachment_upload(world: World, account: Account, given: dict[str, Any]) -> dict[str, Any]:
    upload = _upload(world, account, given["uploadId"])
    told = {one.get("partIndex") for one in given["completedUploads"]}
    whole = sum(len(part) for part in upload.parts.values()) == upload.size and told == set(upload.parts)
    upload.done = whole
    return {"uploadStatus": "attachment-ready" if whole else "failed"}


@operation
def describe_attachment_upload_status(world: World, account: Account, given: dict[str, Any]) -> dict[str, Any]:
    upload = _upload(world, account, given["uploadId"])
    status = "attachment-ready" if upload.done else "attachment-not-ready"
    return {"uploadStatus": status, "fileName": upload.name}


__all__ = ["LEVELS", "OPERATIONS", "allowed", "keep_file", "new_case", "say", "set_status", "text_of"]
