"""Test connection: whether an account lets us in as its own, and what we may do there. One step a slice of a job.

An account is proved where its role lets us in with its own ExternalId, is in that very account, and refuses every other
ExternalId and none (A-01): a role that lets in whoever knows its name would let another customer name it. What the role
allows is asked as well, with dry runs that do nothing at AWS; it is no part of the proof, because an account without a
support plan is still its customer's.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import transaction

from awsint import account_actions, calls, client
from awsint.client import sessions
from awsint.models import Account, Hub
from awsint.shapes import Away, AwsError, Calls, CaseUnknown, ClockSkew, Denied, HubBroken, Place
from helpdesk.accounts.models import User
from helpdesk.jobs import work
from helpdesk.jobs.models import Job

KIND = "aws.test"
READS = ("hub", "role", "own_id", "severities", "cases")
WRITES = ("create_case", "add_communication", "resolve")
# Without these nothing after them can be asked.
NEEDED = ("hub", "role", "own_id", "severities")
PROOF = ("hub", "role", "own_id")
DRY = {"create_case": "create", "add_communication": "reply", "resolve": "resolve"}
Found = dict[str, Any]


@transaction.atomic
def begin(*, account: Account, by: User, at: datetime) -> Job:
    """A test of the account as it stands; one that is under way already is given back. Raises PermissionDenied."""
    account_actions.demand(by)
    found = Account.objects.select_for_update(of=("self",)).select_related("test").get(pk=account.pk)
    running: Job | None = found.test
    if running and running.is_under_way:
        return running
    args = {"account": found.pk, "stands": stands(found)}
    begun = work.begin(KIND, args, by=by, at=at, page=f"/aws/accounts/{found.pk}/#connection")
    found.test = begun
    found.save(update_fields=["test"])
    return begun


def stands(account: Account) -> list[str]:
    """What a test is about: it proves nothing of an account that was changed meanwhile."""
    return [account.role_arn, str(account.external_id_shown_at)]


def slice_of(job: Job, at: datetime) -> work.Step:
    """One step of the test; the last slice writes down what they came to and asks nobody."""
    account = Account.objects.select_related("customer").get(pk=job.args["account"])
    found: list[Found] = list(job.cursor or [])
    todo = READS + (WRITES if account.may_write else ())
    if len(found) < len(todo):
        found.append(_step(account, todo[len(found)], found, at))
        return work.Step(found, len(found), len(todo))
    return work.Step(found, len(found), len(todo), _written(account, job, found, at))


def _written(account: Account, job: Job, found: list[Found], at: datetime) -> dict[str, Any]:
    """The result. What the steps prove goes to the account, unless it was changed meanwhile."""
    proof = {one["step"]: one["ok"] for one in found if one["step"] in PROOF}
    severities: list[str] = next((one["severities"] for one in found if "severities" in one), [])
    if job.args["stands"] == stands(account):
        account_actions.note_test(
            account=account,
            proved=all(proof.values()),
            open_to_all=any(one.get("open") for one in found),
            uses_next=any(one.get("next") for one in found),
            severities=severities,
            failed=[one["step"] for one in found if not one["ok"]],
            by=_asker(job),
            at=at,
        )
    return {"steps": found}


def _asker(job: Job) -> User:
    return User.objects.get(pk=int(job.asked_by.removeprefix("user:")))


# --- One step --------------------------------------------------------------------------------------------------------


def _step(account: Account, name: str, before: list[Found], at: datetime) -> Found:
    """What a step came to: {"step", "ok"} and, where it is not, AWS's code and text and our kind of it."""
    if any(not one["ok"] for one in before if one["step"] in NEEDED):
        return {"step": name, "ok": False, "skipped": True}
    uses_next = any(one.get("next") for one in before)
    made = Calls()
    try:
        told = _ASKED[name](account, _place(account, uses_next), made, at)
    except AwsError as error:
        told = {"ok": False, "code": error.code, "text": error.text[:400], "kind": kind_of(error)}
    finally:
        calls.store(made)
    return {"step": name, "ok": True} | told


def kind_of(error: AwsError) -> str:
    """The word under which mending.py knows how an error is mended."""
    by_class = ((HubBroken, "HUB"), (ClockSkew, "CLOCK"), (Away, "AWAY"))
    return next((word for kind, word in by_class if isinstance(error, kind)), error.kind)


def _place(account: Account, uses_next: bool) -> Place:
    next_id = account.next_external_id if uses_next else None
    return replace(account.place, external_id=next_id or account.external_id)


def _hub(account: Account, place: Place, made: Calls, at: datetime) -> Found:
    known = Hub.objects.filter(partition=account.partition, is_active=True).exists()
    return {"ok": known} | ({} if known else {"kind": ""})


def _role(account: Account, place: Place, made: Calls, at: datetime) -> Found:
    """Lets us in: with the new ExternalId where one is to take the old one's place, else with the old one."""
    if account.next_external_id:
        with suppress(Denied):
            return _in(_place(account, True), made, at) | {"next": True}
    return _in(place, made, at)


def _in(place: Place, made: Calls, at: datetime) -> Found:
    # What was lent before says nothing about the role as it is now.
    sessions.drop(place)
    number = client.check(place, made, at=at)
    if number == place.number:
        return {}
    return {"ok": False, "code": "AnotherAccount", "text": number, "kind": ""}


def _own_id(account: Account, place: Place, made: Calls, at: datetime) -> Found:
    """No other ExternalId lets us in, and none at all neither."""
    for other in (account_actions.fresh_external_id(), ""):
        stranger = replace(place, external_id=other)
        try:
            client.check(stranger, made, at=at)
        except Denied:
            continue
        finally:
            sessions.drop(stranger)
        return {"ok": False, "open": True, "kind": ""}
    return {}


def _severities(account: Account, place: Place, made: Calls, at: datetime) -> Found:
    api = client.support(place, made, at=at, turn=client.Turn.PERSON)
    return {"severities": [one.code for one in api.severities()]}


def _cases(account: Account, place: Place, made: Calls, at: datetime) -> Found:
    # The first page is enough to know.
    next(client.support(place, made, at=at, turn=client.Turn.PERSON).open_cases(page=10), None)
    return {}


def _dry(action: str) -> Callable[[Account, Place, Calls, datetime], Found]:
    def ask(account: Account, place: Place, made: Calls, at: datetime) -> Found:
        # Whoever may not is refused before the case is looked for.
        with suppress(CaseUnknown):
            client.support(place, made, at=at, turn=client.Turn.PERSON).dry_run(action)
        return {}

    return ask


_ASKED: dict[str, Callable[[Account, Place, Calls, datetime], Found]] = {
    "hub": _hub,
    "role": _role,
    "own_id": _own_id,
    "severities": _severities,
    "cases": _cases,
    **{step: _dry(action) for step, action in DRY.items()},
}
