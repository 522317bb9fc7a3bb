"""The control API: what tests, the demo and people do to a served sandbox."""

from __future__ import annotations

import pytest
import requests


def test_control_sets_switches_all_or_none(http):
    assert http.control("switches", {"limits": True, "rate_body": "json"}).json()["limits"] is True
    refused = http.control("switches", {"limits": False, "nope": 1})
    assert refused.status_code == 404
    assert http.control("switches").json()["limits"] is True
    assert http.control("switches", {"rate_body": "xml"}).status_code == 400


def test_control_moves_the_clock(http):
    before = http.control("clock").json()["now"]
    http.control("clock", {"advance": 86400})
    assert http.control("clock").json()["now"] >= before + 86400
    assert http.call("GET", "/account").status_code == 401
    frozen = http.control("clock", {"set": 1_800_000_000, "freeze": True}).json()
    assert frozen["frozen"]
    assert frozen["now"] == pytest.approx(1_800_000_000, abs=1)


def test_control_adds_lists_and_clears_faults(http):
    fault = http.control("faults", {"path": "/account", "status": 502, "times": None}).json()
    assert http.call("GET", "/account").status_code == 502
    assert http.control("faults").json()["faults"][0]["hits"] == 1
    http.control("faults/clear", {"id": fault["id"]})
    assert http.call("GET", "/account").status_code == 200
    assert http.control("faults", {"action": "explode"}).status_code == 400
    assert http.control("faults", {"colour": "red"}).status_code == 400


def test_control_shows_and_clears_the_journal(http):
    http.call("POST", "/leads", [{"name": "x"}])
    journal = http.control("journal?path=leads").json()
    assert journal["counts"] == {"POST /api/v4/leads": 1}
    assert journal["entries"][0]["body"] == '[{"name": "x"}]'
    http.control("journal/clear", {})
    assert http.control("journal").json()["total"] == 0


def test_control_adds_many_accounts_with_ports(http):
    made = http.control("accounts", {"count": 30}).json()
    assert len({row["port"] for row in made}) == len({row["subdomain"] for row in made}) == 30
    assert requests.get(made[-1]["url"] + "/api/v4/account", timeout=5).status_code == 401
    assert http.control("accounts", {"subdomain": "demo7"}).status_code == 400


def test_control_resets_and_seeds_on_known_ports(http):
    port = http.account.port
    http.call("POST", "/leads", [{"name": "x"}])
    http.control("reset", {"accounts": ["demo7"]})
    assert http.control("ledger").json() == []
    assert http.control("state").json()["port"] == port
    assert http.call("GET", "/account").status_code == 401
    token = http.control("issue_tokens", {"account": "demo7"}).json()["access_token"]
    http.token = token
    assert http.call("GET", "/account").status_code == 200


def test_control_plays_the_person_in_the_account(http):
    state = http.control("state").json()
    pipeline, steps = next(iter(state["pipelines"].items()))
    step, field = int(list(steps)[2]), state["fields"]["leads"][0]["id"]
    user = int(list(state["users"])[1])
    lead = http.call("POST", "/leads", [{"status_id": step}]).json()["_embedded"]["leads"][0]["id"]
    for operation, arguments in (
        ("deactivate_user", {"user_id": user}),
        ("delete_field", {"field_id": field}),
        ("delete_step", {"pipeline_id": int(pipeline), "step_id": step}),
    ):
        assert http.control(operation, {"account": "demo7", **arguments}).json() == {"ok": True}
    assert http.account.leads[lead]["status_id"] == int(list(steps)[1])
    for item in ({"responsible_user_id": user}, {"status_id": step}):
        assert http.call("POST", "/leads", [item]).status_code == 400
    assert http.control("delete_lead", {"lead_id": lead}).json() == {"ok": True}
    assert http.call("GET", f"/leads/{lead}").status_code == 204


def test_control_expires_revokes_and_uninstalls(http):
    http.control("expire", {"account": "demo7"})
    assert http.call("GET", "/account").status_code == 401
    assert http.control("revoke", {"account": http.account.id}).json() == {"revoked": 1}
    assert http.control("uninstall", {}).json() == {"hook_status": None}


def test_control_renames_to_another_port(http):
    old = http.account.port
    moved = http.control("rename", {"account": "demo7", "subdomain": "newname"}).json()
    assert (moved["subdomain"], moved["port"] != old) == ("newname", True)
    assert http.call("GET", "/account").status_code == 401
    http.url = http.hub.url(moved["port"])
    assert http.call("GET", "/account").json()["subdomain"] == "newname"


@pytest.mark.parametrize("path", ["nope", "deactivate_user?account=nobody", "accounts/1"])
def test_control_knows_what_it_does_not_know(http, path):
    reply = http.control(path, {})
    assert reply.status_code == 404
    assert reply.json()["error"]


def test_control_switches_duplicate_control_on(http):
    http.control("dup_control", {"account": "demo7", "statuses": [[http.account.main_pipeline.id, 142]]})
    assert http.account.dup_control.enabled
    assert http.account.dup_control.statuses == {(http.account.main_pipeline.id, 142)}


def test_control_changes_the_integration(http):
    assert http.control("integration", {"redirect_uri": "http://127.0.0.1:9/back"}).status_code == 200
    assert http.amo.integration.redirect_uri == "http://127.0.0.1:9/back"
    shown = http.control("integration", {}).json()
    assert "client_secret" not in shown
    assert http.control("integration", {"colour": "red"}).status_code == 404
