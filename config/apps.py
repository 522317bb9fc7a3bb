from django.apps import AppConfig, apps
from django.utils.translation import gettext_lazy as _


class ConfigConfig(AppConfig):
    name = "config"
    verbose_name = "Wiring"

    def ready(self) -> None:
        """A package's name over its pages says nothing to staff."""
        apps.get_app_config("axes").verbose_name = _("Log-ins")
