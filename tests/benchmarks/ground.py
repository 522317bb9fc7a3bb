"""What the measurements stand on: the demo's processes, one connected CRM with a rule, and the clock."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlsplit

import psycopg
from django.conf import settings

from config.demo.children import Child, Children
from config.demo.environment import Environment, an_environment, connected
from config.demo.errors import DemoFailed
from config.demo.http import look_into, tell
from config.demo.processes import start_all, wait_for_all
from config.demo.run import Run
from config.demo.scenario import Scenario, scenarios, variables_of
from config.demo.service import QuizService
from config.endings import Ended, listen_for_endings
from config.openapi.quiz import QUIZ_ID, answer, person

Figures = list[tuple[str, str]]  # what was measured, and how much: lines of docs/benchmarks.md's table


@dataclass
class Ground:
    environment: Environment
    children: Children
    service: QuizService
    scenario: Scenario
    worker: Child

    def database(self) -> psycopg.Connection:
        """A connection of our own to the run's database."""
        usual = settings.DATABASES["default"]
        return connected({**usual, "NAME": f"{usual['NAME']}_{self.environment.name}"})

    def journal(self, last: int = 1) -> dict[str, Any]:
        """What the CRM counted: total, counts by route, statuses, and its newest entries."""
        found: dict[str, Any] = look_into(
            self.environment.control_url, self.scenario.kind, "journal", last=last
        )
        return found

    def rest(self) -> None:
        """Nobody delivers from now on."""
        self.children.stop(
            [child for child in self.children.running if child.name.startswith(("worker", "beat"))]
        )

    def tell(self, operation: str, **arguments: Any) -> Any:
        return tell(self.environment.control_url, self.scenario.kind, operation, **arguments)

    def delivered(self) -> int:
        return self.service.count("/deliveries", quizID=QUIZ_ID, state="delivered")

    def ledger(self) -> list[dict[str, Any]]:
        """The leads of the CRM, in the order they were made."""
        found: list[dict[str, Any]] = look_into(self.environment.control_url, self.scenario.kind, "ledger")
        return found

    def leads(self) -> int:
        return len(self.ledger())


@contextmanager
def the_ground(
    crm: str, before: Callable[[Ground], None] = lambda ground: None, **variables: str
) -> Iterator[Ground]:
    """Everything up, one CRM connected, its rule ready. Ends the program with a sentence if that fails.

    ``before`` is done at the CRM before it is connected.
    """
    listen_for_endings()
    try:
        with an_environment("bench") as environment:
            [scenario] = [one for one in scenarios() if one.kind == crm]
            env = {**variables_of(environment, [scenario]), **variables}
            with Children(environment.folder, settings.BASE_DIR, env) as children:
                worker, token = start_all(environment, children)
                service = QuizService(environment.url, token)
                wait_for_all(environment, children, worker)
                ground = Ground(environment, children, service, scenario, worker)
                before(ground)
                Run(environment, children, service, [scenario], say).prepare()
                yield ground
    except DemoFailed as exc:
        sys.exit(str(exc))
    except Ended as end:
        sys.exit(end.status)


def an_ordinary_visit(number: int, known: int = 0) -> dict[str, Any]:
    """As visits are: every second has an e-mail beside the phone, every other names a company, and a third of
    them are of the first ``known`` people. Whatever is a person's own has their number in it."""
    who = number // 3 % known + 1 if known and number % 3 == 0 else number
    body = a_visit(who)
    contact = dict(body["contact"])
    if number % 2:
        contact["email"] = f"anna916{who:07d}@mail.example"
    if number % 4 in (1, 2):
        contact["company"] = f"ООО Ромашка 916{who:07d}"
    return {**body, "answerID": f"bench-{number}", "contact": contact}


def a_visit(number: int) -> dict[str, Any]:
    """The least that is usable: somebody new with a phone."""
    body = answer(number, person(f"Анна {number}", f"+7916{number:07d}"), area=54, repair="Капитальный")
    return {**body, "answerID": f"bench-{number}"}


def options(description: str, answers: int, latency: float = 0.3) -> ArgumentParser:
    parser = ArgumentParser(description=description)
    parser.add_argument("--answers", type=int, default=answers, help="how many (%(default)s)")
    parser.add_argument("--latency", type=float, default=latency, help="seconds the CRM takes (%(default)s)")
    parser.add_argument("--crm", default="amocrm", help="which one (%(default)s)")
    return parser


def address_of(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return str(parts.hostname), int(parts.port or 80)


def machine() -> str:
    """What the figures were measured on, and when."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    python = f"Python {sys.version.split()[0]}"
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, {python}, {sys.platform}, {date.today()}"


def say(line: str) -> None:
    print(line, flush=True)
