from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "Accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from accounts.counters import note_request
        from connectors import http

        if note_request not in http.observers:
            http.observers.append(note_request)
