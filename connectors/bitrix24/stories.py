"""The stories of an account's batches side by side: a request takes what fits of what any of them wants.

A draft's story yields the commands that it wants next and is sent their outcomes. Each batch has a thread of
its own (``rules.delivery.worker``), which sends whatever is next, also another batch's commands: by itself it
would fill neither its first requests nor its last ones, and it is requests that a portal counts. Every id is
recorded before whoever it concerns goes on.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Condition

from connectors.bitrix24.client import Command, Outcome, Story
from connectors.bitrix24.requests import BatchRequests, BitrixItem, Request
from connectors.delivery import unsent
from connectors.errors import ConnectorError, unexpected
from connectors.limiter import RateLimiter, WrappedRateLimiter

log = logging.getLogger(__name__)
Stories = Mapping[BitrixItem, Story[None]]
Wants = dict[BitrixItem, Sequence[Command]]


@dataclass(eq=False, slots=True)
class Batch:
    """``unfinished``: whose stories go on. After a ``failure`` of ours, or an error of the whole account
    (``wide``), none does."""

    stories: Stories
    requests: BatchRequests
    unfinished: set[BitrixItem]
    begun: float = field(default_factory=time.monotonic)
    failure: Exception | None = None
    wide: ConnectorError | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """One request may go now, or why none may."""

    refused: ConnectorError | None = None


class RequestLimiter(WrappedRateLimiter):
    """The pace of one request that has had its turn; of its repeats it is the usual one. Whoever has commands
    in it is to know of writes."""

    def __init__(self, limiter: RateLimiter, turn: Turn, whose: Sequence[RateLimiter]) -> None:
        super().__init__(limiter)
        self.turn: Turn | None = turn
        self.whose = whose

    def wait(self) -> None:
        turn, self.turn = self.turn, None
        if turn is None:
            super().wait()
        elif turn.refused:
            raise turn.refused

    def about_to_write(self) -> None:
        for limiter in self.whose:
            limiter.about_to_write()


@dataclass(eq=False)
class StoryPool:
    """The stories of one account that are under way in this process."""

    _wants: Wants = field(default_factory=dict)  # of those in no request
    _batches: dict[BitrixItem, Batch] = field(default_factory=dict)
    _changed: Condition = field(default_factory=Condition)
    _waits: bool = False  # somebody does, for a turn

    def run(self, stories: Stories, requests: BatchRequests) -> None:
        """Each story of a batch to its end, or to its item's error.

        Raises what kept ids from being recorded, for whichever batch: what comes next might not be either.
        """
        batch = Batch(stories, requests, set(stories))
        with self._changed:
            self._batches |= dict.fromkeys(stories, batch)
        self._take_back(list(stories), _go_on(stories, dict.fromkeys(stories)))
        while turn := self._next_turn(batch):
            if request := self._filled(batch):
                self._send(request, batch, turn)
        if batch.failure:
            raise batch.failure

    def _next_turn(self, batch: Batch) -> Turn | None:
        """Once there is something to send, whoever's it is; None once the batch is finished."""
        with self._changed:
            self._changed.wait_for(lambda: not batch.unfinished or (self._wants and not self._waits))
            if not batch.unfinished:
                return None
            self._waits = True
        try:
            batch.requests.limiter.wait()
        except ConnectorError as error:
            return Turn(error)
        finally:
            with self._changed:
                self._waits = False
                self._changed.notify_all()
        return Turn()

    def _filled(self, batch: Batch) -> Request | None:
        """The request for a turn, filled as late as can be: what was answered meanwhile is in it."""
        with self._changed:
            if not self._wants:
                return None
            try:
                request = batch.requests.fill({item: self._wants[item] for item in self._in_order()})
            except Exception as exc:
                self._take_back([], {}, exc)
                return None
            for item in request.whose:
                del self._wants[item]
        return request

    def _in_order(self) -> list[BitrixItem]:
        """Look-ups first: whoever was looked up has something to write when a request needs more. Then the
        oldest batch, so that they end one after the other."""

        def rank(item: BitrixItem) -> tuple[bool, float]:
            return not all(command.safe for command in self._wants[item]), self._batches[item].begun

        return sorted(self._wants, key=rank)

    def _send(self, request: Request, sender: Batch, turn: Turn) -> None:
        wants: Wants = {}
        failure: Exception | None = None
        try:
            whose: dict[Batch, list[BitrixItem]] = {}
            for item in request.whose:
                whose.setdefault(self._batches[item], []).append(item)
            limiter = RequestLimiter(sender.requests.limiter, turn, [one.requests.limiter for one in whose])
            answers = sender.requests.ask(request, limiter)
            for batch, items in whose.items():
                wants |= _go_on(batch.stories, {item: answers[item] for item in items})
                batch.requests.record(items)
        except Exception as exc:
            failure = exc
        self._take_back(list(request.whose), wants, failure)

    def _take_back(self, items: Sequence[BitrixItem], wants: Wants, failure: Exception | None = None) -> None:
        """Items that are in no request now, with what they want next, if they want anything."""
        with self._changed:
            wide = next((one.error for one in items if one.error and one.error.account_wide), None)
            if failure or wide:
                for batch in set(self._batches.values()):
                    batch.failure, batch.wide = batch.failure or failure, batch.wide or wide
                items, wants = [*items, *self._wants], {**wants, **self._wants}
                self._wants.clear()
            for item in items:
                batch = self._batches[item]
                if item in wants and not (batch.failure or batch.wide):
                    self._wants[item] = wants[item]
                    continue
                if item in wants and batch.wide:
                    item.fail(unsent(batch.wide))
                batch.unfinished.discard(item)
                del self._batches[item]
            self._changed.notify_all()


def _go_on(stories: Stories, answers: Mapping[BitrixItem, list[Outcome] | None]) -> Wants:
    """Each story up to its next commands. One that ends wants nothing more."""
    wants: Wants = {}
    for item, outcomes in answers.items():
        try:
            wants[item] = next(stories[item]) if outcomes is None else stories[item].send(outcomes)
        except StopIteration:
            continue
        except ConnectorError as error:
            item.fail(error)
        except Exception as exc:
            log.exception("delivery=%s", item.uid)
            item.fail(unexpected(exc, unclear=item.in_flight))
    return wants
