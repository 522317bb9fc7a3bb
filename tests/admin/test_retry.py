"""Trying again: first the numbers, then the deed, and never what is being sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from accounts.models import Account
from connectors.messages import from_column
from rules.models import Delivery
from tests.admin.conftest import open_shop, rule_of
from tests.admin.test_pages import list_of, page_of

Deliver = Callable[..., Delivery]


def choose(client: Client, rows: list[Delivery], **more: str) -> Any:
    keys = [row.pk for row in rows]
    return client.post(list_of(Delivery), {"action": "try_chosen_again", "_selected_action": keys, **more})


def states() -> list[str]:
    return list(Delivery.objects.order_by("pk").values_list("state", flat=True))


def test_a_person_first_reads_what_it_would_touch(operator: Client, deliver: Deliver) -> None:
    rows = [deliver("held"), deliver("held"), deliver("waiting"), deliver("sending"), deliver("delivered")]
    rows.append(deliver("held", rule=rule_of(open_shop("other", "Other"), 7)))
    html = choose(operator, rows).content.decode()
    assert "4 deliveries of 2 accounts will be tried again now." in html
    assert "1 is being sent and will be left alone." in html
    assert "1 is delivered already and will be left alone." in html
    assert states() == ["held", "held", "waiting", "sending", "delivered", "held"]


def test_once_confirmed_they_go_and_their_lanes_are_woken(
    operator: Client, deliver: Deliver, woken: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    rows = [deliver("held"), deliver("sending"), deliver("delivered")]
    with django_capture_on_commit_callbacks(execute=True):
        answer = choose(operator, rows, confirmed="yes")
    assert answer.status_code == 302
    assert states() == ["waiting", "sending", "delivered"]
    assert woken == [rows[0].account_id]


def test_the_history_says_who_tried_again(operator: Client, deliver: Deliver) -> None:
    held, sending = deliver("held"), deliver("sending")
    choose(operator, [held, sending], confirmed="yes")
    logged = [(entry.object_id, entry.user.username) for entry in LogEntry.objects.all()]
    assert logged == [(str(held.pk), "operator")]


def test_a_delivery_that_is_being_sent_is_left_alone(
    operator: Client, deliver: Deliver, woken: list[int]
) -> None:
    sending = deliver("sending")
    asked = operator.get(page_of(sending, "try_again"))
    assert "1 is being sent and will be left alone." in asked.content.decode()
    assert not asked.context["question"].possible
    operator.post(page_of(sending, "try_again"), {"confirmed": "yes"})
    assert states() == ["sending"]
    assert woken == []


def test_one_delivery_is_tried_again_from_its_page(operator: Client, deliver: Deliver) -> None:
    held = deliver("held")
    assert page_of(held, "try_again") in operator.get(page_of(held)).content.decode()
    assert "Try 1 delivery again?" in operator.get(page_of(held, "try_again")).content.decode()
    assert states() == ["held"]
    operator.post(page_of(held, "try_again"), {"confirmed": "yes"})
    assert states() == ["waiting"]


def test_a_lead_that_may_have_arrived_is_warned_of(
    operator: Client, deliver: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Deaf:
        class can:  # noqa: N801 - as the connector has it
            find_by_external_id = False

    monkeypatch.setattr("rules.bulk.connector_class", lambda kind: Deaf)
    held = deliver("held", held_because="look_first", look_first=True)
    html = operator.get(page_of(held, "try_again")).content.decode()
    assert "1 lead may have arrived" in html
    assert "makes a second lead" in html


def test_an_account_that_is_not_active_is_named(operator: Client, deliver: Deliver) -> None:
    held = deliver("held")
    Account.objects.update(state="paused")
    html = operator.get(page_of(held, "try_again")).content.decode()
    assert "1 belongs to an account that is not active" in html


def test_a_viewer_tries_nothing_again(viewer: Client, deliver: Deliver) -> None:
    held = deliver("held")
    assert "try_chosen_again" not in viewer.get(list_of(Delivery)).content.decode()
    assert page_of(held, "try_again") not in viewer.get(page_of(held)).content.decode()
    assert viewer.post(page_of(held, "try_again"), {"confirmed": "yes"}).status_code == 403
    choose(viewer, [held], confirmed="yes")
    assert states() == ["held"]


def test_what_a_person_wanted_forgotten_is_not_offered(operator: Client, deliver: Deliver) -> None:
    erased = deliver("held", held_because="erased")
    assert page_of(erased, "try_again") not in operator.get(page_of(erased)).content.decode()
    operator.post(page_of(erased, "try_again"), {"confirmed": "yes"})
    assert states() == ["held"]
    assert not LogEntry.objects.exists()


def test_one_delivery_is_cancelled_on_its_page_as_its_remedy_says(operator: Client, deliver: Deliver) -> None:
    held = deliver("held", held_because="rule_deleted")
    assert page_of(held, "cancel") in operator.get(page_of(held)).content.decode()
    assert "Cancel 1 delivery?" in operator.get(page_of(held, "cancel")).content.decode()
    assert not LogEntry.objects.exists()
    operator.post(page_of(held, "cancel"), {"confirmed": "yes"})
    assert Delivery.objects.get().held_because == "cancelled"
    assert from_column(LogEntry.objects.get().change_message) == "Cancelled by a person."
    assert page_of(held, "cancel") not in operator.get(page_of(held)).content.decode()
    again = operator.post(page_of(held, "cancel"), {"confirmed": "yes"}, follow=True).content.decode()
    assert "Nothing was changed" in again
    assert LogEntry.objects.count() == 1


def test_what_is_being_sent_or_there_is_not_cancelled(operator: Client, deliver: Deliver) -> None:
    for state in ("sending", "delivered"):
        row = deliver(state)
        assert page_of(row, "cancel") not in operator.get(page_of(row)).content.decode()
        operator.post(page_of(row, "cancel"), {"confirmed": "yes"})
    assert states() == ["sending", "delivered"]
