"""What every local CRM shares: one door, a clock, switches, faults, a journal.

A sandbox is a plain object with `handle(method, url, headers, body) -> Reply`. Tests call it in process;
`connectors.sandbox.server` puts it on ports. Waiting (latency, slow faults) happens outside the lock, so
that requests overlap as they do with the real thing.
"""

from __future__ import annotations

import itertools
import threading
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import replace
from email.utils import formatdate
from typing import Any, ClassVar

from connectors.sandbox.clock import Clock
from connectors.sandbox.faults import Fault, Faults
from connectors.sandbox.journal import Entry, Journal
from connectors.sandbox.wire import Dropped, Reply, Request, TimedOut

__all__ = ["Clock", "Dropped", "Faults", "Journal", "Reply", "Request", "Sandbox", "Switches", "TimedOut"]


class Switches(MutableMapping[str, Any]):
    """Named behaviours with defaults. An unknown name or a value outside the choices is refused."""

    def __init__(self, defaults: Mapping[str, Any], choices: Mapping[str, tuple[Any, ...]]) -> None:
        self._defaults, self._choices = dict(defaults), dict(choices)
        self._values = dict(defaults)

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __setitem__(self, name: str, value: Any) -> None:
        if name not in self._defaults:
            raise KeyError(f"no such switch: {name}; there are {', '.join(sorted(self._defaults))}")
        if name in self._choices and value not in self._choices[name]:
            raise ValueError(f"{name} is one of {self._choices[name]}, not {value!r}")
        self._values[name] = value

    def __delitem__(self, name: str) -> None:
        self._values[name] = self._defaults[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def reset(self) -> None:
        self._values = dict(self._defaults)


class Sandbox(ABC):
    """One local CRM with all its accounts: a world under one lock."""

    kind: ClassVar[str]
    title: ClassVar[str]
    base_port: ClassVar[int]  # the vendor's "www"; accounts get the ports after it
    tls_names: ClassVar[tuple[str, ...]] = ()  # vendor names for the certificate, wildcards too
    ports: dict[int, Any]  # port -> account; None is the www host
    switch_defaults: ClassVar[Mapping[str, Any]] = {}
    switch_choices: ClassVar[Mapping[str, tuple[Any, ...]]] = {}

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.ports = {}
        self.clock = Clock()
        self.journal = Journal()
        self.faults = Faults()
        self.switches = Switches({"latency": 0.0, **self.switch_defaults}, self.switch_choices)
        self._request_ids = itertools.count(1)
        self._run = uuid.uuid4().hex[:12]

    # -- what a CRM implements ------------------------------------------------------------------

    @abstractmethod
    def answer(self, request: Request) -> Reply:
        """Do the work of one request, under the lock."""

    @abstractmethod
    def error_reply(self, status: int, request: Request) -> Reply:
        """The body this vendor sends with a bare error status (for faults)."""

    @abstractmethod
    def owns_host(self, hostname: str) -> bool:
        """Whether a vendor name such as demo7.amocrm.ru belongs to this CRM."""

    @abstractmethod
    def add_account(self, subdomain: str = "", *, port: int | None = None, **options: Any) -> Any:
        """A new, seeded account; the object has at least id, subdomain, host and port."""

    @abstractmethod
    def ledger(self) -> list[dict[str, Any]]:
        """All leads with contact, company, tags, notes and fields, as plain values."""

    def control(self, operation: str, arguments: dict[str, Any]) -> Any:
        """Operations of the control API that only this CRM has. LookupError: there is no such one."""
        raise LookupError(f"no such operation: {operation}")

    def pump(self) -> int:
        """Send what is due (webhooks, hooks); returns how many calls were made."""
        return 0

    def route_of(self, request: Request) -> str:
        return f"{request.method} {request.path}"

    def latency_of(self, request: Request) -> float:
        """Seconds that a request takes before it is answered."""
        return float(self.switches["latency"])

    # -- what all share -------------------------------------------------------------------------

    def handle(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | str | None = None,
        reading: float = 0.0,
    ) -> Reply:
        """The one door; ``reading``: seconds that the body took, before which the request had come.

        Raises Dropped where the client should see a lost connection.
        """
        request = Request.make(method, url, headers, body, at=self.clock.now() - reading)
        with self.lock:
            fault, latency = self.faults.pick(request), self.latency_of(request)
        self.clock.sleep(latency)
        try:
            reply = self._with_fault(request, fault) if fault else self._work(request)
        except Dropped:
            self._record(request, 0)
            raise
        self._record(request, reply.status)
        return self._signed(reply)

    def _work(self, request: Request) -> Reply:
        with self.lock:
            return self.answer(request)

    def _with_fault(self, request: Request, fault: Fault) -> Reply:
        done = self._work(request) if fault.does_the_work and fault.action != "delay" else None
        if fault.action != "slow":
            self.clock.sleep(fault.delay)
        if fault.action.startswith("reset"):
            raise Dropped("the sandbox reset the connection")
        if fault.action.startswith("timeout"):
            raise TimedOut("the sandbox did not answer in time")
        if fault.action.startswith("answer"):
            return self._fault_reply(request, fault)
        done = done or self._work(request)
        if fault.action == "truncate":
            return replace(done, body=done.body[: len(done.body) // 2])
        return replace(done, drip=fault.delay if fault.action == "slow" else 0.0)

    def _fault_reply(self, request: Request, fault: Fault) -> Reply:
        if fault.body is None:
            reply = self.error_reply(fault.status, request)
            return replace(reply, headers={**reply.headers, **fault.headers})
        headers = {"Content-Type": fault.content_type, **fault.headers}
        return Reply(fault.status, headers, fault.body.encode())

    def _record(self, request: Request, status: int) -> None:
        with self.lock:
            self.journal.record(Entry(request.at, request, self.route_of(request), status))

    def _signed(self, reply: Reply) -> Reply:
        """Every answer says when it was given, by the CRM's clock, and which one it is."""
        said = {"Date": formatdate(self.clock.now(), usegmt=True)}
        said["X-Request-Id"] = f"{self._run}-{next(self._request_ids):08x}"
        return replace(reply, headers={**said, **reply.headers})

    def reset(self) -> None:
        """Back to an empty world with default moods; a CRM adds its own state."""
        with self.lock:
            self.clock.reset()
            self.journal.clear()
            self.faults.clear()
            self.switches.reset()
