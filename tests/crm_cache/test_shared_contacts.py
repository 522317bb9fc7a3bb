"""The migration that makes contacts the CRM account's own: nobody is lost, the newest word counts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from tests.database import instead, made

pytestmark = pytest.mark.django_db(transaction=True)
BEFORE, AFTER = ("crm_cache", "0003_refused_runs"), ("crm_cache", "0004_shared")


@pytest.fixture
def before() -> Iterator[Any]:
    """The tables as they were, in a database of the test's own."""
    with made(connection) as name, instead(connection, name):
        yield MigrationExecutor(connection).migrate([BEFORE]).apps


def test_two_quiz_accounts_memories_become_one(before: Any) -> None:
    account = before.get_model("accounts", "Account")
    contact = before.get_model("crm_cache", "KnownContact")
    now = timezone.now()
    shop, branch, other = (
        account.objects.create(account_id=name, crm="amocrm", remote_id=remote_id, state="active")
        for name, remote_id in (("shop", "1"), ("branch", "1"), ("other", "2"))
    )
    for owner, remote_id, age in ((shop, "old", 2), (branch, "new", 1), (other, "theirs", 3)):
        contact.objects.create(
            account=owner, key="phone:+7", remote_id=remote_id, seen_at=now - timedelta(days=age)
        )

    after = MigrationExecutor(connection).migrate([AFTER]).apps.get_model("crm_cache", "KnownContact")

    kept = after.objects.values_list("crm_account", "remote_id").order_by("crm_account")
    assert list(kept) == [("1", "new"), ("2", "theirs")]
