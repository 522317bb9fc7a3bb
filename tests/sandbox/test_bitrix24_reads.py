"""Reference section 9, lines 24 to 31: lists."""

from __future__ import annotations

import pytest

from connectors.sandbox.bitrix24 import User
from connectors.sandbox.bitrix24.seed import add_field


def fill(bx, count, kind="lead"):
    for number in range(count):
        bx.add(kind, TITLE=f"{kind} {number}", OPPORTUNITY="1500", ORIGIN_ID=f"o{number}")


def test_24_pages_of_a_classic_list(bx):
    fill(bx, 120)
    first, second, last = (bx.body("crm.lead.list", start=start) for start in (0, 75, 100))
    assert (len(first["result"]), first["total"], first["next"]) == (50, 120, 50)
    assert (second["result"][0]["TITLE"], second["next"]) == ("lead 50", 100)  # 75 is floored
    assert (len(last["result"]), "next" in last) == (20, False)


def test_24_start_minus_one_counts_nothing(bx):
    fill(bx, 60)
    page = bx.body("crm.lead.list", start=-1, order={"ID": "ASC"}, filter={">ID": 20})
    assert (len(page["result"]), page["total"], "next" in page) == (50, 0, False)
    assert [int(row["ID"]) for row in page["result"]] == list(range(21, 71))
    rest = bx.body("crm.lead.list", start=-1, order={"ID": "ASC"}, filter={">ID": 70})
    assert [row["ID"] for row in rest["result"]] == []


def test_24_order_and_filter(bx):
    fill(bx, 5)
    down = bx.ok("crm.lead.list", order={"ID": "DESC"}, filter={">=ID": 12, "<ID": 15})
    assert [row["ID"] for row in down] == ["14", "13", "12"]
    assert [row["ID"] for row in bx.ok("crm.lead.list", filter={"%TITLE": "LEAD 3"})] == ["14"]
    assert [row["ID"] for row in bx.ok("crm.lead.list", filter={"!@ID": [11, 12, 13]})] == ["14", "15"]
    assert bx.ok("crm.lead.list", order={"TITLE": "DESC"})[0]["ID"] == "15"
    assert bx.ok("crm.lead.list", filter={">DATE_CREATE": "2027-01-15T11:00:00+03:00"}) == []
    assert len(bx.ok("crm.lead.list", filter={">=DATE_CREATE": "2027-01-15T08:00:00+00:00"})) == 5


def test_25_classic_lists_return_strings(bx, portal):
    number = bx.add("deal", TITLE="x", OPPORTUNITY=1500, **{portal.field("Площадь").name: 40})
    row = bx.ok("crm.deal.list", select=["*", "UF_*"])[0]
    assert (row["ID"], row["OPPORTUNITY"], row["OPENED"]) == (str(number), "1500.00", "Y")
    assert row[portal.field("Площадь").name] == "40"
    assert not any(isinstance(value, int | float) and value is not False for value in row.values())
    assert portal.field("Площадь").name not in bx.ok("crm.deal.list")[0]
    assert "CONTACT_IDS" not in bx.ok("crm.deal.list", select=["ID", "CONTACT_IDS"])[0]


def test_25_item_lists_return_numbers_and_camel_case(bx, portal):
    number = bx.add("deal", TITLE="x", OPPORTUNITY=1500, **{portal.field("Площадь").name: 40})
    row = bx.ok("crm.item.list", entityTypeId=2)["items"][0]
    assert (row["id"], row["opportunity"], row["assignedById"], row["categoryId"]) == (number, 1500, 1, 0)
    code = portal.field("Площадь").name.removeprefix("UF_CRM_")
    assert row[f"ufCrm_{code}"] == 40
    kept = bx.ok("crm.item.list", entityTypeId=2, useOriginalUfNames="Y")["items"][0]
    assert kept[portal.field("Площадь").name] == 40


