"""``manage.py reconcile [account ...]``: compare accounts with their CRMs now, in the background."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import Account, live_accounts
from rules.outcomes import reconciling


class Command(BaseCommand):
    help = "Compares accounts' deliveries with what their CRMs have; all active accounts where none is named."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("accounts", nargs="*", type=int, help="ids of CRM accounts (GET /accounts)")

    def handle(self, *args: Any, accounts: list[int], **options: Any) -> None:
        active = live_accounts(state=Account.State.ACTIVE)
        rows = list(active.filter(pk__in=accounts) if accounts else active.order_by("pk"))
        if missing := set(accounts) - {row.pk for row in rows}:
            raise CommandError(f"No active account has the id {', '.join(map(str, sorted(missing)))}")
        for row in rows:
            run = reconciling.begin(row, "manage.py")
            if run is None:
                self.stdout.write(f"{row.pk}: it is under way already")
                continue
            reconciling.ask_to_reconcile(run.pk)
            self.stdout.write(f"{row.pk}: reconciliation {run.pk} is begun")
