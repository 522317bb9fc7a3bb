"""Reference section 9, lines 26 to 29: the number in a test's name is the line."""

from __future__ import annotations

from typing import Any

import pytest

from .amo_words import errors_of, values_of

# -- 26 to 29: validation -----------------------------------------------------------------------------


def broken(account: Any) -> dict[str, tuple[dict[str, Any], str, str]]:
    """what is wrong -> (the item, path, code)"""
    fields, other = account.fields["leads"], list(account.pipelines.values())[1]
    contact_only = account.fields["contacts"].by_code["POSITION"].id
    off = next(user.id for user in account.users.values() if not user.is_active)
    text, select, number = (fields.named(n).id for n in ("Город", "Тип ремонта", "Площадь, м²"))

    def value(field_id: int, **item: Any) -> dict[str, Any]:
        return {"custom_fields_values": [{"field_id": field_id, "values": [item]}]}

    first, nested = "custom_fields_values.0.", "custom_fields_values.0.values.0."
    no, kind = "NotSupportedChoice", "InvalidType"
    code = {"custom_fields_values": [{"field_code": "NOPE", "values": [{"value": "x"}]}]}
    pair = {"status_id": other.first.id, "pipeline_id": account.main_pipeline.id}
    return {
        "unknown field": (value(1, value="x"), first + "field_id", no),
        "unknown field code": (code, first + "field_code", no),
        "field of another entity": (value(contact_only, value="x"), first + "field_id", no),
        "unknown enum": (value(select, enum_id=1), nested + "enum_id", no),
        "status of another pipeline": (pair, "status_id", no),
        "unknown pipeline": ({"pipeline_id": 1}, "pipeline_id", no),
        "inactive responsible": ({"responsible_user_id": off}, "responsible_user_id", no),
        "unknown responsible": ({"responsible_user_id": 1}, "responsible_user_id", no),
        "unknown key": ({"nmae": "x"}, "nmae", "FieldNotExpected"),
        "price as text": ({"price": "10.5"}, "price", kind),
        "price as fraction": ({"price": 10.5}, "price", kind),
        "number as words": (value(number, value="много"), nested + "value", kind),
        "text as number": (value(text, value=5), nested + "value", kind),
        "null name": ({"name": None}, "name", "NotNullable"),
        "257 characters": (value(text, value="я" * 257), nested + "value", "TooLong"),
        "loss reason of an open lead": ({"loss_reason_id": 4001}, "loss_reason_id", no),
        "request_id in a tag": ({"_embedded": {"tags": [{"name": "x", "request_id": "1"}]}},
                                "_embedded.tags.0.request_id", "FieldNotExpected"),
    }  # fmt: skip


BROKEN = [
    "unknown field", "unknown field code", "field of another entity", "unknown enum",
    "status of another pipeline", "unknown pipeline", "inactive responsible", "unknown responsible",
    "unknown key", "price as text", "price as fraction", "number as words", "text as number", "null name",
    "257 characters", "loss reason of an open lead", "request_id in a tag",
]  # fmt: skip


@pytest.mark.parametrize("path", ["/leads", "/leads/complex"])
@pytest.mark.parametrize("what", BROKEN)
def test_26_one_bad_item_refuses_the_batch(api, account, path, what):
    item, where, code = broken(account)[what]
    reply = api.post(path, [{"name": "good"}, {**item, "request_id": "bad-1"}])
    assert errors_of(reply) == {where: code}
    assert reply.value()["validation-errors"][0]["request_id"] == "bad-1"
    assert not account.leads


def test_26_the_path_goes_through_the_nest(api, account):
    off = next(user.id for user in account.users.values() if not user.is_active)
    reply = api.complex({"_embedded": {"contacts": [{"responsible_user_id": off}]}})
    assert errors_of(reply) == {"_embedded.contacts.0.responsible_user_id": "NotSupportedChoice"}


def test_26_by_switch_the_good_items_are_kept(amo, api, account):
    amo.switches["batch_atomic"] = False
    assert api.post("/leads", [{"name": "good"}, {"price": "x"}]).status == 400
    assert [card["name"] for card in account.leads.values()] == ["good"]


def test_26_a_long_text_fits_a_textarea(api, account):
    values = values_of(account, "leads", Комментарий_к_заявке={"value": "я" * 5000})
    assert api.post("/leads", [{"custom_fields_values": values}]).status == 200


