from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class HelpdeskConfig(AppConfig):
    name = "helpdesk"
    verbose_name = _("The desk")

    def ready(self) -> None:
        from helpdesk import checks  # noqa: F401
