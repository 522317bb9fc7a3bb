"""The requests of one delivery, each told to the drafts that it concerns and to no other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from connectors.base import Journal
from connectors.bitrix24.batch import MOST, Budget, Command, Outcome, Reply, request_of, send
from connectors.bitrix24.work import Work
from connectors.draft import Exchange
from connectors.http import HttpClient
from connectors.redact import excerpt

MakeDoor = Callable[[Callable[[Exchange], None]], HttpClient]
Wants = Mapping[Work, Sequence[Command]]
ROOM = 25.0  # seconds of a portal's work in one request, which is cut off after 60


class Talk:
    """Asks Bitrix24 for many drafts at once, and writes down what was made."""

    def __init__(self, make_http_client: MakeDoor, journal: Journal, budget: Budget) -> None:
        self.make_http_client = make_http_client
        self.journal = journal
        self.budget = budget

    def fill(self, wants: Wants) -> dict[Work, Sequence[Command]]:
        """Whose commands go into the next request: as many as it holds, nobody's torn apart."""
        chosen: dict[Work, Sequence[Command]] = {}
        room, seconds = MOST, ROOM
        for work, own in wants.items():
            time = sum(self.budget.takes(command.method) for command in own)
            if not chosen or (len(own) <= room and time <= seconds):
                chosen[work] = own
                room, seconds = room - len(own), seconds - time
            if room <= 0:
                break
        return chosen

    def ask(self, wants: Wants) -> dict[Work, list[Outcome]]:
        """One request for all of them."""
        seen: list[Exchange] = []
        commands = [command for own in wants.values() for command in own]
        outcomes = iter(send(self.make_http_client(seen.append), commands, self.budget))
        answers = {work: [next(outcomes) for _ in own] for work, own in wants.items()}
        for work, own in wants.items():
            work.trace += [_share(e, own, answers[work], alone=len(wants) == 1) for e in seen]
        return answers

    def record(self, works: Sequence[Work]) -> None:
        """Write down what is new, all in one go."""
        news = {work.uid: work.news() for work in works if work.news()}
        if news:
            self.journal.record(news)
        for work in works:
            work.recorded = dict(work.journal)


def _share(exchange: Exchange, own: Sequence[Command], answers: Sequence[Outcome], alone: bool) -> Exchange:
    """One draft's part of a shared request and of its answer."""
    if alone:
        return exchange
    said = [answer.value if isinstance(answer, Reply) else answer.message for answer in answers]
    _, body = request_of(own)
    request = {own[0].method: body} if len(own) == 1 else body
    return replace(exchange, request=excerpt(request), response=excerpt(said))
