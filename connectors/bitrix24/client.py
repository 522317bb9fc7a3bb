"""Commands to Bitrix24: one goes by itself, several go in a ``batch`` (reference 2.1, 2.5).

No command ever refers to another's result: a reference to a failed command resolves to whatever was there
before, and a deal would be linked to a stranger. Commands that need an id wait until it was read back.

apidocs.bitrix24.com: settings/how-to-call-rest-api/batch, settings/performance/limits
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import quote

from connectors.bitrix24.errors import meaning, operating_limit
from connectors.errors import ConnectorError, Refused, TryLater, Unclear
from connectors.http import HttpClient
from connectors.limiter import RateLimiter
from connectors.messages import message

T = TypeVar("T")
Row = Mapping[str, Any]
MOST = 50  # commands in a batch
PAGE = 50  # rows in a page of a list
# A portal would put an earlier command's result in its place, also where a person typed it.
REFERENCE = re.compile(r"(?i)\$(?=(?:result|next|total|time|error)\b)")


@dataclass(frozen=True, slots=True)
class Command:
    """One method and its parameters.

    ``safe``: doing it twice does no harm. ``joinable``: a look-up that may be made in one command with
    those of other drafts (``requests.py``).
    """

    method: str
    params: Mapping[str, Any] = field(default_factory=dict)
    safe: bool = True
    why: str = ""
    joinable: bool = False

    @property
    def text(self) -> str:
        """As it stands in a batch."""
        query = "&".join(php_query(self.params))
        return f"{self.method}?{query}" if query else self.method


@dataclass(frozen=True, slots=True)
class Reply:
    """What a command returned. ``total`` counts the rows of a list, ``moment`` is the portal's clock.

    ``joined``: the command was a part of one for several drafts, and the hits may be the others'. ``cut``:
    such a command said too much or failed, so it proves nothing.
    """

    value: Any
    total: int = 0
    moment: str = ""
    joined: bool = False
    cut: bool = False


Outcome = Reply | ConnectorError
# How a draft's delivery is written: it yields commands and is sent their outcomes, so that the commands of
# many drafts can share a request.
Story = Generator[Sequence[Command], Sequence[Outcome], T]


# -- sending --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Portal:
    """One portal as commands are sent to it: the way there, and how much of its time is left."""

    http_client: HttpClient
    budget: OperatingBudget

    def send(self, commands: Sequence[Command]) -> list[Outcome]:
        """One outcome per command, in order. Never raises a ``ConnectorError``: each command gets its own."""
        outcomes: list[Outcome] = []
        for start in range(0, len(commands), MOST):
            outcomes += self._send(commands[start : start + MOST])
        return outcomes

    def ask(self, commands: Sequence[Command]) -> list[Reply]:
        """As ``send``, for those who need every answer. Raises the first error."""
        return _replies(self.send(commands))

    def _send(self, commands: Sequence[Command]) -> list[Outcome]:
        """One request. A method whose time budget is used up is not sent; the rest goes without it."""
        waits = {method: self.budget.wait_for(method) for method in {one.method for one in commands}}
        ready = [command for command in commands if not waits[command.method]]
        sent = iter(self._request(ready) if ready else [])
        return [operating_limit(wait) if (wait := waits[one.method]) else next(sent) for one in commands]

    def _request(self, commands: Sequence[Command]) -> list[Outcome]:
        path, body = request_of(commands)
        try:
            safe = all(command.safe for command in commands)
            answer = self.http_client.call("POST", path, safe=safe, json=body)
        except ConnectorError as error:
            return [_own(error, command) for command in commands]
        if len(commands) == 1:
            return [self._reply(commands[0], answer["result"], answer.get("total"), answer.get("time"))]
        return self._read(commands, answer["result"])

    def _read(self, commands: Sequence[Command], result: Any) -> list[Outcome]:
        """The parts of a batch's answer; an empty part is a list in PHP, whatever it should be."""
        names = ("result", "result_error", "result_total", "result_time")
        parts = (result.get(name) if isinstance(result, dict) else None for name in names)
        results, errors, totals, times = (part if isinstance(part, dict) else {} for part in parts)
        outcomes: list[Outcome] = []
        for index, command in enumerate(commands):
            key = key_of(index)
            if error := errors.get(key):
                body = error if isinstance(error, dict) else {"error": error}
                outcomes.append(meaning(body, command.safe, alone=True))
            elif key in results:
                outcomes.append(self._reply(command, results[key], totals.get(key), times.get(key)))
            else:
                silent = Unclear(message("Bitrix24's answer does not speak of this command"), code="no_reply")
                outcomes.append(_own(silent, command))
        return outcomes

    def _reply(self, command: Command, value: Any, total: Any, time: Any) -> Reply:
        self.budget.note(command.method, time)
        moment = str(time.get("date_start") or "") if isinstance(time, dict) else ""
        return Reply(value, int(total) if str(total).isdigit() else 0, moment)


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
        text = str(int(value)) if isinstance(value, bool) else REFERENCE.sub("$ ", str(value))
        yield f"{name}={quote(text, safe='', errors='replace')}"


