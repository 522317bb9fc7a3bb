from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts.models import Hook, InstallKey, Token
from accounts.secrets import WrongKey

SECRETS: dict[type[Token | InstallKey | Hook], list[str]] = {
    Token: ["access", "refresh"],
    InstallKey: ["secret"],
    Hook: ["secret"],
}


class Command(BaseCommand):
    help = "Write all stored secrets anew with the first of ENCRYPTION_KEYS. Safe while the service runs."

    def handle(self, *args: Any, **options: Any) -> None:
        rows = [
            (model, pk)
            for model in SECRETS
            for pk in model.objects.order_by("pk").values_list("pk", flat=True)
        ]
        closed = [f"{model._meta.verbose_name} {pk}" for model, pk in rows if not rewrite(model, pk)]
        self.stdout.write(f"{len(rows) - len(closed)} secrets rewritten.")
        if closed:
            raise CommandError(
                f"{len(closed)} open with none of ENCRYPTION_KEYS; add the key they were written with. "
                f"Rows: {', '.join(closed[:20])}"
            )


def rewrite(model: type[Token | InstallKey | Hook], pk: int) -> bool:
    """Under the row's lock, so that no exchange is overwritten. False where no key opens the secret."""
    try:
        with transaction.atomic():
            row = model.objects.select_for_update().filter(pk=pk).first()
            if row is not None:
                row.save(update_fields=SECRETS[model])
    except WrongKey:
        return False
    return True
