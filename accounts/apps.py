from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("Accounts")

    def ready(self) -> None:
        from accounts.counters import note_request
        from connectors import http

        if note_request not in http.observers:
            http.observers.append(note_request)
