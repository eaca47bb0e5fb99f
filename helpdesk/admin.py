"""The site's settings under /admin/: one row, for administrators; saving is an action with its history."""

import hashlib
import re
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AdminTextInputWidget
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l

from helpdesk import actions, colour, pictures
from helpdesk.accounts.admin import ByAction
from helpdesk.accounts.models import User, check_zone
from helpdesk.models import SiteSettings
from helpdesk.text import Line

HOTLINE = re.compile(r"[+(]?\d[\d ()/.-]{4,29}")


def one_line(**more: Any) -> Line:
    """A field as wide as the admin's own."""
    return Line(widget=AdminTextInputWidget, **more)


class SiteForm(forms.ModelForm):
    """What an administrator may say about the site. A mistake is named at its field, and what was typed stays."""

    name_zh = one_line(
        longest=40, label=_l("Name in Chinese"), error_messages={"required": _l("Write what the desk is called.")}
    )
    name_en = one_line(
        longest=40, label=_l("Name in English"), error_messages={"required": _l("Write what the desk is called.")}
    )
    logo_file = forms.FileField(
        required=False, label=_l("Logo"), help_text=_l("PNG, JPEG or WebP, up to 500 KB. It is shown 24 px high.")
    )
    no_logo = forms.BooleanField(required=False, label=_l("Take the logo away"))
    colour = forms.CharField(
        required=False,
        max_length=7,
        label=_l("Colour"),
        help_text=_l("Of links and buttons, as #rrggbb. It must be readable on white. Empty: the blue of the desk."),
    )
    address_zh = one_line(longest=200, required=False, label=_l("Address in Chinese"))
    address_en = one_line(longest=200, required=False, label=_l("Address in English"))
    hotline = one_line(longest=40, required=False, label=_l("Hotline"))
    public_url = forms.URLField(
        required=False,
        max_length=200,
        assume_scheme="https",
        label=_l("Public address of the portal"),
        help_text=_l("Shown in the policy. Links in letters always use the address the desk was started with."),
    )
    icp_number = one_line(longest=40, required=False, label=_l("ICP filing number"))
    police_number = one_line(longest=40, required=False, label=_l("Public security filing number"))
    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)

    class Meta:
        model = SiteSettings
        fields = [
            *("name_zh", "name_en", "colour", "address_zh", "address_en", "support_mailbox", "hotline", "public_url"),
            *("default_language", "default_zone", "icp_number", "police_number", "director_mail"),
        ]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["seen"] = self.instance.version
        self.picture: bytes | None = None

    def clean_logo_file(self) -> Any:
        sent = self.cleaned_data["logo_file"]
        if sent:
            try:
                self.picture = pictures.redrawn(sent.read())
            except pictures.NotAPicture:
                raise ValidationError(
                    _("This is no picture we can use as a logo. Choose a PNG, JPEG or WebP file of at most 500 KB.")
                ) from None
        return sent

    def clean_colour(self) -> str:
        said: str = self.cleaned_data["colour"].strip().lower()
        if said and not colour.HEX.fullmatch(said):
            raise ValidationError(_("Write the colour as # and six digits or letters, like #25508f."))
        if said and (ratio := colour.contrast(said, colour.LIGHT)) < colour.READABLE:
            raise ValidationError(
                _("Too pale to read on white: its contrast is %(ratio)s, text needs 4.5. Choose a darker one."),
                params={"ratio": f"{int(ratio * 10) / 10}"},
            )
        return said

    def clean_hotline(self) -> str:
        said: str = self.cleaned_data["hotline"]
        if said and not HOTLINE.fullmatch(said):
            raise ValidationError(_("Write a telephone number, like +86 400 000 0000."))
        return said

    def clean_public_url(self) -> str:
        said: str = self.cleaned_data["public_url"]
        if said and not said.startswith(("https://", "http://")):
            raise ValidationError(_("Write an address that begins with https://."))
        return said.rstrip("/")

    def clean_default_zone(self) -> str:
        zone: str = self.cleaned_data["default_zone"]
        check_zone(zone)
        return zone

    def clean(self) -> dict[str, Any]:
        # The admin's view is one transaction: whoever saves second waits here and then reads what the first one saved.
        now = SiteSettings.objects.select_for_update().filter(pk=1).first() or SiteSettings()
        if self.cleaned_data.get("seen") not in (None, now.version):
            raise ValidationError(actions.changed_meanwhile())
        return self.cleaned_data

    @property
    def told(self) -> dict[str, Any]:
        """What the action takes."""
        given = {name: self.cleaned_data[name] for name in actions.OWN if name in self.cleaned_data}
        if self.picture:
            digest = hashlib.sha256(self.picture).hexdigest()
            return given | {"logo": self.picture, "logo_type": pictures.TYPE, "logo_digest": digest}
        if self.cleaned_data["no_logo"]:
            return given | {"logo": b"", "logo_type": "", "logo_digest": ""}
        return given


@admin.register(SiteSettings)
class SiteSettingsAdmin(ByAction):
    form = SiteForm
    readonly_fields = ["logo_now"]
    fieldsets = [
        (_l("Name and look"), {"fields": ["name_zh", "name_en", "logo_now", "logo_file", "no_logo", "colour"]}),
        (
            _l("How customers reach us"),
            {"fields": ["support_mailbox", "hotline", "public_url", "address_zh", "address_en"]},
        ),
        (_l("For readers we do not know, and for new people"), {"fields": ["default_language", "default_zone"]}),
        (_l("Filing numbers, shown in the footer"), {"fields": ["icp_number", "police_number"]}),
        (_l("Who hears of breaches"), {"fields": ["director_mail", "seen"]}),
    ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return redirect(reverse("admin:helpdesk_sitesettings_change", args=[1]))

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> SiteSettings | None:
        """The row, its defaults where it was never saved."""
        if object_id != "1":
            return None
        return SiteSettings.objects.filter(pk=1).first() or SiteSettings(pk=1)

    @admin.display(description=_l("Logo now"))
    def logo_now(self, row: SiteSettings) -> str:
        if not row.logo_digest:
            return _("The mountains of the desk")
        return format_html('<img src="{}?v={}" alt="" height="24">', reverse("site_logo"), row.logo_digest[:16])

    def save_model(self, request: HttpRequest, obj: SiteSettings, form: Any, change: bool) -> None:
        actions.change_site(by=cast(User, request.user), at=timezone.now(), **form.told)
