"""A florist connects Envybox with a key, reads its lists and makes a rule."""

from __future__ import annotations

import json
import logging

import pytest
from django.test import Client

from accounts.models import Account, Token
from tests.stories.conftest import QUIZ


def test_a_key_connects_at_once(newcomer, queued):
    answer = newcomer.connect()
    account = newcomer.account
    assert answer.status_code == 200
    assert answer.json() == newcomer.api.get("/envybox/account").json()
    shown = answer.json()
    assert (shown["envyboxID"], shown["subdomain"], shown["stale"]) == ("1", "florist", False)
    assert (account.state, account.facts["user_id"]) == ("active", "501")
    assert ("crm_cache.tasks.sync_account", [account.pk]) in [(name, args) for name, args, *_ in queued]


def test_the_key_is_seen_nowhere(newcomer, caplog):
    caplog.set_level(logging.DEBUG, "accounts")
    shown = [newcomer.connect().content.decode(), newcomer.api.get("/envybox/account").content.decode()]
    token = Token.objects.get()
    assert token.access == newcomer.envy.key
    shown += [repr(token), *map(repr, map(vars, caplog.records)), json.dumps(newcomer.account.facts)]
    assert not any(newcomer.envy.key in text for text in shown)


@pytest.mark.parametrize(
    ("changed", "field", "words"),
    [
        ({"api_key": "wrong"}, "api_key", "does not accept the key"),
        ({"api_key": ""}, "api_key", "blank"),
        ({"api_key": "ключ"}, "api_key", "no key"),
        ({"base_url": "https://evil.example"}, "base_url", "not an address"),
        ({"base_url": "florist.envycrm.com.evil.ru"}, "base_url", "not an address"),
        ({"base_url": "https://nobody.envycrm.com"}, "base_url", "does not answer"),
    ],
)
def test_what_does_not_connect_says_why_and_stores_nothing(newcomer, changed, field, words):
    answer = newcomer.connect(**changed)
    assert answer.status_code == 400
    assert field in answer.json()
    assert words in answer.json()
    assert (Account.objects.count(), Token.objects.count()) == (0, 0)
    assert newcomer.api.get("/envybox/account").status_code == 404


@pytest.mark.parametrize("action", ["timeout", "truncate", "answer"])
def test_a_silent_envybox_connects_nothing(newcomer, action):
    newcomer.box.faults.add("/main/data", action, times=None, status=502)
    answer = newcomer.connect()
    assert (answer.status_code, Account.objects.count()) == (400, 0)
    assert "does not answer" in answer.json()


def test_a_refused_key_leaves_the_connected_account_as_it_was(newcomer):
    newcomer.connect()
    assert newcomer.connect(api_key="wrong").status_code == 400
    assert newcomer.account.state == "active"
    assert Token.objects.get().access == newcomer.envy.key


def test_disconnecting_erases_the_key(newcomer):
    newcomer.connect()
    assert newcomer.api.delete("/envybox/account").json() == "Success"
    assert Token.objects.count() == 0
    assert newcomer.api.get("/envybox/account").status_code == 404
    assert newcomer.connect().status_code == 200


@pytest.mark.parametrize("path", ["/envybox/account", "/envybox/users", f"/envybox/rules/{QUIZ}"])
def test_nobody_without_a_token(path, db):
    assert Client().get(path).status_code == 401


def test_the_lists(florist):
    def names(what):
        answer = florist.api.get(f"/envybox/{what}").json()
        assert answer["count"] == len(answer["items"])
        return {row["name"] for row in answer["items"]}

    assert names("users") == {"Администратор", "Ольга Смирнова", "Пётр Иванов", "Анна Ли"}
    assert names("pipelines") == {"Продажи", "Квизы", "Сервис", "Заявки"}
    assert {"Дозвон", "Форма на сайте"} <= names("steps")
    assert {"Бюджет", "Стиль", "Город"} <= names("fields")
    assert florist.api.patch("/envybox/users").json() == "Success"


def test_a_rule_is_shown_as_it_was_made(florist):
    rule = florist.shown_rule()
    assert (rule["LeadFlag"], rule["QueueMode"], rule["Problems"]) == (False, False, [])
    assert rule["PipelineID"] == florist.place()["PipelineID"]
    assert florist.save_rule().status_code == 409
    assert florist.change_rule(QueueMode=True).json() == "Success"
    assert (florist.shown_rule()["LeadFlag"], florist.shown_rule()["QueueMode"]) == (False, True)


def test_a_rule_without_anything_leaves_leads(newcomer):
    newcomer.connect()
    newcomer.sync()
    made = newcomer.api.post(f"/envybox/rules/{QUIZ}", {}, content_type="application/json")
    assert (made.json(), newcomer.shown_rule()["LeadFlag"]) == ("Success", True)


def test_a_rule_names_what_is_not_there(florist):
    florist.change_rule(StepID="999", SourceID="998", FieldsRule={"deal": {"QuestionID": {"1": "997"}}})
    codes = {problem["code"] for problem in florist.shown_rule()["Problems"]}
    assert codes == {"step_gone", "entry_gone", "field_gone"}


def test_the_preview_says_what_would_be_sent(florist):
    body = {"answer": {"contact": {"name": "Анна", "phone": "+79991112233"}}}
    plan = florist.api.post(f"/envybox/rules/{QUIZ}/preview", body, content_type="application/json").json()
    paths = [request["url"].split("/openapi/v1/")[1] for request in plan["requests"]]
    assert paths == ["lead/set/", "lead/get/", "lead/start/", "deal/get/", "deal/updateDealStage/"]
    assert florist.envy.key not in json.dumps(plan)
    assert len(florist.box.journal) == 0
