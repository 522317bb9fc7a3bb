"""The OpenAPI document's examples at the real endpoints: what is sent is taken, what comes back is alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest
from django.test import Client

from accounts import hooks
from accounts.models import InstallKey
from config.demo.answers import ANSWERS
from config.openapi.examples.crms.sample import TAG, CrmSample, sample_of
from config.openapi.examples.inbound import REMOVED
from config.openapi.quiz import QUIZ_ID
from connectors.registry import CONNECTORS
from crm_cache.models import Tag
from crm_cache.serializers import lists_of
from rules import figures
from rules.serializers import dialect_of
from tests.openapi.reading import Operation, differences, document, faults, operation, operations, shape
from tests.stories.test_reconciliation import deliver, reconcile

FORM = "application/x-www-form-urlencoded"


def follow(api: Client, operation_id: str, names: tuple[str, ...] = (), **ids: Any) -> Any:
    """Send every example of an operation, or those of ``names``; the last answer's body."""
    said = operation(document(), operation_id)
    assert set(names) <= set(said.requests)
    for name in names or said.requests:
        answer = send(api, said, said.requests[name], ids)
        assert answer.status_code in said.statuses(name), (operation_id, name, answer.content.decode())
        compare(said, name, answer)
    return answer.json()


def send(api: Client, said: Operation, body: Any, ids: Mapping[str, Any]) -> Any:
    path = said.path.format(**{"quizID": QUIZ_ID, **ids})
    if body is None:
        return getattr(api, said.method)(path)
    if FORM in said.says["requestBody"]["content"]:
        return getattr(api, said.method)(path, urlencode(body), content_type=FORM)
    return getattr(api, said.method)(path, body, content_type="application/json")


def compare(said: Operation, name: str, answer: Any) -> None:
    """What came is what the schema says, and has what the example of this name has, or else one of them."""
    schema = said.says["responses"][str(answer.status_code)]["content"]["application/json"]["schema"]
    shown, body = said.answers(answer.status_code), answer.json()
    assert faults(document(), schema, body) == []
    likes = [shown[name]] if name in shown else list(shown.values())
    mine = shape(document(), schema, body)
    found = [list(differences(shape(document(), schema, like), mine)) for like in likes]
    assert [] in found, (said.says["operationId"], name, found[0])
    if isinstance(body, str) or "error" in body:
        assert _error(body) in map(_error, likes)


def _error(body: Any) -> dict[str, Any]:
    return {**body["error"], "docs": "", "requestId": ""} if isinstance(body, dict) else {"message": body}


@pytest.mark.parametrize("kind", list(CONNECTORS))
def test_each_crm_takes_and_says_what_its_examples_show(owner_of: Any, kind: str) -> None:
    shop, sample, rule = owner_of(kind).shop, sample_of(kind), dialect_of(kind).operations
    api, word = shop.api, kind.capitalize()
    give_keys(shop.crm, sample)
    connect, show, remove = sample.accounts
    follow(api, show)
    follow(api, connect)
    for one in lists_of(kind):
        follow(api, one.read_id)
        follow(api, one.refresh_id)
    shop.sync()
    give_its_tag_the_id_of_the_example()

    for answer in (ANSWERS[0], ANSWERS[4]):
        assert api.post("/answers", answer, content_type="application/json").status_code == 202
    follow(api, rule["create"])
    shop.work()
    assert follow(api, rule["retrieve"])["Problems"] == []
    follow(api, rule["partial_update"])
    follow(api, f"ListOptionsOf{word}Rule")
    follow(api, f"Preview{word}Rule")
    follow(api, f"Backfill{word}Rule")
    follow(api, f"Pause{word}Rule")
    follow(api, f"Resume{word}Rule")
    follow(api, f"Delete{word}Rule")
    follow(api, remove)


def give_its_tag_the_id_of_the_example() -> None:
    """Rules name tags by our ids, which a database gives as it likes."""
    kept = Tag.objects.filter(name=TAG).order_by("pk").first()
    Tag.objects.exclude(pk=kept.pk if kept else None).delete()
    Tag.objects.update(id=1)


def give_keys(there: Any, sample: CrmSample) -> None:
    """The CRM opens to the keys of the example."""
    names = {"api_key": "key"}
    for name, value in sample.connect_body.items():
        if name != sample.dialect.portal:
            setattr(there, names.get(name, name), value)


