"""A window company connects solOS with its two keys, reads its lists and makes a rule."""

from __future__ import annotations

import json
import logging

import pytest
from django.test import Client

from accounts.models import Account, Token
from crm_cache.models import Step
from tests.stories.conftest import QUIZ


def test_a_pair_of_keys_connects_at_once(stranger, queued):
    answer = stranger.connect()
    assert answer.status_code == 200
    assert answer.json() == stranger.api.get("/solos/account").json()
    shown, account = answer.json(), stranger.account
    assert (shown["solosID"], shown["subdomain"]) == ("demo7.solos.pro", "demo7")
    assert (shown["stale"], shown["readsProjects"]) == (False, True)
    assert (account.state, account.facts["api"]) == ("active", "v2")
    assert ("crm_cache.tasks.sync_account", [account.pk]) in [(name, args) for name, args, *_ in queued]


def test_the_keys_are_seen_nowhere(stranger, caplog):
    caplog.set_level(logging.DEBUG, "accounts")
    shown = [stranger.connect().content.decode(), stranger.api.get("/solos/account").content.decode()]
    token, secrets = Token.objects.get(), (stranger.keeper.token, stranger.keeper.secret)
    assert (token.access, token.refresh) == secrets
    shown += [repr(token), *map(repr, map(vars, caplog.records)), json.dumps(stranger.account.facts)]
    assert not any(secret in text for secret in secrets for text in shown)


@pytest.mark.parametrize(
    ("changed", "field", "words"),
    [
        ({"secret": "wrong"}, "secret", "refuses the token and the secret"),
        ({"token": "wrong"}, "token", "refuses the token and the secret"),
        ({"secret": ""}, "secret", "blank"),
        ({"token": "ключ"}, "token", "no key"),
        ({"base_url": "https://evil.example"}, "base_url", "not an address"),
        ({"base_url": "https://demo7.solos.pro.evil.example"}, "base_url", "not an address"),
        ({"base_url": "https://nobody.solos.pro"}, "base_url", "does not answer"),
    ],
)
def test_what_does_not_connect_says_why_and_stores_nothing(stranger, changed, field, words):
    answer = stranger.connect(**changed)
    assert answer.status_code == 400
    assert field in answer.json()
    assert words in answer.json()
    assert (Account.objects.count(), Token.objects.count()) == (0, 0)
    assert stranger.api.get("/solos/account").status_code == 404


@pytest.mark.parametrize("action", ["timeout", "truncate", "answer"])
def test_a_silent_solos_connects_nothing(stranger, action):
    stranger.box.faults.add("", action, times=None, status=502)
    answer = stranger.connect()
    assert (answer.status_code, Account.objects.count()) == (400, 0)
    assert "does not answer" in answer.json()


def test_refused_keys_leave_the_connected_account_as_it_was(stranger):
    stranger.connect()
    assert stranger.connect(secret="wrong").status_code == 400
    assert stranger.account.state == "active"
    assert Token.objects.get().refresh == stranger.keeper.secret


def test_with_projects_closed_it_is_connected_for_leads(stranger):
    stranger.box.switches["v2"] = "closed"
    assert stranger.connect().json()["readsProjects"] is False
    assert stranger.account.state == "active"


def test_disconnecting_erases_the_keys(stranger):
    stranger.connect()
    assert stranger.api.delete("/solos/account").json() == "Success"
    assert Token.objects.count() == 0
    assert stranger.api.get("/solos/account").status_code == 404
    assert stranger.connect().status_code == 200


@pytest.mark.parametrize("path", ["/solos/account", "/solos/users", f"/solos/rules/{QUIZ}"])
def test_nobody_without_a_token(path, db):
    assert Client().get(path).status_code == 401


def test_the_lists(windows):
    def rows(what):
        answer = windows.api.get(f"/solos/{what}").json()
        assert answer["count"] == len(answer["items"])
        return answer["items"]

    assert [row["name"] for row in rows("pipelines")] == ["Funnel 1", "Funnel 3"]
    assert {row["solosID"] for row in rows("users")} == {"1", "2", "3", "7"}
    assert {row["type"] for row in rows("fields")} == {"reference", "date", "string"}
    assert rows("steps")[0]["pipelineID"] == "1"
    assert windows.api.patch("/solos/users").json() == "Success"
    assert windows.api.get("/solos/tags").status_code == 404


def test_what_staff_wrote_is_told_as_such(windows):
    Step.objects.filter(remote_id="15").update(name="Закрыто", kind="won", by_hand=True)
    steps = {row["solosID"]: row for row in windows.api.get("/solos/steps").json()["items"]}
    assert (steps["15"]["name"], steps["15"]["kind"], steps["15"]["byHand"]) == ("Закрыто", "won", True)
    assert (steps["11"]["kind"], steps["11"]["byHand"]) == ("open", False)


def test_a_rule_is_shown_as_it_was_made(windows):
    rule = windows.shown_rule()
    assert (rule["PerformerID"], rule["SourceID"], rule["PipelineID"], rule["Problems"]) == ("2", "4", "", [])
    assert windows.save_rule().status_code == 409
    assert windows.change_rule(PipelineID="1", StepID="12", TagsToAdd={"lead": ["окна"]}).json() == "Success"
    rule = windows.shown_rule()
    assert (rule["SourceID"], rule["StepID"], rule["TagsToAdd"]) == ("4", "12", {"lead": ["окна"]})


@pytest.mark.parametrize(
    "body", [{"SourceID": "сайт"}, {"SourceID": "-1"}, {"FieldsRule": []}, {"TagsToAdd": {"lead": "окна"}}]
)
def test_a_nonsensical_rule_is_refused(windows, body):
    assert windows.change_rule(**body).status_code == 400


def test_what_a_rule_names_comes_along_with_the_lead(windows):
    fields = {"lead": {"QuestionID": {"1": "contract_number"}}}
    windows.change_rule(PipelineID="1", StepID="12", TagsToAdd={"lead": ["окна"]}, FieldsRule=fields)
    windows.post(answers=[{"questionID": "1", "question": "Номер договора?", "answer": "Д-7"}])
    windows.work()
    (lead,) = windows.leads
    assert lead["tags"] == ["окна"]
    assert (lead["fields"]["sales_funnel_id"], lead["fields"]["step_id"]) == ("1", "12")
    assert lead["fields"]["contract_number"] == "Д-7"
    assert windows.delivery.losses == []


def test_a_funnel_that_nobody_has_seen_costs_no_lead(windows):
    """Absence proves nothing here: it is told, and the lead goes its way."""
    windows.change_rule(PipelineID="77", StepID="771", PerformerID="99")
    codes = {problem["code"] for problem in windows.shown_rule()["Problems"]}
    assert "performer_gone" in codes
    windows.post()
    windows.work()
    assert windows.delivery.state == "delivered"


def test_the_preview_says_what_would_be_sent(windows):
    body = {"answer": {"contact": {"name": "Анна", "phone": "+79991112233"}}}
    plan = windows.api.post(f"/solos/rules/{QUIZ}/preview", body, content_type="application/json").json()
    (request,) = plan["requests"]
    assert (request["method"], request["url"]) == ("POST", "https://demo7.solos.pro/api/post/")
    assert request["body"]["payload"]["phone"] == "+79991112233"
    assert not any(key in json.dumps(plan) for key in (windows.keeper.token, windows.keeper.secret))
    assert len(windows.box.journal) == 0
