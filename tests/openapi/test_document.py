"""What the document owes to whoever reads it: examples, words for everything, no environment."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from config.openapi.examples import examples as shown
from tests.openapi.reading import Operation, document, examples, faults, operations, written
from tests.openapi.reading import operation as operation_of

WHERE = "write it into the EXAMPLES of its part in config/openapi/examples, by its operation id"
OPEN = {"WebhookCreate", "WebhookDelete", "TakeNotice", "TakeHook"}
every_operation = pytest.mark.parametrize("operation", [one.id for one in written()], indirect=True)


@pytest.fixture
def operation(request: pytest.FixtureRequest) -> Operation:
    return operation_of(document(), request.param)


def test_every_operation_is_looked_at() -> None:
    made = [(one.path, one.method, one.says["operationId"]) for one in operations(document())]
    assert [(one.path, one.method, one.id) for one in written()] == made, "run 'make schema'"


@every_operation
def test_every_body_has_an_example(operation: Operation) -> None:
    lacking = [at for at, media in operation.bodies if not list(examples(media))]
    assert not lacking, f"{operation} has no example of {', '.join(lacking)}: {WHERE}"


@every_operation
def test_every_example_is_what_its_schema_says(operation: Operation) -> None:
    broken = [
        f"{at}, {one['summary']}: {fault}"
        for at, media in operation.bodies
        for _, one in examples(media)
        for fault in faults(document(), media["schema"], one["value"])
    ]
    assert not broken, f"{operation}: {broken}"


def test_every_example_belongs_to_an_operation() -> None:
    assert shown().keys() - {one.id for one in written()} == set()


@every_operation
def test_every_operation_has_words_and_a_tag_that_is_explained(operation: Operation) -> None:
    explained = {tag["name"]: tag["description"] for tag in document()["tags"]}
    assert operation.says.get("summary"), f"{operation} has no summary"
    assert operation.says.get("description"), f"{operation} has no description"
    assert not re.search(r"\(D\d|``", operation.says["description"]), f"{operation} is told to ourselves"
    unknown = [tag for tag in operation.says["tags"] if not explained.get(tag)]
    assert not unknown, f"{operation}: {unknown} is to be explained in TAGS of config/openapi/document.py"


@every_operation
def test_who_needs_no_token_is_told_so(operation: Operation) -> None:
    is_open = operation.says["operationId"] in OPEN
    assert (operation.says["security"] == []) is is_open
    assert not is_open or "No bearer token: " in operation.says["description"]


def test_the_file_does_not_depend_on_where_it_is_written(settings: Any) -> None:
    before = document()["servers"]
    settings.PUBLIC_URL = "https://elsewhere.example"
    assert Client().get("/schema?format=json").json()["servers"][0]["url"] == "https://elsewhere.example"
    document.cache_clear()
    assert document()["servers"] == before == [{"url": "/", "description": before[0]["description"]}]


def test_every_property_is_described() -> None:
    components = document()["components"]["schemas"]
    lacking = [name for component, schema in components.items() for name in undescribed(schema, component)]
    assert lacking == [], "a serializer's field says it by help_text"


def undescribed(schema: Any, at: str) -> Iterator[str]:
    """The properties that nobody explains, also of what is nested."""
    if isinstance(schema, list):
        for one in schema:
            yield from undescribed(one, at)
    if isinstance(schema, dict):
        for name, says in schema.get("properties", {}).items():
            if not says.get("description"):
                yield f"{at}.{name}"
            yield from undescribed(says, f"{at}.{name}")
        for way in ("items", "additionalProperties", "oneOf", "allOf"):
            yield from undescribed(schema.get(way), at)


@every_operation
def test_every_parameter_is_described(operation: Operation) -> None:
    assert [one["name"] for one in operation.says.get("parameters", ()) if not one.get("description")] == []
