"""Reference section 3: every key that the vendor prints is there."""

from __future__ import annotations

import pytest

VALUE = {
    "id", "crm_id", "input_id", "type_id", "value", "mask", "created_at", "updated_at", "deleted_at", "name",
    "name_id",
}  # fmt: skip
LEAD = {
    "id", "parent_id", "crm_id", "stage_id", "user_id", "employee_id", "old_employee_id", "department_id",
    "pipeline_id", "deal_pipeline_id", "deal_stage_id", "status", "inbox_type_id", "it_reaction", "in_call",
    "link_client_id", "stage_updated_at", "created_at", "updated_at", "deleted_at", "stage", "stage_color",
    "name", "phone", "mask", "email", "values", "deals",
}  # fmt: skip
DEAL = {
    "id", "crm_id", "pipeline_id", "client_id", "stage_id", "user_id", "employee_id", "old_employee_id",
    "department_id", "inbox_type_id", "it_reaction", "with_event", "stage_updated_at", "created_at",
    "updated_at", "deleted_at", "stage_name", "stage_color", "status_id", "name", "connected_lead_id",
}  # fmt: skip
CONTACT = {
    "id", "crm_id", "client_id", "birthday", "primary", "created_at", "updated_at", "deleted_at", "type_id",
    "value", "addon", "element_note", "group_id",
}  # fmt: skip
PIPELINE = {
    "id", "crm_id", "crm_element_id", "name", "allow_manual_change_stage", "primary", "created_at",
    "updated_at", "deleted_at", "stages",
}  # fmt: skip
STAGE = {
    "id", "pipeline_id", "status_id", "name", "position", "color", "no_delete", "created_at", "updated_at",
    "deleted_at",
}  # fmt: skip
INBOX = {
    "id", "crm_id", "name", "edit", "type", "created_at", "updated_at", "deleted_at", "editing", "edit_id",
}  # fmt: skip


FIELD = {
    "id", "crm_id", "crm_element_id", "pipeline_id", "group_id", "name", "name_id", "type_id", "required",
    "required_stage_id", "show_in_card", "show_in_element", "show_in_create", "show_in_inbox",
    "show_all_pipelines", "use_in_pipeline", "value", "addon", "description", "position", "transfer_type_id",
    "transfer_input_id", "created_at", "updated_at", "deleted_at",
}  # fmt: skip
MAIN_DATA_FIELD = {"id_group", "group_name", "group_position", "edit_variant", "group_pipeline_id"}
TASK = {
    "id", "crm_id", "crm_element_id", "element_id", "type_id", "priority", "time", "end_time", "duration",
    "user_id", "from_employee_id", "to_employee_id", "to_department_id", "comment", "success", "required",
    "no_time", "it_reaction", "is_overdue", "created_at", "updated_at", "deleted_at",
}  # fmt: skip


@pytest.fixture
def lead_and_deal(ev):
    """A lead that was taken into work."""
    lead = ev.set(name="Анна", phone="+79990001122", email="a@mail.example")
    return lead, ev.start(lead)["deal_id"]


def test_a_lead(ev, lead_and_deal):
    row = ev.lead(lead_and_deal[0])
    assert not LEAD - row.keys()
    for value in row["values"]["service"].values():
        assert not (VALUE | {"lead_id", "generated"}) - value.keys()


def test_a_deal(ev, lead_and_deal):
    row = ev.deal(lead_and_deal[1])
    assert not DEAL - row.keys()
    for value in row["values"]["service"].values():
        assert not (VALUE | {"deal_id"}) - value.keys()
        assert "generated" not in value


def test_a_contact(ev, lead_and_deal):
    client = ev.deal(lead_and_deal[1])["client_id"]
    rows = ev.ok("client/get", client_id=client)["result"]["contacts"]
    assert rows
    assert not [CONTACT - row.keys() for row in rows if CONTACT - row.keys()]


def test_what_main_data_lists(ev):
    body = ev.got("main/data")
    for inbox in body["inbox_types"]:
        assert inbox.keys() == INBOX
        assert inbox["type"] == "1"
    for word in ("lead", "deal"):
        for line in body[word]["pipelines"]:
            assert line.keys() == PIPELINE
            for stage in line["stages"].values():
                assert not STAGE - stage.keys()
                assert ("type_id" in stage) == (word == "lead")


def test_fields_and_tasks(ev, lead_and_deal):
    for field in ev.got("main/data")["deal"]["custom_fields"]:
        assert field.keys() == FIELD | MAIN_DATA_FIELD
    for field in ev.got("deal/getListInputs", type="custom")["result"]:
        assert field.keys() == FIELD
    ev.ok("deal/updatetask", deal_id=lead_and_deal[1], comment="Перезвонить")
    [task] = ev.ok("task/list")["result"]
    assert task.keys() == TASK


def test_each_method_prints_ids_as_the_document_does(envy, ev):
    """1.6: rows of leads and the list of clients are texts, what is newer are numbers."""
    envy.switches["ids"] = "printed"
    lead = ev.set(name="Анна", phone="+79990001122")
    assert isinstance(lead, int)
    row = ev.lead(lead)
    assert (row["id"], row["parent_id"], row["status"]) == (str(lead), "0", "2")
    assert ev.ok("lead/search", phone="79990001122")["leads"]["lead_id"] == str(lead)
    page = ev.ok("lead/list")["leads"]
    assert (page["result"][0]["id"], page["count"], page["offset"]) == (str(lead), "1", -1)
    deal = ev.start(lead)["deal_id"]
    assert (ev.deal(deal)["id"], ev.lead(lead)["deals"]) == (deal, [str(deal)])
    clients = ev.ok("client/list", keyword="nobody")
    assert (clients["count"], clients["offset"], clients["max_colls_contacts"]) == ("0", -1, 0)
    body = ev.got("main/data")
    line = body["deal"]["pipelines"][0]
    assert (line["primary"], line["allow_manual_change_stage"]) == (1, 1)
    assert body["inbox_types"][0]["type"] == "1"
