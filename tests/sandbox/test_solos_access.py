"""The checklist of the reference, 6: keys, styles of answers, faults, webhooks (1, 2, 17, 19, 23, 25)."""

from __future__ import annotations

from urllib.parse import parse_qs

import pytest
import requests

from connectors.sandbox.core import Dropped, TimedOut
from connectors.sandbox.server import Hub
from connectors.sandbox.solos import SolosSandbox
from tests.sandbox.solos_words import LEAD, NOW

EVERY_PATH = [
    ("GET", "/backend/public/projects"),
    ("POST", "/backend/public/projects/filter"),
    ("GET", "/backend/public/projects/info?id=1"),
    ("GET", "/backend/public/projects/payments?id=1"),
    ("POST", "/api/post/"),
    ("POST", "/api/get/"),
]


# -- 1. both headers everywhere -----------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "path"), EVERY_PATH)
@pytest.mark.parametrize("name", ["X-Crypto-Token", "X-Crypto-Secret"])
@pytest.mark.parametrize("value", [None, "wrong"])
@pytest.mark.parametrize("status", [401, 403])
def test_01_without_either_key_nothing_is_done(shop, sol, method, path, name, value, status):
    sol.switches["refusal"] = status
    headers = {**shop.headers, name: value}
    headers = {key: text for key, text in headers.items() if text is not None}
    reply = shop.call(
        method, path, {"module": "leads", "payload": LEAD} if method == "POST" else None, headers
    )
    assert reply.status == status
    assert "error" in reply.value()
    assert sol.ledger() == []


def test_01_another_accounts_keys_are_refused(shop, sol):
    other = sol.add_account("demo8")
    assert shop.call("GET", "/backend/public/projects", headers=other.headers).status == 401


# -- 2. two generations on one host ----------------------------------------------------------------------


def test_02_the_same_keys_open_both_generations(shop):
    assert shop.get("/projects").status == 200
    assert shop.read("calendar").status == 200
    assert shop.post("leads", LEAD).status == 200


@pytest.mark.parametrize("path", ["/projects", "/backend/projects", "/backend/public/projects/nonsense"])
def test_02_other_paths_are_not_there(shop, path):
    assert shop.call("GET", path).status == 404


def test_02_either_generation_can_be_closed(shop, sol):
    sol.switches["v2"] = "closed"
    assert (shop.get("/projects").status, shop.read("calendar").status) == (404, 200)
    sol.switches.update(v2="open", v1="closed")
    assert (shop.get("/projects").status, shop.read("calendar").status) == (200, 404)


# -- 17. styles of answers -------------------------------------------------------------------------------


def test_17_three_styles_and_numbers_as_strings(shop, sol):
    rows = shop.get("/projects").value()["payload"]
    sol.switches["answer_style"] = "data"
    assert shop.get("/projects").value()["data"] == rows
    sol.switches["answer_style"] = "bare"
    assert shop.get("/projects").value() == rows
    sol.switches["numbers"] = "strings"
    assert [row["id"] for row in shop.get("/projects").value()] == [str(row["id"]) for row in rows]


def test_17_rows_may_be_nested_and_references_objects(shop, sol):
    sol.switches.update(row_style="nested", references="objects")
    row = shop.get("/projects/info", id=1).value()["payload"]
    assert row["buildin_data"]["user_id"] == {"id": 1, "name": "Ирина Соколова"}
    assert row["buildin_data"]["step_id"] == {"id": 11, "name": "Новое обращение"}
    assert row["data"]["client_id"] == {"id": 1, "name": "ООО «Вектор»"}


@pytest.mark.parametrize(("key", "said"), [("error", str), ("errors", list), ("message", str)])
def test_17_the_key_of_an_error_is_a_switch(shop, sol, key, said):
    sol.switches["error_key"] = key
    assert isinstance(shop.get("/projects/info").value()[key], said)


# -- 19. what a create answers ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("style", "body"),
    [("payload", b'{"payload": {"id": 1}}'), ("id", b'{"id": 1}'), ("object", b"{}"), ("nothing", b"")],
)
def test_19_four_answers_to_a_create(shop, sol, style, body):
    sol.switches["create_style"] = style
    reply = shop.post("leads", LEAD)
    assert (reply.status, reply.body, len(sol.ledger())) == (200, body, 1)