def test_25_item_lists_go_by_the_real_offset(bx):
    fill(bx, 60)
    page = bx.body("crm.item.list", entityTypeId=1, start=5)
    assert (page["result"]["items"][0]["title"], page["total"], page["next"]) == ("lead 5", 60, 55)


def test_26_an_unknown_filter_key(bx):
    fill(bx, 3)
    assert len(bx.ok("crm.lead.list", filter={"=ORIGIN_IDD": "o1", "CONTACT_IDS": 5})) == 3
    assert bx.refused("crm.item.list", entityTypeId=1, filter={"originIdd": "o1"}) == (
        400,
        "INVALID_ARG_VALUE",
    )
    assert len(bx.ok("crm.item.list", entityTypeId=1, filter={"=originId": "o1"})["items"]) == 1


def test_27_people(bx, portal):
    rows = bx.body("user.get")
    assert [row["ID"] for row in rows["result"]] == ["1", "2", "3", "4"]
    assert (rows["total"], rows["result"][0]["TIMESTAMP_X"]) == (4, {})
    assert [row["ID"] for row in bx.ok("user.get", FILTER={"ACTIVE": True})] == ["1", "2", "3"]
    assert [row["ID"] for row in bx.ok("user.get", filter={"ID": 4})] == ["4"]
    assert [row["ID"] for row in bx.ok("user.get", ID=[2, 4])] == ["2", "4"]
    assert [row["ID"] for row in bx.ok("user.get", ID=[2, 4], FILTER={"ACTIVE": True})] == ["2"]
    for number in range(10, 70):
        portal.users[number] = User(number, "Имя", "Фамилия", "", position=None)
    page = bx.body("user.get")
    assert (len(page["result"]), page["next"]) == (50, 50)
    assert "WORK_POSITION" not in page["result"][-1]
    assert len(bx.ok("user.get", start=50)) == 14


def test_28_pipelines(b24, bx, portal):
    found = bx.body("crm.category.list", entityTypeId=2)
    rows = found["result"]["categories"]
    assert [(row["id"], row["isDefault"]) for row in rows] == [(0, "Y"), (3, "N")]
    assert found["total"] == 2
    assert bx.ok("crm.category.list", entityTypeId=31)["categories"][0]["id"] == 7
    for number in (1, 7):
        assert bx.refused("crm.category.list", entityTypeId=number) == (400, "ENTITY_TYPE_NOT_SUPPORTED")
    assert bx.refused("crm.category.list", entityTypeId=999) == (400, "NOT_FOUND")


@pytest.mark.parametrize("code", ["NOT_FOUND", "ENTITY_TYPE_NOT_SUPPORTED"])
def test_28_old_invoices_and_requisites(b24, bx, code):
    b24.switches["category_5_8"] = code
    assert {bx.refused("crm.category.list", entityTypeId=number) for number in (5, 8)} == {(400, code)}


def test_28_what_a_token_may_see(portal, employee):
    portal.hidden_categories.add(3)
    assert [row["id"] for row in employee.ok("crm.category.list", entityTypeId=2)["categories"]] == [0]


def test_29_dictionaries(bx, portal):
    found = bx.body("crm.status.list", start=50)
    rows = found["result"]
    assert (len(rows), "next" in found) == (found["total"], False)
    assert found["total"] == len(list(portal.statuses)) > 50
    stages = [row for row in rows if row["ENTITY_ID"] == "DEAL_STAGE_3"]
    assert {row["STATUS_ID"][:3] for row in stages} == {"C3:"}
    assert {row["CATEGORY_ID"] for row in stages} == {"3"}
    assert all(
        ("EXTRA" in row) == ("STAGE" in row["ENTITY_ID"] or "STATUS" in row["ENTITY_ID"]) for row in rows
    )
    only = bx.ok("crm.status.list", filter={"ENTITY_ID": "SOURCE"}, order={"SORT": "DESC"})
    assert (only[0]["STATUS_ID"], only[-1]["STATUS_ID"]) == ("OTHER", "CALL")
    assert bx.refused("crm.status.list", filter={"ENTITY_ID": ["SOURCE", "STATUS"]}) == (400, "")


