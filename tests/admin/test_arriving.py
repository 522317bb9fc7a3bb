"""A lead that may have arrived: the person who found it says so, and nothing is sent again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from connectors.messages import from_column
from rules.models import Delivery, Outcome
from tests.admin.test_pages import list_of, page_of

Deliver = Callable[..., Delivery]


@pytest.fixture
def unclear(deliver: Deliver) -> Delivery:
    return deliver("held", held_because="look_first", look_first=True)


def found(client: Client, row: Delivery, **said: str) -> Any:
    return client.post(page_of(row, "arrived"), {"confirmed": "yes", **said}, follow=True)


def choose(client: Client, rows: list[Delivery], **more: str) -> Any:
    keys = [row.pk for row in rows]
    return client.post(list_of(Delivery), {"action": "chosen_arrived", "_selected_action": keys, **more})


def test_a_person_first_reads_what_it_means(operator: Client, unclear: Delivery) -> None:
    assert page_of(unclear, "arrived") in operator.get(page_of(unclear)).content.decode()
    html = operator.get(page_of(unclear, "arrived")).content.decode()
    assert unclear.uid in html
    assert "Nothing is sent." in html
    assert Delivery.objects.get().state == "held"


@pytest.mark.parametrize(("lead", "logged"), [("77", ": lead 77."), ("", ".")])
def test_it_is_delivered_and_followed_with_an_id_or_without(
    operator: Client, unclear: Delivery, lead: str, logged: str
) -> None:
    html = found(operator, unclear, lead=lead).content.decode()
    assert "It is delivered, and followed from now on." in html
    unclear.refresh_from_db()
    assert (unclear.state, unclear.held_because, unclear.remote_id) == ("delivered", "", lead)
    assert Outcome.objects.get().record_id == lead
    said = from_column(LogEntry.objects.get().change_message)
    assert said == f"Found in the CRM by a person{logged}"


def test_what_was_never_unclear_is_not_offered(operator: Client, deliver: Deliver) -> None:
    for row in (deliver("held"), deliver("waiting", look_first=True), deliver("delivered")):
        assert page_of(row, "arrived") not in operator.get(page_of(row)).content.decode()
        state = row.state
        assert "Nothing was changed" in found(operator, row).content.decode()
        row.refresh_from_db()
        assert row.state == state
    assert not LogEntry.objects.exists()


def test_an_id_that_is_too_long_is_refused(operator: Client, unclear: Delivery) -> None:
    assert "at most 100 characters" in found(operator, unclear, lead="7" * 101).content.decode()
    assert Delivery.objects.get().state == "held"


def test_many_are_marked_at_once(operator: Client, deliver: Deliver) -> None:
    rows = [deliver("held", held_because="look_first", look_first=True) for _ in range(2)]
    rows += [deliver("held"), deliver("waiting")]
    html = choose(operator, rows).content.decode()
    assert "2 leads are in the CRM." in html
    assert "2 more are left alone" in html
    assert choose(operator, rows, confirmed="yes").status_code == 302
    states = list(Delivery.objects.order_by("pk").values_list("state", flat=True))
    assert states == ["delivered", "delivered", "held", "waiting"]
    assert LogEntry.objects.count() == Outcome.objects.count() == 2


def test_a_viewer_marks_nothing(viewer: Client, unclear: Delivery) -> None:
    assert page_of(unclear, "arrived") not in viewer.get(page_of(unclear)).content.decode()
    assert found(viewer, unclear).status_code == 403
    choose(viewer, [unclear], confirmed="yes")
    assert Delivery.objects.get().state == "held"
