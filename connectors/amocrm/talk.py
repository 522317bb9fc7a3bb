"""The requests of one delivery, each told to the drafts that it concerns and to no other."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any

from connectors.amocrm.errors import Ailment, ValidationFailed
from connectors.amocrm.work import Work
from connectors.base import Journal
from connectors.draft import Exchange
from connectors.errors import ConnectorError, TryLater, Unclear
from connectors.http import HttpClient
from connectors.redact import excerpt

log = logging.getLogger(__name__)

AT_ONCE = 8  # look-ups in flight; the account's pace is shared, only the latency is spread
Item = tuple[Work, dict[str, Any]]
Share = Callable[[Work], str]
MakeDoor = Callable[[Callable[[Exchange], None]], HttpClient]


class Talk:
    """Asks amoCRM for one or for many drafts, and writes down what was made."""

    def __init__(self, make_http_client: MakeDoor, journal: Journal) -> None:
        self.make_http_client = make_http_client
        self.journal = journal

    def door_for(self, works: Iterable[Work]) -> HttpClient:
        """A door whose exchanges these drafts see whole."""
        traces = [work.trace for work in works]

        def tell(exchange: Exchange) -> None:
            for trace in traces:
                trace.append(exchange)

        return self.make_http_client(tell)

    def mass(self, method: str, path: str, items: Sequence[Item], *, safe: bool | None = None) -> Any:
        """One request for many drafts. Each draft's trace gets its own part of question and answer."""
        seen: list[Exchange] = []
        share: Share | None = None
        try:
            reply = self.make_http_client(seen.append).call(
                method, path, safe=safe, json=[i for _, i in items]
            )
            share = partial(_own_rows, rows(reply))
        except ValidationFailed as refusal:
            share = partial(_own_ailments, refusal.ailments)
            raise
        finally:
            for work, item in items:
                work.trace += [
                    _share(e, item, share(work) if share and e is seen[-1] else None) for e in seen
                ]
        return reply

    def record(self, works: Iterable[Work], *steps: str) -> None:
        """Write the drafts' steps down, all in one go."""
        done = {
            work.uid: {step: work.journal[step] for step in steps if step in work.journal} for work in works
        }
        if done := {uid: made for uid, made in done.items() if made}:
            self.journal.record(done)

    def settle(self, works: Sequence[Work], reply: Any, step: str) -> None:
        """Keep the ids that a mass request made; a draft that its answer doesn't name ends unclear."""
        made = {uid: str(row["id"]) for row in rows(reply) for uid in request_ids(row) if row.get("id")}
        for work in works:
            if work.uid in made:
                work.journal[step] = made[work.uid]
        self.record(works, step)
        for work in works:
            work.unsettled = False
            if not work.journal.get(step):
                work.fail(Unclear(f"amoCRM's answer doesn't name this {step}", code="no_reply"))

    def each(self, works: Sequence[Work], do: Callable[[Work], None]) -> None:
        """The same for every draft, several at a time. An account-wide error spares the rest the asking.

        The first goes alone and in the caller's thread: it reads the tokens, renews them where they are old
        (threads of ours would leave the store's database connections open), and meets a dead account first.
        """
        stop: list[ConnectorError] = []

        def one(work: Work) -> None:
            if stop:
                work.fail(for_the_others(stop[0]))
                return
            try:
                do(work)
            except ConnectorError as error:
                work.fail(error)
                if error.account_wide:
                    stop.append(error)
            except Exception as exc:
                log.exception("amocrm: delivery=%s", work.uid)
                work.fail_unexpectedly(type(exc).__name__)

        for work in works[:1]:
            one(work)
        if len(works) > 1:
            with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
                list(pool.map(one, works[1:]))


def for_the_others(error: ConnectorError) -> ConnectorError:
    """What an account-wide error means for a draft of which nothing was sent."""
    if not isinstance(error, Unclear):
        return error
    return TryLater(error.message, code=error.code, account_wide=True)


def fail_all(works: Iterable[Work], error: ConnectorError) -> None:
    for work in works:
        if not work.error:
            work.fail(error)


def share_the_fate(works: Iterable[Work]) -> None:
    """After an account-wide error the drafts that go on would only meet it again."""
    works = list(works)
    error = next((work.error for work in works if work.error and work.error.account_wide), None)
    for work in works if error else ():
        if error and not work.error:
            work.fail(for_the_others(error))


def rows(reply: Any) -> list[dict[str, Any]]:
    """The rows of a reply to a mass request: a bare array, or the one list inside ``_embedded``."""
    if isinstance(reply, dict):
        lists = [v for v in (reply.get("_embedded") or {}).values() if isinstance(v, list)]
        reply = lists[0] if lists else []
    return [row for row in reply if isinstance(row, dict)] if isinstance(reply, list) else []


def concerns(row: dict[str, Any], work: Work) -> bool:
    """A row is a draft's by its request id; replies to changes carry only the card's id."""
    if "request_id" in row:
        return work.uid in request_ids(row)
    ids = {str(row.get(key)) for key in ("id", "entity_id")}
    return bool(ids & {work.journal.get(step) for step in ("lead", "contact", "company", "customer")})


def request_ids(row: dict[str, Any]) -> list[str]:
    """``/leads/complex`` answers with a list of them, everything else with one (reference 4.2)."""
    given = row.get("request_id")
    return [str(one) for one in (given if isinstance(given, list) else [given])]


def _own_rows(found: Sequence[dict[str, Any]], work: Work) -> str:
    return excerpt([row for row in found if concerns(row, work)])


def _own_ailments(found: Sequence[Ailment], work: Work) -> str:
    return excerpt([ailment.words for ailment in found if ailment.request_id in ("", work.uid)])


def _share(exchange: Exchange, item: Any, own: str | None) -> Exchange:
    """One draft's part of a mass request. Without an ``own`` part the answer speaks of no draft."""
    return replace(exchange, request=excerpt([item]), response=exchange.response if own is None else own)
