"""What the customers' rules say beyond their contract: routes, texts of their own, turns of people, tasks,
what is written into contacts that are there, and what becomes of people who answer again."""

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
NEW: Mapping[str, Any] = {}
NOTE = {"Repeated": {"Do": "note", "WithinDays": 30}}
NOTE_AND_TASK = {"Repeated": {**NOTE["Repeated"], "Task": True}}
LINK = {"Repeated": {"Do": "link", "WithinDays": 30}}
ON_REPEAT = (NEW, NOTE_AND_TASK, NOTE, NOTE_AND_TASK, LINK)  # by the customers' numbers, where the CRM can
CAN_JOIN = ("amocrm", "bitrix24", "envybox")


def chosen(customer: Customer) -> dict[str, Any]:
    """What the customer's rule says, but for its people."""
    on_repeat = ON_REPEAT[int(customer.id) % len(ON_REPEAT)] if customer.kind in CAN_JOIN else NEW
    return {**ABLE.get(customer.kind, {}), **on_repeat}


def think(customer: Customer) -> None:
    """Add it to the saved rule. Raises ``DemoFailed`` where it is refused."""
    customer.extra = chosen(customer)
    prefix, name = customer.scenario.prefix, USER_ID[customer.kind]
    people = [row[name] for row in customer.service.rows(f"{prefix}/users")][:MOST_PEOPLE]
    page = f"{prefix}/rules/{QUIZ_ID}"
    customer.service.expected(
        customer.service.send("PATCH", page, {"Extra": extra_of(people, customer.extra)}), "PATCH", page
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