# -- 23. faults ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "error", "made"),
    [
        ("reset", Dropped, 0),
        ("reset_after", Dropped, 1),
        ("timeout", TimedOut, 0),
        ("timeout_after", TimedOut, 1),
    ],
)
def test_23_a_connection_lost_before_or_after_the_work(shop, sol, action, error, made):
    sol.faults.add("/api/post", action)
    with pytest.raises(error):
        shop.post("leads", LEAD)
    assert len(sol.ledger()) == made


def test_23_a_proxy_answers_html_and_a_body_is_cut(shop, sol):
    sol.faults.add("/api/post", "answer_after", status=502)
    assert "text/html" in shop.post("leads", LEAD).headers["Content-Type"]
    sol.faults.add("/api/post", "truncate")
    with pytest.raises(ValueError, match=r"delimiter|Unterminated|Expecting"):
        shop.post("leads", LEAD).value()
    assert len(sol.ledger()) == 2


def test_23_keys_are_revoked_mid_way(shop, sol):
    assert shop.get("/projects").status == 200
    sol.revoke(shop.account)
    assert shop.get("/projects").status == 401
    shop.headers |= shop.account.headers
    assert shop.get("/projects").status == 200


def test_23_a_user_agent_may_be_demanded(shop, sol):
    sol.switches["needs_user_agent"] = True
    assert shop.get("/projects").status == 200
    shop.headers.pop("User-Agent")
    assert shop.get("/projects").status == 403


# -- 25. outgoing webhooks -------------------------------------------------------------------------------


def test_25_webhooks_are_forms_with_keys_of_ones_choice(sol):
    sent = []
    sol.courier = lambda *call: sent.append(call) or 200
    account = sol.add_account("demo7", hook_url="https://ours.example/hook")
    project = sol.act(account, "add_project")
    sol.switches["webhook_keys"] = {"event": "action", "id": "project"}
    sol.act(account, "move", project_id=project["id"], step_id=12)
    assert sol.pump() == 2
    (method, url, headers, body, _), second = sent
    assert (method, url) == ("POST", "https://ours.example/hook")
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert parse_qs(body.decode()) == {
        "event": ["projects.add"],
        "module": ["projects"],
        "id": [str(project["id"])],
        "created": ["2027-01-15 08:00:00"],
    }
    assert parse_qs(second[3].decode()) == {"action": ["projects.move"], "project": [str(project["id"])]}


def test_25_without_an_address_nothing_is_sent(shop, sol):
    shop.lead()
    assert sol.pump() == 0


# -- the framework ---------------------------------------------------------------------------------------


def test_the_keys_are_in_no_journal(shop, sol):
    shop.get("/projects")
    (entry,) = sol.journal
    assert shop.account.token not in str(entry.as_dict())
    assert shop.account.secret not in str(entry.as_dict())


def test_it_is_served_with_a_control_api_and_a_page():
    sol = SolosSandbox()
    hub = Hub([sol], port=0)
    thread = hub.start()
    account = hub.add_account(sol, "demo7")
    control = f"{hub.url(hub.control_port)}/_sandbox/solos"
    try:
        keys = requests.get(f"{control}/keys", timeout=5).json()
        headers = {"X-Crypto-Token": keys["token"], "X-Crypto-Secret": keys["secret"]}
        body = {"module": "leads", "payload": {**LEAD, "name": "<Анна>"}}
        url = hub.url(account.port)
        assert requests.post(f"{url}/api/post/", json=body, headers=headers, timeout=5).ok
        made = requests.post(f"{control}/convert", json={"lead_id": 1, "step_id": 12}, timeout=5).json()
        (row,) = requests.get(f"{control}/ledger", timeout=5).json()
        assert (row["project_id"], row["step"]) == (made["id"], "Замер")
        page = requests.get(url, timeout=5).text
        assert "&lt;Анна&gt;" in page
        assert "Проекты" in page
        assert requests.get(f"{url}/leads/1", timeout=5).ok
        assert requests.get(f"{url}/leads/2", timeout=5).status_code == 404
        assert requests.get(f"{control}/nonsense", timeout=5).status_code == 404
        assert requests.get(f"{control}/state", timeout=5).json()["counts"]["leads"] == 1
        assert requests.post(f"{control}/reset", json={}, timeout=5).ok
        assert sol.accounts == {}
    finally:
        hub.stop()
        thread.join(2)


def test_the_clock_stands_still(sol):
    assert sol.clock.unix() == NOW
