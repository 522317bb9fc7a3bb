"""What the contract suite needs to know of a CRM. A new CRM joins by adding its harness to ``HARNESSES``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from importlib import import_module
from typing import Any, ClassVar

import responses

from connectors.base import Connector
from connectors.draft import Placement
from connectors.sandbox.core import Sandbox
from connectors.sandbox.journal import Entry

HARNESSES = {
    "amocrm": "tests.connectors.amocrm.harness.AmoHarness",
    "bitrix24": "tests.connectors.bitrix24.harness.BitrixHarness",
    "envybox": "tests.connectors.envybox.harness.EnvyHarness",
    "solos": "tests.connectors.solos.harness.SolosHarness",
}


class Harness(ABC):
    """One connected account in one sandbox, and the ways to break it.

    ``creation`` is a regular expression for the path that makes a lead; ``busy`` is the fault (attributes of
    the sandbox's ``Fault``) by which this CRM says that we are too fast. ``tasks`` is the path that makes a
    task; only where ``can.tasks``, as are ``place``, ``person``, ``refuse_tasks`` and ``hide_tasks``.
    """

    kind: ClassVar[str]
    creation: ClassVar[str]
    busy: ClassVar[dict[str, Any]] = {"status": 429}
    tasks: ClassVar[str] = ""
    box: Sandbox

    @abstractmethod
    def __init__(self, mocked: responses.RequestsMock) -> None:
        """Start the sandbox, connect an account, prepare it."""

    @property
    @abstractmethod
    def connector(self) -> Connector:
        """A fresh connector, as every task builds its own."""

    @abstractmethod
    def revoke(self) -> None:
        """The CRM forgets us for good."""

    def expire(self) -> None:
        """The access token runs out while the refresh token lives; only where ``can.oauth``."""
        raise NotImplementedError

    @abstractmethod
    def secrets(self) -> list[str]:
        """What must never be seen: tokens, keys, the integration's secret."""

    def take_up(self, lead_id: str) -> None:
        """Somebody in the CRM does what a new lead needs to be seen by ``follow``; mostly nothing."""
        return

    def move(self, lead_id: str, status: str) -> None:
        """Somebody in the CRM ends a receipt's lead as ``won`` or ``lost``; only where ``can.follow``."""
        raise NotImplementedError

    def erase(self, lead_id: str) -> None:
        """Somebody in the CRM deletes a receipt's lead; only where ``can.follow``."""
        raise NotImplementedError

    @property
    def place(self) -> Placement:
        """Where a lead goes that can have a task, and who looks after it."""
        raise NotImplementedError

    @property
    def person(self) -> str:
        """Somebody else."""
        raise NotImplementedError

    def refuse_tasks(self) -> None:
        """The CRM makes no tasks from now on: a right is missing."""
        raise NotImplementedError

    def hide_tasks(self) -> None:
        """The CRM shows no tasks from now on: a right is missing."""
        raise NotImplementedError

    def end_task(self, task_id: str) -> None:
        """Somebody does a task."""
        self.box.control("end_task", {"task_id": int(task_id)})

    def is_read(self, entry: Entry) -> bool:
        """Does this request, as the sandbox's journal has it, change nothing?"""
        return entry.method == "GET"

    def leads(self) -> list[dict[str, Any]]:
        return self.box.ledger()


def harness_class(kind: str) -> type[Harness]:
    module, name = HARNESSES[kind].rsplit(".", 1)
    return getattr(import_module(module), name)  # type: ignore[no-any-return]
