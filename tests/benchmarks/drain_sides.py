"""The two sides of `drain`, in one process on the run's database: `drain_sides <leads> <rounds>`.

The engine drains the lane: of ordinary visits, a third of them by people whom the CRM knows and this service
has forgotten, and, as the best case, of the least that is usable. What the loop sends is what the engine sent
for such ones in a first round that isn't measured, with other people in it; notes go to the leads of that
round. Prints a line of JSON: for each round and side the seconds, the seconds of a core, the requests, and
PostgreSQL's seconds of a core.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from typing import Any
from unittest import mock

import django

django.setup()

from django.db import connection  # noqa: E402

from accounts.access import connector_for  # noqa: E402
from accounts.models import Account  # noqa: E402
from config.demo.processes import QUIZ_ACCOUNT  # noqa: E402
from connectors.amocrm.client import AT_ONCE  # noqa: E402
from connectors.amocrm.connector import AmoConnector  # noqa: E402
from connectors.http import HttpClient  # noqa: E402
from connectors.limiter import NoRateLimiter  # noqa: E402
from crm_cache.models import KnownContact  # noqa: E402
from rules.delivery import outbox  # noqa: E402
from rules.delivery.worker import drain  # noqa: E402
from rules.intake import accept_answers  # noqa: E402
from rules.models import Delivery  # noqa: E402
from tests.benchmarks.cores import postgres, spent  # noqa: E402
from tests.benchmarks.ground import a_visit, an_ordinary_visit  # noqa: E402

NUMBER = re.compile(r"(?<=916)\d{7}")  # of who answered, inside their phone
UID = re.compile(r"qz[a-z0-9]{16}")
APART = 1_000_000  # between the people of two rounds
ACCEPTED = 100  # answers at a time


@dataclass(frozen=True)
class Sent:
    """A request as the door was asked for it."""

    method: str
    path: str
    options: Mapping[str, Any]

    @property
    def looks_up(self) -> bool:
        return self.method == "GET"

    def for_others(self, round_number: int) -> Sent:
        """The same for people who are new to the CRM. Notes stay as they are: their leads exist."""
        text = json.dumps(self.options)
        if not self.path.endswith("/notes"):
            text = NUMBER.sub(lambda found: f"{int(found[0]) + round_number * APART:07d}", text)
            text = UID.sub(lambda found: f"{found[0][:-2]}{round_number:02d}", text)
        return Sent(self.method, self.path, json.loads(text))


Batch = list[Sent]  # what one call of ``deliver`` sent: look-ups, then everything else in order
Figures = tuple[float, float, int, float]  # seconds, seconds of a core, requests, PostgreSQL's of a core
SIDES = ("engine", "best", "loop")


def main(leads: int, rounds: int) -> None:
    account = Account.objects.get(account_id=QUIZ_ACCOUNT)
    batches = recorded(account, leads)
    http_client = connector_for(account).http_client()
    http_client.limiter = NoRateLimiter()
    numbers = count(1)
    measured = []
    for turn in range(rounds):
        sides: dict[str, Callable[[], Figures]] = {
            "engine": lambda: engine(account, leads, next(numbers), known=leads),
            "best": lambda: engine(account, leads, next(numbers)),
            "loop": lambda: loop(http_client, for_others(batches, next(numbers))),
        }
        order = SIDES[:: -1 if turn % 2 else 1]  # so that whatever else the machine does hits all
        measured.append({side: sides[side]() for side in order})
    print(json.dumps(measured))


def for_others(batches: Sequence[Batch], number: int) -> list[Batch]:
    return [[one.for_others(number) for one in batch] for batch in batches]


class Clock:
    """From when it is made: seconds, this process's seconds of a core, and PostgreSQL's."""

    def __init__(self) -> None:
        connection.ensure_connection()
        self.postgres = postgres(connection.connection)
        self.begun, self.own, self.database = time.perf_counter(), time.process_time(), spent(self.postgres)

    def figures(self, requests: int) -> Figures:
        seconds, own = time.perf_counter() - self.begun, time.process_time() - self.own
        return seconds, own, requests, spent(self.postgres) - self.database


# -- the engine ----------------------------------------------------------------------------------------------


def engine(account: Account, leads: int, number: int, known: int = 0) -> Figures:
    """Drain a round's answers, which are accepted before the clock starts. ``known``: ordinary ones, a third
    of them by whoever came in the first round."""
    first = number * leads + 1
    visit = partial(an_ordinary_visit, known=known) if known else a_visit
    KnownContact.objects.all().delete()
    for start in range(first, first + leads, ACCEPTED):
        end = min(start + ACCEPTED, first + leads)
        accept_answers(QUIZ_ACCOUNT, [visit(one) for one in range(start, end)])
    with exchanges() as seen:
        measured = Clock()
        while outbox.due_now(account.pk):
            drain(account.pk)
        figures = measured.figures(len(seen))
    waiting = Delivery.objects.exclude(state=Delivery.State.DELIVERED).count()
    if waiting:
        raise RuntimeError(f"{waiting} leads of the engine were not delivered")
    return figures


def recorded(account: Account, leads: int) -> list[Batch]:
    """The requests of a round, batch by batch: one batch at a time, so that each begins with look-ups."""
    with mock.patch.object(AmoConnector, "can", replace(AmoConnector.can, parallel=1)), exchanges() as seen:
        engine(account, leads, 0)
    batches: list[Batch] = []
    for before, sent in zip([None, *seen], seen, strict=False):
        if before is None or (sent.looks_up and not before.looks_up):
            batches.append([])
        batches[-1].append(sent)
    return batches


@contextmanager
def exchanges() -> Iterator[list[Sent]]:
    """Every request that goes through the door, as the door was asked for it."""
    seen: list[Sent] = []
    real = HttpClient._send

    def spy(self: HttpClient, method: str, path: str, safe: bool, tokens: Any, kwargs: Any) -> Any:
        seen.append(Sent(method, path, kwargs))
        return real(self, method, path, safe, tokens, kwargs)

    with mock.patch.object(HttpClient, "_send", spy):
        yield seen


# -- the requests alone --------------------------------------------------------------------------------------


def loop(http_client: HttpClient, batches: Sequence[Batch]) -> Figures:
    """As many batches at a time, and as many look-ups of a batch, as the engine has under way."""
    with exchanges() as seen:
        measured = Clock()
        with ThreadPoolExecutor(AmoConnector.can.parallel) as pool:
            list(pool.map(lambda batch: send(http_client, batch), batches))
        return measured.figures(len(seen))


def send(http_client: HttpClient, batch: Batch) -> None:
    look_ups = [sent for sent in batch if sent.looks_up]
    for sent in look_ups[:1]:
        ask(http_client, sent)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda sent: ask(http_client, sent), look_ups[1:]))
    for sent in batch:
        if not sent.looks_up:
            ask(http_client, sent)


def ask(http_client: HttpClient, sent: Sent) -> None:
    http_client.ask(sent.method, sent.path, **sent.options)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
