"""What a state of an account means and how it is mended, in the reader's language. Pure.

AWS's own words name roles and accounts: they stand beside these, for the staff (A-04).
"""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from awsint.models import Account, State

# What each severity that AWS offers tells of the plan (aws.md, 1.2 and 1.3); the first that is offered counts.
LEVELS = ("critical", "urgent", "high", "normal", "low")


@dataclass(frozen=True)
class Standing:
    """How an account stands: a verdict ("good", "stale", "bad", "grey"), a word for it, and the way on."""

    verdict: str
    word: str
    mend: str = ""


def standing(account: Account, state: str, *, late: bool = False) -> Standing:
    """`state` is that of its reading, `late` that it has not been read for too long."""
    if not account.is_active:
        return Standing("grey", _("deactivated"), _("It is not read. Activate it to go on."))
    if not account.customer.is_active:
        return Standing("grey", _("customer inactive"), _("It is not read, because its customer is not active."))
    if account.proved_at is None:
        return Standing(
            "stale", _("not proved yet"), _("Deploy the template in the account, then test the connection.")
        )
    if state == State.OK and late:
        return Standing("bad", _("not read lately"), _("Look at the jobs: the poll itself may be silent."))
    verdict = {State.OK: "good", State.NEW: "grey", State.THROTTLED: "stale"}.get(State(state), "bad")
    return Standing(verdict, str(State(state).label), mend(state))


def mend(state: str) -> str:
    """What somebody does about a state."""
    match state:
        case State.ACCESS_DENIED:
            return _("The role is gone, asks for another ExternalId or allows too little: deploy the template again.")
        case State.NO_PLAN:
            return _("AWS Support has an API from Business Support+ on. Once the plan is bought it is read again.")
        case State.THROTTLED:
            return _("Nothing to do: it is read again more slowly. Other programs may use up its calls.")
        case State.ERROR:
            return _("Nothing to do yet: it is tried again. If it lasts, test the connection.")
        case State.NEW:
            return _("The first reading comes within ten minutes.")
    return ""


def mend_step(step: str, kind: str) -> str:
    """What somebody does about a step of the test that failed; `kind` is an error's (shapes.py)."""
    if kind == "HUB":
        return _("Our own identity does not work: look at the hub's profile and the credentials of this machine.")
    if kind == "CLOCK":
        return _("The clock of this server is wrong: set it by NTP.")
    if kind == State.NO_PLAN:
        return mend(State.NO_PLAN)
    if kind == "AWAY":
        return _("AWS did not answer. Test again in a minute.")
    if kind == State.THROTTLED:
        return _("Too many calls at the moment. Test again in a minute.")
    return _words_of_steps().get(step, mend(kind))


def _words_of_steps() -> dict[str, str]:
    template = _("The role does not allow this: deploy the template again, with what it allows unchanged.")
    return {
        "hub": _("Write down the hub of this partition first."),
        "role": _("Deploy the template in the account with this ExternalId, or mend the role's ARN here."),
        "own_id": _("The role lets us in without its own ExternalId: add the condition sts:ExternalId to its trust."),
        "members": _("Deploy the template in the organization's account with this ExternalId, or mend the role's ARN."),
        "severities": template,
        "cases": template,
        "create_case": _("Deploy the template that may write, or take the right to write from the account here."),
        "add_communication": _("Deploy the template that may write, or take the right to write here."),
        "resolve": _("Deploy the template that may write, or take the right to write here."),
    }


def step_name(step: str) -> str:
    """What a step of the test does."""
    return {
        "hub": _("Our hub in this partition is known"),
        "role": _("The role lets us in, and it is in this account"),
        "own_id": _("The role refuses every other ExternalId"),
        "severities": _("The support plan has an API"),
        "cases": _("Cases may be read"),
        "create_case": _("A case may be opened"),
        "add_communication": _("A case may be answered"),
        "resolve": _("A case may be resolved"),
    }.get(step, step)


def plan_seen(account: Account) -> str:
    """The support plan as its severities give it away; AWS names no plan to anybody."""
    if not account.severities:
        return ""
    top = next((level for level in LEVELS if level in account.severities), "")
    if top == "critical":
        return _("Enterprise or alike")
    return _("Business or alike") if top in ("urgent", "high") else _("below Business")
