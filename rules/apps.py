from django.apps import AppConfig


class RulesConfig(AppConfig):
    name = "rules"
    verbose_name = "Rules and deliveries"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from crm_cache.refresh import lists_read
        from rules.delivery.sweep import review_soon
        from rules.provisioning import recheck_account

        lists_read.connect(review_soon, dispatch_uid="rules.review_soon")
        lists_read.connect(recheck_account, dispatch_uid="rules.recheck_account")
