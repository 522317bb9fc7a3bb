"""Reference section 9, lines 38 to 41 and 43: dedupe, simple mode, faults, events, import."""

from __future__ import annotations

import json

import pytest

from connectors.sandbox.core import Dropped, TimedOut

EVENT = "https://quiz.example/events"


def person(bx, kind="contact", **more):
    return bx.add(kind, NAME="x", PHONE=[{"VALUE": "+7 (999) 000-11-22"}], **more)


def by_phone(bx, *values, **more):
    return bx.ok("crm.duplicate.findbycomm", type="PHONE", values=list(values), **more)


def test_38_phones_and_addresses_are_normalised(b24, bx):
    number = person(bx, EMAIL=[{"VALUE": " Ann@Mail.RU "}])
    assert by_phone(bx, "+79990001122") == {"CONTACT": [number]}
    assert by_phone(bx, "7-999-000-11-22") == {"CONTACT": [number]}
    assert by_phone(bx, "+79990001122 доб. 15") == {"CONTACT": [number]}
    found = bx.ok("crm.duplicate.findbycomm", type="EMAIL", values=["ann@mail.ru"])
    assert found == {"CONTACT": [number]}
    assert by_phone(bx, "89990001122") == []
    b24.switches["phone_eight_is_seven"] = True
    assert by_phone(bx, "89990001122") == {"CONTACT": [number]}


def test_38_a_list_filters_by_the_stored_text_only(bx):
    number = person(bx)
    assert bx.ok("crm.contact.list", filter={"PHONE": "+79990001122"}) == []
    assert bx.ok("crm.contact.list", filter={"PHONE": "+7 (999) 000-11-22"})[0]["ID"] == str(number)


def test_38_nothing_found_is_an_empty_list(bx):
    assert by_phone(bx, "+70000000000") == []


def test_38_values_above_twenty_are_cut(bx):
    number = person(bx)
    strangers = [f"+7000000{index:04}" for index in range(20)]
    assert by_phone(bx, *strangers, "+79990001122") == []
    assert by_phone(bx, *strangers[1:], "+79990001122") == {"CONTACT": [number]}
    assert by_phone(bx, 79990001122, "+79990001122") == {"CONTACT": [number]}  # not a string: skipped


def test_38_deals_are_never_found(bx):
    number = person(bx)
    bx.add("deal", CONTACT_IDS=[number])
    lead = person(bx, "lead")
    assert by_phone(bx, "+79990001122") == {"LEAD": [lead], "CONTACT": [number]}
    assert by_phone(bx, "+79990001122", entity_type="CONTACT") == {"CONTACT": [number]}
    asked = {"type": "PHONE", "values": ["+79990001122"], "entity_type": "DEAL"}
    assert bx.refused("crm.duplicate.findbycomm", **asked) == (400, "")


def test_38_twenty_hits_hide_the_other_types(bx):
    for _ in range(21):
        person(bx, "lead")
    number = person(bx)
    assert len(by_phone(bx, "+79990001122")["LEAD"]) == 20
    assert by_phone(bx, "+79990001122").keys() == {"LEAD"}
    assert by_phone(bx, "+79990001122", entity_type="CONTACT") == {"CONTACT": [number]}


def test_38_changes_and_merges_are_seen(bx, portal):
    number, other = person(bx), person(bx)
    deal = bx.add("deal", CONTACT_IDS=[other])
    row = bx.ok("crm.contact.get", id=number)["PHONE"][0]
    bx.ok("crm.contact.update", id=number, fields={"PHONE": [{"ID": row["ID"], "VALUE": "+7111"}]})
    assert by_phone(bx, "+79990001122") == {"CONTACT": [other]}
    asked = {"entityTypeId": 3, "entityIds": [number, other]}
    assert bx.ok("crm.entity.mergeBatch", params=asked) == {"STATUS": "SUCCESS", "ENTITY_IDS": [other]}
    assert by_phone(bx, "+79990001122") == {"CONTACT": [number]}
    assert portal.deals[deal].people == [number]
    assert bx.refused("crm.contact.get", id=other) == (400, "")


