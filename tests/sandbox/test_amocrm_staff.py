"""Reference 4.3, 5.3, 7: what people do with leads, and which of it is posted."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest

LIFE = ["status_lead", "responsible_lead", "update_lead", "delete_lead", "restore_lead"]
HOOK = {"destination": "https://quiz.example/hooks/1", "settings": LIFE}


@pytest.fixture
def posted(amo, api):
    """What the hook was sent by now, as forms."""
    forms: list[dict[str, str]] = []

    def courier(method, url, headers, body, timeout):
        forms.append(dict(parse_qsl(body.decode())))
        return 200

    amo.courier = courier
    api.post("/webhooks", HOOK)

    def pumped():
        amo.pump()
        return forms

    return pumped


def test_a_lead_that_is_moved_is_told_with_its_old_step(amo, account, api, posted):
    number, start = api.add("leads", name="x", price=10), account.main_pipeline.first.id
    amo.control("move_lead", {"lead_id": number, "step_id": 142, "price": 500})
    status, update = posted()
    assert status["leads[status][0][id]"] == update["leads[update][0][id]"] == str(number)
    steps = [status[f"leads[status][0][{name}]"] for name in ("old_status_id", "status_id")]
    assert steps == [str(start), "142"]
    lead = api.get(f"/leads/{number}").value()
    assert (lead["status_id"], lead["price"], lead["closed_at"]) == (142, 500, amo.clock.unix())


def test_a_loss_has_a_reason_and_a_reopened_lead_has_none(amo, account, api):
    number, reason = api.add("leads", name="x"), min(account.loss_reasons)
    amo.control("move_lead", {"lead_id": number, "step_id": 143, "loss_reason_id": reason})
    lead = api.get(f"/leads/{number}", **{"with": "loss_reason"}).value()
    assert lead["_embedded"]["loss_reason"] == [{"id": reason, "name": account.loss_reasons[reason]}]
    amo.control("move_lead", {"lead_id": number, "step_id": account.main_pipeline.first.id})
    lead = api.get(f"/leads/{number}").value()
    assert (lead["loss_reason_id"], lead["closed_at"]) == (None, None)


def test_a_new_responsible_person_is_told_with_the_old_one(account, api, posted):
    number, other = api.add("leads", name="x"), sorted(account.users)[1]
    api.patch(f"/leads/{number}", {"responsible_user_id": other})
    changed = posted()[0]
    assert changed["leads[responsible][0][responsible_user_id]"] == str(other)
    assert changed["leads[responsible][0][old_responsible_user_id]"] == str(account.admin.id)


def test_a_deleted_lead_is_in_the_bin_and_comes_back(amo, api, posted):
    number = api.add("leads", name="x")
    amo.control("delete_lead", {"lead_id": number})
    assert api.get(f"/leads/{number}").status == 204
    assert api.names("/leads", **{"with": "only_deleted"}) == ["x"]
    amo.control("restore_lead", {"lead_id": number})
    deleted, restored = posted()
    keys = {key for key in deleted if key.startswith("leads")}
    assert keys == {f"leads[delete][0][{name}]" for name in ("id", "status_id", "pipeline_id")}
    assert restored["leads[restore][0][id]"] == str(number)
    assert api.get(f"/leads/{number}").status == 200


def test_a_merged_lead_leaves_its_values_and_vanishes(amo, account, api, posted):
    field = account.fields["leads"].named("Город").id
    gone, kept = (api.add("leads", name=name) for name in ("old", "new"))
    account.leads[gone].values[field] = [{"value": "Тверь"}]
    amo.control("merge_leads", {"lead_id": gone, "into": kept})
    assert api.get(f"/leads/{gone}").status == 204
    assert api.names("/leads", **{"with": "only_deleted"}) == []
    assert account.leads[kept].values[field] == [{"value": "Тверь"}]
    assert [next(iter(form)) for form in posted()] == ["leads[delete][0][id]", "leads[update][0][id]"]


@pytest.mark.parametrize("status", [402, 403])
def test_a_tariff_without_webhooks_refuses_them(amo, api, status):
    amo.switches["webhooks_refused"] = status
    assert api.post("/webhooks", HOOK).status == status
    assert api.get("/webhooks").value()["_total_items"] == 0


# -- contacts (reference 11) ---------------------------------------------------------------------------------


@pytest.mark.parametrize("moves", [True, False])
def test_another_phone_or_a_merge_may_or_may_not_count_as_a_change(amo, account, api, moves):
    amo.switches.update(phone_is_a_change=moves, merge_is_a_change=moves, events_delay=60)
    phone = [{"field_code": "PHONE", "values": [{"value": "+79990001122"}]}]
    kept, gone = api.add("contacts", name="a"), api.add("contacts", name="b", custom_fields_values=phone)
    before = amo.clock.unix()
    amo.clock.advance(100)
    amo.control("change_phone", {"contact_id": kept, "phone": "8 903 111-22-33"})
    amo.control("merge_contacts", {"contact_id": gone, "into": kept})
    contact = api.get(f"/contacts/{kept}").value()
    assert contact["updated_at"] == before + (100 if moves else 0)
    values = contact["custom_fields_values"][0]["values"]
    assert [value["value"] for value in values] == ["8 903 111-22-33", "+79990001122"]
    assert api.get(f"/contacts/{gone}").status == 204

    number = account.fields["contacts"].by_code["PHONE"].id
    asked = {"filter[type][0]": "entity_merged", "filter[type][1]": f"custom_field_{number}_value_changed"}
    assert api.get("/events", **asked).status == 204
    amo.clock.advance(60)
    merged, changed = api.get("/events", **asked).value()["_embedded"]["events"]
    assert [one["entity"]["id"] for one in merged["value_before"]] == [gone, kept]
    assert (changed["entity_type"], changed["entity_id"]) == ("contact", kept)


def test_a_deleted_contact_can_be_had_back(amo, api):
    number = api.add("contacts", name="a")
    for what, status in (("delete_contact", 204), ("restore_contact", 200)):
        amo.control(what, {"contact_id": number})
        assert api.get(f"/contacts/{number}").status == status
    events = api.get("/events", **{"filter[type]": "contact_deleted,contact_restored"}).value()
    assert [event["type"] for event in events["_embedded"]["events"]] == [
        "contact_restored",
        "contact_deleted",
    ]


def test_deep_pages_may_be_cut_off(amo, api):
    amo.control("import_contacts", {"count": 30, "phone": "+7 916 {:07d}"})
    amo.switches["deepest_page"] = 2
    assert api.get("/contacts", limit=10, page=2).status == 200
    assert api.get("/contacts", limit=10, page=3).status == 204
    amo.switches["deep_page"] = "400"
    assert api.get("/contacts", limit=10, page=3).status == 400
