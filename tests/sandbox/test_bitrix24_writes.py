"""Reference section 9, lines 32 to 37 and 42: adding and changing records, and fields."""

from __future__ import annotations

import pytest

BAD_EMAIL = {"EMAIL": [{"VALUE": "not an address"}]}


def uf(portal, label, entity="CRM_DEAL"):
    return portal.field(label, entity).name


def test_32_adding_returns_an_integer(bx, portal):
    number = bx.add("lead", TITLE="x", NO_SUCH="y", DATE_CREATE="2020-01-01", BIRTHDATE="tomorrow")
    lead = portal.leads[number]
    assert isinstance(number, int)
    assert "NO_SUCH" not in lead.props
    assert lead["DATE_CREATE"] == "2027-01-15T11:00:00+03:00"
    assert lead.get("BIRTHDATE") is None


@pytest.mark.parametrize("kind", ["lead", "contact", "company"])
def test_32_a_bad_email_fails_the_call(bx, portal, kind):
    reply = bx.call(f"crm.{kind}.add", fields={"NAME": "x", **BAD_EMAIL})
    assert (reply.status, reply.value()["error"]) == (400, "ERROR_CORE")
    assert len(portal.tables[kind]) == 0


def test_32_fields_must_be_an_array(bx):
    reply = bx.call("crm.deal.add", fields="TITLE")
    assert (reply.status, reply.value()["error"]) == (400, "")
    assert reply.value()["error_description"] == "Parameter 'fields' must be array."
    assert bx.refused("crm.deal.get", id=999) == (400, "")
    assert bx.refused("crm.deal.update", id=999, fields={}) == (400, "")


def test_32_who_has_no_rights_is_refused(employee):
    employee.portal.users[2].crm = "none"
    assert employee.refused("crm.deal.add", fields={"TITLE": "x"}) == (400, "")
    assert employee.ok("crm.deal.list") == []
    asked = {"entityTypeId": 2, "fields": {"title": "x"}}
    assert employee.refused("crm.item.add", **asked) == (400, "ACCESS_DENIED")


@pytest.mark.parametrize(
    ("category", "stage", "expected"),
    [
        (3, "C3:UC_A1B2C3", (3, "C3:UC_A1B2C3")),
        (3, "PREPARATION", (3, "C3:NEW")),
        (99, "C99:NEW", (0, "NEW")),
        (None, "C3:NEW", (0, "NEW")),
        ("3", None, (3, "C3:NEW")),
    ],
)
def test_33_a_foreign_stage_becomes_the_first(bx, portal, category, stage, expected):
    given = {"CATEGORY_ID": category, "STAGE_ID": stage}
    deal = portal.deals[bx.add("deal", **{name: value for name, value in given.items() if value is not None})]
    assert (deal["CATEGORY_ID"], deal["STAGE_ID"]) == expected


def test_33_defaults(bx, employee, portal):
    deal = portal.deals[employee.add("deal")]
    assert (deal["ASSIGNED_BY_ID"], deal["TITLE"]) == (2, f"Deal #{deal.id}")
    assert deal["CLOSEDATE"] == "2027-01-22T00:00:00+03:00"
    assert portal.leads[bx.add("lead", STATUS_ID="NOPE")]["STATUS_ID"] == "NEW"


def test_34_contacts_keep_their_order(bx, portal):
    one, two, three = (bx.add("contact", NAME=name) for name in "abc")
    number = bx.add("deal", CONTACT_IDS=[three, one, three, 9999, two])
    assert portal.deals[number].people == [three, one, two]
    assert bx.deal(number)["CONTACT_ID"] == str(three)
    rows = bx.ok("crm.deal.contact.items.get", id=number)
    assert [(row["CONTACT_ID"], row["IS_PRIMARY"]) for row in rows] == [(three, "Y"), (one, "N"), (two, "N")]
    bx.ok("crm.deal.contact.items.set", id=number, items=[{"CONTACT_ID": two, "SORT": 10}])
    assert portal.deals[number].people == [two]
    assert [row["ID"] for row in bx.ok("crm.deal.list", filter={"CONTACT_ID": two})] == [str(number)]


