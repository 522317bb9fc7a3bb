"""Reference section 9, lines 21, 22, 30 to 32, 34 and 35: the number in a test's name is the line."""

from __future__ import annotations

import pytest

from .amo_words import errors_of, lead, tag_names, values_of

# -- 21, 22: shapes and sizes -------------------------------------------------------------------------


@pytest.mark.parametrize("body", [{"name": "x"}, [], b"", b"{", "text", [1]], ids=repr)
@pytest.mark.parametrize("path", ["/leads", "/leads/complex", "/contacts", "/leads/notes", "/leads/tags"])
def test_21_collections_take_arrays_of_objects(api, path, body):
    assert api.post(path, body).status == 400


def test_22_more_than_250_leads_are_refused(api, account):
    reply = api.post("/leads", [{"name": "x"}] * 251)
    assert (reply.status, reply.value()["detail"]) == (422, "Limit 250 per page")
    assert not account.leads


def test_22_complex_takes_fifty(api, account):
    assert api.complex(*[lead()] * 51).status == 422
    assert not account.leads
    assert api.complex(*[lead()] * 50).status == 200


@pytest.mark.parametrize("where", ["lead", "contacts", "companies"])
def test_22_complex_takes_forty_values(api, account, where):
    kind = "leads" if where == "lead" else where
    field = account.fields[kind].named("Город").id
    values = [{"field_id": field, "values": [{"value": str(n)}]} for n in range(41)]
    card = {"custom_fields_values": values}
    reply = api.complex(card if where == "lead" else {"_embedded": {where: [card]}})
    assert reply.status == 400
    assert not account.leads


@pytest.mark.parametrize("kind", ["contacts", "companies"])
def test_22_complex_takes_one_contact_and_one_company(api, account, kind):
    assert api.complex({"_embedded": {kind: [{"name": "a"}, {"name": "b"}]}}).status == 400
    assert not account.leads
    assert not account.tables[kind]


# -- 30 to 32 -----------------------------------------------------------------------------------------


def test_30_a_plain_lead_is_answered_in_hal(api, account):
    reply = api.post("/leads", [{"name": "a", "request_id": "r1"}, {"name": "b"}])
    rows = reply.value()["_embedded"]["leads"]
    assert [row["request_id"] for row in rows] == ["r1", "1"]
    assert rows[0].keys() == {"id", "request_id", "_links"}
    stored = account.leads[rows[0]["id"]]
    assert stored["pipeline_id"] == account.main_pipeline.id
    assert stored["status_id"] == account.main_pipeline.first.id


def test_30_a_lead_takes_existing_contacts_by_id(api):
    contact = api.add("contacts", name="Иван")
    number = api.add("leads", _embedded={"contacts": [{"id": contact, "is_main": True}]})
    assert "contacts" not in api.get(f"/leads/{number}").value()["_embedded"]
    [read] = api.get(f"/leads/{number}", **{"with": "contacts"}).value()["_embedded"]["contacts"]
    assert (read["id"], read["is_main"]) == (contact, True)


def test_30_a_closed_lead_may_have_a_loss_reason(api, account):
    reason = next(iter(account.loss_reasons))
    number = api.add("leads", status_id=143, loss_reason_id=reason)
    assert account.leads[number]["loss_reason_id"] == reason
    assert account.leads[number]["closed_at"]


def test_31_tags_are_replaced_cleared_added_and_taken_away(api):
    number = api.add("leads", _embedded={"tags": [{"name": "a"}, {"name": "b"}]})
    for change, left in (
        ({"_embedded": {"tags": [{"name": "c"}]}}, ["c"]),
        ({"tags_to_add": [{"name": "d"}]}, ["c", "d"]),
        ({"tags_to_delete": [{"name": "c"}]}, ["d"]),
        ({"name": "другое"}, ["d"]),
        ({"_embedded": {"tags": None}}, []),
    ):
        assert api.patch(f"/leads/{number}", change).status == 200
        assert tag_names(api, number) == left


