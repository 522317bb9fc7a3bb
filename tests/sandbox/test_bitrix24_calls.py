"""Reference section 9, lines 12 to 19 and 44: calling methods, refusals, limits."""

from __future__ import annotations

import json

import pytest

from tests.sandbox.bitrix_words import FORM, JSON, Bitrix


def other_client(b24, portal, address):
    token = b24.issue_tokens(portal)["access_token"]
    headers = {**JSON, "X-Forwarded-For": address}
    body = json.dumps({"auth": token})
    return lambda: b24.handle("POST", f"https://{portal.host}/rest/scope", headers, body).status


def test_12_a_renamed_portal_answers_302(b24, portal, bx):
    old = bx.url("crm.deal.add")
    b24.rename(portal, "new-acme")
    body = json.dumps({"auth": bx.token, "fields": {"TITLE": "x"}})
    moved = b24.handle("POST", old, JSON, body)
    assert (moved.status, moved.headers["Location"]) == (
        302,
        "https://new-acme.bitrix24.ru/rest/crm.deal.add",
    )
    assert moved.text.startswith("<html>")
    blind = b24.handle("GET", moved.headers["Location"])
    assert (blind.status, blind.value()["error"]) == (401, "NO_AUTH_FOUND")
    assert b24.handle("POST", moved.headers["Location"], JSON, body).status == 200
    assert b24.issue_tokens(portal)["client_endpoint"] == "https://new-acme.bitrix24.ru/rest/"


def test_13_where_the_token_may_be(b24, bx):
    url, token = bx.url("scope"), bx.token
    bearer = {"Authorization": f"Bearer {token}"}
    replies = [
        b24.handle("POST", url, JSON, json.dumps({"auth": token})),
        b24.handle("POST", url, JSON, json.dumps({"access_token": token})),
        b24.handle("POST", url, FORM, f"auth={token}"),
        b24.handle("GET", f"{url}?auth={token}"),
        b24.handle("GET", f"{url}?access_token={token}"),
        b24.handle("POST", f"{url}?auth=wrong", bearer, b""),
    ]
    assert [reply.status for reply in replies] == [200] * 6
    none = b24.handle("POST", url, JSON, b"{}")
    assert (none.status, none.value()["error"]) == (401, "NO_AUTH_FOUND")
    wrong = b24.handle("GET", f"{url}?auth=wrong")
    assert (wrong.status, wrong.value()["error"]) == (401, "invalid_token")


def test_13_an_incoming_webhook(b24, portal, bx):
    hook = portal.add_webhook()
    assert b24.handle("GET", bx.url(f"{hook}/scope.json")).value()["result"] == ["crm", "user"]
    wrong = b24.handle("GET", bx.url("1/guess/scope"))
    assert (wrong.status, wrong.value()["error"]) == (403, "INVALID_CREDENTIALS")
    context = b24.handle("GET", bx.url(f"{hook}/app.info"))
    assert (context.status, context.value()["error"]) == (403, "ACCESS_DENIED")


def test_14_broken_json_counts_as_empty(b24, bx):
    reply = b24.handle("POST", bx.url("scope"), JSON, '{"auth": "' + bx.token)
    assert (reply.status, reply.value()["error"]) == (401, "NO_AUTH_FOUND")


def test_14_forms_are_read_as_php_reads_them(b24, bx, portal):
    body = f"auth={bx.token}&fields[NAME]=Ann&fields[PHONE][0][VALUE]=%2B7999&fields[PHONE][][VALUE]=8800"
    number = b24.handle("POST", bx.url("crm.contact.add"), FORM, body).value()["result"]
    assert portal.contacts[number].communications("PHONE") == ["+7999", "8800"]


def test_14_the_body_overrides_the_query(b24, bx, portal):
    body = json.dumps({"auth": bx.token, "entityTypeId": 2})
    reply = b24.handle("POST", bx.url("crm.category.list") + "?entityTypeId=1&auth=wrong", JSON, body)
    assert reply.status == 200


def test_15_method_names_in_any_case(bx):
    for name in ("crm.deal.List.json", "CRM.DEAL.LIST", "crm.deal.list", "crm.Deal.list.xml"):
        assert bx.ok(name) == []
    assert bx.refused("crm.deal.nope") == (404, "ERROR_METHOD_NOT_FOUND")
    for name in ("tasks.task.add", "crm.activity.add", "CRM.Product.list"):  # not here, says the local one
        assert bx.refused(name) == (501, "NOT_IMPLEMENTED")
    found = bx.ok("method.get", name="crm.deal.list"), bx.ok("method.get", name="nope")
    assert [one["isExisting"] for one in found] == [True, False]


