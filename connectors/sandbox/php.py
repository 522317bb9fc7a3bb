"""PHP's habits on the wire: bracket keys, truthiness, casts, arrays that may be lists.

See docs/crm/bitrix24.md, section 2.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import parse_qsl

_KEY = re.compile(r"^([^\[]+)((?:\[[^\]]*\])*)")
_BRACKETS = re.compile(r"\[([^\]]*)\]")
_NUMBER = re.compile(r"\s*[+-]?\d+")


def parse_str(text: str) -> dict[str, Any]:
    return nest(parse_qsl(text, keep_blank_values=True))


def nest(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """`fields[PHONE][0][VALUE]=1` as {"fields": {"PHONE": [{"VALUE": "1"}]}}."""
    root: dict[str, Any] = {}
    for key, value in pairs:
        path = _path(key)
        if path:
            _put(root, path, value)
    return {key: _tidy(value) for key, value in root.items()}


def _path(key: str) -> list[str]:
    """The name loses dots and spaces to underscores; so does a bracket that is never closed."""
    match = _KEY.match(key.lstrip())
    if match is None:
        return []
    name, brackets = match.groups()
    if not brackets and "[" in key:
        name = key.lstrip().replace("[", "_")
    return [re.sub(r"[. ]", "_", name), *_BRACKETS.findall(brackets)]


def _put(node: dict[str, Any], path: list[str], value: str) -> None:
    for part in path[:-1]:
        key = part or _next_index(node)
        if not isinstance(node.get(key), dict):
            node[key] = {}
        node = node[key]
    node[path[-1] or _next_index(node)] = value


def _next_index(node: dict[str, Any]) -> str:
    return str(max((int(key) for key in node if key.isdigit()), default=-1) + 1)


def _tidy(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return as_array({key: _tidy(inner) for key, inner in value.items()})


def as_array(values: dict[str, Any]) -> Any:
    """What json_encode makes of a PHP array: a list for keys 0..n-1, `[]` when empty, else an object."""
    looks_like_list = list(values) == [str(index) for index in range(len(values))]
    return list(values.values()) if looks_like_list else values


def is_array(value: Any) -> bool:
    return isinstance(value, dict | list)


def values_of(value: Any) -> list[Any]:
    """The values of an array; a scalar is an array of one, nothing is none."""
    if isinstance(value, dict):
        return list(value.values())
    if isinstance(value, list):
        return value
    return [] if value is None or value == "" else [value]


def map_of(value: Any) -> dict[str, Any]:
    if isinstance(value, list):
        return {str(index): inner for index, inner in enumerate(value)}
    return {str(key): inner for key, inner in value.items()} if isinstance(value, dict) else {}


def truthy(value: Any) -> bool:
    """The string "false" is true, "0" is not."""
    return bool(value) and value != "0"


def to_int(value: Any) -> int:
    """A PHP cast: leading digits of a text; a filled array is 1."""
    if isinstance(value, str):
        match = _NUMBER.match(value)
        return int(match.group()) if match else 0
    if isinstance(value, dict | list):
        return int(bool(value))
    return int(value or 0)


def to_text(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else ""
    return "" if value is None else str(value)


def flatten(prefix: str, value: Any) -> Iterator[tuple[str, str]]:
    """The other way: pairs for a form body."""
    rows = map_of(value) if is_array(value) else None
    if rows is None:
        yield prefix, to_text(value)
    else:
        for key, inner in rows.items():
            yield from flatten(f"{prefix}[{key}]" if prefix else key, inner)
