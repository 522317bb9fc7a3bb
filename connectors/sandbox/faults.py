"""Moods on demand: rules that make a sandbox answer badly, late, or not at all."""

from __future__ import annotations

import itertools
import random
import re
from dataclasses import dataclass, field
from typing import Any

from connectors.sandbox.wire import Request

ACTIONS = {
    "answer": "answer `status` and `body` without doing the work",
    "answer_after": "do the work, then answer `status` and `body`: work done, reply lost",
    "reset": "drop the connection before doing the work",
    "reset_after": "do the work, then drop the connection",
    "timeout": "let the client run into its timeout, work not done",
    "timeout_after": "do the work, then let the client run into its timeout",
    "truncate": "do the work, answer half of the body",
    "slow": "do the work, answer the body over `delay` seconds",
    "delay": "do the work, only later",
}


@dataclass
class Fault:
    """For requests that match: skip `after` of them, then act on the next `times` (None: on all)."""

    action: str = "answer"
    method: str = ""
    path: str = ""
    host: str = ""
    contains: str = ""  # a piece of the body, e.g. "refresh_token"
    after: int = 0
    times: int | None = 1
    probability: float = 1.0
    seed: int | None = None
    status: int = 500
    body: str | None = None  # None: the vendor's own body for that status
    content_type: str = "text/html"
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    id: int = 0
    seen: int = 0
    hits: int = 0

    def __post_init__(self) -> None:
        if self.action not in ACTIONS:
            raise ValueError(f"unknown action {self.action!r}, choose one of {', '.join(ACTIONS)}")
        self._method, self._path, self._host = (re.compile(x) for x in (self.method, self.path, self.host))
        self._dice = random.Random(self.seed)

    def concerns(self, request: Request) -> bool:
        return bool(
            (not self.method or self._method.fullmatch(request.method))
            and self._path.search(request.path)
            and self._host.search(request.netloc)
            and (not self.contains or self.contains.encode() in request.body)
        )

    def strikes(self, request: Request) -> bool:
        """Counts the request and says whether the fault acts on it."""
        if not self.concerns(request) or (self.times is not None and self.hits >= self.times):
            return False
        self.seen += 1
        if self.seen <= self.after or self._dice.random() >= self.probability:
            return False
        self.hits += 1
        return True

    @property
    def does_the_work(self) -> bool:
        return self.action not in ("answer", "reset", "timeout")

    def as_dict(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if not name.startswith("_")}


class Faults:
    def __init__(self) -> None:
        self._rules: list[Fault] = []
        self._ids = itertools.count(1)

    def add(self, path: str = "", action: str = "answer", **options: Any) -> Fault:
        """`nth=3` is short for after=2, times=1. The other options are the attributes of Fault."""
        nth = options.pop("nth", None)
        if nth is not None:
            options |= {"after": nth - 1, "times": 1}
        fault = Fault(path=path, action=action, **options)
        fault.id = next(self._ids)
        self._rules.append(fault)
        return fault

    def remove(self, fault_id: int) -> None:
        self._rules = [fault for fault in self._rules if fault.id != fault_id]

    def clear(self) -> None:
        self._rules = []

    def pick(self, request: Request) -> Fault | None:
        """The first fault that strikes; the later ones don't count this request."""
        return next((fault for fault in self._rules if fault.strikes(request)), None)

    def __iter__(self) -> Any:
        return iter(tuple(self._rules))

    def __len__(self) -> int:
        return len(self._rules)
