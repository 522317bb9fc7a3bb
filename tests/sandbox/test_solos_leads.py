"""The checklist of the reference, 6: API v1 and what people do with leads (18, 20 to 22, 24)."""

from __future__ import annotations

import pytest

from tests.sandbox.solos_words import LEAD

# -- 18. writing --------------------------------------------------------------------------------------------


def test_18_a_lead_keeps_seven_keys_and_any_extra(shop, sol):
    shop.lead(extra={"Какой стиль?": "Лофт", "tags": "квиз, окна"}, nonsense=1)
    (row,) = sol.ledger()
    assert (row["name"], row["responsible"], row["reference_id"]) == ("Анна", "Павел Ершов", 4)
    assert row["contact"] == {"name": "Анна", "PHONE": "+79990000001", "EMAIL": "anna@example.com"}
    assert row["fields"] == {"Какой стиль?": "Лофт", "tags": "квиз, окна"}
    assert (row["tags"], row["notes"]) == (["квиз", "окна"], ["Окна qz-1"])
    assert "nonsense" not in shop.account.leads[1].payload


def test_18_a_contact_needs_its_client(shop):
    contact = {"client_id": 1, "name": "Марк", "phone_1": None, "position": "Директор"}
    assert shop.post("contacts", contact).status == 200
    assert shop.post("contacts", {**contact, "client_id": 99}).status == 404
    assert shop.post("contacts", {"name": "Марк"}).status == 404


@pytest.mark.parametrize(
    "body",
    [
        {"module": "nonsense", "payload": {}},
        {"module": "leads"},
        {"module": "leads", "payload": []},
        {"module": "leads", "payload": {"extra": "text"}},
        [],
    ],
)
def test_18_nonsense_is_refused(shop, sol, body):
    assert shop.call("POST", "/api/post/", body).status == 400
    assert sol.ledger() == []


def test_18_a_body_that_does_not_say_json_is_refused(shop):
    url = f"https://{shop.account.host}/api/post/"
    assert shop.sol.handle("POST", url, shop.headers, b"module=leads").status == 400
    headers = {**shop.headers, "Content-Type": "application/json"}
    assert shop.sol.handle("POST", url, headers, b"{").status == 400


# -- 20. reading --------------------------------------------------------------------------------------------


def test_20_calendar_and_birthdays(shop):
    rows = shop.read("calendar", count=500, offset=0).value()["payload"]
    assert set(rows[0]) == {"id", "category", "name", "description", "all_day", "start", "end"}
    (birthday,) = shop.read("contacts/birthdays").value()["payload"]
    assert birthday == {"id": 1, "name": "Марина Вектор", "bday": "1985-04-12", "client": "ООО «Вектор»"}


def test_20_order_and_page(shop):

    def numbers(**more):
        return [row["id"] for row in shop.read("calendar", **more).value()["payload"]]

    assert numbers() == numbers(order="asc") == [1, 2]
    assert numbers(order="desc", count=1) == [2]
    assert numbers(order="desc", offset=1) == [1]
    assert shop.read("calendar", order="sideways").status == 400


def test_20_leads_are_readable_only_when_switched_on(shop, sol):
    shop.lead()
    assert shop.read("leads").status == 400
    sol.switches["leads_readable"] = True
    (row,) = shop.read("leads", order="desc").value()["payload"]
    assert (row["id"], row["comment"], row["extra"]) == (1, "Окна qz-1", {"utm_source": "ads"})
    sol.switches["numbers"] = "strings"
    assert shop.read("leads").value()["payload"][0]["id"] == "1"


# -- 21. what people do -------------------------------------------------------------------------------------


@pytest.mark.parametrize("carry", [True, False])
def test_21_a_lead_becomes_a_project_with_or_without_its_mark(shop, sol, carry):
    lead = shop.lead()
    made = shop.act("convert", lead_id=lead, step_id=12, carry_mark=carry)
    row = shop.get("/projects/info", id=made["id"]).value()["payload"]
    assert (row["step_id"], row["user_id"], row["sales_funnel_id"]) == (12, 2, 1)
    assert ("qz-1" in str(row)) is carry
    assert sol.ledger()[0]["project_id"] == made["id"]


def test_21_people_move_add_and_delete(shop):
    project = shop.act("add_project", contract_number="Д-77")["id"]
    shop.act("move", project_id=project, step_id=31)
    shop.act("add_action", project_id=project)
    shop.act("add_payment", project_id=project, sum=1)
    shop.act("add_good", project_id=project, good_id=502, count=3)
    shop.act("add_checklist", project_id=project)
    row = shop.get("/projects/info", id=project).value()["payload"]
    assert (row["sales_funnel_id"], row["step_id"], row["contract_number"]) == (3, 31, "Д-77")
    counts = {
        kind: len(shop.rows(f"/projects/{kind}", id=project))
        for kind in ("steps", "actions", "payments", "goods", "checklists")
    }
    assert counts == {"steps": 2, "actions": 1, "payments": 1, "goods": 1, "checklists": 1}
    shop.act("delete", project_id=project)
    assert project in shop.ids(deleted="1")
    shop.act("delete", project_id=project, deleted=False)
    assert project in shop.ids()


def test_21_a_deleted_lead_is_gone(shop, sol):
    shop.act("delete_lead", lead_id=shop.lead())
    assert sol.ledger() == []


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("convert", {"lead_id": 9}),
        ("move", {"project_id": 99, "step_id": 11}),
        ("move", {"project_id": 1, "step_id": 99}),
        ("add_action", {"project_id": 99}),
        ("add_project", {"nonsense": 1}),
    ],
)
def test_21_what_is_not_there_can_not_be_worked_on(shop, operation, arguments):
    with pytest.raises(LookupError):
        shop.act(operation, **arguments)


# -- 22, 24 -------------------------------------------------------------------------------------------------


def test_22_the_same_body_twice_makes_two(shop, sol):
    assert shop.lead() != shop.lead()
    assert len(sol.ledger()) == 2


@pytest.mark.parametrize(("mood", "left"), [("store", (150, 1500)), ("cut", (100, 1000))])
def test_24_long_texts_are_stored_or_cut(shop, sol, mood, left):
    sol.switches["too_long"] = mood
    shop.lead(name="и" * 150, comment="к" * 1500)
    payload = shop.account.leads[1].payload
    assert (len(payload["name"]), len(payload["comment"])) == left


def test_24_long_texts_are_refused(shop, sol):
    sol.switches["too_long"] = "reject"
    assert shop.post("leads", {**LEAD, "name": "и" * 101}).status == 400
    assert shop.post("leads", {**LEAD, "comment": "к" * 1001}).status == 400
    assert shop.lead(name="и" * 100, comment="к" * 1000) == 1
