"""Our live answers against the contracts: every property there, of its type, never null (D8, D11)."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.contract.reading import Operation, faults, operations
from tests.contract.test_documents import WITHOUT_BEARER
from tests.contract.worlds import QUIZ, SERVED, WORLDS

pytestmark = pytest.mark.django_db
EVERY = [operation for operation in operations(*SERVED) if operation.path not in WITHOUT_BEARER]
every_operation = pytest.mark.parametrize("operation", EVERY, ids=str)


def send(client: Client, operation: Operation, method: str = "", slash: str = "", **more: Any) -> Any:
    """Send what the world says for this operation."""
    path = operation.path.replace("{quizID}", str(more.pop("quiz", QUIZ))) + slash
    body = WORLDS[operation.contract].bodies.get((method or operation.method, operation.path))
    sent = {"data": body, "content_type": "application/json"} if body is not None else {}
    return getattr(client, method or operation.method)(path, **sent, **more)


@pytest.fixture
def world(operation: Operation, caller: Any, queued: Any) -> Client:
    """The caller of a world in which the operation has something to say."""
    WORLDS[operation.contract].make()
    client = caller("shop")
    if "{quizID}" in operation.path and operation.method != "post":
        assert send(client, operation, "post").status_code == 200
    return client


@every_operation
@pytest.mark.parametrize("slash", ["", "/"])
def test_success_is_what_clients_read(operation: Operation, world: Client, slash: str) -> None:
    response = send(world, operation, slash=slash)
    assert response.status_code == 200
    body, wanted = response.json(), operation.document.body(operation.says["responses"]["200"])
    assert not list(faults(operation.document, wanted or {"type": "string"}, body))
    if wanted is None or wanted.get("$ref") is None:
        assert body == ("OK" if operation.path == "/bitrix" else "Success")


@every_operation
def test_lists_hold_something_to_compare(operation: Operation, world: Client) -> None:
    body = send(world, operation).json()
    if isinstance(body, dict) and "items" in body:
        assert body["count"] == len(body["items"]) > 0


@every_operation
def test_strangers_get_a_sentence(operation: Operation, world: Client) -> None:
    for client in (Client(), Client(headers={"Authorization": "Bearer nonsense"})):
        response = send(client, operation)
        assert response.status_code == 401
        assert isinstance(response.json(), str)


@every_operation
def test_every_refusal_is_a_sentence(operation: Operation, caller: Any, queued: Any) -> None:
    """Without an account: the documented 404, or the empty answer that the contract has instead."""
    response = send(caller("nobody"), operation)
    assert response.status_code in (200, 404)
    assert response.status_code == 200 or isinstance(response.json(), str)


@every_operation
def test_a_method_that_is_not_there_is_a_sentence_too(operation: Operation, world: Client) -> None:
    response = send(world, operation, "put")
    assert response.status_code == 405
    assert isinstance(response.json(), str)


@pytest.mark.parametrize("operation", [o for o in EVERY if "{quizID}" in o.path], ids=str)
@pytest.mark.parametrize("quiz", ["x", "-1", "1.5", "99999999999999999999"])
def test_a_quiz_is_named_by_digits(operation: Operation, world: Client, quiz: str) -> None:
    response = send(world, operation, quiz=quiz)
    assert response.status_code == 400
    assert isinstance(response.json(), str)
