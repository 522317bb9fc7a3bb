"""The HTTP door: ports, host names, the control API, the pages, TLS, the commands."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from connectors.sandbox.amocrm import AmoSandbox
from connectors.sandbox.server import Hub
from connectors.sandbox.tls import server_context

ROOT = Path(__file__).parents[2]


class Http:
    """A client of the hub: the control API and one account."""

    def __init__(self, hub: Hub) -> None:
        self.hub, self.session = hub, requests.Session()
        self.amo = hub.sandboxes["amocrm"]
        self.account = hub.add_account(self.amo, "demo7")
        self.url = hub.url(self.account.port)
        self.token = self.amo.issue_tokens(self.account)["access_token"]

    def control(self, path: str, body: dict | None = None) -> requests.Response:
        url = f"{self.hub.url(self.hub.control_port)}/_sandbox/amocrm/{path}"
        return (
            self.session.get(url, timeout=5) if body is None else self.session.post(url, json=body, timeout=5)
        )

    def call(self, method: str, path: str, json: object = None, **headers: str) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token}", **headers}
        return self.session.request(
            method, self.url + "/api/v4" + path, json=json, headers=headers, timeout=5
        )


@pytest.fixture
def http(hub: Hub) -> Http:
    return Http(hub)


def test_an_account_answers_on_its_port_and_names_itself_by_it(http):
    reply = http.call("GET", "/account")
    assert reply.status_code == 200
    assert reply.json()["_links"]["self"]["href"] == f"{http.url}/api/v4/account"
    assert reply.headers["X-Request-Id"]


def test_a_vendor_name_is_understood_on_any_port(http):
    other = http.hub.add_account(http.amo, "other")
    reply = http.call("GET", "/account", Host=other.host)
    assert reply.status_code == 401
    http.token = http.amo.issue_tokens(other)["access_token"]
    body = http.call("GET", "/account", Host=other.host).json()
    assert body["subdomain"] == "other"
    assert body["_links"]["self"]["href"] == "http://other.amocrm.ru/api/v4/account"


def test_the_consent_refers_to_the_port_of_the_account(http):
    ours = http.amo.integration
    www = http.hub.url(http.hub.www["amocrm"])
    page = http.session.get(f"{www}/oauth?client_id={ours.client_id}&state=s1", timeout=5)
    assert "demo7.amocrm.ru" in page.text
    form = {"client_id": ours.client_id, "state": "s1", "account": "demo7", "decision": "allow"}
    reply = http.session.post(f"{www}/oauth", data=form, allow_redirects=False, timeout=5)
    query = parse_qs(urlsplit(reply.headers["Location"]).query)
    assert query["referer"] == [f"127.0.0.1:{http.account.port}"]
    body = {"client_id": ours.client_id, "client_secret": ours.client_secret, "code": query["code"][0]}
    body |= {"grant_type": "authorization_code", "redirect_uri": ours.redirect_uri}
    tokens = http.session.post(f"http://{query['referer'][0]}/oauth2/access_token", json=body, timeout=5)
    assert tokens.status_code == 200
    lookup = http.session.get(
        f"{www}/oauth2/account/current/subdomain",
        headers={"X-Refresh-Token": tokens.json()["refresh_token"]},
        timeout=5,
    )
    assert lookup.json()["domain"] == query["referer"][0]


def test_an_empty_answer_keeps_the_connection(http):
    assert http.call("GET", "/leads").status_code == 204
    assert http.call("POST", "/leads", [{"name": "x"}]).status_code == 200
    assert len(http.session.adapters["http://"].poolmanager.pools) == 1


def test_a_reset_reaches_the_client_as_a_reset(http):
    http.control("faults", {"path": "/leads", "action": "reset_after"})
    with pytest.raises(requests.ConnectionError):
        http.call("POST", "/leads", [{"name": "x"}])
    assert len(http.account.leads) == 1


def test_a_timeout_reaches_the_client_as_a_timeout(http):
    http.control("faults", {"path": "/account", "action": "timeout"})
    with pytest.raises(requests.ReadTimeout):
        http.session.get(http.url + "/api/v4/account", timeout=0.05)


def test_a_slow_body_arrives_whole(http):
    http.control("faults", {"path": "/account", "action": "slow", "delay": 0.02})
    assert http.call("GET", "/account").json()["subdomain"] == "demo7"


def test_requests_overlap(http):
    """All wait at once: the barrier opens only when every one of them has arrived."""
    barrier = threading.Barrier(4, timeout=5)
    http.amo.clock.sleep = lambda seconds: barrier.wait() if seconds else None
    http.control("switches", {"latency": 0.3})
    results = []

    def ask() -> None:
        headers = {"Authorization": f"Bearer {http.token}"}
        results.append(requests.get(http.url + "/api/v4/account", headers=headers, timeout=5).status_code)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert results == [200] * 4


# -- control ------------------------------------------------------------------------------------------


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
    step, field = int(list(steps)[2]), int(next(iter(state["fields"]["leads"])))
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


# -- pages --------------------------------------------------------------------------------------------

NASTY = '<script>alert("x")</script>'


def test_the_pages_escape_what_came_from_outside(http):
    body = [{"name": NASTY, "_embedded": {"tags": [{"name": NASTY}], "contacts": [{"name": NASTY}]}}]
    lead = http.call("POST", "/leads/complex", body).json()[0]["id"]
    http.call("POST", f"/leads/{lead}/notes", [{"note_type": "common", "params": {"text": NASTY}}])
    control = http.hub.url(http.hub.control_port)
    for url in (f"{control}/amocrm", f"{http.url}/", f"{http.url}/leads/detail/{lead}"):
        page = requests.get(url, timeout=5)
        assert page.status_code == 200
        assert str(lead) in page.text
        assert page.text.count("&lt;script&gt;") == 4
        assert "<script" not in page.text


def test_the_consent_page_escapes_the_state(http):
    www, ours = http.hub.url(http.hub.www["amocrm"]), http.amo.integration
    page = requests.get(
        f"{www}/oauth", params={"client_id": ours.client_id, "state": f'">{NASTY}'}, timeout=5
    )
    assert "<script" not in page.text


def test_the_index_lists_the_sandboxes(http):
    page = requests.get(http.hub.url(http.hub.control_port), timeout=5).text
    assert "amoCRM" in page
    assert http.url in page


# -- TLS and commands ---------------------------------------------------------------------------------


def test_with_a_certificate_the_same_port_speaks_tls(tmp_path, hub):
    hub.tls = server_context(tmp_path, ["127.0.0.1", "*.amocrm.ru"])
    http = Http(hub)
    url = f"https://127.0.0.1:{http.account.port}/api/v4/account"
    headers = {"Authorization": f"Bearer {http.token}"}
    reply = requests.get(url, headers=headers, verify=str(tmp_path / "ca.pem"), timeout=5)
    assert reply.json()["_links"]["self"]["href"] == url
    assert http.call("GET", "/account").status_code == 200
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(url, headers=headers, timeout=5)


def test_the_sandboxes_run_without_django_until_sigterm():
    command = [sys.executable, "-m", "connectors.sandbox", "--port", "0", "--seed", "2"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        lines = [process.stdout.readline() for _ in range(2)]
        address = lines[0].split(": ", 1)[1].strip()
        rows = requests.get(f"{address}/_sandbox", timeout=5).json()
        amo = next(row for row in rows if row["kind"] == "amocrm")
        assert [name for name, _ in amo["accounts"]] == ["demo7.amocrm.ru", "demo8.amocrm.ru"]
        assert requests.get(f"{address}/_sandbox/amocrm/switches", timeout=5).json()["limits"] is True
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0
        process.stdout.close()


COMMAND = """
import django
from django.conf import settings
from django.core.management import call_command
settings.configure(INSTALLED_APPS=["connectors"], **{})
django.setup()
call_command("run_sandbox", port=0, seed=0)
"""


def start_command(**values: bool) -> subprocess.Popen[str]:
    code = COMMAND.replace("{}", repr(values))
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, **pipes)


def test_the_command_refuses_without_the_setting():
    process = start_command()
    _, complaint = process.communicate(timeout=10)
    assert process.returncode != 0
    assert "The setting SANDBOX is off" in complaint


def test_the_command_serves_with_the_setting():
    process = start_command(SANDBOX=True)
    try:
        assert process.stdout.readline().startswith("sandboxes: http://127.0.0.1:")
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=10)
    assert process.returncode == 0


def test_a_sandbox_knows_no_other_part_of_the_project():
    """Neither Django nor our own connectors: written from the vendor's documentation only."""
    command = "import sys, connectors.sandbox.serve, connectors.sandbox.amocrm; print(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", command], cwd=ROOT, capture_output=True, text=True, check=True
    )
    ours = {name for name in run.stdout.split() if name.startswith("connectors.")}
    assert all(name.startswith("connectors.sandbox") for name in ours)
    assert "django" not in run.stdout.split()
    assert AmoSandbox.kind == "amocrm"
