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
from connectors.sandbox.tls import server_context

ROOT = Path(__file__).parents[2]


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


def test_with_a_certificate_the_same_port_speaks_tls(tmp_path, hub, http):
    hub.tls = server_context(tmp_path, ["127.0.0.1", "*.amocrm.ru"])
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
