"""Rows in the million for `lists`: one template each, written by Django, and copies of it by PostgreSQL.

Run as a process of the benchmark's own, on its database. The one account gets what was asked for; two
more get a tenth of it each.
"""

from __future__ import annotations

import sys
import time

import django

django.setup()

from django.db import connection  # noqa: E402
from django.db.models import Model  # noqa: E402

from accounts.models import Account  # noqa: E402
from config.demo.processes import QUIZ_ACCOUNT  # noqa: E402
from config.openapi.quiz import QUIZ_ID  # noqa: E402
from crm_cache.models import CrmUser, Field, Step, Tag  # noqa: E402
from rules.models import Answer, Delivery, Rule  # noqa: E402

OTHERS = 2
PIPELINES = 20  # over which steps are spread
HELD_EACH = 50  # one delivery in so many is held
CACHED = (CrmUser, Step, Field, Tag)


def main(rows: int) -> None:
    begun = time.monotonic()
    account = Account.objects.get(account_id=QUIZ_ACCOUNT)
    others = [an_account(f"other-{number}") for number in range(OTHERS)]
    for model in CACHED:
        for other in others:
            cached(model, other, rows // 10)
        cached(model, account, rows)
    deliveries(account, rows)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")  # as autovacuum leaves a table that has grown
    sys.stdout.write(f"Stored in {time.monotonic() - begun:.0f} s\n")


def an_account(name: str) -> Account:
    return Account.objects.create(account_id=name, crm="amocrm", state=Account.State.DISCONNECTED)


def cached(model: type[Model], account: Account, rows: int) -> None:
    template = model.objects.filter(account__account_id=QUIZ_ACCOUNT).order_by("pk").first()
    changes = {"account_id": str(account.pk), "remote_id": "n + 1000000000", "name": "'Name ' || n"}
    if model is Step:
        changes["pipeline_id"] = f"n %% {PIPELINES}"
    copy(template, rows, changes)


def deliveries(account: Account, rows: int) -> None:
    """Delivered long ago, one in fifty held."""
    answer = Answer.objects.create(
        account_id=QUIZ_ACCOUNT, quiz_id=QUIZ_ID, answer_id="seed", payload={}, digest="0" * 64
    )
    copy(answer, rows, {"answer_id": "'seed-' || n"})
    rule = Rule.objects.get(account=account)
    template = Delivery.objects.create(
        answer=answer,
        rule=rule,
        account=account,
        owner=QUIZ_ACCOUNT,
        quiz_id=QUIZ_ID,
        uid="seed",
        state=Delivery.State.DELIVERED,
    )
    held = f"n %% {HELD_EACH} = 0"
    changes = {
        "answer_id": f"{answer.pk} + n",
        "uid": "'seed-' || n",
        "state": f"CASE WHEN {held} THEN 'held' ELSE 'delivered' END",
        "held_because": f"CASE WHEN {held} THEN 'refused' ELSE '' END",
    }
    copy(template, rows, changes)


def copy(template: Model | None, rows: int, changes: dict[str, str]) -> None:
    """Insert ``rows`` copies of a stored row. ``changes`` are SQL by column; ``n`` counts from 1."""
    if template is None:
        raise RuntimeError("There is no row to be copied")
    meta = template._meta
    columns = [field.column for field in meta.concrete_fields if not field.primary_key]
    values = [changes.get(column, f"t.{column}") for column in columns]
    with connection.cursor() as cursor:
        # Checking a million keys that are known to be good would take longer than everything else.
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            f"INSERT INTO {meta.db_table} ({', '.join(columns)}) SELECT {', '.join(values)} "
            f"FROM {meta.db_table} t, generate_series(1, %s) n WHERE t.id = %s ORDER BY n",
            [rows, template.pk],
        )
        cursor.execute("RESET session_replication_role")


if __name__ == "__main__":
    main(int(sys.argv[1]))
