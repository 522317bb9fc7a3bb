"""What rules ask the cache."""

from __future__ import annotations

from typing import Any

import pytest

from crm_cache import lookup, models

pytestmark = pytest.mark.django_db


def test_tags_are_found_by_our_keys_within_the_account(
    connected: Any, django_assert_num_queries: Any
) -> None:
    shop, branch = connected("shop"), connected("branch")
    quiz, gone, foreign = (
        models.Tag.objects.create(
            account=account, entity="leads", remote_id=remote_id, name="quiz", deleted=left
        )
        for account, remote_id, left in ((shop, "1", False), (shop, "2", True), (branch, "1", False))
    )
    with django_assert_num_queries(1):
        found = lookup.tag_entities(shop, [quiz.pk, gone.pk, foreign.pk, 10**12])
    assert found == {quiz.pk: "leads", gone.pk: "leads"}


def test_a_lookup_is_one_query_however_much_there_is(shop: Any, django_assert_num_queries: Any) -> None:
    for model in (models.CrmUser, models.Field):
        model.objects.bulk_create(model(account=shop, remote_id=str(number)) for number in range(50))
    for ask in (lookup.users_by_id, lookup.fields):
        with django_assert_num_queries(1):
            assert len(ask(shop)) == 50  # type: ignore[operator]


def test_who_left_is_told_apart(shop: Any) -> None:
    models.CrmUser.objects.create(account=shop, remote_id="1", name="Олег", active=False)
    models.CrmUser.objects.create(account=shop, remote_id="2", name="Никто", deleted=True)
    assert {key: row.active for key, row in lookup.users_by_id(shop).items()} == {"1": False}
