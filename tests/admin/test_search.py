"""One box finds whatever a person has at hand: a phone as it was said, a name, an id."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from rules.models import Delivery, Rule

Deliver = Callable[..., Delivery]


def found(client: Client, term: str) -> list[str]:
    """Addresses of what the box offers."""
    page = client.get(reverse("admin:search"), {"s": term, "extended": "1"})
    return [result.link for result in page.context["results"]] if page.context else []


def page_of(row: Any) -> str:
    return reverse(f"admin:rules_{row._meta.model_name}_change", args=[row.pk])


@pytest.fixture
def anna(deliver: Deliver) -> Delivery:
    row = deliver("delivered", remote_id="15000007")
    keys = ["phone:+79160001122", "email:anna@example.com"]
    row.answer.contact_keys = keys
    row.answer.payload["contact"] = {
        "firstName": "Анна",
        "lastName": "Петрова-Водкина",
        "phone": "+79160001122",
    }
    row.answer.save()
    return row


@pytest.mark.parametrize(
    "term",
    [
        "8 (916) 000-11-22", "+7 916 000 11 22", "79160001122", "Anna@Example.com", "анна", "Водкина Анна",
        "петров", "15000007", "a-1", "qzmark1",
    ],
)  # fmt: skip
def test_an_operator_finds_the_delivery(operator: Client, anna: Delivery, term: str) -> None:
    assert page_of(anna) in found(operator, term)


@pytest.mark.parametrize(
    "term", ["8 916 000 11 23", "other@example.com", "Ольга", "Анна Сидорова", "1500000", "; --"]
)
def test_nobody_else_is_found(operator: Client, anna: Delivery, term: str) -> None:
    assert found(operator, term) == []


@pytest.mark.parametrize(("term", "seen"), [("+79160001122", False), ("Анна", False), ("15000007", True)])
def test_a_viewer_finds_by_ids_alone(viewer: Client, anna: Delivery, term: str, seen: bool) -> None:
    assert (found(viewer, term) != []) is seen
    page = viewer.get(reverse("admin:search"), {"s": term, "extended": "1"}).content.decode()
    assert "Петрова" not in page


def test_a_quiz_and_a_quiz_account_are_found(operator: Client, rule: Rule) -> None:
    assert page_of(rule) in found(operator, "101")
    assert reverse("admin:accounts_account_change", args=[rule.account_id]) in found(operator, "shop")


@pytest.mark.parametrize("term", ["'", "\\", "%", "a & | !", "(((", "x" * 5000, "\x00"])
def test_odd_terms_find_nothing_and_break_nothing(operator: Client, anna: Delivery, term: str) -> None:
    assert operator.get(reverse("admin:search"), {"s": term, "extended": "1"}).status_code == 200


def test_the_list_of_deliveries_finds_the_same(operator: Client, anna: Delivery) -> None:
    rows = (
        operator.get(reverse("admin:rules_delivery_changelist"), {"q": "Петрова"}).context["cl"].result_list
    )
    assert list(rows) == [anna]


def test_a_viewer_is_told_to_search_by_numbers_alone(viewer: Client, operator: Client) -> None:
    told = [
        client.get(reverse("admin:rules_delivery_changelist")).context["cl"].search_help_text
        for client in (viewer, operator)
    ]
    assert [("phone" in words, "number" in words) for words in told] == [(False, True), (True, True)]
