"""Our OpenAPI document as the tests here read it: operations, examples, and what a body is held against."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft7Validator

Schema = Mapping[str, Any]
SNAPSHOT = Path(__file__).parents[1] / "snapshots" / "openapi.yaml"
# In the snapshot's paths: a path, one of its methods, the id of the operation.
LINES = re.compile(r"^  (/.*):$|^    (get|post|put|patch|delete):$|^      operationId: (\w+)$", re.MULTILINE)


@cache
def document() -> Schema:
    return read_document()


def read_document() -> Schema:
    """As it is right now, whichever CRMs are registered."""
    return SchemaGenerator().get_schema(request=None, public=True)


@dataclass(frozen=True)
class Operation:
    """One operation of a document."""

    path: str
    method: str
    says: Schema

    def __str__(self) -> str:
        return f"{self.says['operationId']} ({self.method.upper()} {self.path})"

    @property
    def bodies(self) -> Iterator[tuple[str, Schema]]:
        """Every body: where it stands ("request", "200"), and its media object."""
        yield from (
            (REQUEST, media) for media in self.says.get("requestBody", {}).get("content", {}).values()
        )
        for status, response in self.says["responses"].items():
            yield from ((status, media) for media in response.get("content", {}).values())

    @property
    def requests(self) -> Mapping[str, Any]:
        """The bodies to send, by name: nothing once where no body is sent."""
        shown = {
            name: one["value"] for at, media in self.bodies if at == REQUEST for name, one in examples(media)
        }
        return shown or {"": None}

    def answers(self, status: int) -> Mapping[str, Any]:
        """The bodies shown with a status, by name."""
        at = [media for where, media in self.bodies if where == str(status)]
        return {name: one["value"] for media in at for name, one in examples(media)}

    def statuses(self, name: str) -> set[int]:
        """With which a request example of this name is answered: as the response of its name, else well."""
        found = {int(status) for status in self.says["responses"] if name in self.answers(int(status))}
        return found or {int(status) for status in self.says["responses"] if status < "300"}


@dataclass(frozen=True)
class Written:
    """An operation of the snapshot, by its name alone."""

    path: str
    method: str
    id: str


@cache
def written() -> list[Written]:
    """All operations, for names of tests: while tests are collected there is no time to make the document."""
    found, path, method = [], "", ""
    for one in LINES.finditer(SNAPSHOT.read_text()):
        path, method = one[1] or path, one[2] or method
        if one[3]:
            found.append(Written(path, method, one[3]))
    return found


REQUEST = "request"


def examples(media: Schema) -> Iterator[tuple[str, Schema]]:
    yield from media.get("examples", {}).items()


def operations(root: Schema) -> list[Operation]:
    return [
        Operation(path, method, says)
        for path, methods in root["paths"].items()
        for method, says in methods.items()
    ]


def operation(root: Schema, operation_id: str) -> Operation:
    [found] = [one for one in operations(root) if one.says["operationId"] == operation_id]
    return found


def faults(root: Schema, schema: Schema, body: Any) -> list[str]:
    """Where a body is not what the schema says; a property that nobody documented is a fault, too."""
    whole = {**json_schema(schema), "components": {"schemas": _components(root)}}
    return [f"{error.json_path}: {error.message}" for error in Draft7Validator(whole).iter_errors(body)]


def _components(root: Schema) -> dict[str, Any]:
    return {name: json_schema(one) for name, one in root["components"]["schemas"].items()}


def json_schema(part: Any) -> Any:
    """A schema of OpenAPI 3.0 as JSON schema: null where it is nullable, no property beyond those named."""
    if isinstance(part, list):
        return [json_schema(one) for one in part]
    if not isinstance(part, Mapping):
        return part
    said = {name: json_schema(one) for name, one in part.items() if name != "nullable"}
    if said.get("properties") and isinstance(said.get("type"), str):
        said.setdefault("additionalProperties", False)
    if part.get("nullable"):
        return {"anyOf": [said, {"type": "null"}]}
    return said


def shape(root: Schema, schema: Schema, body: Any) -> Any:
    """Which documented properties a body has, and what is in them; members of lists are taken together, those
    of free maps are nobody's to document."""
    schema = _resolved(root, schema, body)
    if isinstance(body, Mapping) and schema.get("properties"):
        named = schema["properties"]
        return {name: shape(root, named[name], value) for name, value in body.items()}
    if isinstance(body, list) and "items" in schema:
        return [shape(root, schema["items"], body[0])] if body else []
    return type(body).__name__


def _resolved(root: Schema, schema: Schema, body: Any) -> Schema:
    if name := str(schema.get("$ref", "")).rpartition("/")[2]:
        return _resolved(root, root["components"]["schemas"][name], body)
    for ways in ("allOf", "oneOf"):
        for one in schema.get(ways, ()):
            if not faults(root, one, body):
                return _resolved(root, one, body)
    return schema


def differences(shown: Any, real: Any, at: str = "$") -> Iterator[str]:
    """Where two shapes differ. Null stands for anything, and so does an empty list."""
    if isinstance(shown, Mapping) and isinstance(real, Mapping):
        for name in shown.keys() | real.keys():
            if name not in shown or name not in real:
                yield f"{at}.{name}: only in the {'answer' if name in real else 'example'}"
            else:
                yield from differences(shown[name], real[name], f"{at}.{name}")
    elif isinstance(shown, list) and isinstance(real, list):
        if shown and real:
            yield from differences(shown[0], real[0], f"{at}[]")
    elif shown != real and "NoneType" not in (shown, real):
        yield f"{at}: {shown} in the example, {real} in the answer"
