"""The two sides of `drain`, in one process on the run's database: `drain_sides <leads> <rounds>`.

The engine drains the lane. What the loop sends is what the engine sent in a first round that isn't measured,
with other people in it; notes go to the leads of that round. Prints a line of JSON: for each round and side
the seconds, the seconds of a core, and the requests.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from unittest import mock

import django

django.setup()

from accounts.access import connector_for  # noqa: E402
from accounts.models import Account  # noqa: E402
from config.demo.processes import QUIZ_ACCOUNT  # noqa: E402
from connectors.amocrm.client import AT_ONCE  # noqa: E402
from connectors.amocrm.connector import AmoConnector  # noqa: E402
from connectors.http import HttpClient  # noqa: E402
from connectors.limiter import NoRateLimiter  # noqa: E402
from rules.delivery import outbox  # noqa: E402
from rules.delivery.worker import drain  # noqa: E402
from rules.intake import accept_answers  # noqa: E402
from rules.models import Delivery  # noqa: E402
from tests.benchmarks.ground import a_visit  # noqa: E402
from tests.benchmarks.rounds import in_turns  # noqa: E402

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
Figures = tuple[float, float, int]  # seconds, seconds of a core, requests


def main(leads: int, rounds: int) -> None:
    account = Account.objects.get(account_id=QUIZ_ACCOUNT)
    batches = recorded(account, leads)
    http_client = connector_for(account).http_client()
    http_client.limiter = NoRateLimiter()
    pairs = in_turns(
        rounds,
        lambda number: engine(account, leads, number + 1),
        lambda number: loop(
            http_client, [[one.for_others(number + 1) for one in batch] for batch in batches]
        ),
    )
    print(json.dumps([{"engine": engine, "loop": loop} for engine, loop in pairs]))


# -- the engine ----------------------------------------------------------------------------------------------


def engine(account: Account, leads: int, number: int) -> Figures:
    """Drain a round's answers, which are accepted before the clock starts."""
    first = number * leads + 1
    for start in range(first, first + leads, ACCEPTED):
        end = min(start + ACCEPTED, first + leads)
        accept_answers(QUIZ_ACCOUNT, [a_visit(one) for one in range(start, end)])
    with exchanges() as seen:
        begun, own = time.perf_counter(), time.process_time()
        while outbox.due_now(account.pk):
            drain(account.pk)
        figures = time.perf_counter() - begun, time.process_time() - own, len(seen)
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
    real = HttpClient._exchange

    def spy(self: HttpClient, method: str, path: str, tokens: Any, kwargs: Mapping[str, Any]) -> Any:
        seen.append(Sent(method, path, kwargs))
        return real(self, method, path, tokens, kwargs)

    with mock.patch.object(HttpClient, "_exchange", spy):
        yield seen


# -- the requests alone --------------------------------------------------------------------------------------


def loop(http_client: HttpClient, batches: Sequence[Batch]) -> Figures:
    """As many batches at a time, and as many look-ups of a batch, as the engine has under way."""
    with exchanges() as seen:
        begun, own = time.perf_counter(), time.process_time()
        with ThreadPoolExecutor(AmoConnector.can.parallel) as pool:
            list(pool.map(lambda batch: send(http_client, batch), batches))
        return time.perf_counter() - begun, time.process_time() - own, len(seen)


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