def test_31_many_are_patched_at_once(api, account):
    numbers = [api.add("leads", name=name) for name in "ab"]
    reply = api.patch("/leads", [{"id": number, "price": 5} for number in numbers])
    assert [row["id"] for row in reply.value()["_embedded"]["leads"]] == numbers
    assert {card["price"] for card in account.leads.values()} == {5}


def test_31_values_null_clears_a_field(api, account):
    number = api.add("leads", custom_fields_values=values_of(account, "leads", Город={"value": "Казань"}))
    field = account.fields["leads"].named("Город").id
    api.patch(f"/leads/{number}", {"custom_fields_values": [{"field_id": field, "values": None}]})
    assert api.get(f"/leads/{number}").value()["custom_fields_values"] is None


def test_32_a_known_tag_name_returns_its_id(api):
    ids = [
        api.post("/leads/tags", [{"name": "новый"}]).value()["_embedded"]["tags"][0]["id"] for _ in range(2)
    ]
    assert ids[0] == ids[1]


def test_32_fields_are_created_by_administrators_every_time_anew(api, manager):
    field = {"name": "Ответ", "type": "select", "enums": [{"value": "да", "sort": 1}], "request_id": "f1"}
    made = [api.post("/leads/custom_fields", [field]) for _ in range(2)]
    first, second = (reply.value()["_embedded"]["custom_fields"][0] for reply in made)
    assert {reply.status for reply in made} == {201}
    assert first["id"] != second["id"]
    assert first["enums"][0]["id"] > 0
    assert first["request_id"] == "f1"
    assert manager.post("/leads/custom_fields", [field]).status == 403


def test_32_a_field_with_an_id_is_silently_not_created(api, account):
    before = len(list(account.fields["leads"]))
    reply = api.post("/leads/custom_fields", [{"id": 5, "name": "x", "type": "text"}])
    assert (reply.status, len(list(account.fields["leads"]))) == (201, before)


def test_32_a_deleted_field_takes_its_values_along(api, account):
    field = account.fields["leads"].named("Город").id
    number = api.add("leads", custom_fields_values=values_of(account, "leads", Город={"value": "Казань"}))
    assert api.call("DELETE", f"/leads/custom_fields/{field}").status == 204
    assert api.get(f"/leads/{number}").value()["custom_fields_values"] is None
    phone = account.fields["contacts"].by_code["PHONE"].id
    assert api.call("DELETE", f"/contacts/custom_fields/{phone}").status == 400


# -- 34, 35 -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("error", "status"), [("http", 426), ("inner", 403)])
def test_34_customers_fail_while_they_are_off(amo, api, account, error, status):
    amo.switches["customers_error"] = error
    account.customers_mode = "disabled"
    assert api.get("/customers").status == status
    assert api.post("/customers", [{"name": "x"}]).status == status
    assert api.get("/customers/custom_fields").status == status


def test_34_periodicity_demands_a_next_date(api):
    assert api.patch("/customers/mode", {"mode": "periodicity", "is_enabled": True}).status == 200
    assert errors_of(api.post("/customers", [{"name": "x"}])) == {"next_date": "FieldMissing"}
    assert api.post("/customers", [{"name": "x", "next_date": 1_800_000_000}]).status == 200
    assert errors_of(api.post("/customers", [{"next_date": 1_800_000_000}])) == {"name": "FieldMissing"}


def test_35_links_are_made_read_and_cut(api):
    one, other = api.add("leads", name="a"), api.add("contacts", name="Иван")
    body = [{"to_entity_id": other, "to_entity_type": "contacts", "metadata": {"is_main": True}}]
    [made] = api.post(f"/leads/{one}/link", body).value()["_embedded"]["links"]
    assert made["metadata"] == {"is_main": True}
    assert api.get(f"/leads/{one}/links").value()["_embedded"]["links"] == [made]
    assert api.post(f"/leads/{one}/unlink", body).status == 204
    assert api.get(f"/leads/{one}/links").value()["_total_items"] == 0


