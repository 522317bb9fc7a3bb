"""Only here so that Django finds the command that serves the sandboxes."""

from django.apps import AppConfig


class ConnectorsConfig(AppConfig):
    name = "connectors"
    verbose_name = "CRM connectors"
