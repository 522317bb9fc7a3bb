"""The requests of one delivery, each told to the drafts that it concerns and to no other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from connectors.amocrm.errors import Ailment, ValidationFailed
from connectors.amocrm.work import Work
from connectors.base import Journal
from connectors.delivery import each, own_part, record, trace_of
from connectors.draft import Exchange
from connectors.errors import Unclear
from connectors.http import HttpClient

AT_ONCE = 8  # look-ups in flight; the account's pace is shared, only the latency is spread
Item = tuple[Work, dict[str, Any]]
Share = Callable[[Work], list[Any]]
MakeDoor = Callable[[Callable[[Exchange], None]], HttpClient]


class Talk:
    """Asks amoCRM for one or for many drafts, and writes down what was made."""

    def __init__(self, make_http_client: MakeDoor, journal: Journal) -> None:
        self.make_http_client = make_http_client
        self.journal = journal

    def door_for(self, works: Iterable[Work]) -> HttpClient:
        """A door whose exchanges these drafts see whole."""
        return self.make_http_client(trace_of(*works))

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
                    own_part(e, [item], share(work) if share and e is seen[-1] else None) for e in seen
                ]
        return reply

    def record(self, works: Iterable[Work]) -> None:
        record(self.journal, works)

    def settle(self, works: Sequence[Work], reply: Any, step: str) -> None:
        """Keep the ids that a mass request made; a draft that its answer doesn't name ends unclear."""
        made = {uid: str(row["id"]) for row in rows(reply) for uid in request_ids(row) if row.get("id")}
        for work in works:
            if work.uid in made:
                work.journal[step] = made[work.uid]
        self.record(works)
        for work in works:
            if not work.journal.get(step):
                work.fail(Unclear(f"amoCRM's answer doesn't name this {step}", code="no_reply"))

    def each(self, works: Sequence[Work], do: Callable[[Work], None]) -> None:
        each(works, do, AT_ONCE)


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


def _own_rows(found: Sequence[dict[str, Any]], work: Work) -> list[Any]:
    return [row for row in found if concerns(row, work)]


def _own_ailments(found: Sequence[Ailment], work: Work) -> list[Any]:
    return [ailment.words for ailment in found if ailment.request_id in ("", work.uid)]