def test_16_each_reason_to_be_refused(b24, portal, bx):
    portal.plan = "free"
    plan = bx.call("scope")
    assert (plan.status, plan.value()["error"]) == (403, "ACCESS_DENIED")
    assert "commercial plans" in plan.value()["error_description"]
    portal.plan = "paid"
    portal.hidden_from.add(portal.admin.id)
    assert bx.refused("scope") == (403, "user_access_error")
    portal.hidden_from.clear()
    portal.admin.active = False
    assert bx.refused("scope") == (401, "authorization_error")
    b24.expire(portal)
    assert bx.refused("scope") == (401, "expired_token")
    b24.revoke(portal)
    assert bx.refused("scope") == (401, "invalid_token")


def test_16_a_missing_scope(b24, portal, bx):
    portal.installed[b24.app.client_id].scopes = ("user_brief",)
    assert bx.refused("crm.deal.list") == (403, "insufficient_scope")
    b24.switches["statuses"] = "core"
    assert bx.refused("crm.deal.list") == (401, "insufficient_scope")
    assert "EMAIL" not in bx.ok("user.get")[0]


def test_16_plain_http_is_refused(b24, bx):
    reply = b24.handle("POST", bx.url("scope").replace("https", "http"), JSON, json.dumps({"auth": bx.token}))
    assert (reply.status, reply.value()["error"]) == (400, "INVALID_REQUEST")


def test_17_every_success_has_its_time(b24, portal, bx):
    base = {"start", "finish", "duration", "processing", "date_start", "date_finish"}
    assert bx.body("crm.deal.list")["time"].keys() == base | {"operating", "operating_reset_at"}
    portal.profile = "box"
    assert bx.body("crm.deal.list")["time"].keys() == base
    portal.profile = "cloud"
    b24.switches["operating_fields"] = False
    assert bx.body("scope")["time"].keys() == base


@pytest.mark.parametrize(("profile", "capacity", "drain"), [("cloud", 50, 2), ("enterprise", 250, 5)])
def test_18_the_bucket_of_a_portal_and_an_address(b24, portal, bx, profile, capacity, drain):
    b24.switches["limits"], portal.profile = True, profile
    ask, elsewhere = other_client(b24, portal, "10.0.0.1"), other_client(b24, portal, "10.0.0.2")
    other = b24.add_portal("other")
    assert [ask() for _ in range(capacity)] == [200] * capacity
    assert (ask(), elsewhere()) == (503, 200)
    assert other_client(b24, other, "10.0.0.1")() == 200
    b24.clock.advance(1)
    assert [ask() for _ in range(drain + 1)] == [200] * drain + [503]


def test_18_the_refusal_is_query_limit_exceeded(b24, bx):
    b24.switches.update({"limits": True, "bucket": 1})
    bx.ok("scope")
    assert bx.refused("scope") == (503, "QUERY_LIMIT_EXCEEDED")


def test_19_the_operating_budget_of_a_method(b24, portal, bx):
    b24.switches.update({"limits": True, "operating_limit": 480.0, "bucket": 1000})
    b24.switches["costs"] = {"crm.deal.list": 200.0, "crm.lead.list": 0.1}
    times = [bx.body("crm.deal.list")["time"] for _ in range(3)]
    assert [time["operating"] for time in times] == [200, 400, 600]  # the crossing call finishes
    assert bx.refused("crm.deal.list") == (429, "OPERATION_TIME_LIMIT")
    assert bx.ok("crm.contact.list") == []
    assert bx.body("crm.lead.list")["time"]["operating"] == 0
    b24.clock.set(times[-1]["operating_reset_at"])
    bx.token = b24.issue_tokens(portal)["access_token"]
    assert bx.body("crm.deal.list")["time"]["operating"] == 200


def test_19_the_budget_goes_in_minutes_and_by_app(b24, portal, bx):
    b24.switches.update({"limits": True, "costs": {"scope": 240.0}})
    bx.ok("scope")
    b24.clock.advance(120)
    bx.ok("scope")
    assert bx.refused("scope")[0] == 429
    hook = Bitrix(b24, portal, "")
    assert b24.handle("GET", hook.url(f"{portal.add_webhook()}/scope")).status == 200
    b24.clock.advance(480)
    assert bx.body("scope")["time"]["operating"] == 480


def test_44_deleted_and_overloaded_portals(b24, portal, bx):
    portal.deleted = True
    assert bx.refused("scope") == (500, "PORTAL_DELETED")
    b24.switches["status_of"] = {"PORTAL_DELETED": 403}
    assert bx.refused("scope") == (403, "PORTAL_DELETED")
    portal.deleted, portal.overloaded = False, True
    assert bx.refused("scope") == (503, "OVERLOAD_LIMIT")
    b24.switches["statuses"] = "core"
    assert bx.refused("scope") == (401, "OVERLOAD_LIMIT")
