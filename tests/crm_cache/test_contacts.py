"""Whom we met in a CRM."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Account
from crm_cache.contacts import known_contacts, remember
from crm_cache.models import KnownContact

pytestmark = pytest.mark.django_db
ANNA, MAIL = "phone:+79161234567", "email:anna@demo.example"


def test_a_person_is_known_by_every_key(connected: Any, django_assert_num_queries: Any) -> None:
    shop, branch = connected("shop"), connected("branch")
    with django_assert_num_queries(1):
        remember(shop.pk, {ANNA: "25000001", MAIL: "25000001"})
    assert known_contacts(shop.pk, [ANNA, "phone:+70000000000"]) == {ANNA: "25000001"}
    assert known_contacts(branch.pk, [ANNA]) == {}


def test_the_newest_word_counts(shop: Account) -> None:
    remember(shop.pk, {ANNA: "1", MAIL: "1"})
    remember(shop.pk, {ANNA: "2"})
    assert known_contacts(shop.pk, [ANNA, MAIL]) == {ANNA: "2", MAIL: "1"}


def test_nobody_is_no_trouble(shop: Account, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        remember(shop.pk, {})
        assert known_contacts(shop.pk, []) == {}
    remember(shop.pk, {"email:" + "a" * 400: "1"})
    assert not KnownContact.objects.exists()