def test_answers_and_what_becomes_of_them(quiz: Any) -> None:
    api = quiz.api
    give_its_tag_the_id_of_the_example()
    follow(api, "SetQuizSettings")
    quiz.work()
    follow(api, "PostAnswers")
    quiz.work()
    follow(api, "ListAnswers")
    newest = api.get("/answers").json()["items"][0]["id"]
    follow(api, "GetAnswer", answer_pk=newest)
    follow(api, "MendAnswer", answer_pk=newest)
    [*_, first] = follow(api, "ListDeliveries")["items"]
    follow(api, "GetDelivery", delivery_pk=first["id"])
    assert api.post(f"/deliveries/{first['id']}/retry").status_code == 409
    follow(api, "ReplayDelivery", delivery_pk=first["id"])
    follow(api, "ListOutcomes")
    figures.count_due()
    follow(api, "GetConversion")
    follow(api, "ListRules")
    follow(api, "ListAccounts")
    follow(api, "ListEvents")

    follow(api, "PauseAmocrmRule")
    for number in range(5, 9):
        api.post("/answers", ANSWERS[number], content_type="application/json")
    held = [one["id"] for one in follow(api, "ListDeliveries")["items"] if one["state"] == "held"]
    follow(api, "CancelDelivery", delivery_pk=held[0])
    follow(api, "RetryDelivery", delivery_pk=held[0])
    for name, pk in zip(operation(document(), "ArrivedDelivery").requests, held[1:], strict=False):
        follow(api, "ArrivedDelivery", (name,), delivery_pk=pk)


def test_reports_of_a_night(quiz: Any, later: Any) -> None:
    row, *_ = deliver(quiz, 2, later)
    quiz.amo.control("delete_lead", {"account": quiz.crm.id, "lead_id": int(row.remote_id)})
    run = reconcile(quiz, later)
    follow(quiz.api, "ListReconciliations")
    follow(quiz.api, "GetReconciliation", reconciliation_pk=run.pk)
    follow(quiz.api, "ListFindings", reconciliation_pk=run.pk)
    follow(quiz.api, "ListEvents")


@pytest.fixture
def platform(settings: Any, db: None) -> Client:
    """The quiz platform itself."""
    claims = {settings.JWT_SCOPE_CLAIM: settings.JWT_PLATFORM_SCOPE, "exp": 4_000_000_000}
    return Client(headers={"Authorization": f"Bearer {jwt.encode(claims, settings.JWT_KEY)}"})


def test_a_person_is_given_out_and_forgotten(quiz: Any, platform: Client) -> None:
    quiz.api.post("/answers", ANSWERS[0], content_type="application/json")
    follow(platform, "ExportPerson")
    follow(platform, "ErasePerson")


def test_endpoints_of_events_are_kept(platform: Client) -> None:
    follow(platform, "CreateWebhookEndpoint")
    [kept] = follow(platform, "ListWebhookEndpoints")["items"]
    for operation_id in (
        "GetWebhookEndpoint", "ChangeWebhookEndpoint", "RotateWebhookSecret", "ReplayWebhooks",
    ):  # fmt: skip
        follow(platform, operation_id, endpoint_pk=kept["id"])
    assert platform.delete(f"/webhook-endpoints/{kept['id']}").status_code == 204


def test_what_crms_post_is_taken(quiz: Any) -> None:
    hook = hooks.address_of(quiz.account).rsplit("/", 2)
    follow(Client(), "TakeHook", hook_pk=hook[-2], secret=hook[-1])


def test_a_removed_integration_is_taken(clinic: Any) -> None:
    InstallKey.objects.update_or_create(
        crm=clinic.account.crm,
        remote_id=clinic.account.remote_id,
        defaults={"secret": REMOVED["auth[application_token]"]},
    )
    follow(Client(), "TakeNotice")
    follow(clinic.api, "CheckHealth")


@pytest.mark.parametrize("said", operations(document()), ids=lambda one: one.says["operationId"])
def test_without_a_token_it_says_what_the_example_says(said: Operation, db: None) -> None:
    ids = {
        "answer_pk": 1,
        "delivery_pk": 1,
        "endpoint_pk": 1,
        "reconciliation_pk": 1,
        "hook_pk": 1,
        "secret": "x",
    }
    answer = send(Client(), said, next(iter(said.requests.values())), ids)
    assert answer.status_code == (401 if said.says["security"] else answer.status_code)
    compare(said, "", answer)


@pytest.mark.parametrize(
    "said",
    [one for one in operations(document()) if "404" in one.says["responses"] and one.says["security"]],
    ids=lambda one: one.says["operationId"],
)
def test_to_somebody_without_an_account_it_says_what_the_example_says(
    said: Operation, caller: Any, queued: Any, platform: Client
) -> None:
    """The platform, which needs none, finds no such endpoint."""
    api = platform if "403" in said.says["responses"] else caller("nobody")
    ids = {"answer_pk": 1, "delivery_pk": 1, "endpoint_pk": 1, "reconciliation_pk": 1}
    answer = send(api, said, next(iter(said.requests.values())), ids)
    assert answer.status_code == 404
    compare(said, "", answer)
