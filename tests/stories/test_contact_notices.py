"""amoCRM tells of changed contacts: hints at whom a directory reads anew, lost, forged and in floods as well.

Here nothing else tells of them in time: neither ``updated_at`` nor an event.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

from accounts import hooks
from accounts.models import Account, Hook
from connectors.amocrm.following import OF_CONTACTS
from crm_cache import directory, walks
from crm_cache.models import ContactDirectory, ContactHint
from tests.stories.conftest import Shop
from tests.stories.test_outcomes import postman
from tests.stories.walked import asked, read

ANNAS, BORISS, NEW = "+79160010100", "+79160020200", "+79990001122"  # of people[1], of people[2], of nobody


@pytest.fixture
def told(quiz: Shop, walked: ContactDirectory, later: Any) -> Shop:
    """Notices of contacts are subscribed."""
    quiz.amo.switches.update(phone_is_a_change=False, merge_is_a_change=False, events_delay=3600)
    quiz.amo.courier = postman()
    assert hooks.subscribe_due() == 1
    later(minutes=5)
    quiz.amo.journal.clear()
    return quiz


def contact_of(shop: Shop, phone: str) -> Any:
    """Who a new lead of somebody with this phone goes to."""
    shop.post(contact={"name": "Новая", "phone": phone})
    shop.work()
    return shop.leads[-1]["contact"]["id"]


def covered(shop: Shop) -> bool:
    """Does the CRM post contacts to us?"""
    hook = shop.crm.hooks[Hook.objects.get(account=shop.account).url]
    return set(OF_CONTACTS) <= set(hook.settings)


# -- what a notice brings -----------------------------------------------------------------------------------


def test_the_next_lead_goes_to_whom_the_phone_belongs_now(told: Shop, people: list[int]) -> None:
    told.amo.control("change_phone", {"contact_id": people[1], "phone": "8 999 000-11-22"})
    assert told.amo.pump() == 1
    assert contact_of(told, NEW) == people[1]
    assert contact_of(told, ANNAS) not in people  # hers it was
    assert asked(told) == []
    assert not ContactHint.objects.exists()


def test_a_deleted_contact_is_not_offered_to_the_crm(told: Shop, people: list[int]) -> None:
    told.amo.control("delete_contact", {"contact_id": people[1]})
    told.amo.pump()
    assert contact_of(told, ANNAS) not in people
    assert asked(told) == []
    assert told.amo.journal.counts["POST /api/v4/leads/complex"] == 1  # and not refused once


def test_of_merged_contacts_the_one_that_is_left_gets_the_lead(told: Shop, people: list[int]) -> None:
    told.amo.control("merge_contacts", {"contact_id": people[1], "into": people[2]})
    told.amo.pump()
    assert contact_of(told, ANNAS) == people[2]


def test_what_a_notice_says_of_a_contact_is_never_believed(told: Shop, people: list[int]) -> None:
    """Whoever knows the address says that one is gone, and that another one has a new phone."""
    forged = {
        "contacts[delete][0][id]": str(people[1]),
        "contacts[update][0][id]": str(people[2]),
        "contacts[update][0][custom_fields][0][code]": "PHONE",
        "contacts[update][0][custom_fields][0][values][0][value]": NEW,
    }
    assert posted(told.account, forged) == 200
    assert contact_of(told, NEW) not in people
    assert contact_of(told, ANNAS) == people[1]
    assert contact_of(told, BORISS) == people[2]
    assert not ContactHint.objects.exists()


def test_a_lost_notice_makes_no_lead_wrong(told: Shop, people: list[int]) -> None:
    """Who is gone is refused by the CRM, and looked up then."""
    told.amo.control("merge_contacts", {"contact_id": people[1], "into": people[2]})
    assert contact_of(told, ANNAS) == people[2]
    told.amo.control("delete_contact", {"contact_id": people[2]})
    assert contact_of(told, BORISS) not in people
    assert len(told.leads) == 2


def test_notices_of_our_own_contacts_cost_no_question(told: Shop, later: Any) -> None:
    """They stand in the page of changes that the next lead asks for anyway."""
    for _ in range(20):
        told.post()
    told.work()
    assert told.amo.pump() >= 20
    assert ContactHint.objects.count() == 20
    later(seconds=2)
    told.amo.journal.clear()
    told.post()
    told.work()
    assert told.amo.journal.counts["GET /api/v4/contacts"] == 1
    assert told.amo.journal.find("GET", r"/contacts/\d+$") == []
    assert not ContactHint.objects.exists()


def test_a_late_notice_of_a_contact_that_was_read_since_is_no_hint(told: Shop, later: Any) -> None:
    """Where leads come by the hundred, notices of the contacts that we make come after these were read."""
    for _ in range(3):
        told.post()
    told.work()
    later(seconds=2)
    told.post()
    told.work()  # looks at what has changed: the first three
    assert told.amo.pump() >= 4
    assert [one.contact for one in ContactHint.objects.all()] == [told.leads[-1]["contact"]["id"]]


def test_a_flood_of_notices_costs_the_next_lead_a_few_questions(
    told: Shop, people: list[int], connect: Callable[..., Any]
) -> None:
    """The leads are delivered all the same, and no other account has to do with it."""
    neighbour = told.amo.add_account("second")
    connect(neighbour, "shop2")
    for low in range(10**9, 10**9 + 3000, 200):
        flood = {f"contacts[update][{n - low}][id]": str(n) for n in range(low, low + 200)}
        assert posted(told.account, flood) == 200
    assert ContactHint.objects.count() == directory.MOST_HINTS
    told.amo.journal.clear()
    assert contact_of(told, ANNAS) == people[1]
    assert len(told.amo.journal.find("GET", r"/contacts/\d+$")) == 10
    assert ContactHint.objects.count() == directory.MOST_HINTS - 10
    other = Account.objects.get(account_id="shop2")
    assert posted(other, {"contacts[update][0][id]": "5"}) == 200
    assert ContactHint.objects.count() == directory.MOST_HINTS - 10  # there is no directory


def posted(account: Account, form: dict[str, str]) -> int:
    path = hooks.address_of(account).removeprefix("http://localhost:8000")
    body = urlencode({**form, "account[id]": account.remote_id})
    return Client().post(path, body, content_type="application/x-www-form-urlencoded").status_code


# -- when contacts are subscribed ---------------------------------------------------------------------------


def test_contacts_are_told_of_as_long_as_there_is_a_directory(quiz: Shop, people: list[int]) -> None:
    hooks.subscribe_due()
    assert not covered(quiz)
    directory.begin(quiz.account)
    read(quiz)
    assert hooks.subscribe_due() == 1
    assert covered(quiz)
    assert hooks.subscribe_due() == 0

    Account.objects.update(contact_directory=False)
    walks.read_due()
    assert hooks.subscribe_due() == 1
    assert not covered(quiz)


def test_no_contact_is_told_of_where_contacts_can_not_be_walked(quiz: Shop, people: list[int]) -> None:
    hooks.subscribe_due()
    directory.begin(quiz.account)
    refusal = {"body": '{"status": 403}', "content_type": "application/json"}
    quiz.amo.faults.add("/contacts", status=403, times=None, **refusal)
    read(quiz)
    assert hooks.subscribe_due() == 0
    assert not covered(quiz)


def test_a_directory_that_ends_while_the_crm_is_asked_is_told_of_no_more(
    quiz: Shop, walked: ContactDirectory, monkeypatch: Any
) -> None:
    real = hooks._refusal

    def meanwhile(account: Account, *asked: Any) -> Any:
        refusal = real(account, *asked)
        directory.give_up(account, "It was turned off")
        return refusal

    monkeypatch.setattr(hooks, "_refusal", meanwhile)
    assert hooks.subscribe_due() == 1
    assert covered(quiz)
    monkeypatch.undo()
    assert hooks.subscribe_due() == 1
    assert not covered(quiz)


def test_hints_go_with_the_account(told: Shop, people: list[int]) -> None:
    assert posted(told.account, {"contacts[update][0][id]": str(people[1])}) == 200
    assert ContactHint.objects.count() == 1
    assert told.api.delete("/account").status_code == 200
    walks.read_due()
    assert not ContactHint.objects.exists()
    assert hooks.unsubscribe_due() == 1
    assert told.crm.hooks == {}
