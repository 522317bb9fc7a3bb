"""What the customers' rules say beyond their contract: routes, texts of their own, and turns of people."""

from __future__ import annotations

from typing import Any

from config.openapi.quiz import QUIZ_ID
from tests.torture.customers import Customer

USER_ID = {"amocrm": "AmoID", "bitrix24": "bitrixUserID", "envybox": "envyboxID", "solos": "solosID"}
MOST_PEOPLE = 4


def think(customer: Customer) -> None:
    """Add them to the saved rule. Raises ``DemoFailed`` where they are refused."""
    prefix, name = customer.scenario.prefix, USER_ID[customer.kind]
    people = [row[name] for row in customer.service.rows(f"{prefix}/users")][:MOST_PEOPLE]
    page = f"{prefix}/rules/{QUIZ_ID}"
    customer.service.expected(
        customer.service.send("PATCH", page, {"Extra": extra_of(people)}), "PATCH", page
    )


def extra_of(people: list[Any]) -> dict[str, Any]:
    """``people``: ids as the CRM's rules have them; the last one gets the leads of large places."""
    return {
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
