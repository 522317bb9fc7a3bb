from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts.models import Token
from accounts.secrets import WrongKey


class Command(BaseCommand):
    help = "Write all stored secrets anew with the first of ENCRYPTION_KEYS. Safe while the service runs."

    def handle(self, *args: Any, **options: Any) -> None:
        ids = list(Token.objects.order_by("pk").values_list("pk", flat=True))
        closed = [pk for pk in ids if not rewrite(pk)]
        self.stdout.write(f"{len(ids) - len(closed)} secrets rewritten.")
        if closed:
            raise CommandError(
                f"{len(closed)} open with none of ENCRYPTION_KEYS; add the key they were written with. "
                f"Rows: {', '.join(map(str, closed[:20]))}"
            )


def rewrite(pk: int) -> bool:
    """Under the row's lock, so that no exchange is overwritten. False where no key opens the secret."""
    try:
        with transaction.atomic():
            row = Token.objects.select_for_update().filter(pk=pk).first()
            if row is not None:
                row.save(update_fields=["access", "refresh"])
    except WrongKey:
        return False
    return True
