"""A flower shop with 600 contacts of its own, and a directory of them."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from connectors.sandbox.amocrm.model import Card
from crm_cache import directory, walks
from crm_cache.models import ContactDirectory


@pytest.fixture
def people(quiz: Any) -> list[int]:
    """600 contacts of the shop's own, spelled as people spell, from the hours before."""
    spelled = [f"8 (916) {number:03d}-{number % 100:02d}-00" for number in range(600)]
    return [contact(quiz, phone, number, 10_000 - 10 * number) for number, phone in enumerate(spelled)]


def contact(quiz: Any, phone: str, number: int = 0, seconds_ago: int = 0) -> int:
    box, field = quiz.amo, quiz.crm.fields["contacts"].by_code["PHONE"]
    now = box.clock.unix() - seconds_ago
    props = dict.fromkeys(("responsible_user_id", "group_id", "created_by", "updated_by"), 0)
    props |= {"name": f"Клиент {number}", "first_name": "", "last_name": "", "is_deleted": False}
    card = Card("contacts", box.ids.next("contacts"), props | {"created_at": now, "updated_at": now})
    card.values[field.id] = [{"value": phone, "enum_code": "WORK"}]
    quiz.crm.contacts.insert(card, box.clock.now())
    return card.id


def read(quiz: Any) -> ContactDirectory:
    """What beat and workers do about directories until none is due."""
    for _ in range(50):
        for account in directory.due(timezone.now(), 10):
            walks.read(account.pk)
        if not ContactDirectory.objects.filter(due_at__lte=timezone.now()).exists():
            break
    return ContactDirectory.objects.get()


@pytest.fixture
def walked(quiz: Any, people: list[int]) -> ContactDirectory:
    directory.begin(quiz.account)
    row = read(quiz)
    assert row.complete
    quiz.amo.journal.clear()
    return row


def asked(quiz: Any) -> list[str]:
    """For whom the CRM was searched."""
    found = quiz.amo.journal.find("GET", "/contacts$")
    return [text for entry in found if (text := entry.request.params.get("query"))]
