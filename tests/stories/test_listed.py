"""What stories begin with: lists that are remembered are those that a walk brings."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.db.models import DateTimeField

from accounts.events.models import NewEvent
from accounts.models import Account
from crm_cache.models import SyncRun
from rules.models import Rule
from tests.stories import listed

CRMS = {"amocrm": "shop", "bitrix24": "clinic", "envybox": "florist", "solos": "windows"}
OURS = ("accounts", "crm_cache", "rules")


def written() -> dict[str, list[dict[str, Any]]]:
    """All rows, without their ids; of moments, whether there is one."""

    def shown(field: Any, value: Any) -> Any:
        return value is not None if isinstance(field, DateTimeField) else value

    return {
        model._meta.label: [
            {
                field.name: bool(row[field.attname])
                if isinstance(field, DateTimeField)
                else row[field.attname]
                for field in model._meta.concrete_fields
                if not field.primary_key
            }
            for row in model._default_manager.order_by("pk").values()
        ]
        for app in OURS
        for model in apps.get_app_config(app).get_models()
    }


def forget_lists() -> None:
    for model in (*listed.LISTS, SyncRun, NewEvent):
        model._default_manager.all().delete()


@pytest.mark.parametrize("kind", CRMS)
def test_what_is_kept_is_what_a_walk_brings(
    kind: str, request: pytest.FixtureRequest, transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = request.getfixturevalue(CRMS[kind])
    Rule.objects.update(deleted=True)
    monkeypatch.setattr(listed, "_kept", {})
    facts, found = shop.account.facts, []
    for _ in range(2):
        forget_lists()
        Account.objects.update(facts=facts)
        shop.amo.journal.clear()
        shop.read_lists()
        asked = [(one.method, one.path, one.status) for one in shop.amo.journal]
        found.append((written(), asked, dict(shop.amo.journal.counts)))
        monkeypatch.setattr(listed, "run_waiting", None)
    walked, kept = found
    assert kept == walked
    assert len(walked[1]) > 1
    assert listed._kept


def test_other_lists_are_walked(shop: Any) -> None:
    """Whatever a walk depends on is compared."""
    account = Account.objects.get()
    same = listed.beginning_of(account, shop.amo, shop.crm)
    assert listed.beginning_of(Account.objects.get(), shop.amo, shop.crm) == same
    shop.crm.main_pipeline.name = "Другая"
    other = listed.beginning_of(account, shop.amo, shop.crm)
    shop.amo.faults.add("/api/v4/users")
    assert len({same, other, listed.beginning_of(account, shop.amo, shop.crm)}) == 3
