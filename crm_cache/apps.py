from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CrmCacheConfig(AppConfig):
    name = "crm_cache"
    verbose_name = _("CRM cache")
