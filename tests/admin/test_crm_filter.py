"""Lists of a CRM: of few accounts by their keys, of many by walking, alike in what they show."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from rules.models import Delivery
from tests.admin.conftest import open_shop, rule_of


@pytest.mark.parametrize(("few", "few_lately"), [(0, 100), (100, 100), (100, 2)])
@pytest.mark.parametrize("model", ["delivery", "outcome"])
def test_a_list_shows_the_rows_of_its_crm(
    operator: Client,
    deliver: Callable[..., Delivery],
    monkeypatch: pytest.MonkeyPatch,
    few: int,
    few_lately: int,
    model: str,
) -> None:
    monkeypatch.setattr("rules.admin.filters.FEW_ACCOUNTS", few)
    monkeypatch.setattr("rules.admin.filters.FEW_LATELY", few_lately)
    for number in range(3):
        deliver("delivered", rule=rule_of(open_shop(f"s{number}", "A"), number + 1))
    shown = [
        operator.get(f"/admin/rules/{model}/", {"account__crm__exact": crm}).context["cl"].result_count
        for crm in ("amocrm", "solos")
    ]
    assert shown == [3, 0]
