"""Bitrix24's cached lists over HTTP: exact properties, enums, empty lists, pages."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.models import Account
from crm_cache import models

pytestmark = pytest.mark.django_db
MEMBER = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
LISTS = ("users", "pipelines", "steps", "fields")


@pytest.fixture
def api(caller: Any) -> Client:
    return caller("shop")


@pytest.fixture
def portal(connected: Any) -> Account:
    return connected(
        "shop", crm="bitrix24", remote_id=MEMBER, host="dentist.bitrix24.ru", subdomain="dentist"
    )


def first(api: Client, what: str) -> tuple[int, dict[str, Any]]:
    body = api.get(f"/bitrix/{what}").json()
    return body["count"], body["items"][0]


def add_field(account: Account, number: int, **columns: Any) -> models.Field:
    facts = {"entity": "CRM_DEAL", "name": "Город", "type": "string", "code": f"UF_CRM_{number}"} | columns
    return models.Field.objects.create(account=account, remote_id=str(number), **facts)


def test_a_user_has_what_the_portal_says_and_nothing_is_null(portal: Account, api: Client) -> None:
    said = {
        "NAME": "Мария",
        "LAST_NAME": "Волкова",
        "SECOND_NAME": "Олеговна",
        "TITLE": None,
        "UF_DEPARTMENT": [1, "5", "x", None, 2**40],
        "WORK_POSITION": "Менеджер",
    }
    row = models.CrmUser.objects.create(
        account=portal, remote_id="7", name="Мария Волкова", email="m@b.c", details=said
    )
    count, shown = first(api, "users")
    assert count == 1
    assert list(shown.items()) == [
        ("id", row.pk),
        ("accountID", MEMBER),
        ("bitrixUserID", "7"),
        ("name", "Мария"),
        ("lastName", "Волкова"),
        ("secondName", "Олеговна"),
        ("title", ""),
        ("email", "m@b.c"),
        ("uf_department", [1, 5]),
        ("workPosition", "Менеджер"),
        ("deleted", False),
        ("createdAt", f"{row.created_at:%Y-%m-%dT%H:%M:%SZ}"),
    ]


@pytest.mark.parametrize(
    "said", [{}, {"NAME": None, "UF_DEPARTMENT": False}, {"NAME": {"a": 1}, "TITLE": True}]
)
def test_a_user_of_whom_little_is_said_is_whole(portal: Account, api: Client, said: Any) -> None:
    models.CrmUser.objects.create(account=portal, remote_id="7", name="7", details=said)
    _, shown = first(api, "users")
    assert (shown["name"], shown["title"], shown["uf_department"]) == ("", "", [])


def test_a_pipeline_and_a_step_have_their_numbers(portal: Account, api: Client) -> None:
    line = models.Pipeline.objects.create(account=portal, remote_id="0", entity="2", name="Общая")
    step = models.Step.objects.create(
        account=portal,
        pipeline_id="3",
        remote_id="C3:NEW",
        entity="DEAL_STAGE_3",
        name="Новая",
        color="#39A8EF",
        details={"ID": "101", "NAME_INIT": "Новая заявка"},
    )
    _, shown = first(api, "pipelines")
    assert list(shown.items()) == [
        ("ID", line.pk),
        ("bitrixID", 0),
        ("accountID", MEMBER),
        ("name", "Общая"),
        ("entityTypeId", 2),
        ("deleted", False),
        ("createdAt", int(line.created_at.timestamp())),
    ]
    _, shown = first(api, "steps")
    assert list(shown.items()) == [
        ("ID", step.pk),
        ("accountID", MEMBER),
        ("bitrixID", "101"),
        ("entityID", "DEAL_STAGE_3"),
        ("statusID", "C3:NEW"),
        ("name", "Новая"),
        ("nameInit", "Новая заявка"),
        ("color", "#39A8EF"),
        ("pipelineID", 3),
        ("deleted", False),
        ("createdAt", int(step.created_at.timestamp())),
    ]


def test_steps_are_all_entries_of_all_directories(portal: Account, api: Client) -> None:
    for entity in ("STATUS", "SOURCE", "DEAL_TYPE", "HONORIFIC"):
        models.Step.objects.create(account=portal, remote_id="NEW", entity=entity)
    body = api.get("/bitrix/steps").json()
    assert [(item["entityID"], item["pipelineID"]) for item in body["items"]] == [
        ("STATUS", 0),
        ("SOURCE", 0),
        ("DEAL_TYPE", 0),
        ("HONORIFIC", 0),
    ]


def test_a_field_has_its_id_as_text_and_its_name_for_requests(portal: Account, api: Client) -> None:
    row = add_field(portal, 581, type="date")
    _, shown = first(api, "fields")
    assert list(shown.items()) == [
        ("ID", row.pk),
        ("accountID", MEMBER),
        ("bitrixID", "581"),
        ("entityID", "CRM_DEAL"),
        ("fieldName", "UF_CRM_581"),
        ("editFromLabel", "Город"),
        ("fieldType", "datetime"),
        ("deleted", False),
        ("createdAt", int(row.created_at.timestamp())),
    ]


def test_what_no_enum_has_a_word_for_is_left_out_and_not_counted(portal: Account, api: Client) -> None:
    add_field(portal, 1, type="resourcebooking")
    add_field(portal, 2, entity="CRM_DYNAMIC_128")
    add_field(portal, 3, type="crm_pena_tag")
    models.Pipeline.objects.create(account=portal, remote_id="9", entity="128")
    models.Pipeline.objects.create(account=portal, remote_id="7", entity="31")

    body = api.get("/bitrix/fields?size=1&page=1").json()
    assert (body["count"], [item["bitrixID"] for item in body["items"]]) == (1, ["3"])
    body = api.get("/bitrix/pipelines").json()
    assert (body["count"], [item["bitrixID"] for item in body["items"]]) == (1, [7])


def test_an_empty_list_is_404_where_the_contract_says_so(portal: Account, api: Client) -> None:
    add_field(portal, 1, type="resourcebooking")  # nothing of it can be shown
    said = {what: api.get(f"/bitrix/{what}") for what in LISTS}
    assert {what: answer.status_code for what, answer in said.items()} == {
        "users": 200,
        "pipelines": 404,
        "steps": 404,
        "fields": 404,
    }
    assert said["users"].json() == {"count": 0, "items": []}
    assert said["steps"].json() == "No steps found"


def test_a_page_past_the_end_is_empty_and_no_404(portal: Account, api: Client) -> None:
    add_field(portal, 1)
    assert api.get("/bitrix/fields?page=2").json() == {"count": 1, "items": []}


@pytest.mark.parametrize(
    "page", ["page=x", "page=-1", "size=x", "page=0&size=0", "size=-5", "page=1.5", "page="]
)
def test_a_bad_page_is_the_first_one(portal: Account, api: Client, page: str) -> None:
    add_field(portal, 1)
    assert api.get(f"/bitrix/fields?{page}").json()["count"] == 1
    assert len(api.get(f"/bitrix/fields?{page}").json()["items"]) == 1


def test_who_left_is_not_offered(portal: Account, api: Client) -> None:
    models.CrmUser.objects.create(account=portal, remote_id="1", active=False)
    assert api.get("/bitrix/users").json()["count"] == 0


def test_details_cost_no_query_a_row(
    portal: Account, api: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(30):
        models.CrmUser.objects.create(account=portal, remote_id=str(number), details={"NAME": "Анна"})
        models.Step.objects.create(account=portal, remote_id=str(number), entity="SOURCE")
    for what in ("users", "steps"):
        with django_assert_max_num_queries(5):
            assert len(api.get(f"/bitrix/{what}?size=30").json()["items"]) == 30


@pytest.mark.parametrize("what", LISTS)
def test_a_refresh_is_queued_and_needs_an_account(portal: Account, caller: Any, what: str) -> None:
    assert caller("shop").patch(f"/bitrix/{what}").json() == "Success"
    assert caller("nobody").patch(f"/bitrix/{what}").status_code == 404
    assert models.SyncRun.objects.get().what == what


def test_an_amocrm_account_does_not_show_under_bitrix(connected: Any, api: Client) -> None:
    models.Field.objects.create(account=connected("shop"), remote_id="1", entity="CRM_DEAL", type="string")
    assert api.get("/bitrix/fields").status_code == 404
