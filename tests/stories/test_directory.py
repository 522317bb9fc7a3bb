"""Many leads for a CRM with many contacts: they are walked once, and nobody is made twice or searched for."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from connectors.sandbox.amocrm.model import Card
from crm_cache import directory, walks
from crm_cache.models import ContactDirectory, DirectoryKey
from tests.stories.conftest import Shop


@pytest.fixture
def people(quiz: Shop) -> list[int]:
    """600 contacts of the shop's own, spelled as people spell."""
    return [contact(quiz, f"8 (916) {number:03d}-{number % 100:02d}-00", number) for number in range(600)]


def contact(quiz: Shop, phone: str, number: int = 0) -> int:
    box, field = quiz.amo, quiz.crm.fields["contacts"].by_code["PHONE"]
    now = box.clock.unix()
    props = dict.fromkeys(("responsible_user_id", "group_id", "created_by", "updated_by"), 0)
    props |= {"name": f"Клиент {number}", "first_name": "", "last_name": "", "is_deleted": False}
    card = Card("contacts", box.ids.next("contacts"), props | {"created_at": now, "updated_at": now})
    card.values[field.id] = [{"value": phone, "enum_code": "WORK"}]
    quiz.crm.contacts.insert(card, box.clock.now())
    return card.id


def read(quiz: Shop) -> ContactDirectory:
    """What beat and workers do about directories until none is due."""
    for _ in range(50):
        for account in directory.due(timezone.now(), 10):
            walks.read(account.pk)
        if not ContactDirectory.objects.filter(due_at__lte=timezone.now()).exists():
            break
    return ContactDirectory.objects.get()


@pytest.fixture
def walked(quiz: Shop, people: list[int]) -> ContactDirectory:
    directory.begin(quiz.account)
    row = read(quiz)
    assert row.complete
    quiz.amo.journal.clear()
    return row


def test_the_walk_goes_on_after_a_crash(quiz: Shop, people: list[int]) -> None:
    directory.begin(quiz.account)
    quiz.amo.faults.add("/contacts", status=502, times=1, after=2)
    row = read(quiz)
    assert not row.complete
    assert 0 < DirectoryKey.objects.count() < 600
    place = row.walked_to

    ContactDirectory.objects.update(due_at=timezone.now())
    quiz.amo.journal.clear()
    row = read(quiz)
    assert (row.complete, row.walking) == (True, False)
    assert DirectoryKey.objects.count() == 600
    assert place > 0
    pages = [entry.request.params for entry in quiz.amo.journal.find("GET", "/contacts$")]
    assert "1" not in [page["page"] for page in pages if page.get("order[id]") == "asc"]


def test_two_workers_walk_once(quiz: Shop, people: list[int], monkeypatch: Any) -> None:
    """Another worker that is told of the same directory leaves it alone."""
    directory.begin(quiz.account)
    real, others = walks._read, []

    def both(*args: Any) -> Any:
        others.append(walks.read(quiz.account.pk))
        return real(*args)

    monkeypatch.setattr(walks, "_read", both)
    assert read(quiz).complete
    assert others == [None]
    assert len(quiz.amo.journal.find("GET", "/contacts$")) <= 7


def test_a_directory_is_walked_again_and_finds_what_no_change_told_of(
    quiz: Shop, walked: ContactDirectory, people: list[int], later: Any
) -> None:
    field = quiz.crm.fields["contacts"].by_code["PHONE"]
    quiz.crm.contacts[people[0]].values[field.id] = [{"value": "+7 999 000-11-22"}]
    quiz.crm.contacts[people[1]].props["is_deleted"] = True
    later(days=8)
    row = read(quiz)
    assert row.complete
    found = directory.directory_for(quiz.account).find(["phone:+79990001122", "phone:+79160010100"])
    assert found == {"phone:+79990001122": [people[0]]}


def test_who_may_not_read_contacts_is_asked_no_more(quiz: Shop, people: list[int]) -> None:
    directory.begin(quiz.account)
    quiz.amo.faults.add(
        "/contacts",
        status=403,
        times=None,
        body='{"status": 403, "title": "Forbidden"}',
        content_type="application/json",
    )
    row = read(quiz)
    assert (row.wanted, row.complete, bool(row.error)) == (False, False, True)
