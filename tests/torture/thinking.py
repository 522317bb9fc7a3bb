"""What the customers' rules say beyond their contract: routes, texts of their own, turns of people, tasks
and what is written into contacts that are there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from config.openapi.quiz import QUIZ_ID
from tests.torture.customers import Customer

USER_ID = {"amocrm": "AmoID", "bitrix24": "bitrixUserID", "envybox": "envyboxID", "solos": "solosID"}
MOST_PEOPLE = 4
TASK = {"Task": {"Text": "Позвонить: {{ contact.name }}", "Minutes": 30}}
FILL = {"Existing": {"Contact": {"Mode": "fill", "Append": True}}}
ABLE: Mapping[str, Mapping[str, Any]] = {
    "amocrm": TASK | FILL,
    "bitrix24": TASK | FILL,
    "envybox": TASK,
}  # what each CRM can


def think(customer: Customer) -> None:
    """Add them to the saved rule. Raises ``DemoFailed`` where they are refused."""
    prefix, name = customer.scenario.prefix, USER_ID[customer.kind]
    people = [row[name] for row in customer.service.rows(f"{prefix}/users")][:MOST_PEOPLE]
    page = f"{prefix}/rules/{QUIZ_ID}"
    customer.service.expected(
        customer.service.send("PATCH", page, {"Extra": extra_of(people, ABLE.get(customer.kind, {}))}),
        "PATCH",
        page,
    )


def extra_of(people: list[Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """``people``: ids as the CRM's rules have them; the last one gets the leads of large places."""
    return {
        **more,
        "Routes": [
            {
                "Name": "Большая площадь",
                "If": {"value": "answer.area", "between": [150, 1000]},
                "Then": {"PerformerID": people[-1]},
            }
        ],
        "Title": "{{ contact.name }}: {{ answer.repair | default('ремонт') | lower }}",
        "Note": "Площадь: {{ answer.area | number }} м²",
        "Responsible": {
            "People": [{"PerformerID": one, "Weight": 1 + number % 2} for number, one in enumerate(people)]
        },
    }
