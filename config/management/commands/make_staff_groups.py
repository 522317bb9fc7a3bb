from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from config.staff import make_groups


class Command(BaseCommand):
    help = "Makes the groups «viewer» and «operator», or gives them back what they should have."

    def handle(self, *args: Any, **options: Any) -> None:
        for group in make_groups():
            self.stdout.write(f"{group.name}: {group.permissions.count()} permissions")
