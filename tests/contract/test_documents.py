"""Our OpenAPI document against the contracts: nothing taken away, renamed, retyped or newly demanded."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator

from tests.contract.reading import Document, Operation, contract, differences, operations, reachable
from tests.contract.worlds import SERVED

# Both are called by the CRM or a browser, not by the quiz service (D1).
WITHOUT_BEARER = {"/webhook/create", "/webhook/delete"}
every_operation = pytest.mark.parametrize("operation", operations(*SERVED), ids=str)


@cache
def our_document() -> Document:
    return Document(SchemaGenerator().get_schema(request=None, public=True))


def ours(operation: Operation) -> dict[str, Any]:
    path = our_document().root["paths"].get(operation.path, {})
    assert operation.method in path, f"{operation} is not served"
    return path[operation.method]


@every_operation
def test_the_operation_has_its_id(operation: Operation) -> None:
    wanted = operation.says.get("operationId")
    assert ours(operation)["operationId"] == (wanted or ours(operation)["operationId"])


@every_operation
def test_every_documented_code_is_there(operation: Operation) -> None:
    assert set(map(str, operation.says["responses"])) <= set(map(str, ours(operation)["responses"]))


@every_operation
def test_bearer_tokens_are_asked_for_as_decided(operation: Operation) -> None:
    bearer = operation.path not in WITHOUT_BEARER
    assert ({"BearerAuth": []} in ours(operation).get("security", [])) is bearer
    assert not bearer or "401" in ours(operation)["responses"]


@every_operation
def test_every_parameter_is_taken_and_none_is_newly_demanded(operation: Operation) -> None:
    theirs, document = operation.document.parameters(operation.says), our_document()
    made = document.parameters(ours(operation))
    for name in operation.says.get("x-intended-parameters", ()):
        assert made[name]["in"] == "query"
    for name, wanted in theirs.items():
        assert made[name]["in"] == wanted["in"]
        assert not list(
            differences(operation.document, wanted["schema"], document, made[name]["schema"], at=name)
        )
    demanded = {name for name, parameter in made.items() if parameter["required"]}
    assert demanded <= {name for name, parameter in theirs.items() if parameter["required"]}


@every_operation
def test_the_request_body_is_what_clients_send(operation: Operation) -> None:
    wanted = operation.document.body(operation.says.get("requestBody", {}))
    if wanted is None:
        assert "requestBody" not in ours(operation)
        return
    made = our_document().body(ours(operation)["requestBody"])
    assert not list(differences(operation.document, wanted, our_document(), made))
    demanded = set(our_document().resolve(made or {}).get("required", ()))
    assert demanded <= set(operation.document.resolve(wanted).get("required", ()))


@every_operation
def test_every_answer_is_what_clients_read(operation: Operation) -> None:
    broken = []
    for code, response in operation.says["responses"].items():
        wanted = operation.document.body(response)
        if wanted is not None:
            made = our_document().body(ours(operation)["responses"][str(code)])
            broken += differences(operation.document, wanted, our_document(), made or {}, at=f"{code}")
    assert not broken


@pytest.mark.parametrize(
    ("name", "schema"), [(name, schema) for name in SERVED for schema in reachable(name)]
)
def test_every_schema_has_its_name_and_its_properties(name: str, schema: str) -> None:
    made = our_document().root["components"]["schemas"][schema]
    wanted = contract(name).root["components"]["schemas"][schema]
    assert not list(differences(contract(name), wanted, our_document(), made, at=schema))


def test_every_operation_id_is_used_once() -> None:
    ids = [
        operation["operationId"]
        for path in our_document().root["paths"].values()
        for operation in path.values()
    ]
    assert len(ids) == len(set(ids))


def test_our_document_has_no_warnings(capsys: pytest.CaptureFixture[str]) -> None:
    SchemaGenerator().get_schema(request=None, public=True)
    assert not [line for line in capsys.readouterr().err.splitlines() if "Warning" in line or "Error" in line]