def test_29_kinds_and_items_of_dictionaries(bx):
    kinds = {row["ID"]: row for row in bx.ok("crm.status.entity.types")}
    assert kinds.keys() >= {"STATUS", "SOURCE", "DEAL_STAGE", "DEAL_STAGE_3", "DEAL_TYPE"}
    items = bx.ok("crm.status.entity.items", entityId="DEAL_STAGE_3")
    assert items[0] == {"NAME": "Новая заявка", "SORT": 10, "STATUS_ID": "C3:NEW"}


def test_30_labels_only_by_language(bx, portal):
    bare, named = (bx.ok("crm.deal.userfield.list", filter=asked) for asked in ({}, {"LANG": "ru"}))
    assert "EDIT_FORM_LABEL" not in bare[0]
    assert named[0]["EDIT_FORM_LABEL"] == "Комментарий к заявке"
    kinds = {row["USER_TYPE_ID"]: row for row in named}
    assert len(kinds) == 18
    assert [row["VALUE"] for row in kinds["enumeration"]["LIST"]] == [
        "Кухня",
        "Спальня",
        "Ванная",
        "Гостиная",
    ]
    assert all(("LIST" in row) == (row["USER_TYPE_ID"] == "enumeration") for row in named)
    assert kinds["crm_status"]["SETTINGS"]["ENTITY_TYPE"] == "SOURCE"


def test_30_the_type_of_an_app_by_its_short_code(b24, bx):
    row = next(row for row in bx.ok("crm.lead.userfield.list") if row["USER_TYPE_ID"] == "crm_pena_tag")
    assert row["USER_TYPE_OWNER"] == b24.app.client_id


def test_30_more_than_fifty_fields_at_once(bx, portal):
    for number in range(60):
        add_field(portal, "CRM_COMPANY", f"Вопрос {number}", "string")
    found = bx.body("crm.company.userfield.list", start=50)
    assert (len(found["result"]), "next" in found) == (82, False)


@pytest.mark.parametrize("entity", ["lead", "deal", "contact", "company", "quote", "requisite", "invoice"])
def test_30_every_entity_has_its_list(b24, bx, entity):
    assert bx.ok(f"crm.{entity}.userfield.list")
    b24.switches["old_invoice"] = "gone"
    gone = entity == "invoice"
    assert (bx.call(f"crm.{entity}.userfield.list").status == 404) is gone


def test_31_smart_invoices(b24, bx, portal):
    for number in range(60):
        add_field(portal, "CRM_SMART_INVOICE", f"Вопрос {number}", "string")
    asked = {"moduleId": "crm", "filter": {"entityId": "CRM_SMART_INVOICE"}}
    page = bx.body("userfieldconfig.list", **asked)
    assert (len(page["result"]["fields"]), page["total"], page["next"]) == (50, 66, 50)
    assert page["result"]["fields"][0].keys() >= {"id", "entityId", "fieldName", "userTypeId", "multiple"}
    assert len(bx.ok("userfieldconfig.list", **asked, start=50)["fields"]) == 16
    portal.installed[b24.app.client_id].scopes = ("crm", "user")
    assert bx.refused("userfieldconfig.list", **asked) == (403, "insufficient_scope")


def test_31_fields_of_records(bx, portal):
    fields = bx.ok("crm.deal.fields")
    kind = fields[portal.field("Тип ремонта").name]
    assert (kind["type"], kind["isDynamic"], kind["listLabel"]) == ("enumeration", True, "Тип ремонта")
    assert kind["items"][0]["VALUE"] == "Косметический"
    assert (fields["STAGE_ID"]["statusType"], fields["ID"]["isReadOnly"]) == ("DEAL_STAGE", True)
    items = bx.ok("crm.item.fields", entityTypeId=2, useOriginalUfNames="Y")["fields"]
    assert items["stageId"]["upperName"] == "STAGE_ID"
    assert portal.field("Тип ремонта").name in items
