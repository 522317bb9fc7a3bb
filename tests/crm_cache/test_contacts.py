"""Whom we met in a CRM."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Account
from crm_cache.contacts import forget_disconnected, known_contacts, remember
from crm_cache.models import KnownContact
from tests.statements import statements

pytestmark = pytest.mark.django_db
ANNA, MAIL = "phone:+79161234567", "email:anna@demo.example"


def test_a_person_is_known_by_every_key(connected: Any) -> None:
    shop, branch = connected("shop"), connected("branch", remote_id="31000002")
    with statements() as sent:
        remember(shop, {ANNA: "25000001", MAIL: "25000001"})
    assert len(sent) == 1
    assert known_contacts(shop, [ANNA, "phone:+70000000000"]) == {ANNA: "25000001"}
    assert known_contacts(branch, [ANNA]) == {}


def test_the_newest_word_counts(shop: Account) -> None:
    remember(shop, {ANNA: "1", MAIL: "1"})
    remember(shop, {ANNA: "2"})
    assert known_contacts(shop, [ANNA, MAIL]) == {ANNA: "2", MAIL: "1"}


def test_nobody_is_no_trouble(shop: Account) -> None:
    with statements() as sent:
        remember(shop, {})
        assert known_contacts(shop, []) == {}
    assert sent == []
    remember(shop, {"email:" + "a" * 400: "1"})
    assert not KnownContact.objects.exists()


def test_quiz_accounts_of_one_crm_account_know_the_same_people(connected: Any) -> None:
    shop, branch = connected("shop"), connected("branch")
    remember(shop, {ANNA: "1"})
    assert known_contacts(branch, [ANNA]) == {ANNA: "1"}


def test_people_are_forgotten_with_the_last_connection(connected: Any) -> None:
    shop, branch = connected("shop"), connected("branch")
    remember(shop, {ANNA: "1"})

    Account.objects.filter(pk=shop.pk).update(deleted=True, state="disconnected")
    assert forget_disconnected() == 0
    Account.objects.filter(pk=branch.pk).update(deleted=True, state="disconnected")
    assert forget_disconnected() == 1
    assert known_contacts(branch, [ANNA]) == {}
