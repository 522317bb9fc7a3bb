"""Addresses that nobody was given: a page that isn't there, or a list without rows, and never an error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from accounts.admin_base import StaffAdmin
from rules.admin.deliveries import DeliveryAdmin
from tests.admin.conftest import deliver

__all__ = ["deliver"]

EVERYBODY = [f"{site.opts.app_label}_{site.opts.model_name}" for site in admin.site._registry.values()]
DESK = [site for site in admin.site._registry.values() if isinstance(site, StaffAdmin)]
PLACES = [f"{site.opts.app_label}_{site.opts.model_name}" for site in DESK]
DEEDS = [
    f"{place}_{deed}"
    for place, site in zip(PLACES, DESK, strict=True)
    for one in (site.actions_detail if isinstance(site.actions_detail, (list, tuple)) else ())
    for deed in (one["items"] if isinstance(one, dict) else [one])
]
NO_KEYS = ["abc", "²", "9" * 30, "1\0", "-1"]


def met(client: Client, url: str, **query: str) -> int:
    client.raise_request_exception = False
    return int(client.get(url, query, follow=True).status_code)


@pytest.mark.parametrize("key", NO_KEYS)
@pytest.mark.parametrize("place", EVERYBODY)
def test_a_row_that_cannot_be(superuser: Client, shop: Any, place: str, key: str) -> None:
    assert met(superuser, reverse(f"admin:{place}_change", args=[key])) < 500


@pytest.mark.parametrize("page", ["change", "delete"])
@pytest.mark.parametrize("place", EVERYBODY)
def test_a_row_by_a_field_without_a_name(superuser: Client, shop: Any, place: str, page: str) -> None:
    assert met(superuser, reverse(f"admin:{place}_{page}", args=[1]), _to_field="") < 500


@pytest.mark.parametrize("key", NO_KEYS)
@pytest.mark.parametrize("deed", DEEDS)
def test_a_deed_on_a_row_that_cannot_be(superuser: Client, shop: Any, deed: str, key: str) -> None:
    assert met(superuser, reverse(f"admin:{deed}", args=[key])) == 404


def test_old_addresses_lead_to_what_is_left_and_say_so(
    viewer: Client, deliver: Callable[..., Any], monkeypatch: Any
) -> None:
    monkeypatch.setattr(DeliveryAdmin, "list_per_page", 1)
    rows = [deliver("held"), deliver("held"), deliver("waiting")]
    places = reverse("admin:rules_delivery_changelist")
    found = viewer.get(places, {"state__exact": "held", "p": "9"}).context["cl"]
    assert ([row.pk for row in found.result_list], found.page_num) == ([rows[0].pk], 2)
    for url, words in (
        (f"{places}?no_such_filter=1", "a filter unknown to this list"),
        (reverse("admin:rules_delivery_change", args=[rows[2].pk + 1]), "There is no such row"),
    ):
        answer = viewer.get(url, follow=True)
        assert answer.redirect_chain[-1][0].partition("?")[0] == places
        assert words in answer.content.decode()


@pytest.mark.parametrize(
    "query",
    [
        {"quiz_account": "\0"},
        {"quiz": "\0"},
        {"quiz": "²"},
        {"created_at_from": "0001-01-01"},
        {"created_at_to": "9999-12-31"},
        {"q": "\0"},
    ],
)
@pytest.mark.parametrize("place", EVERYBODY)
def test_a_filter_that_says_nothing(superuser: Client, shop: Any, place: str, query: dict[str, str]) -> None:
    assert met(superuser, reverse(f"admin:{place}_changelist"), **query) == 200


@pytest.mark.parametrize("query", [{"owner": "\0"}, {"quiz": "\0"}, {"quiz": "²"}, {"period": "²"}])
def test_a_conversion_of_nothing(superuser: Client, shop: Any, query: dict[str, str]) -> None:
    assert met(superuser, reverse("admin:rules_outcome_conversion"), **query) == 200
