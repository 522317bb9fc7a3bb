"""Many leads for a CRM with many contacts: they are walked once, and nobody is made twice or searched for."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from crm_cache import directory, walks
from crm_cache.models import ContactDirectory, DirectoryKey
from rules.delivery import directory_pays
from rules.people import erase, who
from tests.stories.conftest import Shop
from tests.stories.walked import asked, contact, read


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
    assert found == {"phone:+79990001122": (people[0],)}


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


# -- leads -----------------------------------------------------------------------------------------------


def test_known_people_are_found_in_any_spelling_without_a_search(
    quiz: Shop, walked: ContactDirectory, people: list[int]
) -> None:
    for number in range(40):
        quiz.post(contact={"name": "Анна", "phone": f"+7916{number:03d}{number % 100:02d}00"})
        quiz.post(contact={"name": "Борис", "phone": f"8-903-{number:03d}-00-00"})
    quiz.work()
    assert len(quiz.leads) == 80
    met = [lead["contact"]["id"] for lead in quiz.leads if lead["contact"]["name"].startswith("Клиент")]
    assert sorted(met) == people[:40]
    assert asked(quiz) == []
    routes = quiz.amo.journal.counts
    assert routes["POST /api/v4/leads/complex"] == 2
    assert routes["POST /api/v4/leads/notes"] == 1


def test_who_changed_a_moment_ago_is_known_as_they_are_now(
    quiz: Shop, walked: ContactDirectory, people: list[int], later: Any
) -> None:
    """Made, merged, deleted, with another phone: people and other programs work in the CRM all the time."""
    later(seconds=20)
    ContactDirectory.objects.update(events_to=F("events_to") - 20)
    new = contact(quiz, "8 999 000-00-01")
    quiz.amo.control("change_phone", {"contact_id": people[0], "phone": "8 999 000-00-02"})
    quiz.amo.control("merge_contacts", {"contact_id": people[1], "into": people[2]})
    quiz.amo.control("delete_contact", {"contact_id": people[3]})
    phones = ["+79990000001", "+79990000002", "+79160010100", "+79160030300", "+79160000000"]
    for phone in phones:
        quiz.post(contact={"name": "Анна", "phone": phone})
    quiz.work()
    contacts = [lead["contact"] for lead in quiz.leads]
    assert [one["id"] for one in contacts[:3]] == [new, people[0], people[2]]
    assert [one["name"] for one in contacts[3:]] == ["Анна", "Анна"]
    assert asked(quiz) == []


def test_a_contact_that_went_unnoticed_is_looked_up_once_it_is_refused(
    quiz: Shop, walked: ContactDirectory, people: list[int]
) -> None:
    """Events can't be read here, so that nothing told of it."""
    quiz.amo.faults.add(
        "/events", status=403, times=None, body='{"status": 403}', content_type="application/json"
    )
    quiz.amo.switches["merge_is_a_change"] = False
    quiz.amo.control("merge_contacts", {"contact_id": people[1], "into": people[2]})
    quiz.post(contact={"name": "Анна", "phone": "+79160010100"})
    quiz.work()
    assert quiz.leads[0]["contact"]["id"] == people[2]
    assert asked(quiz) == ["9160010100"]
    found = directory.directory_for(quiz.account).find(["phone:+79160010100"])
    assert people[1] not in found.get("phone:+79160010100", ())


def test_people_from_abroad_and_forgotten_ones_are_searched_for(
    quiz: Shop, walked: ContactDirectory, people: list[int]
) -> None:
    """Their phones may be kept without a country code, or a mark of theirs was erased."""
    abroad = contact(quiz, "029 123-45-67")
    directory.forget(["phone:+79160000000"])
    quiz.post(contact={"name": "Алесь", "phone": "+375 29 123-45-67"})
    quiz.post(contact={"name": "Анна", "phone": "+7 916 000-00-00"})
    quiz.work()
    assert sorted(asked(quiz)) == ["291234567", "9160000000"]
    assert {lead["contact"]["id"] for lead in quiz.leads} >= {people[0]}
    assert abroad


def test_without_a_complete_directory_everybody_is_searched_for(quiz: Shop, people: list[int]) -> None:
    quiz.post(contact={"name": "Анна", "phone": "+7 916 000-00-00"})
    quiz.work()
    assert asked(quiz) == ["9160000000"]
    assert quiz.leads[0]["contact"]["id"] == people[0]


# -- when it is begun ----------------------------------------------------------------------------------------


def test_a_backlog_has_the_contacts_walked(quiz: Shop, people: list[int], monkeypatch: Any) -> None:
    monkeypatch.setattr(directory_pays, "BACKLOG", 3)
    quiz.post()
    quiz.work()
    assert not ContactDirectory.objects.filter(wanted=True).exists()
    for _ in range(3):
        quiz.post()
    quiz.work()
    assert read(quiz).complete


@pytest.mark.parametrize(("a_week", "begun"), [(2, False), (3, True), (200, False)])
def test_a_weeks_leads_have_the_contacts_walked_where_that_pays(
    quiz: Shop, people: list[int], monkeypatch: Any, a_week: int, begun: bool
) -> None:
    """600 contacts are three questions of 250; two leads a week are too few, whatever it cost."""
    monkeypatch.setattr(directory_pays, "FEWEST", 3 if a_week < 200 else 201)
    for _ in range(3):
        quiz.post()
    monkeypatch.setattr(directory_pays, "PAGE", 250 if a_week == 3 else 100)
    quiz.work()
    assert ContactDirectory.objects.filter(wanted=True).exists() == begun


def test_switched_off_nobody_is_walked(
    quiz: Shop, people: list[int], monkeypatch: Any, settings: Any
) -> None:
    monkeypatch.setattr(directory_pays, "BACKLOG", 1)
    settings.CONTACT_DIRECTORY = False
    quiz.post()
    quiz.work()
    assert not ContactDirectory.objects.exists()


# -- when it goes --------------------------------------------------------------------------------------------


def test_disconnecting_erases_it(quiz: Shop, walked: ContactDirectory) -> None:
    assert quiz.api.delete("/account").status_code == 200
    walks.read_due()
    assert not DirectoryKey.objects.exists()
    assert not ContactDirectory.objects.exists()


def test_whoever_asks_to_be_forgotten_is_in_it_no_more(
    quiz: Shop, walked: ContactDirectory, people: list[int]
) -> None:
    quiz.post(contact={"name": "Анна", "phone": "+79160000000"})
    quiz.work()
    erase(who(phone="+79160000000"), by="her")
    book = directory.directory_for(quiz.account)
    assert book.find(["phone:+79160000000"]) == {"phone:+79160000000": ()}
    assert DirectoryKey.objects.count() == 599