def test_34_multifields_get_ids(bx, portal):
    number = bx.add(
        "contact", NAME="a", PHONE=[{"VALUE": "+7999"}, {"VALUE": ""}], EMAIL=[{"VALUE": "a@b.ru"}]
    )
    [phone] = bx.ok("crm.contact.get", id=number)["PHONE"]
    assert (phone["VALUE"], phone["VALUE_TYPE"], phone["ID"].isdigit()) == ("+7999", "WORK", True)
    bx.ok("crm.contact.update", id=number, fields={"PHONE": [{"VALUE": "+7888", "VALUE_TYPE": "MOBILE"}]})
    bx.ok("crm.contact.update", id=number, fields={"PHONE": [{"ID": phone["ID"], "VALUE": "+7777"}]})
    assert portal.contacts[number].communications("PHONE") == ["+7777", "+7888"]
    bx.ok("crm.contact.update", id=number, fields={"PHONE": [{"ID": phone["ID"], "DELETE": "Y"}]})
    assert portal.contacts[number].communications("PHONE") == ["+7888"]
    shown = bx.ok("crm.contact.list", select=["ID", "PHONE"])
    assert shown[0]["PHONE"][0]["VALUE"] == "+7888"


def test_35_a_universal_add_gives_the_item_back(bx, portal):
    one = bx.add("contact", NAME="Ann")
    item = bx.item(2, title="x", categoryId=3, stageId="C3:WON", opportunity="10.5", contactIds=[one])
    assert (item["id"], item["title"], item["categoryId"]) == (21, "x", 3)
    assert (item["opportunity"], item["stageId"], item["contactIds"]) == (10.5, "C3:WON", [one])
    lead = bx.item(
        1, title="l", stageId="IN_PROCESS", fm=[{"typeId": "PHONE", "valueType": "WORK", "value": "+7"}]
    )
    assert (lead["stageId"], lead["fm"][0]["value"]) == ("IN_PROCESS", "+7")
    assert "fm" not in bx.ok("crm.item.list", entityTypeId=1, select=["*"])["items"][0]
    assert bx.ok("crm.item.list", entityTypeId=1, select=["id", "fm"])["items"] == [{"id": lead["id"]}]
    assert (
        bx.ok("crm.item.list", entityTypeId=1, select=["*", "fm"])["items"][0]["fm"][0]["typeId"] == "PHONE"
    )


@pytest.mark.parametrize(
    ("raw", "universal", "classic"),
    [("Y", "Y", "1"), ("1", "N", "1"), (1, "N", "1"), (True, "Y", "1"), ("N", "N", "1"), ("0", "N", "0")],
)
def test_35_booleans_differ_by_method(bx, portal, raw, universal, classic):
    name = uf(portal, "Нужна доставка")
    assert bx.item(2, **{name: raw})[name] == universal
    assert bx.deal(bx.add("deal", **{name: raw}))[name] == classic


def test_35_names_of_user_fields(bx, portal):
    name = uf(portal, "Город")
    camel = "ufCrm_" + name.removeprefix("UF_CRM_")
    assert bx.item(2, **{camel: "Казань"})[name] is None
    made = bx.ok("crm.item.add", entityTypeId=2, fields={camel: "Казань"})["item"]
    assert made[camel] == "Казань"
    assert (
        bx.ok("crm.item.get", entityTypeId=2, id=made["id"], useOriginalUfNames="Y")["item"][name] == "Казань"
    )


def test_35_a_universal_update_moves_between_pipelines(bx, portal):
    number = bx.add("deal", TITLE="x", STAGE_ID="WON")
    bx.ok("crm.deal.update", id=number, fields={"CATEGORY_ID": 3})
    assert portal.deals[number]["CATEGORY_ID"] == 0
    bx.ok("crm.item.update", entityTypeId=2, id=number, fields={"categoryId": 3})
    assert (portal.deals[number]["CATEGORY_ID"], portal.deals[number]["STAGE_ID"]) == (3, "C3:NEW")
    assert bx.ok("crm.item.delete", entityTypeId=2, id=number) == []
    assert bx.refused("crm.item.get", entityTypeId=2, id=number) == (400, "NOT_FOUND")


def test_35_arguments_of_universal_methods(bx):
    assert bx.refused("crm.item.add", fields={}) == (400, "100")
    assert bx.refused("crm.item.add", entityTypeId=2, fields="x") == (400, "100")
    assert bx.refused("crm.item.add", entityTypeId=999, fields={}) == (400, "NOT_FOUND")


