from __future__ import annotations

from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.db.models import Model

from accounts.secrets import SecretField, WrongKey


def sealed() -> dict[type[Model], list[str]]:
    """The models with encrypted columns, and which these are."""
    found = {
        model: [field.name for field in model._meta.local_fields if isinstance(field, SecretField)]
        for model in apps.get_models()
    }
    return {model: names for model, names in found.items() if names}


class Command(BaseCommand):
    help = "Write all stored secrets anew with the first of ENCRYPTION_KEYS. Safe while the service runs."

    def handle(self, *args: Any, **options: Any) -> None:
        rows = [
            (model, pk)
            for model in sealed()
            for pk in model._default_manager.order_by("pk").values_list("pk", flat=True)
        ]
        closed = [f"{model._meta.verbose_name} {pk}" for model, pk in rows if not rewrite(model, pk)]
        self.stdout.write(f"{len(rows) - len(closed)} secrets rewritten.")
        if closed:
            raise CommandError(
                f"{len(closed)} open with none of ENCRYPTION_KEYS; add the key they were written with. "
                f"Rows: {', '.join(closed[:20])}"
            )


def rewrite(model: type[Model], pk: int) -> bool:
    """Under the row's lock, so that no exchange is overwritten. False where no key opens the secret."""
    try:
        with transaction.atomic():
            row = model._default_manager.select_for_update().filter(pk=pk).first()
            if row is not None:
                row.save(update_fields=sealed()[model])
    except WrongKey:
        return False
    return True
