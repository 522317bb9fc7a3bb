"""The page of a delivery: one thing to do in each state, and what each try led to with its times."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import Account
from rules.admin.timeline import place_of_field
from rules.models import Attempt, Delivery, Rule
from tests.admin.conftest import exchange, staff
from tests.admin.test_pages import page_of


def main_of(client: Client, delivery: Delivery) -> tuple[str, str]:
    found = client.get(page_of(delivery)).context["main"]
    return (found[0], found[1].removeprefix("/admin/")) if found else ("", "")


def tries_on(page: Any) -> list[dict[str, Any]]:
    return [one["try"] for one in page.context["happened"] if "try" in one]


@pytest.mark.parametrize(
    ("because", "words", "where"),
    [
        ("reconnect", "Reconnect", "accounts/account/{account}/reconnect/"),
        ("disconnected", "Reconnect", "accounts/account/{account}/reconnect/"),
        ("paused", "Resume the account", "accounts/account/{account}/resume/"),
        ("rule_paused", "Resume the rule", "rules/rule/{rule}/resume/"),
        ("rule_deleted", "Make a rule", "rules/rule/add/?account={account}&quiz_id=101"),
        ("fix_rule", "Fix the rule", "rules/rule/{rule}/change/#picker-tags"),
        ("look_first", "The lead is in the CRM", "rules/delivery/{delivery}/arrived/"),
        ("refused", "Try again", "rules/delivery/{delivery}/try_again/"),
        ("gave_up", "Try again", "rules/delivery/{delivery}/try_again/"),
        ("stale", "Try again", "rules/delivery/{delivery}/try_again/"),
        ("cancelled", "Try again", "rules/delivery/{delivery}/try_again/"),
        ("erased", "", ""),
    ],
)
def test_each_state_has_one_thing_to_do(
    deliver: Callable[..., Delivery], because: str, words: str, where: str
) -> None:
    delivery = deliver(
        "held", held_because=because, error_code="tag_gone", look_first=because == "look_first"
    )
    away = {"reconnect": "needs_reconnect", "disconnected": "disconnected", "paused": "paused"}
    Account.objects.update(state=away.get(because, "active"), deleted=because == "disconnected")
    where = where.format(account=delivery.account_id, rule=delivery.rule_id, delivery=delivery.pk)
    assert main_of(staff("administrator"), delivery) == (words, where)
    signs_in = because in ("reconnect", "disconnected")
    assert main_of(staff("operator"), delivery) == (("", "") if signs_in else (words, where))
    assert main_of(staff("viewer"), delivery) == ("", "")


def test_what_goes_by_itself_needs_nobody(deliver: Callable[..., Delivery]) -> None:
    for state in ("waiting", "sending", "delivered"):
        assert main_of(staff("administrator"), deliver(state)) == ("", "")


@pytest.mark.parametrize(
    ("field", "place"),
    [
        ("PerformerID", "id_new_performer"),
        ("StageID", "id_placement"),
        ("TagsToAdd.Lead", "picker-tags"),
        ("SourceID", "id_choice_SourceID"),
        ("FieldsRule.deal", "picker-fields"),
        ("Extra.Task.PerformerID", "picker-routes"),
        ("Task.PerformerID", "picker-routes"),
        ("leads.5000", "picker-fields"),
        ("", "picker-fields"),
    ],
)
def test_a_problem_leads_to_its_field(field: str, place: str) -> None:
    assert place_of_field(field) == place


def asked(made: str = "", seconds: float = 0.25) -> dict[str, Any]:
    return {**exchange(), "status": 200, "made": made, "seconds": seconds}


def test_a_try_tells_what_its_requests_led_to(deliver: Callable[..., Delivery], rule: Rule) -> None:
    steps = {"contact": "25", "found": "25", "found_by": "phone", "lead": "15", "note": "9"}
    delivery = deliver("delivered", steps=steps, remote_id="15")
    found = [
        asked("contact found found_by"),
        asked("contact found found_by", 0.5),
        asked("lead"),
        asked("note"),
    ]
    Attempt.objects.update(outcome="delivered", exchanges=[*found, asked()])
    page = staff("administrator").get(page_of(delivery))
    [told] = tries_on(page)
    assert [(one["what"], one["requests"], one["seconds"]) for one in told["parts"]] == [
        ("Contact found by phone", 2, 0.75),
        ("Lead made", 1, 0.25),
        ("Note written", 1, 0.25),
        ("Other requests", 1, 0.25),
    ]
    html = page.content.decode()
    assert html.index("Answer received") < html.index("Contact found by phone") < html.index("Note written")
    assert {step for step, _ in page.context["journal"]} == {"contact", "lead", "note"}


def test_what_was_made_is_called_by_names_and_a_connectors_own_steps_are_not_told(
    operator: Client, deliver: Callable[..., Delivery]
) -> None:
    steps = {
        "contact": "25",
        "lead": "15",
        "kind": "deal",
        "dropped": "leads:5000",
        "rest": "15",
        "note/2": "9",
    }
    page = operator.get(page_of(deliver("delivered", steps=steps)))
    told = {str(what): made for what, made in page.context["journal"]}
    assert told == {"contact": "25", "Deal": "15", "note": "9"}


def test_a_new_contact_and_older_tries_are_told(deliver: Callable[..., Delivery]) -> None:
    delivery = deliver("delivered", steps={"contact": "25", "lead": "15"})
    Attempt.objects.update(number=4, exchanges=[asked("lead contact")])
    page = staff("operator").get(page_of(delivery))
    assert tries_on(page)[0]["parts"][0]["what"] == "No contact found: a new one made, lead made"
    assert tries_on(page)[0]["parts"][0]["exchanges"] == []
    assert "3 earlier tries are not shown or not kept." in page.content.decode()
