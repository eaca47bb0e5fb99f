"""The pulse of the desk's own processes, one row each, touched while it lives; and whose desk it is."""

import os
import socket
from datetime import datetime

from django.conf import settings
from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from helpdesk import __version__


class Heartbeat(models.Model):
    """When a process, or a recurring job, was last seen alive, and what it had to say."""

    name = models.CharField(max_length=80, primary_key=True)
    at = models.DateTimeField()
    pid = models.IntegerField()
    host = models.CharField(max_length=120)
    version = models.CharField(max_length=40)
    note = models.CharField(max_length=500, blank=True)

    def __str__(self) -> str:
        return self.name

    @classmethod
    def beat(cls, name: str, at: datetime, note: str = "") -> None:
        """Says that `name` was alive at `at`; one statement, safe from many processes at once."""
        row = Heartbeat(
            name=name, at=at, pid=os.getpid(), host=socket.gethostname()[:120], version=__version__, note=note[:500]
        )
        Heartbeat.objects.bulk_create(
            [row],
            update_conflicts=True,
            unique_fields=["name"],
            update_fields=["at", "pid", "host", "version", "note"],
        )


def house_language() -> str:
    return str(settings.DEFAULT_LANGUAGE)


def house_zone() -> str:
    return str(settings.DEFAULT_ZONE)


class SiteSettings(models.Model):
    """Whose desk this is, in one row: what it is called, how it looks, how it is reached. Read by helpdesk/site.py."""

    name_zh = models.CharField(_("name in Chinese"), max_length=200, default="云岭支持")
    name_en = models.CharField(_("name in English"), max_length=200, default="Yunling Support")
    logo = models.BinaryField(default=bytes)
    logo_type = models.CharField(max_length=20, blank=True)
    logo_digest = models.CharField(max_length=64, blank=True)
    colour = models.CharField(_("colour"), max_length=7, blank=True)
    address_zh = models.CharField(_("address in Chinese"), max_length=400, blank=True)
    address_en = models.CharField(_("address in English"), max_length=400, blank=True)
    support_mailbox = models.EmailField(_("support mailbox"), blank=True)
    hotline = models.CharField(_("hotline"), max_length=40, blank=True)
    public_url = models.CharField(_("public address of the portal"), max_length=200, blank=True)
    default_language = models.CharField(
        _("default language"),
        max_length=10,
        choices=[("zh-hans", _("Chinese")), ("en", _("English"))],
        default=house_language,
    )
    default_zone = models.CharField(_("default time zone"), max_length=64, default=house_zone)
    icp_number = models.CharField(_("ICP filing number"), max_length=60, blank=True)
    police_number = models.CharField(_("public security filing number"), max_length=60, blank=True)
    director_mail = models.EmailField(_("mail address of the operations director"), blank=True)
    # Counts the saves: a form that stands on an older one is told so.
    version = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        verbose_name = _("site settings")
        verbose_name_plural = _("site settings")
        constraints = [
            models.CheckConstraint(condition=models.Q(pk=1), name="one_site"),
            models.CheckConstraint(
                condition=models.Q(colour="") | models.Q(colour__regex=r"^#[0-9a-f]{6}$"), name="colour_as_rrggbb"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """The desk's name in the reader's language."""
        return self.name_zh if in_chinese() else self.name_en

    @property
    def address(self) -> str:
        """The postal address in the reader's language, else the other one."""
        return (self.address_zh or self.address_en) if in_chinese() else (self.address_en or self.address_zh)

    @property
    def mailbox(self) -> str:
        """Where customers write to."""
        return self.support_mailbox or str(settings.DEFAULT_FROM_EMAIL)

    @property
    def portal(self) -> str:
        """The portal's address as customers are told it."""
        return self.public_url or str(settings.SITE_URL)


def in_chinese() -> bool:
    """Whether the reader's language is Chinese."""
    return (get_language() or "").startswith("zh")