def test_39_a_lead_in_simple_mode_becomes_a_deal(b24, bx, portal):
    assert bx.ok("crm.settings.mode.get") == 1
    portal.mode = 2
    assert bx.ok("crm.settings.mode.get") == 2
    b24.switches["conversion_delay"] = 5.0
    lead = person(bx, "lead", TITLE="Квиз", ORIGIN_ID="u1")
    asked = {"filter": {"LEAD_ID": lead}, "select": ["ID", "TITLE", "CONTACT_ID", "ORIGIN_ID"]}
    assert bx.ok("crm.deal.list", **asked) == []
    b24.clock.advance(5)
    [deal] = bx.ok("crm.deal.list", **asked)
    assert (deal["TITLE"], deal["ORIGIN_ID"]) == ("Квиз", "u1")
    assert portal.contacts[int(deal["CONTACT_ID"])].communications("PHONE") == ["+7 (999) 000-11-22"]
    assert bx.ok("crm.lead.get", id=lead)["STATUS_ID"] == "CONVERTED"


def test_39_the_lead_may_be_gone(b24, bx, portal):
    portal.mode = 2
    b24.switches.update({"converted_lead": "gone", "conversion_keeps_origin": False})
    lead = person(bx, "lead", ORIGIN_ID="u1")
    assert bx.refused("crm.lead.get", id=lead) == (400, "")
    assert bx.ok("crm.deal.list", filter={"LEAD_ID": lead})[0]["ORIGIN_ID"] is None
    assert bx.add("lead", TITLE="nobody") in portal.leads  # without a name nothing is converted


FAULTS = [
    ({"action": "timeout"}, 0), ({"action": "timeout_after"}, 1), ({"action": "reset"}, 0),
    ({"action": "reset_after"}, 1), ({"action": "answer_after", "status": 502}, 1),
    ({"status": 500}, 0), ({"status": 503, "times": 3}, 0), ({"action": "truncate"}, 1),
    ({"action": "slow", "delay": 1.0}, 1),
]  # fmt: skip


@pytest.mark.parametrize(
    ("fault", "made"),
    FAULTS,
    ids=lambda one: one.get("action", one.get("status")) if isinstance(one, dict) else "",
)
def test_40_each_fault_of_a_method(b24, bx, portal, fault, made):
    b24.faults.add("/crm.deal.add", **fault)
    action = fault.get("action", "answer")
    if action.startswith(("timeout", "reset")):
        with pytest.raises(TimedOut if action.startswith("timeout") else Dropped):
            bx.call("crm.deal.add", fields={})
    else:
        reply = bx.call("crm.deal.add", fields={})
        assert reply.status == fault.get("status", 200)
        assert reply.text.startswith("<html>") is (reply.status == 502)
        if action == "truncate":
            with pytest.raises(json.JSONDecodeError):
                reply.value()
    assert len(portal.deals) == made
    assert bx.ok("scope")


def test_40_errors_are_the_vendors_own(b24, bx):
    for status, code in (
        (500, "INTERNAL_SERVER_ERROR"),
        (503, "QUERY_LIMIT_EXCEEDED"),
        (401, "expired_token"),
    ):
        b24.faults.add("/scope", status=status)
        assert bx.refused("scope") == (status, code)
    assert b24.journal.counts["POST /rest/scope"] == 3


def bind(bx, event="ONCRMDEALUPDATE", **more):
    return bx.ok("event.bind", event=event, handler=EVENT, **more)


