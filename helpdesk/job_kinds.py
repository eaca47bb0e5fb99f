"""The long jobs there are (helpdesk/jobs/work.py).

By kind: the function of one slice, the job's name, and the right that lets others than the asker see it ("" lets
nobody).
"""

from typing import Any

from django.utils.translation import gettext_lazy as _

KINDS: dict[str, tuple[str, Any, str]] = {
    "sla.freeze": ("tickets.freezing.slice_of", _("Freeze a month's reports"), "console"),
    "tickets.drift": ("tickets.drift.a_slice", _("All clocks reckoned again"), "console"),
    "aws.test": ("awsint.testing.slice_of", _("Test of a connection to AWS"), "aws"),
    "aws.health_cast": ("awsint.health_casting.slice_of", _("A word to every customer of an event"), ""),
    "aws.health_look": ("awsint.health_looking.slice_of", _("Look at every switch of AWS Health"), "aws"),
    "aws.health_setup": ("awsint.setup_job.slice_of", _("Set-up of AWS Health"), "aws"),
    "aws.members": ("awsint.listing.slice_of", _("Accounts of an organization"), "aws"),
    "sla.what_if": ("tickets.what_if.slice_of", _("What-if"), "admin"),
}
