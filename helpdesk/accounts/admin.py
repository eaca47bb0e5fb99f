"""Companies and people under /admin/: whoever has no business there meets a 404, and every save calls an action.

What libraries register for themselves would write past history, so it is taken out.
"""

from typing import Any, cast

from allauth.account import admin as account_admin  # noqa: F401
from allauth.mfa import admin as mfa_admin  # noqa: F401
from allauth.usersessions import admin as usersessions_admin  # noqa: F401
from django import forms
from django.contrib import admin
from django.contrib.auth import admin as auth_admin  # noqa: F401
from django.contrib.auth.models import Group
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from helpdesk.accounts import actions
from helpdesk.accounts.models import CONTRACT, Customer, User
from helpdesk.site import current


def desk_login(request: HttpRequest, extra_context: Any = None) -> HttpResponse:
    """The desk's own login, with its limits and second factor; who is logged in and no administrator is a stranger."""
    if admin.site.has_permission(request):
        return redirect("admin:index")
    if request.user.is_authenticated:
        raise Http404
    return redirect_to_login(request.get_full_path())


def close_foreign_doors(site: admin.AdminSite) -> None:
    """Leaves only what the desk registers with actions behind it."""
    for model in list(site._registry):
        if model is Group or model._meta.app_label in ("account", "mfa", "usersessions"):
            site.unregister(model)
    site.disable_action("delete_selected")


admin.site.site_header = admin.site.site_title = _("Administration")
admin.site.index_title = _("What the desk knows and promises")
admin.site.login = desk_login  # type: ignore[method-assign]
close_foreign_doors(admin.site)


class ByAction(admin.ModelAdmin):
    """Nothing is deleted here, and what is saved is handed to an action."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: forms.ModelForm, change: bool) -> None:
        # The form has written into obj already: the action compares with what the database holds.
        old = type(obj).objects.get(pk=obj.pk) if change else None
        saved = self.act(cast(User, request.user), form.cleaned_data, old)
        obj.pk, obj._state.adding = saved.pk, False

    def act(self, by: User, said: dict[str, Any], old: Any) -> Any:
        raise NotImplementedError


@admin.register(Customer)
class CustomerAdmin(ByAction):
    list_display = ["name", "code", "language", "zone", "restricted", "is_active"]
    list_filter = ["is_active", "restricted", "language"]
    search_fields = ["name", "code", "contract_number"]
    fields = [*("name", "code", "language", "zone", *CONTRACT), "members_see_all", "restricted", "is_active"]

    def get_fields(self, request: HttpRequest, obj: Customer | None = None) -> Any:
        return self.fields if obj else self.fields[:-3]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        house = current()
        return {"language": house.default_language, "zone": house.default_zone}

    def act(self, by: User, said: dict[str, Any], old: Customer | None) -> Customer:
        if old is None:
            return actions.create_customer(**said, by=by, at=timezone.now())
        return actions.change_customer(customer=old, by=by, at=timezone.now(), **said)


@admin.register(User)
class UserAdmin(ByAction):
    """People come by invitation; here an administrator mends what they are called. Roles stand on the person's page."""

    list_display = ["name", "email", "staff_role", "is_active", "last_login"]
    list_filter = ["is_active", "staff_role"]
    search_fields = ["name", "email"]
    fields = ["email", "name", "language", "zone", "phone", "staff_role", "is_active", "last_login"]
    readonly_fields = ["email", "staff_role", "is_active", "last_login"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def act(self, by: User, said: dict[str, Any], old: User) -> User:
        return actions.change_profile(person=old, by=by, at=timezone.now(), **said)
