"""amoCRM's lists, read from the local amoCRM page by page."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.amocrm import lists
from connectors.base import FieldWish
from connectors.draft import Target
from connectors.errors import Refused, Stopped, TryLater, Unclear
from tests.connectors.amocrm.shop import connect


def rows(shop, what: str) -> list[Any]:
    return [row for page in shop.connector.fetch(what) for row in page]


@pytest.fixture
def plain_user(amo, options, sign_in):
    """A shop whose connection was made by somebody who is no administrator."""
    account = amo.add_account("demo8")
    return connect(amo, account, options, sign_in, next(u for u in account.users.values() if not u.is_admin))


# -- the account -----------------------------------------------------------------------------------


def test_the_account_says_who_it_is(shop):
    identity = shop.connector.identify()
    assert (identity.remote_id, identity.subdomain) == (str(shop.account.id), "demo7")
    assert (identity.host, identity.country) == ("demo7.amocrm.ru", "RU")
    assert (identity.user_name, identity.user_email) == ("Анна Смирнова", "anna@demo.example")
    assert identity.facts["timezone"] == "Europe/Moscow"
    assert identity.facts["customers_mode"] == "segments"
    assert identity.facts["is_admin"] is True


def test_a_plain_user_is_known_by_id_alone(plain_user):
    identity = plain_user.connector.identify()
    assert identity.user_id
    assert (identity.user_name, identity.facts["is_admin"]) == ("", False)


def test_preparing_twice_makes_one_mark_field(shop):
    first = shop.connector.prepare()["mark_field"]
    assert shop.connector.prepare()["mark_field"] == first
    marks = [f for f in shop.account.fields["leads"] if f.code == "QUIZ_UID"]
    assert [(str(f.id), f.type, f.is_api_only) for f in marks] == [(first, "text", True)]


def test_the_statistics_fields_are_learned(shop):
    del shop.account.fields["leads"].by_code["FBCLID"]
    gone = next(f.id for f in shop.account.fields["leads"] if f.code == "FBCLID")
    shop.account.fields["leads"].remove(gone)
    codes = shop.connector.prepare()["tracking_codes"]
    assert "UTM_SOURCE" in codes
    assert "FBCLID" not in codes


def test_without_rights_there_is_no_mark_field_and_a_problem_says_so(plain_user):
    assert "mark_field" not in plain_user.connector.prepare()
    codes = [problem.code for problem in plain_user.connector.check()]
    assert codes == ["not_admin", "no_mark_field"]


def test_an_administrator_with_a_mark_field_has_no_problems(shop):
    assert shop.connector.check() == ()


# -- the lists -------------------------------------------------------------------------------------


def test_users_are_listed_with_those_who_left(shop):
    found = {row.name: row for row in rows(shop, "users")}
    assert found["Анна Смирнова"].role == "admin"
    assert (found["Игорь Кузнецов"].role, found["Игорь Кузнецов"].group_id) == ("Менеджер", "0")
    assert [row.active for row in found.values()] == [True, True, True, False]


def test_users_of_a_plain_connection_are_an_error_and_not_an_empty_list(plain_user):
    with pytest.raises(Refused, match="administrator") as caught:
        rows(plain_user, "users")
    assert caught.value.remedy


def test_pipelines_and_their_steps(shop):
    pipelines = rows(shop, "pipelines")
    assert [(p.name, p.is_main) for p in pipelines] == [("Воронка", True), ("Квизы", False)]
    steps = [step for step in rows(shop, "steps") if step.pipeline_id == pipelines[1].remote_id]
    assert [step.kind for step in steps] == ["incoming", "open", "open", "open", "open", "won", "lost"]
    assert steps[-2].remote_id == "142"
    assert steps[1].color == "#99ccff"


def test_won_and_lost_exist_in_every_pipeline(shop):
    won = [step for step in rows(shop, "steps") if step.kind == "won"]
    assert len({step.pipeline_id for step in won}) == 2
    assert {step.remote_id for step in won} == {"142"}


def test_fields_of_all_four_entities(shop):
    found = rows(shop, "fields")
    assert {row.entity for row in found} == {"leads", "contacts", "companies", "customers"}
    size = next(row for row in found if row.entity == "leads" and row.name == "Тип ремонта")
    assert (size.type, size.options[0].text) == ("select", "Косметический")
    phones = [row for row in found if row.code == "PHONE"]
    assert len({row.remote_id for row in phones}) == 1
    assert [row.entity for row in phones] == ["contacts", "companies"]
    assert all("_links" not in row.details for row in found)


def test_every_page_is_read_even_where_the_server_caps_them(shop, amo):
    amo.switches["fields_page_cap"] = 7
    expected = sum(len(list(fields)) for fields in shop.account.fields.values())
    assert len(rows(shop, "fields")) == expected


def test_the_address_of_the_next_page_is_not_followed(shop, amo, mocked):
    amo.switches["fields_page_cap"] = 7
    amo.switches["next_host"] = "shard152.evil.example"
    rows(shop, "fields")
    assert all("evil" not in str(call.request.url) for call in mocked.calls)


def test_tags_of_each_entity_are_their_own(shop):
    found = [(row.entity, row.name) for row in rows(shop, "tags")]
    assert ("leads", "квиз") in found
    assert ("contacts", "квиз") in found
    assert len({row.remote_id for row in rows(shop, "tags") if row.name == "квиз"}) == 2


@pytest.mark.parametrize("mode", ["disabled", "unavailable"])
def test_customers_are_skipped_where_they_are_off(shop, mode):
    shop.account.customers_mode = mode
    assert {row.entity for row in rows(shop, "fields")} == {"leads", "contacts", "companies"}
    assert "customers" not in {row.entity for row in rows(shop, "tags")}


def test_an_empty_list_is_empty(shop):
    for tags in shop.account.tags.values():
        tags.by_id.clear()
        tags.by_name.clear()
    assert rows(shop, "tags") == []


def test_a_row_that_shifted_between_pages_comes_once():
    pages = [([1, 2], "more"), ([2, 3], "more"), ([], None)]

    class Shifting:
        def call(self, method: str, path: str, params: dict[str, Any]) -> dict[str, Any]:
            numbers, more = pages[params["page"] - 1]
            rows = [{"id": number} for number in numbers]
            return {"_links": {"next": {"href": more}}, "_embedded": {"tags": rows}}

    walked = list(lists.walk(Shifting(), "/api/v4/leads/tags", "tags"))
    assert [row["id"] for page in walked for row in page] == [1, 2, 3]


def test_a_failing_page_fails_the_walk(shop, amo):
    amo.switches["fields_page_cap"] = 7
    amo.faults.add("custom_fields", nth=3, status=502)
    with pytest.raises(TryLater):
        rows(shop, "fields")


def test_a_block_stops_the_account(shop, amo):
    signs: list[str] = []
    connector = shop.connector
    connector.limiter.stop = signs.append  # type: ignore[method-assign]
    shop.account.blocked = True
    with pytest.raises(Stopped):
        list(connector.fetch("users"))
    assert len(signs) == 1


# -- new fields ------------------------------------------------------------------------------------

WISHES = (
    FieldWish("leads", "Какой стиль?", "select", ("Лофт", "Сканди", "Лофт", "")),
    FieldWish("leads", "Сколько комнат?", "number"),
    FieldWish("contacts", "Когда звонить?", "date"),
    FieldWish("leads", "Пожелания", "something new"),
    FieldWish("leads", "Пустой список", "multiselect"),
)


def test_wished_fields_are_made_with_the_type_of_their_question(shop):
    made = shop.connector.create_fields(WISHES, [])
    assert [target.type for target in made] == ["select", "numeric", "date", "textarea", "text"]
    assert [option.text for option in made[0].options] == ["Лофт", "Сканди"]
    assert shop.account.fields["contacts"].named("Когда звонить?").id == int(made[2].remote_id)


def test_wishing_twice_makes_no_second_field(shop):
    first = shop.connector.create_fields(WISHES, [])
    assert shop.connector.create_fields(WISHES, []) == first
    assert shop.connector.create_fields(WISHES, first) == first
    assert len(shop.sent("POST /api/v4/leads/custom_fields")) == 1


def test_what_is_known_needs_no_request(shop):
    known = Target("leads", "7", "  какой  СТИЛЬ? ", "select")
    shop.connector.create_fields(WISHES[:1], [known])
    assert len(shop.amo.journal) == 0


def test_the_same_wish_twice_in_one_call_is_one_field(shop):
    one, other = shop.connector.create_fields([WISHES[1], WISHES[1]], [])
    assert one == other


def test_many_wishes_go_in_portions(shop):
    wishes = [FieldWish("leads", f"Вопрос № {number}") for number in range(60)]
    assert len({target.remote_id for target in shop.connector.create_fields(wishes, [])}) == 60
    assert [len(body) for body in shop.sent("POST /api/v4/leads/custom_fields")] == [50, 10]


def test_a_lost_answer_to_a_wish_doubles_nothing(shop, amo):
    amo.faults.add("custom_fields", "reset_after", method="POST")
    with pytest.raises(Unclear):
        shop.connector.create_fields(WISHES[:1], [])
    shop.connector.create_fields(WISHES[:1], [])
    names = [field.name for field in shop.account.fields["leads"]]
    assert names.count("Какой стиль?") == 1


def test_making_fields_needs_an_administrator(plain_user):
    with pytest.raises(Refused):
        plain_user.connector.create_fields(WISHES[:1], [])
