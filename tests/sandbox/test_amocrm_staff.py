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