@pytest.mark.parametrize(
    ("kind", "to", "allowed"),
    [
        ("leads", "contacts", True), ("leads", "companies", True), ("leads", "customers", False),
        ("contacts", "leads", False), ("contacts", "customers", True), ("companies", "leads", True),
        ("customers", "leads", False), ("customers", "contacts", True),
    ],
)  # fmt: skip
def test_35_only_some_pairs_may_be_linked(api, kind, to, allowed):
    one, other = api.add(kind, name="a"), api.add(to, name="b")
    reply = api.post(f"/{kind}/link", [{"entity_id": one, "to_entity_id": other, "to_entity_type": to}])
    assert reply.status == (200 if allowed else 400)


@pytest.mark.parametrize("kind", ["leads", "contacts", "companies", "customers"])
def test_35_cards_have_no_delete(api, kind):
    assert api.call("DELETE", f"/{kind}/{api.add(kind, name='a')}").status == 405


def test_35_notes_are_added_and_listed(api):
    number = api.add("leads", name="a")
    note = {"note_type": "common", "params": {"text": "Ответы: " + "я" * 3000}, "request_id": "n1"}
    [made] = api.post(f"/leads/{number}/notes", [note]).value()["_embedded"]["notes"]
    assert (made["entity_id"], made["request_id"]) == (number, "n1")
    [read] = api.get(f"/leads/{number}/notes").value()["_embedded"]["notes"]
    assert read["params"]["text"].startswith("Ответы")
    assert errors_of(api.post("/leads/notes", [{**note, "entity_id": 1}])) == {
        "entity_id": "NotSupportedChoice"
    }


def test_30_a_plain_lead_takes_no_metadata(api):
    reply = api.post("/leads", [{"name": "x", "_embedded": {"metadata": {"category": "forms"}}}])
    assert errors_of(reply) == {"_embedded.metadata": "FieldNotExpected"}


def test_31_a_contact_is_renamed_by_its_parts(api):
    number = api.add("contacts", first_name="Иван", last_name="Петров")
    api.patch(f"/contacts/{number}", {"last_name": "Сидоров"})
    assert api.get(f"/contacts/{number}").value()["name"] == "Иван Сидоров"


def test_35_created_leads_are_events(amo, api):
    api.add("leads", name="old")
    amo.clock.advance(100)
    number = api.add("leads", name="new")
    since = amo.clock.unix() - 50
    reply = api.get("/events", **{"filter[type][]": "lead_added", "filter[created_at][from]": since})
    assert [event["entity_id"] for event in reply.value()["_embedded"]["events"]] == [number]


# -- 43: tasks ----------------------------------------------------------------------------------------


def test_43_tasks_are_added_and_listed(api, account):
    number = api.add("leads", name="a")
    task = {"text": "Звонок", "complete_till": 1800000000, "entity_id": number, "entity_type": "leads"}
    rows = [{**task, "request_id": "t1"}, {"text": "Без карточки", "complete_till": 1800000001}]
    made = api.post("/tasks", rows).value()["_embedded"]["tasks"]
    assert [row["request_id"] for row in made] == ["t1", "1"]
    of_lead = {"filter[entity_type]": "leads", "filter[entity_id][]": number}
    [read] = api.get("/tasks", **of_lead).value()["_embedded"]["tasks"]
    assert (read["text"], read["is_completed"], read["task_type_id"]) == ("Звонок", False, 1)
    account.tasks[made[1]["id"]].is_completed = True
    newest = api.get("/tasks", **{"order[id]": "desc"}).value()["_embedded"]["tasks"]
    assert [row["id"] for row in newest] == [row["id"] for row in reversed(made)]
    assert api.get("/tasks", **{"filter[is_completed]": 1}).value()["_embedded"]["tasks"] == newest[:1]


def test_43_what_a_task_needs(api):
    number = api.add("leads", name="a")
    reply = api.post("/tasks", [{"entity_type": "leads", "entity_id": number + 1, "task_type_id": 9}])
    assert errors_of(reply) == {
        "text": "FieldMissing",
        "complete_till": "FieldMissing",
        "entity_id": "NotSupportedChoice",
        "task_type_id": "NotSupportedChoice",
    }
