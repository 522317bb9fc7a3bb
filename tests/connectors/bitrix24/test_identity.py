"""Whose portal it is, whether it is fit, and what a delivery learns of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.bitrix24.portal import read_identity
from connectors.errors import NeedsReconnect, TryLater
from connectors.limiter import NoRateLimiter
from tests.connectors.bitrix24.dentist import connect


def test_a_portal_says_who_it_is(dentist):
    identity = dentist.connector.identify()
    assert identity.remote_id == dentist.portal.member_id
    assert (identity.host, identity.subdomain) == ("demo7.bitrix24.ru", "")
    assert (identity.user_id, identity.user_name) == (str(dentist.portal.admin.id), "Анна Смирнова")
    assert identity.user_role == "admin"
    assert identity.facts["mode"] == 1
    assert identity.facts["lang"] == "ru"
    assert identity.facts["offset"] == "+03:00"


def test_the_vendor_is_asked_and_not_the_portal_alone(dentist):
    dentist.box.journal.clear()
    dentist.connector.identify()
    assert [entry.host for entry in dentist.box.journal][-1].startswith("oauth.bitrix")


def test_a_token_of_another_portal_is_found_out(dentist, bitrix, options):
    other = connect(bitrix, bitrix.add_portal("other"), options)
    dentist.store.tokens = other.store.tokens
    with pytest.raises(NeedsReconnect):
        dentist.connector.identify()


def test_a_member_id_that_changed_is_found_out(dentist):
    dentist.portal.member_id = "f" * 32
    remote = dentist.connector
    dentist.portal.member_id = "0" * 32
    with pytest.raises(NeedsReconnect) as caught:
        remote.identify()
    assert caught.value.code == "foreign_token"


def test_a_token_that_the_vendor_places_elsewhere_is_found_out(dentist):
    remote = dentist.connector.remote
    elsewhere = {"member_id": remote.remote_id, "client_endpoint": "https://other.bitrix24.ru/rest/"}
    with pytest.raises(NeedsReconnect):
        read_identity({}, elsewhere, remote)


def test_a_silent_vendor_is_waited_for(dentist):
    dentist.box.faults.add("/rest/app.info/", host="oauth", status=502)
    with pytest.raises(TryLater):
        dentist.connector.identify()


def test_an_old_token_is_renewed_on_the_way(dentist):
    dentist.box.expire(dentist.portal)
    assert dentist.connector.identify().remote_id == dentist.portal.member_id
    assert dentist.store.renewals == 1


# -- is it fit? ---------------------------------------------------------------------------------------------


def codes(found) -> list[str]:
    return [problem.code for problem in found.connector.check()]


def test_a_fit_portal_has_no_problems(dentist):
    assert codes(dentist) == []


def test_a_managers_connection_is_told(bitrix, options):
    portal = bitrix.add_portal("second")
    manager = connect(bitrix, portal, options, next(u for u in portal.users.values() if u.name == "Игорь"))
    manager.prepare()
    assert codes(manager) == ["not_admin", "no_tag_field", "no_tracking_field"]


def test_missing_scopes_are_told(bitrix, options):
    portal = bitrix.add_portal("second")
    narrow = connect(bitrix, portal, options)
    portal.installed[bitrix.app.client_id].scopes = ("user_brief",)
    assert "no_scope" in codes(narrow)


class Held(NoRateLimiter):
    def held(self, what: str) -> float:
        return 60.0 if what == "crm.deal.add" else 0.0


def test_a_budget_that_is_nearly_used_up_is_told(dentist):
    dentist.limiter = Held()
    (problem,) = dentist.connector.check()
    assert (problem.code, "crm.deal.add" in problem.message) == ("operating_limit", True)


# -- a portal under a domain of its own ---------------------------------------------------------------------


def test_only_a_portal_that_is_allowed_by_name_is_vetted(dentist, options, monkeypatch):
    vetted: list[str] = []
    monkeypatch.setattr("connectors.base.vet", vetted.append)
    dentist.connector.http_client()
    dentist.options = replace(options, self_hosted=(dentist.portal.host,))
    dentist.connector.http_client()
    assert vetted == ["https://demo7.bitrix24.ru"]
