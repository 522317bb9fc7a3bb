"""What differs from CRM to CRM in a demo: each has a file here, called as the CRM, with one ``SCENARIO``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import Any, ClassVar

from config.demo.browser import Browser
from config.demo.environment import Environment
from config.demo.errors import DemoFailed
from config.demo.service import QuizService
from connectors.registry import CONNECTORS
from connectors.sandbox import SANDBOXES, sandbox_class


@dataclass(frozen=True)
class Chosen:
    """Where a rule puts its leads, in the words of the CRM, as its sandbox will say them.

    ``step`` is None where leads have none. ``words`` are fields of every lead that the rule is to fill.
    """

    pipeline: str
    step: str | None
    performer: str
    words: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return " / ".join(filter(None, (self.pipeline, self.step)))


class Scenario(ABC):
    """One CRM's part. ``prefix`` is where its operations begin in our API, ``means`` how one connects.

    ``has_contacts``: whoever answered is a record with an id, and the same one when they answer again.
    ``tells``: the CRM tells of changed leads by itself.
    """

    kind: ClassVar[str]
    prefix: ClassVar[str] = ""
    lists: ClassVar[tuple[str, ...]] = ("users", "pipelines", "steps", "fields", "tags")
    means: ClassVar[str] = "on its consent page,"
    has_contacts: ClassVar[bool] = True
    tells: ClassVar[bool] = False

    @property
    def label(self) -> str:
        return CONNECTORS[self.kind].label

    @property
    def www_port(self) -> int:
        return sandbox_class(self.kind).base_port

    @abstractmethod
    def variables(self, environment: Environment) -> dict[str, str]:
        """The operator's settings that make this CRM the local one."""

    @abstractmethod
    def save_rule(self, service: QuizService) -> Chosen:
        """Read the lists as a quiz editor would, and save the rule of the demo's quiz."""

    def fields_wanted(self, service: QuizService) -> int:
        """How many fields of the saved rule are still to be made in the CRM; none where we can't make any."""
        return 0

    def mark_there(self, mark: str) -> str:
        """A delivery's mark as it stands in the lead."""
        return mark

    def connecting(self, environment: Environment) -> dict[str, str] | None:
        """What the quiz service says of the account to connect, where the CRM's contract wants anything."""
        return None

    def connect(self, environment: Environment, service: QuizService, browser: Browser) -> str:
        """As the account's owner does; the address where that was."""
        link = str(service.post(f"{self.prefix}/account", self.connecting(environment))["link"])
        page = browser.open(link)
        if not page.url.startswith(environment.url):  # some CRMs ask nothing of whoever is signed in there
            page = browser.press(page)
        if page.status != 200:
            raise DemoFailed(
                f"{self.label}: the browser came back to status {page.status}: {page.text[:500]}"
            )
        return link

    def win(self, environment: Environment, service: QuizService, lead_id: str) -> None:
        """What a manager does in the CRM who has sold something; only where ``tells``."""
        raise NotImplementedError(self.kind)

    def counts(self, service: QuizService) -> dict[str, int]:
        """How many rows each list has by now."""
        return {name: service.count(f"{self.prefix}/{name}") for name in self.lists}


def scenarios() -> list[Scenario]:
    """Every CRM that has a connector, a sandbox and a file here."""
    known = [kind for kind in CONNECTORS if kind in SANDBOXES and find_spec(f"config.demo.{kind}")]
    found: list[Scenario] = [import_module(f"config.demo.{kind}").SCENARIO for kind in known]
    return found


def variables_of(environment: Environment, crms: Iterable[Scenario]) -> dict[str, str]:
    """What all processes of a run read."""
    return environment.variables(
        {name: value for crm in crms for name, value in crm.variables(environment).items()}
    )


def pick(rows: Iterable[dict[str, Any]], what: str, **wanted: Any) -> dict[str, Any]:
    """The row with these values. Raises ``DemoFailed`` where there is none."""
    for row in rows:
        if all(row.get(name) == value for name, value in wanted.items()):
            return row
    raise DemoFailed(f"There is no {what} with {wanted}.")
