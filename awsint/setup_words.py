"""The steps of the set-up of AWS Health in words, and how each is mended, in the reader's language."""

from django.utils.translation import gettext as _

from awsint import mending

OF_MANAGEMENT = ("access", "view", "delegate")
OF_HUB = ("hub", "hub_bus", "bus", "dead_queue", "queue", "queue_policy", "hub_rule")


def mended(step: str, why: str) -> str:
    """How what keeps a step from being as it should is mended, in the reader's language."""
    match why:
        case "":
            return ""
        case "hub":
            return mend_hub()
        case "features":
            return _("Switch on all features of the organization, as the management account.")
        case "identity":
            return _("Look at the hub's profile and number.")
        case "not_allowed":
            return _may(step)
        case "again":
            return _("AWS has not caught up yet with what was made or deleted. Run it again in a minute.")
        case "ELSEWHERE":
            return _("The queue hands its dead letters on to another one: write that one down at the hub, or mend it.")
        case "ACCESS_DENIED" if step in OF_HUB:
            return _("The hub's role does not let us in: it has to trust the desk's identity, as hub-setup.yaml does.")
        case "ERROR" if step in OF_HUB:
            return _("AWS says why. Mend it there, then run it again.")
    return mending.mend_step("members", why)


def _may(step: str) -> str:
    if step in OF_MANAGEMENT:
        return _("Only the management account may do this: name a role of it that may (--management-role).")
    if step in OF_HUB:
        return _(
            "This is not allowed in the hub's account: name a role of it that may (--hub-role, see "
            "deploy/aws/hub-setup.yaml), or deploy deploy/aws/hub.yaml again."
        )
    if step.startswith("rule:"):
        return _("The role may not see or make rules here: deploy deploy/aws/health.yaml in this region instead.")
    return _("The role does not allow this: deploy the template again, with what it allows unchanged.")


def mend_hub() -> str:
    return _("Deploy deploy/aws/hub.yaml and write its outputs down at the hub.")


def step_name(step: str) -> str:
    """What a step is about, in the reader's language."""
    if step.startswith("rule:"):
        return _("Rule for both kinds of notice to the hub's bus, in %(region)s") % {"region": step[5:]}
    return {
        "features": _("The organization has all features"),
        "access": _("The organization trusts AWS Health"),
        "view": _("The organization view of AWS Health is enabled"),
        "delegate": _("The account speaks for the organization"),
        "hub": _("We act in the hub's account"),
        "hub_bus": _("The hub's bus is there"),
        "hub_rule": _("The hub's rule sends both kinds of notice to its queue"),
        "bus": _("The hub's bus lets the organization in"),
        "queue_policy": _("The queue takes events and hands on dead letters"),
        "queue": _("The hub's queue for AWS Health is there"),
        "dead_queue": _("The hub's queue for dead letters of AWS Health is there"),
    }.get(step, step)


def state_name(state: str) -> str:
    return {
        "ok": _("as it should be"),
        "missing": _("missing"),
        "done": _("done now"),
        "failed": _("did not succeed"),
        "not_offered": _("not offered in this partition"),
        "skipped": _("not tried, because what it needs failed"),
    }[state]
