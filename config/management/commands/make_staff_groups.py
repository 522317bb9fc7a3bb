from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from config.staff import make_groups


class Command(BaseCommand):
    help = (
        "Makes the groups «viewer», «operator» and «administrator», or gives them back what they should have."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        for group in make_groups():
            if not options["verbosity"]:
                continue
            self.stdout.write(f"{group.name}: {group.permissions.count()} permissions")
