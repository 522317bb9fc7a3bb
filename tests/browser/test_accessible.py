"""Every page of the admin by the rules of WCAG 2.1 AA, in light and in dark, as axe-core judges."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from django.urls import reverse

from rules import figures, incidents
from rules.models import BulkRun, Delivery, Rule
from tests.admin.conftest import administrator, deliver

__all__ = ["administrator", "deliver"]
pytestmark = pytest.mark.django_db(transaction=True)
JUDGED = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"], "resultTypes": ["violations"]}
LISTS = (
    "rules_delivery", "rules_answer", "rules_outcome", "rules_rule", "rules_incident", "rules_bulkrun",
    "accounts_account", "crm_cache_field", "crm_cache_syncrun", "admin_logentry", "rules_erasure",
)  # fmt: skip


ADS = {"value": "utm.source", "oneOf": ["yandex", "vk"]}
EVERYTHING = {  # that a rule's page edits
    "send_if": {"all": [ADS, {"value": "sum", "between": ["1", None]}, {"value": "page", "empty": False}]},
    "routes": [{"name": "Ads", "if": ADS, "then": {"pipeline": "71", "step": "142", "performer": "902"}}],
    "title": "{{ contact.name }}",
    "values": [{"record": "lead", "field": "5000", "value": "web"}],
    "existing": {"contact": {"mode": "fill", "append": True, "fields": {"name": "overwrite"}}},
    "responsible": {
        "own": True,
        "by": "contact.city",
        "map": {"Tula": "901"},
        "people": [{"performer": "901", "weight": 2, "hours": [{"From": "09:00", "To": "18:00"}]}],
    },
}


def pages(rule: Rule, delivery: Delivery) -> list[str]:
    rows = {"rules_delivery": delivery, "rules_answer": delivery.answer, "rules_rule": rule,
            "accounts_account": rule.account}  # fmt: skip
    return [
        reverse("admin:index"),
        *(reverse(f"admin:{name}_changelist") for name in LISTS),
        *(reverse(f"admin:{name}_change", args=[row.pk]) for name, row in rows.items()),
        reverse("admin:rules_outcome_conversion"),
        reverse("admin:rules_rule_versions", args=[rule.pk]),
        reverse("admin:rules_erasure_erase"),
        reverse("admin:rules_outcome_reports"),
        reverse("admin:rules_bulkrun_change", args=[BulkRun.objects.create(action="retry", who="root").pk]),
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_fault(
    administrator: Client,
    rule: Rule,
    deliver: Callable[..., Delivery],
    sit_down: Callable[..., Any],
    scheme: str,
) -> None:
    for state in ("waiting", "held", "delivered"):
        delivery = deliver(state)
    Rule.objects.update(extra=EVERYTHING)
    incidents.look()
    figures.count_due()
    page = sit_down(administrator)
    page.emulate_media(color_scheme=scheme)
    faults: dict[str, list[str]] = {}
    for address in pages(rule, delivery):
        page.goto(address)
        for fault in Axe().run(page, options=JUDGED).response["violations"]:
            places = [node["target"][0] for node in fault["nodes"]]
            faults[f"{address} {fault['id']}"] = [str(place) for place in places]
    assert faults == {}, "\n".join(f"{where}: {what}" for where, what in faults.items())
