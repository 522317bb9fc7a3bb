"""A lead that may have arrived where the CRM can't be asked: the other answer than sending it again."""

from __future__ import annotations

import pytest

from rules.models import Delivery

pytestmark = pytest.mark.django_db(transaction=True)
CREATION = "/api/post"


@pytest.fixture
def unclear(windows):
    """Made in the CRM, its answer lost."""
    windows.box.faults.add(CREATION, "reset_after")
    windows.post()
    windows.work()
    assert (windows.delivery.held_because, len(windows.leads)) == ("look_first", 1)
    return windows


def say(shop, body=None, **who):
    api = who.get("api", shop.api)
    return api.post(f"/deliveries/{shop.delivery.pk}/arrived", body, content_type="application/json")


def test_whoever_found_it_says_so_and_nothing_is_sent_again(unclear, later_at_solos):
    told = say(unclear, {"leadID": "77"})
    assert told.status_code == 200
    assert (told.json()["state"], told.json()["leadID"], told.json()["heldBecause"]) == (
        "delivered",
        "77",
        "",
    )
    assert (told.json()["outcome"]["status"], told.json()["outcome"]["recordID"]) == ("open", "77")
    later_at_solos(days=1)
    unclear.work()
    assert (unclear.creations, len(unclear.leads)) == (1, 1)


@pytest.mark.parametrize("body", [None, {}, {"leadID": ""}])
def test_the_id_may_stay_unknown(unclear, body):
    told = say(unclear, body)
    assert (told.status_code, told.json()["state"], told.json()["leadID"]) == (200, "delivered", "")


def test_where_the_journal_knows_the_lead_nobody_has_to_name_it(unclear):
    Delivery.objects.update(steps={"lead": "77"})
    told = say(unclear).json()
    assert (told["leadID"], told["outcome"]["recordID"]) == ("77", "77")


def test_it_is_said_once(unclear):
    assert say(unclear).status_code == 200
    again = say(unclear, {"leadID": "9"})
    assert (again.status_code, again.json()["error"]["code"]) == (409, "conflict")
    assert unclear.delivery.remote_id == ""


def test_only_of_what_is_held(unclear):
    for state in ("waiting", "sending"):
        Delivery.objects.update(state=state, held_because="")
        assert say(unclear).status_code == 409
        assert unclear.delivery.state == state


@pytest.mark.parametrize("body", [{"leadID": "7" * 101}, {"leadID": ["7"]}, [], "77"])
def test_what_is_no_id_is_refused(unclear, body):
    assert say(unclear, body).status_code == 400
    assert unclear.delivery.state == "held"


def test_nobody_says_it_of_somebody_elses(unclear, caller):
    assert say(unclear, api=caller("stranger")).status_code == 404
    assert unclear.delivery.state == "held"