@pytest.mark.parametrize(
    ("label", "raw", "shown"),
    [
        ("Площадь", "40 м", "0"),
        ("Площадь", "40", "40"),
        ("Высота потолков", "2,7", "2.70"),
        ("Дата замера", "2026-09-01", "2026-09-01T00:00:00+03:00"),
        ("Время звонка", "2026-09-01T12:00:00+00:00", "2026-09-01T15:00:00+03:00"),
        ("Дата замера", "завтра", None),
        ("Тип ремонта", 99999, "99999"),
        ("Тип ремонта", "Капитальный", None),
        ("Бюджет", "1500.00", "1500.00|RUB"),
        ("Бюджет", "1500|USD", "1500|USD"),
        ("Второй источник", "WEB", "WEB"),
        ("Куратор", "2", "2"),
        ("Адрес объекта", "Казань|55.7;49.1", "Казань|55.7;49.1"),
        ("Связанная сделка", "D_21", "D_21"),
        ("Связанная сделка", "21", "21"),
        ("Город", "<b>[b]x[/b]", "<b>[b]x[/b]"),
    ],
)
def test_36_values_of_each_type(bx, portal, label, raw, shown):
    assert bx.deal(bx.add("deal", **{uf(portal, label): raw}))[uf(portal, label)] == shown


def test_36_money_of_a_bad_shape_is_refused(bx, portal):
    name = uf(portal, "Бюджет")
    assert bx.refused("crm.deal.add", fields={name: "много"}) == (400, "ERROR_CORE")
    asked = {"entityTypeId": 2, "fields": {name: "много"}, "useOriginalUfNames": "Y"}
    assert bx.refused("crm.item.add", **asked) == (400, "CRM_FIELD_ERROR_VALUE_NOT_VALID")


def test_36_a_bad_number_may_be_refused(b24, bx, portal):
    b24.switches["bad_number"] = "refuse"
    assert bx.refused("crm.deal.add", fields={uf(portal, "Площадь"): "40 м"}) == (400, "ERROR_CORE")


def test_36_multiple_fields_are_arrays(b24, bx, portal):
    rooms, tags = uf(portal, "Комнаты"), uf(portal, "Теги")
    first = portal.field("Комнаты").options[0].id
    deal = bx.deal(bx.add("deal", **{rooms: [first, str(first + 1)], tags: ["a", "b"]}))
    assert (deal[rooms], deal[tags]) == ([first, first + 1], ["a", "b"])
    assert bx.deal(bx.add("deal"))[tags] is False
    b24.switches["empty_multiple"] = []
    assert bx.deal(bx.add("deal"))[tags] == []
    assert bx.item(2)[tags] == []


def test_36_files(bx, portal):
    name = uf(portal, "План квартиры")
    classic = bx.deal(bx.add("deal", **{name: {"fileData": ["a.txt", "YQ=="]}}))[name]
    assert classic.keys() == {"id", "showUrl", "downloadUrl"}
    assert bx.item(2, **{name: ["a.txt", "YQ=="]})[name].keys() == {"id", "url", "urlMachine"}


def test_36_mandatory_fields_are_a_switch(b24, bx, portal):
    portal.field("Город").mandatory = True
    assert bx.item(2, title="x")
    b24.switches["mandatory_enforced"] = True
    assert bx.refused("crm.item.add", entityTypeId=2, fields={}) == (400, "CRM_FIELD_ERROR_REQUIRED")


@pytest.mark.parametrize("kind", ["lead", "deal", "contact", "company"])
def test_37_marks_are_stored_and_not_unique(bx, portal, kind):
    marks = {"ORIGINATOR_ID": "quiz", "ORIGIN_ID": "u1"}
    numbers = [bx.add(kind, **marks), bx.add(kind, **marks)]
    bx.add(kind, ORIGINATOR_ID="quiz", ORIGIN_ID="u2")
    asked = {"filter": {"=ORIGINATOR_ID": "quiz", "=ORIGIN_ID": "u1"}, "select": ["ID", "ORIGIN_ID"]}
    found = bx.ok(f"crm.{kind}.list", **asked)
    assert found == [{"ID": str(number), "ORIGIN_ID": "u1"} for number in numbers]
    type_id = {"lead": 1, "deal": 2, "contact": 3, "company": 4}[kind]
    items = bx.ok("crm.item.list", entityTypeId=type_id, filter={"=originId": "u1", "originatorId": "quiz"})
    assert [item["id"] for item in items["items"]] == numbers


