from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RulesConfig(AppConfig):
    name = "rules"
    verbose_name = _("Rules and deliveries")

    def ready(self) -> None:
        from crm_cache.refresh import lists_read
        from rules.delivery.sweep import review_soon
        from rules.provisioning import recheck_account

        lists_read.connect(review_soon, dispatch_uid="rules.review_soon")
        lists_read.connect(recheck_account, dispatch_uid="rules.recheck_account")