def test_41_a_change_posts_an_event(b24, bx, portal, listener):
    assert bind(bx) is True
    assert bx.refused("event.bind", event="ONCRMDEALUPDATE", handler=EVENT)[0] == 400
    assert bx.refused("event.bind", event="ONNOTHING", handler=EVENT) == (400, "ERROR_EVENT_NOT_FOUND")
    number = bx.add("deal", TITLE="secret")
    bx.ok("crm.deal.update", id=number, fields={"TITLE": "y"})
    assert b24.pump() == 1
    [(url, event)] = listener.calls
    proof = portal.installed[b24.app.client_id].application_token
    assert (url, event["event"], event["data[FIELDS][ID]"]) == (EVENT, "ONCRMDEALUPDATE", str(number))
    assert (event["auth[application_token]"], event["auth[member_id]"]) == (proof, portal.member_id)
    assert event["auth[domain]"] == "acme.bitrix24.ru"
    assert not any("access_token" in key or "TITLE" in key for key in event)


def test_41_tokens_in_events_are_a_switch(b24, bx, listener):
    b24.switches["event_tokens"] = True
    bind(bx, "ONCRMLEADADD")
    bx.add("lead")
    b24.pump()
    event = listener.calls[0][1]
    assert bx.ok("scope", auth=event["auth[access_token]"])
    assert "auth[refresh_token]" not in event


def test_41_no_retry_when_the_handler_fails(b24, bx, listener):
    bind(bx, "ONCRMLEADADD")
    listener.status = 500
    bx.add("lead")
    assert (b24.pump(), b24.pump(), len(listener.calls)) == (1, 0, 1)


def test_41_handlers_are_listed_and_removed(bx):
    bind(bx)
    assert [(row["event"], row["handler"]) for row in bx.ok("event.get")] == [("ONCRMDEALUPDATE", EVENT)]
    assert bx.ok("event.unbind", event="oncrmdealupdate", handler=EVENT) == {"count": 1}
    assert bx.ok("event.get") == []


def test_41_the_offline_queue(bx):
    bx.ok("event.bind", event="ONCRMDEALUPDATE", event_type="offline")
    number = bx.add("deal")
    for title in "abc":
        bx.ok("crm.deal.update", id=number, fields={"TITLE": title})
    taken = bx.ok("event.offline.get", clear=0)
    [event] = taken["events"]  # repeated changes of one record collapse
    assert event["EVENT_DATA"]["FIELDS"]["ID"] == number
    assert bx.ok("event.offline.get", clear=0)["events"] == []
    assert bx.ok("event.offline.clear", process_id=taken["process_id"]) is True
    assert bx.ok("event.offline.list") == []
    bx.ok("crm.deal.update", id=number, fields={})
    assert bx.ok("event.offline.get")["process_id"] is None
    assert bx.ok("event.offline.list") == []


def test_41_a_webhook_cannot_bind(b24, portal, bx):
    reply = b24.handle("GET", bx.url(f"{portal.add_webhook()}/event.bind?event=ONCRMLEADADD&handler={EVENT}"))
    assert (reply.status, reply.value()["error"]) == (403, "ACCESS_DENIED")


def imported(bx, rows):
    return bx.call("crm.item.batchImport", entityTypeId=1, data=rows)


def test_43_a_batch_import_takes_twenty(bx, portal):
    rows = [{"title": f"l{number}"} for number in range(20)]
    items = imported(bx, rows).value()["result"]["items"]
    assert [item["item"]["id"] for item in items] == list(portal.leads)
    over = imported(bx, [*rows, {"title": "x"}])
    assert (over.status, over.value()["error"]) == (400, "MAX_IMPORT_BATCH_SIZE_EXCEEDED")
    assert len(portal.leads) == 20


def test_43_each_item_has_its_own_outcome(b24, bx, portal, listener):
    portal.mode = 2
    bind(bx, "ONCRMLEADADD")
    rows = [{"name": "a", "PHONE": [{"VALUE": "+7999"}]}, {"name": "b", "EMAIL": [{"VALUE": "bad"}]}]
    good, bad = imported(bx, rows).value()["result"]["items"]
    assert portal.leads[good["item"]["id"]].communications("PHONE") == ["+7999"]
    assert bad["error"] == "ERROR_CORE"
    assert (b24.pump(), len(portal.deals)) == (1, 0)  # nothing is converted: robots don't run
    b24.switches["import_events"] = False
    imported(bx, rows)
    assert b24.pump() == 0
