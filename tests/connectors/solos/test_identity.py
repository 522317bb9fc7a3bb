"""Whose account is it, and which of the two APIs are open."""

from __future__ import annotations

import pytest

from connectors.errors import NeedsReconnect, Refused, TryLater
from connectors.hosts import HostNotAllowed
from connectors.registry import host_policy
from connectors.solos.options import SolosOptions


def test_an_account_is_its_address(keeper):
    identity = keeper.connector.identify()
    assert (identity.remote_id, identity.host, identity.subdomain) == (
        "demo7.solos.pro",
        "demo7.solos.pro",
        "demo7",
    )
    assert identity.facts["api"] == "v2"
    assert len(keeper.box.journal) == 1
    assert keeper.box.journal[0].query["count"] == "1"


def test_the_form_of_the_first_answer_is_kept(keeper):
    keeper.learn()
    (row,) = keeper.facts["shapes"]["v2"]["payload"]
    assert (row["id"], row["contract_number"]) == ("number", "text")
    keeper.box.switches["answer_style"] = "bare"
    keeper.learn()
    assert "payload" in keeper.facts["shapes"]["v2"]
    assert "Д-1" not in str(keeper.facts)


@pytest.mark.parametrize("answer", [{}, {"status": 403}, {"status": 400}, {"status": 200, "body": "<html>"}])
def test_with_projects_closed_the_calendar_proves_the_keys(keeper, answer):
    if answer:
        keeper.box.faults.add("/backend", times=None, **answer)
    else:
        keeper.box.switches["v2"] = "closed"
    keeper.learn()
    assert keeper.facts["api"] == "v1"
    assert [problem.code for problem in keeper.connector.check()] == ["v1_only"]


@pytest.mark.parametrize("status", [401, 403])
def test_wrong_keys_are_told(keeper, status):
    keeper.box.switches["refusal"] = status
    keeper.box.revoke(keeper.account)
    for ask in (keeper.connector.identify, keeper.connector.check):
        with pytest.raises(NeedsReconnect, match="refuses the token and the secret"):
            ask()


def test_an_address_without_any_api(keeper):
    keeper.box.switches.update(v2="closed", v1="closed")
    with pytest.raises(TryLater, match="no such API"):
        keeper.connector.identify()


def test_a_refusal_of_both_is_the_first_ones(keeper):
    body = '{"error": "the tariff has no API"}'
    keeper.box.faults.add("", times=None, status=400, body=body, content_type="application/json")
    with pytest.raises(Refused, match="tariff"):
        keeper.connector.identify()


def test_a_crm_that_is_down_proves_nothing(keeper, monkeypatch):
    monkeypatch.setattr("connectors.http.QUICK_REPEATS", ())
    keeper.box.faults.add("/backend", times=None, status=502)
    with pytest.raises(TryLater):
        keeper.connector.identify()


def test_keys_go_to_solos_and_to_named_hosts_only():
    hosts = host_policy(SolosOptions(self_hosted=("crm.windows.example",)), frozenset())
    assert hosts.base_url("demo7.solos.pro") == "https://demo7.solos.pro"
    assert hosts.base_url("crm.windows.example") == "https://crm.windows.example"
    for host in ("www.solos.pro", "a.b.solos.pro", "demo7.solos.pro.example", "solos.pro", "127.0.0.1:8171"):
        with pytest.raises(HostNotAllowed):
            hosts.base_url(host)
