"""Reads a contract, and compares what it says with what we say and send.

``x-intended-schema`` replaces the literal schema where that can't mean what it says; an object in the query
stands for its properties (D6).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

METHODS = ("get", "post", "put", "patch", "delete")
JSON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}


@dataclass(frozen=True)
class Document:
    """An OpenAPI document, and where its references lead."""

    root: Mapping[str, Any]

    def resolve(self, part: Mapping[str, Any]) -> Mapping[str, Any]:
        """What is meant: references followed, ``allOf`` merged, the intended schema for a literal one."""
        part = part.get("x-intended-schema", part)
        if "$ref" in part:
            found: Any = self.root
            for name in part["$ref"].removeprefix("#/").split("/"):
                found = found[name]
            return self.resolve(found)
        if "allOf" in part:
            merged = {name: value for name, value in part.items() if name != "allOf"}
            for inner in part["allOf"]:
                merged = {**self.resolve(inner), **merged}
            return merged
        return part

    def body(self, part: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The JSON schema of a request's or response's body, None where none is stated."""
        content = self.resolve(part).get("content", {})
        return content.get("application/json", {}).get("schema")

    def parameters(self, operation: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
        """Name -> its place ("in"), its schema, and whether it is required."""
        found = {}
        for parameter in map(self.resolve, operation.get("parameters", ())):
            schema = self.resolve(parameter["schema"])
            inner = schema.get("properties") or {parameter["name"]: schema}
            for name, kind in inner.items():
                required = parameter.get("required", False)
                found[name] = {"in": parameter["in"], "schema": kind, "required": required}
        return found


@dataclass(frozen=True)
class Operation:
    """One documented operation of one contract."""

    contract: str
    path: str
    method: str

    @property
    def says(self) -> Mapping[str, Any]:
        return contract(self.contract).root["paths"][self.path][self.method]

    @property
    def document(self) -> Document:
        return contract(self.contract)

    def __str__(self) -> str:
        return f"{self.contract}-{self.method.upper()}-{self.path}"


@cache
def contract(name: str) -> Document:
    text = (Path(__file__).parent / f"{name}.openapi.yaml").read_text()
    return Document(yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader)))


def operations(*names: str) -> list[Operation]:
    return [
        Operation(name, path, method)
        for name in names
        for path, item in contract(name).root["paths"].items()
        for method in item
        if method in METHODS
    ]


def reachable(name: str) -> list[str]:
    """The schemas that the contract's operations use, the rest has no effect (D44)."""
    document, found = contract(name), dict[str, None]()

    def visit(part: Any) -> None:
        if isinstance(part, Mapping):
            reference = part.get("$ref", "")
            if reference.startswith("#/components/schemas/") and reference not in found:
                found[reference] = None
            if reference and reference not in followed:
                followed.add(reference)
                visit(document.resolve(part))
            for inner in part.values():
                visit(inner)
        elif isinstance(part, list):
            for inner in part:
                visit(inner)

    followed: set[str] = set()
    visit(document.root["paths"])
    return [reference.rsplit("/", 1)[1] for reference in found]


def differences(theirs: Document, wanted: Any, ours: Document, made: Any, at: str = "body") -> Iterator[str]:
    """Where our schema breaks what the contract's promises; more properties of our own are no break."""
    wanted, made = theirs.resolve(wanted), ours.resolve(made)
    if made.get("type") != wanted.get("type"):
        yield f"{at}: type is {made.get('type')}, not {wanted.get('type')}"
        return
    if wanted.get("format") and made.get("format") != wanted["format"]:
        yield f"{at}: format is {made.get('format')}, not {wanted['format']}"
    if made.get("nullable"):
        yield f"{at}: may be null (D11)"
    if "enum" in wanted and not set(made.get("enum", [None])) <= set(wanted["enum"]):
        yield f"{at}: {made.get('enum')} is not within {wanted['enum']}"
    for name, inner in wanted.get("properties", {}).items():
        if name not in made.get("properties", {}):
            yield f"{at}.{name}: is missing"
        else:
            yield from differences(theirs, inner, ours, made["properties"][name], f"{at}.{name}")
    for key in ("items", "additionalProperties"):
        if isinstance(wanted.get(key), Mapping):
            yield from differences(theirs, wanted[key], ours, made.get(key) or {}, f"{at}[]")


def faults(document: Document, schema: Any, value: Any, at: str = "body") -> Iterator[str]:
    """Where a live answer is not what the contract says: every property there, of its type, never null."""
    schema = document.resolve(schema)
    kinds = JSON_TYPES[schema["type"]]
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        yield f"{at}: {value!r} is no {schema['type']}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{at}: {value!r} is not within {schema['enum']}"
    if schema.get("format") == "int32" and not -(2**31) <= value < 2**31:
        yield f"{at}: {value!r} is longer than 32 bits"
    for name, inner in schema.get("properties", {}).items():
        if name not in value:
            yield f"{at}.{name}: is missing"
        else:
            yield from faults(document, inner, value[name], f"{at}.{name}")
    for name, inner in _members(schema, value):
        yield from faults(document, inner, value[name], f"{at}[{name!r}]")


def _members(schema: Mapping[str, Any], value: Any) -> Iterator[tuple[Any, Any]]:
    if schema["type"] == "array":
        yield from ((index, schema["items"]) for index in range(len(value)))
    elif isinstance(schema.get("additionalProperties"), Mapping):
        named = schema.get("properties", {})
        yield from ((name, schema["additionalProperties"]) for name in value if name not in named)
