"""Commands to Bitrix24: one goes by itself, several go in a ``batch`` (reference 2.1, 2.5).

No command ever refers to another's result: a reference to a failed command resolves to whatever was there
before, and a deal would be linked to a stranger. Commands that need an id wait until it was read back.

apidocs.bitrix24.com: settings/how-to-call-rest-api/batch
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import quote

from connectors.bitrix24.errors import meaning, operating_limit
from connectors.errors import ConnectorError, TryLater, Unclear
from connectors.http import HttpClient

MOST = 50
# A portal would put an earlier command's result in its place, also where a person typed it.
REFERENCE = re.compile(r"(?i)\$(?=(?:result|next|total|time|error)\b)")


@dataclass(frozen=True, slots=True)
class Command:
    """One method and its parameters. ``safe``: doing it twice does no harm."""

    method: str
    params: Mapping[str, Any] = field(default_factory=dict)
    safe: bool = True
    why: str = ""

    @property
    def text(self) -> str:
        """As it stands in a batch."""
        query = "&".join(php_query(self.params))
        return f"{self.method}?{query}" if query else self.method


@dataclass(frozen=True, slots=True)
class Reply:
    """What a command returned. ``total`` counts the rows of a list, ``moment`` is the portal's clock."""

    value: Any
    total: int = 0
    moment: str = ""


Outcome = Reply | ConnectorError


class Budget(Protocol):
    """Who keeps count of the portal's time (``operating.OperatingBudget``)."""

    def wait_for(self, method: str) -> float:
        """Seconds until the method may be called again."""

    def note(self, method: str, time: Any) -> None:
        """What an answer says of the time it took."""

    def takes(self, method: str) -> float:
        """Seconds that a call of the method is expected to take."""


def send(http_client: HttpClient, commands: Sequence[Command], budget: Budget) -> list[Outcome]:
    """One outcome per command, in order. Never raises a ``ConnectorError``: each command gets its own."""
    outcomes: list[Outcome] = []
    for start in range(0, len(commands), MOST):
        outcomes += _send(http_client, commands[start : start + MOST], budget)
    return outcomes


def ask(http_client: HttpClient, commands: Sequence[Command], budget: Budget) -> list[Reply]:
    """As ``send``, for those who need every answer. Raises the first error."""
    replies = []
    for outcome in send(http_client, commands, budget):
        if isinstance(outcome, ConnectorError):
            raise outcome
        replies.append(outcome)
    return replies


def request_of(commands: Sequence[Command]) -> tuple[str, dict[str, Any]]:
    """Path and body of the request for these commands."""
    if len(commands) == 1:
        return f"/{commands[0].method}", dict(commands[0].params)
    return "/batch", {"halt": 0, "cmd": {key_of(i): command.text for i, command in enumerate(commands)}}


def key_of(index: int) -> str:
    """Keys 0..n-1 would come back as a list (reference 2.5)."""
    return f"c{index}"


def php_query(value: Any, name: str = "") -> Iterator[str]:
    """``{"fields": {"TITLE": "a"}}`` as ``fields[TITLE]=a``; None is left out, booleans are 1 and 0."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            part = quote(str(key), safe="")
            yield from php_query(inner, f"{name}[{part}]" if name else part)
    elif isinstance(value, (list, tuple)):
        for index, inner in enumerate(value):
            yield from php_query(inner, f"{name}[{index}]")
    elif value is not None:
        yield f"{name}={quote(_plain(value), safe='', errors='replace')}"


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return str(int(value))
    return REFERENCE.sub("$ ", str(value))


def _send(http_client: HttpClient, commands: Sequence[Command], budget: Budget) -> list[Outcome]:
    """What waits for its time budget isn't sent; the rest shares one request."""
    waits = {method: budget.wait_for(method) for method in {command.method for command in commands}}
    ready = [command for command in commands if not waits[command.method]]
    sent = iter(_request(http_client, ready, budget) if ready else [])
    return [operating_limit(wait) if (wait := waits[one.method]) else next(sent) for one in commands]


def _request(http_client: HttpClient, commands: Sequence[Command], budget: Budget) -> list[Outcome]:
    path, body = request_of(commands)
    try:
        answer = http_client.call("POST", path, safe=all(command.safe for command in commands), json=body)
    except ConnectorError as error:
        return [_own(error, command) for command in commands]
    if len(commands) == 1:
        return [_reply(commands[0], answer["result"], answer.get("total"), answer.get("time"), budget)]
    return _read(commands, answer["result"], budget)


def _read(commands: Sequence[Command], result: Any, budget: Budget) -> list[Outcome]:
    """The parts of a batch's answer; an empty part is a list in PHP, whatever it should be."""
    names = ("result", "result_error", "result_total", "result_time")
    results, errors, totals, times = (_part(result, name) for name in names)
    outcomes: list[Outcome] = []
    for index, command in enumerate(commands):
        key = key_of(index)
        if error := errors.get(key):
            outcomes.append(meaning(error if isinstance(error, dict) else {"error": error}, command.safe))
        elif key in results:
            outcomes.append(_reply(command, results[key], totals.get(key), times.get(key), budget))
        else:
            outcomes.append(_own(_silent(), command))
    return outcomes


def _part(result: Any, name: str) -> dict[str, Any]:
    found = result.get(name) if isinstance(result, dict) else None
    return found if isinstance(found, dict) else {}


def _reply(command: Command, value: Any, total: Any, time: Any, budget: Budget) -> Reply:
    budget.note(command.method, time)
    moment = str(time.get("date_start") or "") if isinstance(time, dict) else ""
    return Reply(value, _number(total), moment)


def _own(error: ConnectorError, command: Command) -> ConnectorError:
    """What became of the whole request, for one command: a lost look-up is only a look-up."""
    if isinstance(error, Unclear) and command.safe:
        return TryLater(error.message, code=error.code, account_wide=error.account_wide)
    return error


def _silent() -> Unclear:
    return Unclear("Bitrix24's answer does not speak of this command", code="no_reply")


def _number(value: Any) -> int:
    return int(value) if str(value).isdigit() else 0
