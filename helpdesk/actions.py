"""What is done to the desk as a whole: an administrator says whose it is."""

from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _

from helpdesk import site
from helpdesk.accounts.doors import Refused
from helpdesk.accounts.models import User
from helpdesk.accounts.permissions import Right, may
from helpdesk.audit.record import Happening, record
from helpdesk.models import SiteSettings

OWN = [
    *("name_zh", "name_en", "logo", "logo_type", "logo_digest", "colour", "address_zh", "address_en"),
    *("support_mailbox", "hotline", "public_url", "default_language", "default_zone"),
    *("icp_number", "police_number", "director_mail"),
]


@transaction.atomic
def change_site(*, version: int | None = None, by: User, at: datetime, **given: Any) -> SiteSettings:
    """Changes what is given and differs. `version`: the form's. Raises Refused, PermissionDenied."""
    if not may(by, Right.ADMIN):
        raise PermissionDenied
    if unknown := set(given) - set(OWN):
        raise TypeError(f"cannot be changed here: {sorted(unknown)}")
    SiteSettings.objects.get_or_create(pk=1)
    row = SiteSettings.objects.select_for_update().get(pk=1)
    if version is not None and version != row.version:
        raise Refused("", changed_meanwhile())
    fields = sorted(name for name, value in given.items() if getattr(row, name) != value)
    if fields:
        for name in fields:
            setattr(row, name, given[name])
        row.version += 1
        row.save(update_fields=[*fields, "version"])
        record([Happening("site.changed", {"fields": fields})], by=by, at=at, subject="site")
        # Once more when it is committed: another thread may have read the old row meanwhile.
        site.forget()
        transaction.on_commit(site.forget)
    return row


def changed_meanwhile() -> str:
    return _("Somebody else changed the site settings meanwhile. Nothing was saved: open them again.")
