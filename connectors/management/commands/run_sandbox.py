"""Serves the local CRMs over HTTP until Ctrl-C."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from connectors.sandbox.serve import add_arguments, run


class Command(BaseCommand):
    help = "Serves the local CRMs (sandboxes) over HTTP until Ctrl-C. Needs the setting SANDBOX."
    requires_system_checks = ()
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        if not getattr(settings, "SANDBOX", False):
            raise CommandError("The setting SANDBOX is off: this environment may not serve local CRMs.")
        run(options, self._say)

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
