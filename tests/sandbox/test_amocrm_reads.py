"""Reference section 9, lines 12 to 20: the number in a test's name is the line."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

PLAIN_ACCOUNT = {
    "id", "name", "subdomain", "created_at", "created_by", "updated_at", "updated_by", "current_user_id",
    "country", "currency", "currency_symbol", "customers_mode", "is_unsorted_on", "mobile_feature_version",
    "is_loss_reason_enabled", "is_helpbot_enabled", "is_technical_account", "contact_name_display_order",
    "_links",
}  # fmt: skip


def test_12_account_has_no_extras_unless_asked(api):
    assert api.get("/account").value().keys() == PLAIN_ACCOUNT


@pytest.mark.parametrize("name", ["amojo_id", "version", "drive_url", "is_api_filter_enabled"])
def test_12_each_with_adds_its_key(api, name):
    assert api.get("/account", **{"with": name}).value().keys() == PLAIN_ACCOUNT | {name}


def test_12_users_groups_come_embedded(api):
    body = api.get("/account", **{"with": "users_groups,datetime_settings"}).value()
    assert body["_embedded"]["users_groups"][0]["id"] == 0
    assert body["_embedded"]["datetime_settings"]["timezone_offset"] == "+03:00"


def test_12_modes_of_the_account_are_configurable(api, account):
    account.customers_mode, account.is_api_filter_enabled = "disabled", True
    body = api.get("/account", **{"with": "is_api_filter_enabled"}).value()
    assert (body["customers_mode"], body["is_api_filter_enabled"]) == ("disabled", True)


def test_13_an_empty_list_is_204(api):
    reply = api.get("/leads")
    assert (reply.status, reply.body) == (204, b"")


def test_13_the_last_page_has_no_next_and_past_it_is_204(api):
    for number in range(3):
        api.add("leads", name=str(number))
    first, second = (api.get("/leads", limit=2, page=page).value() for page in (1, 2))
    assert "next" in first["_links"]
    assert "next" not in second["_links"]
    assert "_total_items" not in first
    assert api.get("/leads", limit=2, page=3).status == 204


@pytest.mark.parametrize(("rule", "status", "size"), [("clamp", 200, 60), ("50", 200, 50), ("422", 422, 0)])
def test_13_a_limit_above_250_is_a_switch(amo, api, rule, status, size):
    amo.switches["over_limit"] = rule
    api.post("/leads", [{"name": str(number)} for number in range(60)])
    reply = api.get("/leads", limit=251)
    assert reply.status == status
    assert size == (len(reply.value()["_embedded"]["leads"]) if status == 200 else 0)


def test_14_users_are_for_administrators(api, manager):
    assert manager.get("/users").status == 403
    assert len(api.get("/users").value()["_embedded"]["users"]) == 4


def test_14_roles_and_groups_come_only_with_with(api):
    assert "_embedded" not in api.get("/users").value()["_embedded"]["users"][0]
    users = api.get("/users", **{"with": "role,group"}).value()["_embedded"]["users"]
    by_admin = {user["rights"]["is_admin"]: user["_embedded"] for user in users}
    assert by_admin[True]["roles"] == []
    assert by_admin[False]["roles"][0]["name"] == "Менеджер"
    assert by_admin[True]["groups"][0]["id"] == 0


def test_14_inactive_users_are_listed(api):
    users = api.get("/users").value()["_embedded"]["users"]
    assert [user["rights"]["is_active"] for user in users].count(False) == 1


def test_14_external_integrations_may_not_read_users(amo, account, api):
    made = amo.add_integration("11111111-2222-3333-4444-555555555555", kind="external")
    api.token = amo.issue_tokens(account, integration=made)["access_token"]
    reply = api.get("/users")
    assert (reply.status, reply.value()["detail"]) == (403, "Invalid scope")


def test_15_each_pipeline_has_its_three_system_statuses(api):
    pipelines = api.get("/leads/pipelines").value()["_embedded"]["pipelines"]
    incoming = []
    for pipeline in pipelines:
        statuses = pipeline["_embedded"]["statuses"]
        assert [status["id"] for status in statuses[-2:]] == [142, 143]
        incoming += [status["id"] for status in statuses if status["type"] == 1]
    assert len(set(incoming)) == len(pipelines) == 2


def test_15_incoming_hides_when_switched_off(api, account):
    account.is_unsorted_on = False
    pipelines = api.get("/leads/pipelines").value()["_embedded"]["pipelines"]
    types = {status["type"] for pipeline in pipelines for status in pipeline["_embedded"]["statuses"]}
    assert types == {0}


def test_15_one_pipeline_and_its_statuses(api, account):
    number = account.main_pipeline.id
    assert api.get(f"/leads/pipelines/{number}").value()["is_main"]
    assert api.get(f"/leads/pipelines/{number}/statuses").value()["_total_items"] == 7
    assert api.get("/leads/pipelines/1").status == 404


def test_16_custom_fields_obey_a_cap_of_the_server(amo, api):
    fields = [{"name": f"Вопрос {number}", "type": "text"} for number in range(60)]
    assert api.post("/leads/custom_fields", fields).status == 201
    body = api.get("/leads/custom_fields", limit=250).value()
    assert len(body["_embedded"]["custom_fields"]) == 50
    assert body["_page_count"] == 2
    amo.switches["fields_page_cap"] = 250
    assert api.get("/leads/custom_fields", limit=250).value()["_total_items"] == 95


def test_16_the_key_set_differs_by_entity(api):
    keys = {
        kind: api.get(f"/{kind}/custom_fields").value()["_embedded"]["custom_fields"][0].keys()
        for kind in ("leads", "contacts", "companies", "customers")
    }
    assert "hidden_statuses" in keys["leads"]
    assert "hidden_statuses" not in keys["contacts"]
    assert "is_predefined" in keys["contacts"] & keys["companies"]
    assert "is_predefined" not in keys["leads"] | keys["customers"]
    assert "is_api_only" not in keys["customers"]


def test_16_phone_and_email_share_their_ids(api):
    ids = [
        {
            field["code"]: field["id"]
            for field in api.get(f"/{kind}/custom_fields").value()["_embedded"]["custom_fields"]
            if field["code"] in ("PHONE", "EMAIL")
        }
        for kind in ("contacts", "companies")
    ]
    assert ids[0] == ids[1]
    assert ids[0].keys() == {"PHONE", "EMAIL"}


def test_16_leads_have_utm_codes(api):
    fields = api.get("/leads/custom_fields").value()["_embedded"]["custom_fields"]
    tracking = {field["code"]: field for field in fields if field["type"] == "tracking_data"}
    assert {"UTM_SOURCE", "UTM_MEDIUM", "YCLID", "_YM_UID"} <= tracking.keys()
    assert tracking["UTM_SOURCE"]["group_id"] == "statistic"


def test_17_each_entity_has_its_own_tags(api):
    api.post("/leads/tags", [{"name": "общий", "color": "ff0000"}])
    api.post("/contacts/tags", [{"name": "общий", "color": "ff0000"}])
    lead, contact = (
        api.get(f"/{kind}/tags", **{"filter[name]": "общий"}).value()["_embedded"]["tags"][0]
        for kind in ("leads", "contacts")
    )
    assert lead["id"] != contact["id"]
    assert (lead["color"], contact["color"]) == ("ff0000", None)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"filter[name]": "b"}, ["b"]),
        ({"filter[price][from]": 20}, ["b", "c"]),
        ({"filter[statuses][0][status_id]": 142, "filter[statuses][0][pipeline_id]": "main"}, ["c"]),
        ({"filter[custom_fields_values][city][]": "Казань"}, ["a"]),
    ],
    ids=["name", "price", "status", "field"],
)
def test_18_filters_work_only_as_a_paid_option(api, account, query, names):
    city = account.fields["leads"].named("Город").id
    api.add(
        "leads",
        name="a",
        price=10,
        custom_fields_values=[{"field_id": city, "values": [{"value": "Казань"}]}],
    )
    api.add("leads", name="b", price=20)
    api.add("leads", name="c", price=30, status_id=142)
    main = str(account.main_pipeline.id)
    asked = {k.replace("city", str(city)): str(v).replace("main", main) for k, v in query.items()}
    assert api.names("/leads", **asked) == ["a", "b", "c"]
    account.is_api_filter_enabled = True
    assert api.names("/leads", **asked) == names


@pytest.mark.parametrize("kind", ["contacts", "companies", "customers"])
def test_18_the_other_entities_filter_alike(api, account, kind):
    api.add(kind, name="a")
    api.add(kind, name="b")
    assert api.names(f"/{kind}", **{"filter[name]": "b"}) == ["a", "b"]
    account.is_api_filter_enabled = True
    assert api.names(f"/{kind}", **{"filter[name]": "b"}) == ["b"]


def phone(number: str) -> list[dict]:
    return [{"field_code": "PHONE", "values": [{"value": number, "enum_code": "WORK"}]}]


@pytest.mark.parametrize("query", ["9990001122", "+7 (999) 000-11-22", "0001122"])
def test_19_contacts_are_found_by_the_tail_of_a_phone(api, query):
    api.add("contacts", name="Иван", custom_fields_values=phone("+79990001122"))
    api.add("contacts", name="Пётр", custom_fields_values=phone("+79990003344"))
    assert api.names("/contacts", query=query) == ["Иван"]


@pytest.mark.parametrize(
    "kept", ["+7 999 000-11-22 доб. 5", "8 999 333-44-55, 8 999 000-11-22", "8 (999) 000-11-22 Анна"]
)
def test_19_a_phone_is_found_wherever_it_stands_in_its_text(api, kept):
    api.add("contacts", name="Иван", custom_fields_values=phone(kept))
    assert api.names("/contacts", query="9990001122") == ["Иван"]
    assert api.names("/contacts", query="0001122") == ["Иван"]
    assert api.names("/contacts", query="9990001123") == []


@pytest.mark.parametrize("query", ["qz-7f3a91c2", "QUIZ", "казань", "красная казань"])
def test_19_leads_are_found_by_any_text(api, account, query):
    city = account.fields["leads"].named("Город").id
    values = [{"field_id": city, "values": [{"value": "Казань, Красная 5"}]}]
    api.add("leads", name="Quiz #42 qz-7f3a91c2", custom_fields_values=values)
    api.add("leads", name="другая qz-7f3a91c3")
    assert api.names("/leads", query=query) == ["Quiz #42 qz-7f3a91c2"]


def test_19_a_number_is_found_as_a_word_too(api):
    api.add("leads", name="Заказ 1000234")
    assert api.names("/leads", query="1000234") == ["Заказ 1000234"]
    assert api.names("/leads", query="000234") == []


def test_19_the_index_is_late(amo, api):
    amo.switches["index_delay"] = 30
    number = api.add("leads", name="qz-1")
    assert api.get("/leads", query="qz-1").status == 204
    amo.clock.advance(30)
    assert api.names("/leads", query="qz-1") == ["qz-1"]
    api.patch(f"/leads/{number}", {"name": "qz-2"})
    assert api.get("/leads", query="qz-1").status == 204
    amo.clock.advance(30)
    assert api.names("/leads", query="qz-2") == ["qz-2"]


def test_20_leads_are_ordered_by_creation(amo, api):
    for moment in (5, 9, 7):
        api.add("leads", name=str(moment), created_at=1_700_000_000 + moment)
    assert api.names("/leads", **{"order[created_at]": "desc"}) == ["9", "7", "5"]
    assert api.names("/leads") == ["5", "9", "7"]


def test_20_next_may_name_another_host(amo, api):
    amo.switches["next_host"] = "shard152.amocrm.ru"
    api.post("/leads", [{"name": "a"}, {"name": "b"}])
    href = api.get("/leads", limit=1).value()["_links"]["next"]["href"]
    assert href.startswith("https://shard152.amocrm.ru/api/v4/leads?")
    assert api.call("GET", href).status == 401


INDEXES = [("[]", "[]"), ("[0]", "[1]"), ("[3]", "[7]")]


@pytest.mark.parametrize(("first", "second"), INDEXES, ids=["empty brackets", "by index", "with gaps"])
def test_11_an_array_is_an_array_whichever_way_it_is_written(api, account, first, second):
    account.is_api_filter_enabled = True
    ids = [api.add("leads", name=name) for name in "abc"]
    asked = urlencode([(f"filter[id]{first}", ids[0]), (f"filter[id]{second}", ids[2])])
    assert api.names(f"/leads?{asked}") == ["a", "c"]


def test_11_several_pairs_of_pipeline_and_step(api, account):
    account.is_api_filter_enabled = True
    main = account.main_pipeline
    for name, step in (("a", main.statuses[1].id), ("b", 142), ("c", 143)):
        api.add("leads", name=name, status_id=step)
    asked = {
        f"filter[statuses][{index}][{key}]": value
        for index, step in enumerate((142, 143))
        for key, value in (("pipeline_id", main.id), ("status_id", step))
    }
    assert api.names("/leads", **asked) == ["b", "c"]


def field_filter(field_id: int, value: object, index: str = "[]") -> dict[str, object]:
    return {f"filter[custom_fields_values][{field_id}]{index}": value}


def test_11_choices_are_asked_for_by_id_and_checkboxes_by_one_and_nought(api, account):
    account.is_api_filter_enabled = True
    fields = account.fields["leads"]
    choice, tick = fields.named("Тип ремонта"), next(one for one in fields if one.type == "checkbox")
    enum = choice.enums[0]
    api.add(
        "leads",
        name="a",
        custom_fields_values=[
            {"field_id": choice.id, "values": [{"enum_id": enum.id}]},
            {"field_id": tick.id, "values": [{"value": True}]},
        ],
    )
    api.add("leads", name="b")
    assert api.names("/leads", **field_filter(choice.id, enum.id)) == ["a"]
    assert api.get("/leads", **field_filter(choice.id, enum.value)).status == 204
    assert api.names("/leads", **field_filter(tick.id, 1)) == ["a"]
    assert api.names("/leads", **field_filter(tick.id, 0)) == ["b"]


@pytest.mark.parametrize(
    ("rule", "names"), [("all", ["a", "b"]), ("first", ["a"]), ("ignored", ["a", "b", "c"])]
)
def test_11_several_phones_in_one_filter_are_a_switch(amo, api, account, rule, names):
    account.is_api_filter_enabled, amo.switches["filter_multitext"] = True, rule
    numbers = {"a": "+79990001122", "b": "+79990003344", "c": "+79990005566"}
    for name, number in numbers.items():
        api.add("contacts", name=name, custom_fields_values=phone(number))
    field = next(one for one in account.fields["contacts"] if one.code == "PHONE").id
    asked = field_filter(field, numbers["a"], "[0]") | field_filter(field, numbers["b"], "[1]")
    assert api.names("/contacts", **asked) == names


@pytest.mark.parametrize("index", ["[]", "[0]", ""], ids=["empty brackets", "by index", "plain"])
def test_11_fields_tags_and_notes_have_filters_of_their_own(api, account, index):
    lead = api.add("leads", name="a")
    sms = {"text": "Скоро будем", "phone": "+79990001122"}
    notes = [{"note_type": "common", "params": {"text": "x"}}, {"note_type": "sms_out", "params": sms}]
    assert api.post(f"/leads/{lead}/notes", notes).status == 200
    for path in (f"/leads/{lead}/notes", "/leads/notes"):
        [found] = api.get(path, **{f"filter[note_type]{index}": "sms_out"}).value()["_embedded"]["notes"]
        assert found["params"] == sms

    kinds = api.get("/leads/custom_fields", **{f"filter[type]{index}": "date"})
    assert {field["type"] for field in kinds.value()["_embedded"]["custom_fields"]} == {"date"}

    made = api.post("/leads/tags", [{"name": "a"}, {"name": "b"}]).value()["_embedded"]["tags"]
    [tag] = api.get("/leads/tags", **{f"filter[id]{index}": made[1]["id"]}).value()["_embedded"]["tags"]
    assert tag["name"] == "b"


@pytest.mark.parametrize("kind", ["contacts", "companies", "customers"])
def test_11_other_entities_know_no_order_by_creation(api, kind):
    for moment in (9, 5):
        api.add(kind, name=str(moment), created_at=1_700_000_000 + moment)
    assert api.names(f"/{kind}", **{"order[created_at]": "asc"}) == ["9", "5"]
    assert api.names(f"/{kind}", **{"order[id]": "desc"}) == ["5", "9"]
