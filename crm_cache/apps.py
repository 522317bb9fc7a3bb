from django.apps import AppConfig


class CrmCacheConfig(AppConfig):
    name = "crm_cache"
    verbose_name = "CRM cache"
    default_auto_field = "django.db.models.BigAutoField"
