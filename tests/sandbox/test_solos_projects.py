"""The checklist of the reference, 6: reading projects (3 to 16)."""

from __future__ import annotations

import pytest

# -- 3, 4: P1 -----------------------------------------------------------------------------------------------


def test_03_pages_order_and_either_set(shop):
    assert shop.ids(count=3, offset=0, order_by="id", reverse="0") == [1, 2, 3]
    assert shop.ids(count=3, offset=3, order_by="id", reverse="0") == [4, 5, 6]
    assert shop.ids(count=2, order_by="id", reverse="1") == [12, 11]
    assert shop.ids(count=2, order_by="price", reverse="1") == [12, 11]
    shop.act("delete", project_id=5)
    assert 5 not in shop.ids(deleted="0")
    assert shop.ids(deleted="1") == [5]


def test_04_no_parameters_are_the_defaults(shop, sol):
    assert shop.ids() == list(range(1, 13))
    sol.switches.update(default_count=2, default_reverse="1")
    assert shop.ids() == [12, 11]
    shop.act("delete", project_id=5)
    sol.switches["default_deleted"] = "1"
    assert shop.ids() == [5]


def test_04_an_unknown_sort_field_is_id_or_an_error(shop, sol):
    assert shop.ids(order_by="nonsense") == list(range(1, 13))
    sol.switches["unknown_order"] = "error"
    assert shop.get("/projects", order_by="nonsense").status == 400


@pytest.mark.parametrize("query", [{"count": "x"}, {"offset": "-1"}, {"reverse": "2"}, {"deleted": "both"}])
def test_03_nonsense_is_refused(shop, query):
    assert shop.get("/projects", **query).status == 400


# -- 5 to 11: P2 --------------------------------------------------------------------------------------------


def test_05_numbers_and_strings(shop):
    page = {"count": 2, "offset": 1, "order_by": "id", "reverse": "0", "deleted": "0"}
    assert shop.filter(**page) == shop.filter(**page | {"count": "2", "offset": "1"}) == [2, 3]


@pytest.mark.parametrize("body", [{"condition": "xor"}, {"having": "nothing"}, {"having": ["actions"]}])
def test_05_only_the_words_that_are_documented(shop, body):
    assert shop.ask(**body).status == 400


def test_05_exactly_nine_values_of_having(shop):
    kinds = ("actions", "payments", "tasks", "goods")
    words = (*kinds, *(f"no_{kind}" for kind in kinds), "checklists_expired")
    assert {shop.ask(having=word).status for word in words} == {200}
    assert {shop.ask(having=word).status for word in ("no_checklists_expired", "checklists")} == {400}


def test_06_a_range_includes_both_ends(shop):
    days = [row["created"][:10] for row in shop.rows()]
    span = f"{days[2]};{days[4]}"
    assert shop.filter(buildin_data={"created": span}) == [3, 4, 5]
    assert shop.filter(buildin_data={"created": f"{days[2]};{days[2]}"}) == [3]


@pytest.mark.parametrize("text", ["2027-01-01", "2027-13-01;2027-01-02", ";", "a;b", "20270101;20270102"])
def test_06_a_malformed_range_is_refused(shop, text):
    assert shop.ask(buildin_data={"created": text}).status == 400


def test_07_arrays_are_membership_and_the_condition_joins_them(shop):
    rows = {row["id"]: row for row in shop.rows()}
    service = {number for number, row in rows.items() if row["sales_funnel_id"] == 3}
    olga = {number for number, row in rows.items() if row["user_id"] == 3}
    both = {"sales_funnel_id": [3], "user_id": [3]}
    assert set(shop.filter(condition="and", buildin_data=both)) == service & olga
    assert set(shop.filter(condition="or", buildin_data=both)) == service | olga
    assert shop.filter(buildin_data={"step_id": [11, 12]}) == [1, 2, 9, 10]
    assert shop.filter(buildin_data={"price": 30000}) == shop.filter(buildin_data={"price": "30000"}) == [3]


def test_07_the_condition_governs_dynamic_fields_too(shop):
    body = {"buildin_data": {"price": 10000}, "data": {"contract_number": "Д-4"}}
    assert shop.filter(condition="and", **body) == []
    assert shop.filter(condition="or", **body) == [1, 4]
    assert len(shop.filter(condition="or")) == 12


def test_08_dynamic_fields(shop, sol):
    clients = {row["id"]: row["client_id"] for row in shop.rows()}
    assert shop.filter(data={"client_id": [1, 2]}) == [n for n, client in clients.items() if client in (1, 2)]
    date = shop.rows("/projects", count=1)[0]["contract_date"]
    assert shop.filter(data={"contract_date": date}) == [1]
    assert shop.filter(data={"contract_date": date[:7]}) == []
    assert shop.filter(data={"nonsense": "1"}) == []
    sol.switches["unknown_field"] = "error"
    assert shop.ask(data={"nonsense": "1"}).status == 400


def test_09_the_misspelling_is_the_name(shop):
    assert len(shop.filter(builtin_data={"step_id": [11]})) == 12
    assert len(shop.filter(buildin_data={"step_id": [11]})) == 2


def test_09_an_unknown_built_in_key_is_refused(shop):
    assert shop.ask(buildin_data={"nonsense": [1]}).status == 400
    assert shop.ask(buildin_data={"participants_nonsense": [1]}).status == 400
    assert shop.ask(buildin_data=[1]).status == 400


