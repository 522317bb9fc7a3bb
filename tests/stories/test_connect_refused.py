"""Connections that do not come about, each with a clear answer and nothing left half done."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from accounts import oauth
from accounts.models import Account, ConnectAttempt, Token
from tests.stories.returning import back_to_us

pytestmark = pytest.mark.django_db


def test_an_address_works_once(returned):
    assert back_to_us(returned).status_code == 200
    again = back_to_us(returned)
    assert again.status_code == 400
    assert "only once" in again.json()


def test_a_state_that_is_missing_forged_or_unknown_is_refused(returned, amo):
    state = dict(parse_qsl(urlsplit(returned).query))["state"]
    forged = state[:-6] + "AAAAAA"
    said = [back_to_us(returned, state=given).json() for given in ("", forged, "%%%", "0" * 10_000, "я\x00")]
    assert "no state" in said[0]
    assert all("not issued by us" in text for text in said[1:])

    ConnectAttempt.objects.all().delete()
    assert "no longer know" in back_to_us(returned).json()
    assert not amo.journal.find("POST", "access_token")


def test_an_old_address_has_expired(returned):
    ConnectAttempt.objects.update(expires_at=timezone.now())
    answer = back_to_us(returned)
    assert answer.status_code == 400
    assert "too long ago" in answer.json()


def test_an_old_signature_has_expired_too(returned, settings):
    settings.CONNECT_TTL = -settings.CONNECT_TTL
    assert "too long ago" in back_to_us(returned).json()


def test_the_secret_never_goes_to_a_strangers_host(returned, amo):
    for referer in ("evil.example", "flowers.amocrm.ru.evil.example", "user@flowers.amocrm.ru", "127.0.0.1"):
        ConnectAttempt.objects.update(used_at=None)
        answer = back_to_us(returned, referer=referer)
        assert answer.status_code == 400
        assert Account.objects.get().state == "connecting"
    assert not amo.journal.find("POST", "access_token")


def test_denied_consent_connects_nothing(amo, caller, flower_shop):
    link = caller().post("/account").json()["link"]
    answer = back_to_us(amo.consent(link, flower_shop, allow=False))
    assert answer.status_code == 400
    assert "not granted" in answer.json()
    assert ConnectAttempt.objects.get().outcome == "denied"
    assert caller().get("/account").status_code == 404


def test_missing_parameters_are_named(returned):
    answer = back_to_us(returned, code="")
    assert answer.status_code == 400
    assert "code" in answer.json()


def test_an_expired_code_says_start_again(returned, amo):
    amo.clock.advance(21 * 60)
    answer = back_to_us(returned)
    assert answer.status_code == 400
    assert "expired" in answer.json()
    assert "expired" in ConnectAttempt.objects.get().outcome


def test_a_used_code_says_start_again(returned, amo, caller, flower_shop):
    code = dict(parse_qsl(urlsplit(returned).query))["code"]
    back_to_us(returned)
    fresh = amo.consent(caller().post("/account").json()["link"], flower_shop)
    answer = back_to_us(fresh, code=code)
    assert answer.status_code == 400
    assert "used already" in answer.json()
    assert Account.objects.get().state == "active"


def test_a_busy_amocrm_leaves_the_address_good(returned, amo):
    amo.faults.add("access_token", status=503)
    busy = back_to_us(returned)
    assert busy.status_code == 400
    assert "Reload this page" in busy.json()
    assert back_to_us(returned).json() == "Success"


def test_nothing_is_stored_when_amocrm_falls_silent_after_the_exchange(returned, amo, caller):
    amo.faults.add("/api/v4/account", action="timeout")
    answer = back_to_us(returned)
    assert answer.status_code == 400
    assert "Connect" in answer.json()
    assert not Token.objects.exists()
    assert Account.objects.get().state == "connecting"
    assert ConnectAttempt.objects.get().outcome == "lost"


def test_our_own_wrong_secret_is_the_operators_business(returned, amo, caplog):
    amo.integration.client_secret = "another"
    answer = back_to_us(returned)
    assert answer.status_code == 400
    assert "operator" in answer.json()
    assert "another" not in answer.content.decode()
    assert any(record.levelname == "ERROR" for record in caplog.records)


def test_an_account_deleted_meanwhile_is_not_revived(returned, caller, amo):
    caller().delete("/account")
    answer = back_to_us(returned)
    assert answer.status_code == 400
    assert "disconnected" in answer.json()
    assert not amo.journal.find("POST", "access_token")


def test_an_account_deleted_during_the_exchange_is_not_revived_either(returned, caller, monkeypatch):
    identify = oauth._identify

    def slow(*what):
        caller().delete("/account")
        return identify(*what)

    monkeypatch.setattr(oauth, "_identify", slow)
    assert "disconnected" in back_to_us(returned).json()
    assert not Token.objects.exists()
    assert Account.objects.get().deleted


@pytest.mark.parametrize("body", ["[]", "{}", "null", '"?"', "", "<html>"])
def test_an_answer_of_amocrm_that_makes_no_sense_connects_nothing(returned, amo, body):
    amo.faults.add("/api/v4/account", status=200, body=body, content_type="application/json")
    assert back_to_us(returned).status_code == 400
    assert not Token.objects.exists()


def test_a_notice_of_a_widgets_installation_is_dropped(db):
    answer = Client().get("/webhook/create", {"from_widget": "1", "code": "x", "referer": "a.amocrm.ru"})
    assert (answer.status_code, answer.json()) == (200, "Success")


def test_a_head_request_uses_nothing_up(returned):
    parts = urlsplit(returned)
    assert Client().head(f"{parts.path}?{parts.query}").status_code == 200
    assert back_to_us(returned).json() == "Success"


@pytest.mark.parametrize(
    "query",
    [
        "state=%00&code=%00",
        "state=%ff%fe&referer=%ff",
        "state=" + "A" * 10_000,
        "state=a&state=b&code=1&code=2",
        "&".join(f"p{i}=1" for i in range(2000)),
        "%00=%00",
    ],
)
@pytest.mark.parametrize("path", ["/webhook/create", "/webhook/delete"])
def test_nothing_that_is_sent_is_answered_with_500(db, path, query):
    for accept in ("*/*", "text/html"):
        answer = Client(raise_request_exception=True).get(f"{path}?{query}", headers={"Accept": accept})
        assert 400 <= answer.status_code < 500


# -- what a browser sees ---------------------------------------------------------------------------


def read(returned: str, **changed: str) -> tuple[int, str]:
    browser = Client(headers={"Accept": "text/html", "Accept-Language": "ru"})
    answer = back_to_us(returned, browser, **changed)
    return answer.status_code, answer.content.decode()


def test_our_own_words_are_in_the_readers_language_and_not_the_crms(returned, amo):
    amo.faults.add("/api/v4/account", status=403)
    status, page = read(returned)
    assert (status, "amoCRM заблокировала запросы" in page, "Ответ CRM" in page) == (400, True, False)


def test_a_browser_that_comes_back_while_the_database_is_away_may_be_reloaded(returned, monkeypatch):
    def away(query):
        raise OperationalError

    with monkeypatch.context() as patched:
        patched.setattr("accounts.consent.claim", away)
        status, page = read(returned)
        assert (status, "Обновите эту страницу" in page) == (503, True)
        assert back_to_us(returned).json().startswith("The database is out of reach")
    assert read(returned)[0] == 200
