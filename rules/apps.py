from django.apps import AppConfig


class RulesConfig(AppConfig):
    name = "rules"
    verbose_name = "Rules and deliveries"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from crm_cache.refresh import lists_read
        from rules.provisioning import recheck_account

        lists_read.connect(recheck_account, dispatch_uid="rules.recheck_account")
