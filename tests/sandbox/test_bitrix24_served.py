"""The local Bitrix24 over HTTP: ports for names, the control API, the pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from connectors.sandbox.bitrix24 import BitrixSandbox
from connectors.sandbox.server import Hub

NASTY = '<script>alert("x")</script>'


class Served:
    def __init__(self, hub: Hub, b24: BitrixSandbox) -> None:
        self.hub, self.b24, self.session = hub, b24, requests.Session()
        self.portal = hub.add_account(b24, "demo7")
        self.url, self.www = hub.url(self.portal.port), hub.url(hub.www["bitrix24"])
        self.token = b24.issue_tokens(self.portal)["access_token"]

    def rest(self, method: str, **params: Any) -> requests.Response:
        body = {"auth": self.token, **params}
        return self.session.post(f"{self.url}/rest/{method}", json=body, allow_redirects=False, timeout=5)

    def control(self, path: str, body: dict[str, Any] | None = None) -> Any:
        url = f"{self.hub.url(self.hub.control_port)}/_sandbox/bitrix24/{path}"
        reply = (
            self.session.get(url, timeout=5) if body is None else self.session.post(url, json=body, timeout=5)
        )
        assert reply.status_code == 200, reply.text
        return reply.json()

    def exchange(self, **fields: str) -> Any:
        app = self.b24.app
        query = {"client_id": app.client_id, "client_secret": app.client_secret, **fields}
        return self.session.get(f"{self.www}/oauth/token/", params=query, timeout=5).json()


@pytest.fixture
def served() -> Iterator[Served]:
    b24 = BitrixSandbox(courier=lambda *_: 200)
    hub = Hub([b24], port=0)
    thread = hub.start()
    yield Served(hub, b24)
    hub.stop()
    thread.join(2)


def test_ports_stand_for_the_hosts(served):
    port, www = served.portal.port, urlsplit(served.www).netloc
    url = f"{served.url}/oauth/authorize/?client_id={served.b24.app.client_id}&state=s1"
    back = served.session.get(url, allow_redirects=False, timeout=5)
    query = {name: values[0] for name, values in parse_qs(urlsplit(back.headers["Location"]).query).items()}
    assert (query["domain"], query["server_domain"]) == (f"127.0.0.1:{port}", www)
    tokens = served.exchange(grant_type="authorization_code", code=query["code"])
    assert tokens["client_endpoint"] == f"http://127.0.0.1:{port}/rest/"
    assert (tokens["domain"], tokens["server_endpoint"]) == (www, f"http://{www}/rest/")
    asked = {"auth": tokens["access_token"]}
    info = served.session.get(tokens["server_endpoint"] + "app.info/", params=asked, timeout=5).json()
    assert info["result"]["install"]["client_endpoint"] == tokens["client_endpoint"]
    assert served.session.get(tokens["client_endpoint"] + "scope", params=asked, timeout=5).status_code == 200
    again = served.exchange(grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    assert again["member_id"] == tokens["member_id"]


def test_issued_tokens_name_the_ports(served):
    tokens = served.control("issue_tokens", {})
    assert tokens["client_endpoint"] == f"{served.url}/rest/"
    assert tokens["domain"] == urlsplit(served.www).netloc


def test_a_renamed_portal_moves_to_another_port(served):
    moved = served.control("rename", {"subdomain": "new"})
    assert moved["port"] != urlsplit(served.url).port
    reply = served.rest("scope")
    assert (reply.status_code, reply.headers["Location"]) == (
        302,
        f"http://127.0.0.1:{moved['port']}/rest/scope",
    )
    served.url = served.hub.url(moved["port"])
    assert served.rest("scope").status_code == 200


def test_the_control_api_knows_the_portal(served):
    state = served.control("state", {})
    assert state["pipelines"] == {"0": "Общая", "3": "Квизы"}
    served.control("change", {"set": {"plan": "free"}})
    assert served.rest("scope").status_code == 403
    served.control("change", {"set": {"plan": "paid", "mode": 2}})
    assert served.rest("crm.settings.mode.get").json()["result"] == 2
    served.control("integration", {"redirect_uri": "http://127.0.0.1:1/back"})
    assert served.b24.app.redirect_uri == "http://127.0.0.1:1/back"
    served.control("deactivate_user", {"user_id": 1})
    assert served.rest("scope").json()["error"] == "authorization_error"
    served.control("uninstall", {})
    assert served.rest("scope").json()["error"] == "ERROR_OAUTH"


def test_the_ledger_tells_who_wants_what(served):
    city, tags, kind = (served.portal.field(name) for name in ("Город", "Теги", "Тип ремонта"))
    contact = served.rest("crm.contact.add", fields={"NAME": "Ann", "PHONE": [{"VALUE": "+7999"}]}).json()[
        "result"
    ]
    company = served.rest("crm.company.add", fields={"TITLE": "Ромашка"}).json()["result"]
    fields = {"TITLE": "Квиз", "CATEGORY_ID": 3, "CONTACT_IDS": [contact], "COMPANY_ID": company}
    fields |= {
        city.name: "Казань",
        tags.name: ["горячий"],
        kind.name: kind.options[1].id,
        "COMMENTS": "Ответы",
    }
    deal = served.rest("crm.deal.add", fields={**fields, "UTM_SOURCE": "ads"}).json()["result"]
    comment = {"ENTITY_TYPE": "deal", "ENTITY_ID": deal, "COMMENT": "ещё"}
    assert served.rest("crm.timeline.comment.add", fields=comment).json()["result"] == 1
    assert served.rest("crm.timeline.comment.add", fields={**comment, "COMMENT": ""}).status_code == 400
    [row] = served.control("ledger")
    assert (row["kind"], row["name"], row["pipeline"], row["step"]) == (
        "deal",
        "Квиз",
        "Квизы",
        "Новая заявка",
    )
    assert (row["contact"]["name"], row["contact"]["PHONE"], row["company"]["name"]) == (
        "Ann",
        "+7999",
        "Ромашка",
    )
    assert (row["tags"], row["notes"], row["utm"]) == (["горячий"], ["Ответы", "ещё"], {"UTM_SOURCE": "ads"})
    assert row["fields"] == {"Город": "Казань", "Теги": ["горячий"], "Тип ремонта": "Капитальный"}


def test_the_pages_escape_what_came_from_outside(served):
    deal = served.rest("crm.deal.add", fields={"TITLE": NASTY, "COMMENTS": NASTY}).json()["result"]
    control = served.hub.url(served.hub.control_port)
    for url in (f"{control}/bitrix24", f"{served.url}/", f"{served.url}/crm/deal/details/{deal}/"):
        page = requests.get(url, timeout=5)
        assert page.status_code == 200
        assert page.text.count("&lt;script&gt;") == 2
        assert "<script" not in page.text
    assert requests.get(f"{served.url}/crm/deal/details/999/", timeout=5).status_code == 404


def test_secrets_stay_out_of_the_journal(served):
    served.rest("scope")
    served.exchange(grant_type="refresh_token", refresh_token="a-secret-refresh-token")
    text = str(served.control("journal"))
    assert served.token not in text
    assert served.b24.app.client_secret not in text
    assert "a-secret-refresh-token" not in text