@pytest.mark.parametrize("item", [{"value": "Капитальный"}, {"enum_code": "option_2"}, {"enum_id": "second"}])
def test_27_a_choice_is_read_with_its_ids(api, account, item):
    field = account.fields["leads"].named("Тип ремонта")
    asked = {key: field.enums[1].id if key == "enum_id" else value for key, value in item.items()}
    number = api.add("leads", custom_fields_values=[{"field_id": field.id, "values": [asked]}])
    [read] = api.get(f"/leads/{number}").value()["custom_fields_values"]
    assert (read["field_name"], read["field_type"], read["field_code"]) == ("Тип ремонта", "select", None)
    expected = {"value": "Капитальный", "enum_id": field.enums[1].id, "enum_code": "option_2"}
    assert read["values"] == [expected]


@pytest.mark.parametrize("text", ["капитальный", "Капитальный ", "Капит"])
def test_27_a_choice_by_text_must_match_exactly(api, account, text):
    values = values_of(account, "leads", Тип_ремонта={"value": text})
    reply = api.post("/leads", [{"custom_fields_values": values}])
    assert errors_of(reply) == {"custom_fields_values.0.values.0.value": "NotSupportedChoice"}


def test_28_enum_code_null_on_text_is_not_expected(api, account):
    values = values_of(account, "leads", Город={"value": "Казань", "enum_code": None})
    reply = api.post("/leads", [{"custom_fields_values": values}])
    assert errors_of(reply) == {"custom_fields_values.0.values.0.enum_code": "FieldNotExpected"}


MIDNIGHT_UTC = 1_800_057_600 - 1_800_057_600 % 86400


@pytest.mark.parametrize("sent", [MIDNIGHT_UTC, "2027-01-16T00:00:00+00:00"], ids=["unix", "rfc3339"])
def test_29_a_date_snaps_to_midnight_of_the_account(api, account, sent):
    values = values_of(account, "leads", Дата_замера={"value": sent})
    number = api.add("leads", custom_fields_values=values)
    [read] = api.get(f"/leads/{number}").value()["custom_fields_values"]
    assert read["values"] == [{"value": MIDNIGHT_UTC - 3 * 3600}]


ACCEPTED = {
    "text": ({"value": "Казань"}, {"value": "Казань"}),
    "numeric": ({"value": 42.5}, {"value": "42.5"}),
    "monetary": ({"value": "1000"}, {"value": "1000"}),
    "checkbox": ({"value": True}, {"value": True}),
    "url": ({"value": "https://a.example"}, {"value": "https://a.example"}),
    "date_time": ({"value": "2027-01-15T12:00:00+03:00"}, {"value": 1800003600}),
    "streetaddress": ({"value": "Красная 5"}, {"value": "Красная 5"}),
    "smart_address": ({"value": "Казань", "enum_code": "city"},
                      {"value": "Казань", "enum_id": 3, "enum_code": "city"}),
    "legal_entity": ({"value": {"name": "ООО"}}, {"value": {"name": "ООО"}}),
    "file": ({"value": {"file_uuid": "u"}}, {"value": {"file_uuid": "u"}}),
    "tracking_data": ({"value": "ads"}, {"value": "ads"}),
}  # fmt: skip


@pytest.mark.parametrize("kind", ACCEPTED)
def test_29_every_type_takes_its_own_form(api, account, kind):
    field = next(field for field in account.fields["leads"] if field.type == kind)
    sent, expected = ACCEPTED[kind]
    number = api.add("leads", custom_fields_values=[{"field_id": field.id, "values": [sent]}])
    [read] = api.get(f"/leads/{number}").value()["custom_fields_values"]
    assert read["values"] == [expected]


def test_29_a_phone_without_a_kind_is_a_work_phone(api):
    number = api.add("contacts", custom_fields_values=[{"field_code": "PHONE", "values": [{"value": "+79"}]}])
    [read] = api.get(f"/contacts/{number}").value()["custom_fields_values"]
    assert read["values"][0]["enum_code"] == "WORK"


def test_29_every_type_of_the_reference_is_seeded(account):
    types = {field.type for fields in account.fields.values() for field in fields}
    assert types >= ACCEPTED.keys() | {
        "multitext",
        "select",
        "multiselect",
        "radiobutton",
        "textarea",
        "date",
    }
