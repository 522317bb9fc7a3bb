"""batch: up to 50 commands, references between them, no rollback (reference 2.5)."""

from __future__ import annotations

import re
from typing import Any

from connectors.sandbox.bitrix24.call import Call, Outcome
from connectors.sandbox.bitrix24.errors import Refused, system
from connectors.sandbox.core import TimedOut
from connectors.sandbox.php import as_array, map_of, parse_str, to_text, truthy

MOST = 50
FORBIDDEN = ("batch", "upload", "download")
PARTS = ("result", "error", "total", "next", "time")
_REFERENCE = re.compile(r"\$(result|next|total|time|error)([^\s]*)")


def batch(call: Call) -> Outcome:
    """HTTP stays 200 whatever happens inside."""
    halt, done = truthy(call.param("halt")), Results()
    for index, (key, command) in enumerate(map_of(call.param("cmd")).items()):
        if not isinstance(command, str):
            continue
        _cut(call, index)
        refusal = _one(call, done, key, command, index)
        if refusal is not None:
            done.maps["error"][key] = refusal.body()
            if halt:
                break
    return Outcome(done.answer())


def _cut(call: Call, done: int) -> None:
    """The request is cut off half-way; what was done stays done."""
    if 0 < call.switches["cut_batch_after"] <= done:
        call.switches["cut_batch_after"] = 0
        raise TimedOut("the sandbox cut the batch off")


class Results:
    """Maps of what came so far, by command key."""

    def __init__(self) -> None:
        self.maps: dict[str, dict[str, Any]] = {part: {} for part in PARTS}

    def add(self, key: str, outcome: Outcome) -> None:
        values = {"result": outcome.result, "total": outcome.total, "next": outcome.next}
        for part, value in {**values, "time": outcome.time}.items():
            if value is not None or part == "result":
                self.maps[part][key] = value

    def answer(self) -> dict[str, Any]:
        named = {"result": "result"} | {part: f"result_{part}" for part in PARTS[1:]}
        return {name: as_array(self.maps[part]) for part, name in named.items()}


def _one(call: Call, done: Results, key: str, command: str, index: int) -> Refused | None:
    if index >= MOST:
        return system(call.switches, "ERROR_BATCH_LENGTH_EXCEEDED")
    name, params = parse_command(command)
    if name in FORBIDDEN:
        return system(call.switches, "ERROR_BATCH_METHOD_NOT_ALLOWED")
    try:
        done.add(key, call.run(name, resolve(params, done.maps)))
    except Refused as refusal:
        return refusal
    return None


def parse_command(command: str) -> tuple[str, dict[str, Any]]:
    """PHP's parse_url and parse_str: an unencoded # ends the query."""
    path, _, query = command.partition("#")[0].partition("?")
    return path.strip("/ ").lower().removesuffix(".json"), parse_str(query)


def resolve(value: Any, maps: dict[str, dict[str, Any]]) -> Any:
    """Insert earlier results into parameter values."""
    if isinstance(value, dict):
        return {key: resolve(inner, maps) for key, inner in value.items()}
    if isinstance(value, list):
        return [resolve(inner, maps) for inner in value]
    if not isinstance(value, str) or "$" not in value:
        return value
    whole = _REFERENCE.fullmatch(value)
    if whole:
        return _found(whole, maps)
    return _REFERENCE.sub(lambda match: _as_text(_found(match, maps)), value)


def _as_text(value: Any) -> str:
    """Inside text only strings and numbers are interpolated."""
    return to_text(value) if isinstance(value, str | int | float) else ""


def _found(match: re.Match[str], maps: dict[str, dict[str, Any]]) -> Any:
    """A missing step does not give nothing: resolution stops at the deepest value reached."""
    value: Any = maps[match.group(1)]
    for step in match.group(2).replace("]", "").split("[")[1:]:
        inner = map_of(value)
        if step not in inner:
            break
        value = inner[step]
    return value
