"""The requests of one delivery, each told to the drafts that it concerns and to no other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from connectors.base import Journal
from connectors.bitrix24.batch import MOST, Budget, Command, Outcome, Reply, request_of, send
from connectors.bitrix24.work import Work
from connectors.draft import Exchange
from connectors.http import Door
from connectors.redact import excerpt

MakeDoor = Callable[[Callable[[Exchange], None]], Door]
Wants = Mapping[Work, Sequence[Command]]


class Talk:
    """Asks Bitrix24 for many drafts at once, and writes down what was made."""

    def __init__(self, make_door: MakeDoor, journal: Journal, budget: Budget) -> None:
        self.make_door = make_door
        self.journal = journal
        self.budget = budget

    def ask(self, wants: Wants) -> dict[Work, list[Outcome]]:
        """Everybody's commands in as few requests as hold them; nobody's are torn apart."""
        answers: dict[Work, list[Outcome]] = {}
        for part in parts(wants):
            answers |= self._ask(part)
        return answers

    def record(self, works: Sequence[Work]) -> None:
        """Write down what is new, all in one go."""
        news = {work.uid: work.news() for work in works if work.news()}
        if news:
            self.journal.record(news)
        for work in works:
            work.recorded = dict(work.journal)

    def _ask(self, wants: Wants) -> dict[Work, list[Outcome]]:
        seen: list[Exchange] = []
        commands = [command for own in wants.values() for command in own]
        outcomes = iter(send(self.make_door(seen.append), commands, self.budget))
        answers = {work: [next(outcomes) for _ in own] for work, own in wants.items()}
        for work, own in wants.items():
            work.trace += [_share(e, own, answers[work], alone=len(wants) == 1) for e in seen]
        return answers


def parts(wants: Wants) -> list[dict[Work, Sequence[Command]]]:
    """As many drafts together as fit into one batch."""
    found: list[dict[Work, Sequence[Command]]] = [{}]
    for work, own in wants.items():
        if sum(map(len, found[-1].values())) + len(own) > MOST:
            found.append({})
        found[-1][work] = own
    return found


def _share(exchange: Exchange, own: Sequence[Command], answers: Sequence[Outcome], alone: bool) -> Exchange:
    """One draft's part of a shared request and of its answer."""
    if alone:
        return exchange
    said = [answer.value if isinstance(answer, Reply) else answer.message for answer in answers]
    _, body = request_of(own)
    request = {own[0].method: body} if len(own) == 1 else body
    return replace(exchange, request=excerpt(request), response=excerpt(said))