def test_42_a_new_field_is_there_at_once(bx, portal):
    asked = {"FIELD_NAME": "quiz_tags", "USER_TYPE_ID": "enumeration", "LABEL": "Метки", "MULTIPLE": "Y"}
    number = bx.ok("crm.deal.userfield.add", fields={**asked, "LIST": [{"VALUE": "а", "XML_ID": "lost"}]})
    row = bx.ok("crm.deal.userfield.get", id=number)
    assert (row["FIELD_NAME"], row["MULTIPLE"], row["LIST"][0]["XML_ID"]) == ("UF_CRM_QUIZ_TAGS", "Y", "")
    assert "UF_CRM_QUIZ_TAGS" in bx.ok("crm.deal.fields")
    assert number in [int(one["ID"]) for one in bx.ok("crm.deal.userfield.list")]
    first = row["LIST"][0]["ID"]
    bx.ok("crm.deal.userfield.update", id=number, fields={"LIST": [{"VALUE": "б", "XML_ID": "kept"}]})
    options = bx.ok("crm.deal.userfield.get", id=number)["LIST"]
    assert [(one["VALUE"], one["XML_ID"]) for one in options] == [("а", ""), ("б", "kept")]
    bx.ok("crm.deal.userfield.update", id=number, fields={"LIST": [{"ID": first, "DEL": "Y"}]})
    assert [one["VALUE"] for one in bx.ok("crm.deal.userfield.get", id=number)["LIST"]] == ["б"]
    assert bx.ok("crm.deal.userfield.delete", id=number) is True


@pytest.mark.parametrize("code", ["", "кириллица", "A-B", "X" * 44])
def test_42_codes_of_fields(bx, code):
    asked = {"FIELD_NAME": code, "USER_TYPE_ID": "string"}
    assert bx.refused("crm.lead.userfield.add", fields=asked) == (400, "ERROR_CORE")


def test_42_what_a_new_field_needs(bx, employee):
    assert bx.ok("crm.lead.userfield.add", fields={"FIELD_NAME": "x" * 43, "USER_TYPE_ID": "string"})
    reply = bx.call("crm.lead.userfield.add", fields={"FIELD_NAME": "a"})
    assert reply.value()["error_description"] == "The 'USER_TYPE_ID' field is not found."
    asked = {"FIELD_NAME": "b", "USER_TYPE_ID": "string"}
    refused = employee.call("crm.lead.userfield.add", fields=asked)
    assert (refused.status, refused.value()["error"]) == (400, "")
    assert "Access denied" in refused.value()["error_description"]


def test_46_an_activity_is_added_and_listed(bx, b24):
    deal = bx.add("deal", TITLE="x")
    todo = {"ownerTypeId": 2, "ownerId": deal, "deadline": "2027-02-01T10:00:00+03:00", "title": "Звонок"}
    made = bx.ok("crm.activity.todo.add", **todo)["id"]
    other = bx.ok("crm.activity.todo.add", **todo)["id"]
    listed = bx.ok("crm.activity.list", filter={"@ID": [made]}, select=["ID", "SUBJECT", "COMPLETED"])
    assert listed == [{"ID": str(made), "SUBJECT": "Звонок", "COMPLETED": "N"}]
    asked = {"OWNER_TYPE_ID": 2, "OWNER_ID": deal, ">ID": made}
    assert [row["ID"] for row in bx.ok("crm.activity.list", filter=asked)] == [str(other)]
    assert bx.refused("crm.activity.todo.add", **{**todo, "ownerId": 999}) == (400, "OWNER_NOT_FOUND")
    assert bx.refused("crm.activity.todo.add", **{**todo, "deadline": "soon"}) == (
        400,
        "WRONG_DATETIME_FORMAT",
    )
    assert bx.refused("crm.activity.todo.add", ownerTypeId=2, ownerId=deal) == (400, "100")
    b24.switches["todo"] = "gone"
    assert bx.refused("crm.activity.todo.add", **todo) == (404, "ERROR_METHOD_NOT_FOUND")
