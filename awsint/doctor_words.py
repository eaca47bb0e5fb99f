"""The doctor's findings in words, in the reader's language; AWS's own words stand beside them, for the staff (A-04)."""

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from awsint import setup_words
from awsint.doctor import Finding
from awsint.models import Account, Hub, Organization


def names(findings: Iterable[Finding]) -> dict[str, str]:
    """What those are called that they are about. Three statements at most."""
    wanted: dict[str, set[str]] = {}
    for finding in findings:
        kind, _colon, pk = finding.about.partition(":")
        wanted.setdefault(kind, set()).add(pk)
    found = {"": _("hub")}
    for row in Hub.objects.filter(pk__in=wanted.get("hub", ())):
        found[f"hub:{row.pk}"] = f"{row} ({row.account_number})"
    found |= {
        f"organization:{one.pk}": str(one) for one in Organization.objects.filter(pk__in=wanted.get("organization", ()))
    }
    return found | {f"account:{one.pk}": str(one) for one in Account.objects.filter(pk__in=wanted.get("account", ()))}


def what(name: str) -> str:
    """What was looked at."""
    own = {
        "hub": _("Hub"),
        "identity": _("Our identity"),
        "support_queue": _("Queue for support cases"),
        "support_dead": _("Dead letters of support cases"),
        "queue": _("Queue for AWS Health"),
        "dead_queue": _("Dead letters of AWS Health"),
        "role": _("Role"),
        "events": _("AWS answers for the organization"),
        "poll": _("Last poll of AWS Health"),
    }
    return own.get(name) or setup_words.step_name(name)


def said(finding: Finding) -> str:
    """What was seen; nothing where AWS refused to say."""
    given: dict[str, Any] = finding.given
    match finding.said:
        case "depth":
            n = int(given["n"])
            return ngettext("%(count)s message lies there.", "%(count)s messages lie there.", n) % {"count": n}
        case "minutes":
            n = int(given["n"])
            return ngettext("%(count)s minute ago", "%(count)s minutes ago", n) % {"count": n}
        case "events":
            n = int(given["n"])
            told = ngettext(
                "it answers; %(count)s event of the last hour", "it answers; %(count)s events of the last hour", n
            )
            return told % {"count": n}
        case "identity":
            return _("We are account %(number)s there.") % {"number": given["number"]}
        case "rule":
            return fault_name(given["fault"])
    return {
        "": "",
        "ok": setup_words.state_name("ok"),
        "missing": setup_words.state_name("missing"),
        "no_hub": _("none is set up"),
        "no_address": _("Its address is not written down."),
        "role": _("The role lets us in, and it is in this account"),
        "foreign_role": _("The role is in another account"),
        "not_offered": _("not offered in this partition; each account is read by itself"),
        "never": _("never read"),
    }[finding.said]


def fault_name(fault: str) -> str:
    return {
        "": _("enabled, with both kinds of notice"),
        "missing": _("there is no such rule"),
        "disabled": _("the rule is disabled"),
        "kinds": _("the rule lacks AWS Health Event or AWS Health Abuse Event"),
        "target": _("the rule does not send to the hub's bus"),
    }[fault]


def mend(finding: Finding) -> str:
    """How it is mended; nothing where all is well."""
    own = {
        "dead": _("Look at AWS, Inbox and fetch them back from the dead queue."),
        "consumer": _("The consumer does not keep up: see that the worker runs."),
        "arn": _("The role's ARN is of another account: mend it."),
        "setup": _("Open AWS, Health, Set-up, or run manage.py aws_setup_health; see /docs/AWS-HEALTH-SETUP."),
        "worker": _("See that the worker runs, and look at AWS, Jobs."),
    }
    return own.get(finding.why) or setup_words.mended(finding.what, finding.why)
