"""A portal's lists as rows for the cache, in as few requests as they take."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from connectors.errors import NeedsReconnect, TryLater
from connectors.sandbox.bitrix24 import User
from tests.connectors.bitrix24.dentist import connect


@pytest.fixture
def fetch(dentist):
    def rows(what: str) -> list:
        dentist.box.journal.clear()
        return [row for page in dentist.connector.fetch(what) for row in page]

    return rows


# -- users --------------------------------------------------------------------------------------------------


def test_users_come_with_those_who_left(fetch, dentist):
    users = {row.name: row for row in fetch("users")}
    assert users["Анна Смирнова"].active
    assert not users["Олег Петров"].active
    assert users["Игорь Кузнецов"].email == "igor@demo.example"
    assert users["Мария Волкова"].details["SECOND_NAME"] == "Олеговна"
    assert users["Анна Смирнова"].details["UF_DEPARTMENT"]


def test_many_users_take_two_requests(fetch, dentist):
    for number in range(100, 260):
        dentist.portal.users[number] = User(number, f"Врач {number}", "Ли", f"{number}@demo.example")
    users = fetch("users")
    assert len(users) == len({row.remote_id for row in users}) == 164
    assert dentist.methods() == ["user.get", "batch"]


def test_a_portal_that_does_not_count_shows_all_its_users(fetch, dentist, monkeypatch):
    """A list that ended with its first page would have everybody else marked as gone."""
    for number in range(100, 260):
        dentist.portal.users[number] = User(number, f"Врач {number}", "Ли", f"{number}@demo.example")
    real = dentist.box.answer

    def answer(request):
        reply = real(request)
        body = {name: value for name, value in json.loads(reply.body).items() if name != "total"}
        return type(reply)(reply.status, reply.headers, json.dumps(body).encode())

    monkeypatch.setattr(dentist.box, "answer", answer)
    assert len(fetch("users")) == 164


def test_a_user_with_hardly_any_keys_is_still_a_row(fetch, dentist):
    dentist.portal.users[100] = User(100, "", "", "")
    assert "100" in {row.remote_id for row in fetch("users")}


# -- pipelines and steps ------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["NOT_FOUND", "ENTITY_TYPE_NOT_SUPPORTED"])
def test_pipelines_of_types_without_any_are_left_out(fetch, dentist, code):
    dentist.box.switches["category_5_8"] = code
    rows = fetch("pipelines")
    deals = {row.remote_id: row for row in rows if row.entity == "2"}
    assert deals["0"].is_main
    assert "Квизы" in {row.name for row in deals.values()}
    assert {row.entity for row in rows} <= {"2", "3", "4", "31"}
    assert dentist.methods() == ["batch"]


def test_pipelines_of_a_busy_portal_are_not_half_a_list(fetch, dentist):
    dentist.box.faults.add("/batch", status=503)
    with pytest.raises(TryLater):
        fetch("pipelines")


def test_steps_are_all_directories_and_know_their_pipeline(fetch, dentist):
    rows = fetch("steps")
    by_key = {(row.entity, row.remote_id): row for row in rows}
    assert len(by_key) == len(rows)
    assert dentist.methods() == ["crm.status.list"]
    assert by_key["DEAL_STAGE", "NEW"].pipeline_id == "0"
    assert by_key["DEAL_STAGE", "WON"].kind == "won"
    assert by_key["DEAL_STAGE", "LOSE"].kind == "lost"
    assert by_key["STATUS", "NEW"].pipeline_id == ""
    assert by_key["SOURCE", "WEB"].name == "Веб-сайт"
    number = next(row.id for row in dentist.portal.categories[2].values() if row.id)
    own = [row for row in rows if row.entity == f"DEAL_STAGE_{number}"]
    assert {row.pipeline_id for row in own} == {str(number)}
    assert all(row.remote_id.startswith(f"C{number}:") for row in own)
    invoices = [row for row in rows if row.entity.startswith("SMART_INVOICE_STAGE_")]
    assert {row.pipeline_id for row in invoices} == {invoices[0].entity.rpartition("_")[2]}
    assert by_key["DEAL_STAGE", "NEW"].color.startswith("#")
    assert by_key["DEAL_STAGE", "NEW"].details["bitrixID"].isdigit()
    assert "nameInit" in by_key["DEAL_STAGE", "NEW"].details


# -- fields -------------------------------------------------------------------------------------------------


def test_fields_of_every_record_type_come_in_one_batch(fetch, dentist):
    rows = fetch("fields")
    assert dentist.methods() == ["batch"]
    assert {"CRM_LEAD", "CRM_DEAL", "CRM_CONTACT", "CRM_COMPANY", "CRM_SMART_INVOICE"} <= {
        row.entity for row in rows
    }
    deal = {row.name: row for row in rows if row.entity == "CRM_DEAL"}
    area = deal["Площадь"]
    assert (area.type, area.multiple, area.remote_id.isdigit()) == ("integer", False, True)
    assert area.code.startswith("UF_CRM_")
    rooms = deal["Комнаты"]
    assert (rooms.type, rooms.multiple) == ("enumeration", True)
    assert {option.text for option in rooms.options} == {"Кухня", "Спальня", "Ванная", "Гостиная"}
    assert all(option.remote_id.isdigit() for option in rooms.options)


def test_a_directory_field_has_the_directorys_choices(fetch):
    found = [row for row in fetch("fields") if row.type == "crm_status" and row.entity == "CRM_DEAL"]
    assert found
    assert all(option.remote_id and option.text for row in found for option in row.options)
    assert any(row.options for row in found)


def test_many_fields_come_whole(fetch, bitrix, options):
    big = connect(bitrix, bitrix.add_portal("big", extra_fields=120), options)
    rows = [row for page in big.connector.fetch("fields") for row in page]
    assert len([row for row in rows if row.entity == "CRM_DEAL"]) > 120


def test_smart_invoices_without_their_scope_spoil_nothing(bitrix, options):
    portal = bitrix.add_portal("narrow")
    install = portal.installed[bitrix.app.client_id]
    install.scopes = ("crm", "user")
    rows = [row for page in connect(bitrix, portal, options).connector.fetch("fields") for row in page]
    assert "CRM_DEAL" in {row.entity for row in rows}
    assert "CRM_SMART_INVOICE" not in {row.entity for row in rows}


def test_many_fields_of_smart_invoices_are_walked_to_the_end(fetch, dentist):
    known = dentist.portal.fields["CRM_SMART_INVOICE"]
    one = next(iter(known.values()))
    for number in range(90_000, 90_060):
        known[f"UF_CRM_{number}"] = replace(one, id=number, name=f"UF_CRM_{number}")
    rows = [row for row in fetch("fields") if row.entity == "CRM_SMART_INVOICE"]
    assert len({row.remote_id for row in rows}) == len(known)


def test_old_invoices_may_be_gone(fetch, dentist):
    dentist.box.switches["old_invoice"] = "gone"
    assert "CRM_INVOICE" not in {row.entity for row in fetch("fields")}


def test_a_connection_without_the_right_says_so(bitrix, options):
    portal = bitrix.add_portal("narrow")
    portal.installed[bitrix.app.client_id].scopes = ("user",)
    narrow = connect(bitrix, portal, options)
    for what in ("steps", "pipelines"):
        with pytest.raises(NeedsReconnect) as caught:
            list(narrow.connector.fetch(what))
        assert caught.value.code == "no_scope"
