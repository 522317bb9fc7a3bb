"""What became of leads in amoCRM: filters that may not be heard, people, reasons, merged leads."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from connectors.amocrm.connector import AmoConnector
from connectors.draft import Person, Placement
from connectors.errors import NeedsReconnect, Refused, Stopped, TryLater
from tests.connectors.cast import followed

LEADS, ALONE = r"/api/v4/leads$", r"/api/v4/leads/\d+$"


@pytest.fixture
def delivered(deliver, draft):
    return lambda count=1, **changes: [
        followed(one) for one in deliver(*(draft(**changes) for _ in range(count)))
    ]


@pytest.fixture
def asked(amo):
    """How often leads were asked for together and alone since the journal was cleared."""

    def count(kind="leads"):
        alone = amo.journal.find("GET", rf"/api/v4/{kind}/\d+$")
        return len(amo.journal.find("GET", rf"/api/v4/{kind}$")), len(alone)

    return count


@pytest.fixture
def connector(shop) -> AmoConnector:
    return shop.connector


def move(amo, lead, **changes):
    amo.control("move_lead", {"lead_id": int(lead.remote_id), **changes})


# -- asking for many ----------------------------------------------------------------------------------------


def test_where_the_account_filters_three_requests_do(amo, shop, connector, delivered, asked):
    shop.account.is_api_filter_enabled = True
    leads = delivered(5)
    amo.journal.clear()
    assert [one.record_id for one in connector.follow(leads)] == [lead.remote_id for lead in leads]
    assert (asked(), asked("contacts"), len(amo.journal)) == ((1, 0), (1, 0), 3)


def test_a_filter_that_is_not_heard_shows_strangers_and_deceives_nobody(amo, connector, delivered, asked):
    delivered(9)
    leads = delivered(4)
    amo.journal.clear()
    told = connector.follow(leads)
    assert [one.record_id for one in told] == [lead.remote_id for lead in leads]
    assert all(one.contact["phone"] for one in told)
    assert (asked(), asked("contacts")) == ((1, 4), (1, 4))


def test_a_page_of_strangers_is_no_longer_than_what_was_asked(amo, connector, delivered):
    delivered(9)
    leads = delivered(3)
    amo.journal.clear()
    connector.follow(leads)
    assert amo.journal.find("GET", LEADS)[0].query["limit"] == "3"


@pytest.mark.parametrize("missing", ["204", "404"])
@pytest.mark.parametrize("filters", [True, False])
def test_what_a_list_lacks_is_asked_for_alone(amo, shop, connector, delivered, asked, filters, missing):
    shop.account.is_api_filter_enabled = filters
    amo.switches["missing_card"] = missing
    kept, gone = delivered(2)
    amo.control("delete_lead", {"lead_id": int(gone.remote_id)})
    assert [one.gone for one in connector.follow([gone, kept])] == ["deleted", ""]


def test_a_list_that_is_refused_for_its_form_is_not_asked_for_again(amo, connector, delivered, asked):
    leads = delivered(3)
    amo.faults.add(LEADS, status=400, times=None)
    amo.journal.clear()
    assert [one.status for one in connector.follow(leads)] == ["open"] * 3
    assert asked() == (1, 3)


# -- what is told -------------------------------------------------------------------------------------------


def test_a_won_lead_is_told_whole(amo, shop, connector, delivered):
    pipeline, step = shop.step()
    person = Person(name="Анна", phones=("+79990001122",), emails=("a@b.example",))
    place = Placement(pipeline=pipeline, step=step, performer=shop.user("Мария"))
    (lead,) = delivered(person=person, placement=place, price="1500")
    (told,) = connector.follow([lead])
    assert (told.pipeline, told.pipeline_name, told.step, told.step_name) == (
        pipeline,
        "Квизы",
        step,
        "Дозвон",
    )
    assert (told.performer, told.amount, told.currency) == (place.performer, Decimal(1500), "RUB")
    move(amo, lead, step_id=142, price=2500)
    (told,) = connector.follow([lead])
    assert (told.status, told.amount, told.step_name) == ("won", Decimal(2500), "Успешно реализовано")
    assert told.contact == {
        "id": lead.journal["contact"],
        "name": "Анна",
        "phone": "+79990001122",
        "email": "a@b.example",
    }
    assert told.link == f"https://{shop.account.host}/leads/detail/{lead.remote_id}"
    assert told.changed_at == datetime.fromtimestamp(amo.clock.unix(), UTC)
    assert told.details["closed_at"]
    assert told.payments is None


def test_a_lost_lead_tells_its_reason(amo, shop, connector, delivered):
    number, reason = next(iter(shop.account.loss_reasons.items()))
    (lead,) = delivered()
    move(amo, lead, step_id=143, loss_reason_id=number)
    (told,) = connector.follow([lead])
    assert (told.status, told.details["loss_reason"]) == ("lost", reason)


def test_a_lead_without_its_contact_is_told_without_one(amo, shop, connector, delivered):
    (lead,) = delivered()
    card = shop.account.leads[int(lead.remote_id)]
    shop.account.unlink(card, shop.account.contacts[int(lead.journal["contact"])])
    (told,) = connector.follow([lead])
    assert (told.status, told.contact) == ("open", {})


FORBIDDEN = {"status": 403, "body": '{"status": 403, "detail": "Forbidden"}'}


@pytest.mark.parametrize("path", ["/contacts", "/leads/pipelines"])
@pytest.mark.parametrize("fault", [FORBIDDEN, {"status": 500}, {"action": "truncate"}], ids=str)
def test_people_and_names_are_a_help_and_no_condition(amo, connector, delivered, path, fault):
    leads = delivered(2)
    amo.faults.add(path, times=None, **fault)
    told = [(one.status, one.contact["id"]) for one in connector.follow(leads)]
    assert told == [("open", lead.journal["contact"]) for lead in leads]


def test_a_restored_lead_is_seen_again(amo, connector, delivered):
    (lead,) = delivered()
    amo.control("delete_lead", {"lead_id": int(lead.remote_id)})
    assert connector.follow([lead])[0].gone == "deleted"
    amo.control("restore_lead", {"lead_id": int(lead.remote_id)})
    assert connector.follow([lead])[0].gone == ""


# -- merged -------------------------------------------------------------------------------------------------


def test_a_merged_lead_is_followed_into_the_one_that_kept_its_mark(amo, connector, delivered):
    (lead,) = delivered()
    heir = connector.http_client().call("POST", "/api/v4/leads", json=[{"name": "Старая сделка"}])
    number = heir["_embedded"]["leads"][0]["id"]
    amo.control("merge_leads", {"lead_id": int(lead.remote_id), "into": number})
    amo.control("move_lead", {"lead_id": number, "step_id": 142})
    (told,) = connector.follow([lead])
    assert (told.record_id, told.status, told.matched) == (str(number), "won", f"merged into {number}")
    amo.journal.clear()
    (again,) = connector.follow(
        [replace(lead, record="lead", record_id=told.record_id, matched=told.matched)]
    )
    assert (again.record_id, again.status) == (str(number), "won")
    assert amo.journal.find("GET", LEADS) == []


def test_a_merged_lead_whose_heir_has_a_mark_of_its_own_is_gone(amo, connector, delivered):
    one, other = delivered(2)
    amo.control("merge_leads", {"lead_id": int(one.remote_id), "into": int(other.remote_id)})
    assert [told.gone for told in connector.follow([one, other])] == ["deleted", ""]


def test_a_search_that_fails_makes_no_lead_gone(amo, connector, delivered):
    (lead,) = delivered()
    amo.control("delete_lead", {"lead_id": int(lead.remote_id)})
    amo.faults.add(LEADS, status=502, times=None)
    (told,) = connector.follow([lead])
    assert isinstance(told, TryLater)


# -- when it breaks -----------------------------------------------------------------------------------------


def test_an_account_that_is_down_is_asked_once(amo, connector, delivered):
    leads = delivered(4)
    amo.faults.add("/", status=502, times=None)
    amo.journal.clear()
    assert all(isinstance(one, TryLater) for one in connector.follow(leads))
    assert len(amo.journal) == 1


def test_an_account_that_dies_on_the_way_is_not_asked_further(amo, connector, delivered):
    leads = delivered(9)[5:]
    amo.faults.add(ALONE, status=502, times=None)
    amo.journal.clear()
    assert all(isinstance(one, TryLater) for one in connector.follow(leads))
    assert len(amo.journal.find("GET", ALONE)) == 1


def test_a_lead_that_may_not_be_read_does_not_park_the_account(shop, connector, delivered, monkeypatch):
    """Deliveries go on: missing rights to look are no reason to connect again."""
    leads = delivered(2)
    refused = Refused("Forbidden", code="no_rights")

    def call(self, method, path, **kwargs):
        raise refused

    monkeypatch.setattr("connectors.http.HttpClient.call", call)
    assert connector.follow(leads) == [refused, refused]
    assert not refused.account_wide


@pytest.mark.parametrize(
    ("change", "kind"), [({"tariff_ended": True}, TryLater), ({"blocked": True}, Stopped)], ids=str
)
def test_the_accounts_own_troubles_are_told_as_they_are(amo, connector, delivered, change, kind):
    leads = delivered(2)
    amo.control("change", {"set": change})
    assert [type(one) for one in connector.follow(leads)] == [kind, kind]


def test_a_disconnected_account_asks_for_a_connection(amo, shop, connector, delivered):
    leads = delivered(2)
    amo.revoke(shop.account)
    assert all(isinstance(one, NeedsReconnect) for one in connector.follow(leads))