def test_10_related_rows_are_filtered_by(shop):
    assert shop.filter(buildin_data={"participants_user_id": [2]}) == [2, 4, 6, 8, 10, 12]
    assert shop.filter(buildin_data={"participants_group_id": [3]}) == [1, 5, 9]
    assert shop.filter(buildin_data={"good_id": [501]}) == [1, 4, 7, 10]
    shop.act("add_action", project_id=1, type_id=3)
    assert 1 in shop.filter(buildin_data={"actions_type_id": [3]})
    assert 1 not in shop.filter(buildin_data={"actions_type_id": [1, 2]})


@pytest.mark.parametrize("kind", ["actions", "payments", "goods"])
def test_11_having_is_what_there_is(shop, kind):
    having, lacking = set(shop.filter(having=kind)), set(shop.filter(having=f"no_{kind}"))
    assert having
    assert having | lacking == set(range(1, 13))
    assert not having & lacking
    fresh = shop.act("add_project")["id"]
    assert fresh in shop.filter(having=f"no_{kind}")


def test_11_tasks(shop):
    assert shop.filter(having="tasks") == [1, 2]
    assert len(shop.filter(having="no_tasks")) == 10


def test_11_overdue_is_told_by_the_sandboxs_clock(shop, sol):
    shop.act("add_checklist", project_id=2, deadline="2027-01-16 08:00:00")
    assert shop.filter(having="checklists_expired") == []
    sol.clock.advance(2 * 86400)
    assert shop.filter(having="checklists_expired") == [2]


# -- 12 to 16: one project ----------------------------------------------------------------------------------


def test_12_unknown_and_deleted_projects(shop, sol):
    assert shop.get("/projects/info", id=99).status == 404
    assert shop.get("/projects/info").status == 400
    sol.switches["missing_project"] = "empty"
    assert shop.rows("/projects/info", id=99) == []
    shop.act("delete", project_id=5)
    assert shop.get("/projects/info", id=5).value()["payload"]["deleted"] == "1"
    sol.switches["deleted_project"] = "404"
    assert shop.get("/projects/info", id=5).status == 404
    sol.switches["deleted_project"] = "empty"
    assert shop.rows("/projects/info", id=5) == []


def test_13_stages_by_underscore_list_and_day(shop, sol):
    sol.clock.advance(86400)
    shop.act("move", project_id=1, step_id=12)
    shop.act("move", project_id=1, step_id=13)

    def steps(**query):
        return [row["step_id"] for row in shop.rows("/projects/steps", id=1, **query)]

    assert steps() == steps(filter_steps="") == [11, 12, 13]
    assert steps(filter_steps="11_13") == [11, 13]
    assert steps(filter_steps="12") == [12]
    assert steps(filter_date="2027-01-16") == [12, 13]
    assert steps(filter_date="2027-01-16", filter_steps="13_11") == [13]
    assert shop.get("/projects/steps", id=1, filter_steps="1,2").status == 400
    assert shop.get("/projects/steps", id=1, filter_date="yesterday").status == 400


def test_14_events_page_and_filter_together(shop):
    made = [shop.act("add_action", project_id=1, type_id=kind)["id"] for kind in (1, 2, 3, 2)]

    def events(**query):
        return shop.ids("/projects/actions", id=1, **query)

    assert events() == made
    assert events(count=2, offset=1) == made[1:3]
    assert events(filter_actions="2") == [made[1], made[3]]
    assert events(filter_actions="2_3", count=1, offset=1) == [made[2]]
    assert events(filter_id=made[1], filter_actions="2") == [made[1]]
    assert events(filter_id=made[1], filter_actions="1") == []


def test_14_an_events_own_page_takes_its_own_id(shop):
    event = shop.act("add_action", project_id=1, comment="Перезвонить")
    found = shop.get("/projects/actions/info", id=event["id"]).value()["payload"]
    assert (found["project_id"], found["comment"]) == (1, "Перезвонить")
    assert shop.get("/projects/actions/info", id=event["id"] + 1).status == 404


def test_15_money_in_and_out(shop):
    shop.act("add_payment", project_id=2, sum=100, type="1")
    shop.act("add_payment", project_id=2, sum=40, type="0", date="2027-02-01")

    def sums(**query):
        return [row["sum"] for row in shop.rows("/projects/payments", id=2, **query)]

    assert sums(filter_type="1") == [100]
    assert sums(filter_type="0") == [40]
    assert sums() == sums(filter_type="") == [100, 40]
    assert sums(filter_date="2027-02-01") == [40]
    assert shop.get("/projects/payments", id=2, filter_type="2").status == 400


def test_15_goods_and_checklists_come_whole(shop):
    assert [row["name"] for row in shop.rows("/projects/goods", id=1)] == ["Окно двухкамерное"]
    assert [row["name"] for row in shop.rows("/projects/checklists", id=1)] == ["Подготовка"]


def test_16_every_dynamic_field_is_there_empty_ones_too(shop):
    codes = {"client_id", "contract_date", "contract_number", "phone", "comment"}
    rows = [*shop.rows(), *shop.ask().value()["payload"]]
    assert all(codes <= row.keys() for row in rows)
    assert any(row["contract_date"] is None for row in rows)