def _own(error: ConnectorError, command: Command) -> ConnectorError:
    """What became of the whole request, for one command: a lost look-up is only a look-up."""
    if isinstance(error, Unclear) and command.safe:
        return TryLater(error.message, code=error.code, account_wide=error.account_wide)
    return error


# -- reading what came back -----------------------------------------------------------------------------


def outcomes_of(commands: Sequence[Command]) -> Story[Sequence[Outcome]]:
    """What became of each command, errors among them."""
    return (yield commands) if commands else []


def replies_to(commands: Sequence[Command]) -> Story[list[Reply]]:
    """What the commands returned. Raises the first error."""
    return _replies((yield from outcomes_of(commands)))


def reply_to(command: Command) -> Story[Reply]:
    """What the command returned. Raises its error."""
    (reply,) = yield from replies_to([command])
    return reply


def _replies(outcomes: Iterable[Outcome]) -> list[Reply]:
    replies = []
    for outcome in outcomes:
        if isinstance(outcome, ConnectorError):
            raise outcome
        replies.append(outcome)
    return replies


def rows(reply: Reply) -> list[dict[str, Any]]:
    """The rows of a list; an empty answer may have any shape (reference 2.2)."""
    return [row for row in reply.value if isinstance(row, dict)] if isinstance(reply.value, list) else []


def made_id(value: Any) -> str:
    """The id that an add returned, bare or as ``{"id": 999}``. Raises ``Unclear`` where there is none."""
    value = value.get("id") if isinstance(value, dict) else value
    if isinstance(value, bool) or not isinstance(value, (int, str)) or not str(value).strip("0 "):
        raise Unclear(message("Bitrix24's answer doesn't name the record it made"), code="no_reply")
    return str(value)


def allowed(
    outcomes: Iterable[tuple[Any, Outcome]], needed: set[Any], tolerated: frozenset[str] = frozenset()
) -> Iterator[tuple[Any, Reply]]:
    """Those that were answered. A refused one is left out unless it is needed; other errors are raised."""
    for key, outcome in outcomes:
        if not isinstance(outcome, ConnectorError):
            yield key, outcome
        elif key in needed or not (isinstance(outcome, Refused) or outcome.code in tolerated):
            raise outcome


# -- the portal's time (reference 2.7) ------------------------------------------------------------------

WRITE, READ = 1.0, 0.5  # seconds, until the portal has said better: 25 writes fill a request, or 50 look-ups
WEIGHT = 0.1  # of the newest call in the average
NEAR = 0.8  # of a method's budget: from here on it rests
LONGEST_REST = 600.0  # seconds in which a budget is whole again
WRITES = ("crm.deal.add", "crm.lead.add", "crm.contact.add", "crm.company.add")


class Speed:
    """Seconds that a portal takes by method, as it tells them with each answer: a moving average."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def of(self, method: str) -> float:
        return self.seconds.get(method, WRITE if method.endswith(".add") else READ)

    def note(self, method: str, seconds: float) -> None:
        """Zero where the portal does not tell."""
        if seconds > 0:
            before = self.seconds.get(method, seconds)
            self.seconds[method] = before + WEIGHT * (seconds - before)


_SPEEDS: dict[str, Speed] = {}


def speed_at(portal: str) -> Speed:
    """What this process has seen of a portal."""
    return _SPEEDS.setdefault(portal, Speed())


class OperatingBudget:
    """Holds a method back once most of its time is used, for every process that shares the rate limiter.

    ``limit`` is how many seconds of the portal's work a method may take in ten minutes; 0: it keeps no count.
    """

    def __init__(self, limiter: RateLimiter, limit: float, speed: Speed | None = None) -> None:
        self.limiter = limiter
        self.limit = limit
        self.speed = speed or Speed()

    def wait_for(self, method: str) -> float:
        """Seconds until the method may be called again."""
        return self.limiter.held(method) if self.limit else 0.0

    def note(self, method: str, time: Any) -> None:
        """Take in an answer's ``time``: what the call took, and how much of the method's budget is used.
        Absent where the portal keeps no such count."""
        if not isinstance(time, dict):
            return
        self.speed.note(method, _number(time.get("duration")))
        used, reset, now = (_number(time.get(key)) for key in ("operating", "operating_reset_at", "finish"))
        if self.limit and used >= NEAR * self.limit and reset > now > 0:
            self.limiter.hold(method, min(reset - now, LONGEST_REST))

    def takes(self, method: str) -> float:
        """Seconds that a call of the method is expected to take."""
        return self.speed.of(method)

    def held_methods(self) -> tuple[str, ...]:
        """The methods of a delivery that wait, for people."""
        return tuple(method for method in WRITES if self.wait_for(method))


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return 0.0
