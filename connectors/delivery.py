"""What the deliveries of all CRMs share: one work item per draft, stages, the journal, how errors spread.

A connector calls ``deliver(drafts, begin, run)`` with its own ``WorkItem``. ``run`` asks the CRM for
many items at a time (``run_stages``), for each item (``each``), or as it likes within ``guarded``.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from connectors.base import Journal
from connectors.changes import EDITED, Change, decide, shown
from connectors.draft import (
    Comparison,
    Exchange,
    FieldChange,
    LeadDraft,
    Placement,
    Problem,
    Receipt,
    UnplacedValue,
)
from connectors.errors import ConnectorError, TryLater, Unclear, unexpected
from connectors.messages import message
from connectors.redact import excerpt

log = logging.getLogger(__name__)

FOUND_BY = "found_by"  # step of the journal: how the contact was found (phone, email, memory)
CRM_CHOSE = message("the CRM chose it itself, and whether people changed it since is not known")
LONGEST_TRACE = 40  # exchanges that an outcome keeps, the newest
Outcome = Receipt | ConnectorError


@dataclass(eq=False)
class WorkItem:
    """One draft during one call of ``Connector.deliver``.

    ``journal`` maps steps to remote ids, those of earlier tries and those of this one; an empty id takes a
    step back. ``in_flight``: a write was sent that may not be repeated, and its result isn't recorded yet.
    ``adopted``: the lead was found by its external id. ``placed``: where the CRM says that it put the lead.
    ``told``: how a lead that is there differs from its draft; ``only_compare``: nothing may be written.
    ``untagged``: the rule's tags that the lead it joined could not be given (``connectors.repeated``).
    """

    draft: LeadDraft
    losses: list[UnplacedValue] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    trace: list[Exchange] = field(default_factory=list)
    adopted: bool = False
    in_flight: bool = False
    placed: Placement | None = None
    told: list[FieldChange] = field(default_factory=list)
    only_compare: bool = False
    untagged: tuple[str, ...] = ()
    error: ConnectorError | None = None
    journal: dict[str, str] = field(init=False)
    recorded: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.journal = dict(self.draft.journal)
        self.recorded = dict(self.draft.journal)

    @property
    def uid(self) -> str:
        return self.draft.uid

    @property
    def lead(self) -> str:
        """The lead's remote id; empty before there is one."""
        return self.journal.get("lead", "")

    @property
    def must_look(self) -> bool:
        """May something exist in the CRM that the journal doesn't name?"""
        return self.draft.look_first or self.adopted

    def has(self, step: str) -> bool:
        return bool(self.journal.get(step))

    def tell(
        self, what: str, before: Any, after: str, entity: str = "", field_id: str = "", kept: str = ""
    ) -> None:
        """One part of the lead that differs; ``kept`` is why it is left alone, if it is."""
        self.told.append(FieldChange(what, shown(before), after, entity, field_id, bool(kept), kept))

    def overwrites(self, change: Change, there: Any, new: UnplacedValue, what: str = "") -> bool:
        """Is a value of a lead that is there overwritten? What differs is told, what people changed is lost:
        ``new``, of which people may be told as ``what``."""
        if change is not Change.SKIP:
            kept = "" if change is Change.WRITE else new.reason
            self.tell(what or new.question, there, new.value, new.entity, new.field_id, kept)
        if change is Change.KEPT:
            self.lose(new)
        return change is Change.WRITE

    def moves_to(self, what: str, there: Any, wanted: str, olds: Sequence[Any], entity: str) -> bool:
        """Is a lead's step or person to become the draft's? While it is as we put it; told in any case."""
        change = decide(there, wanted, olds)
        kept = "" if change is Change.WRITE else EDITED if any(olds) else CRM_CHOSE
        if change is not Change.SKIP:
            self.tell(what, there, wanted, entity, kept=kept)
        if change is Change.KEPT:
            self.lose(UnplacedValue(what, wanted, kept, entity))
        return change is Change.WRITE

    def lose(self, *losses: UnplacedValue | None) -> None:
        self.losses += filter(None, losses)

    def warn(self, code: str, message: str, where: str = "") -> None:
        """Tell the rule's owner, once; ``where`` is the part of the rule."""
        problem = Problem(code, message, where)
        if problem not in self.problems:
            self.problems.append(problem)

    def fail(self, error: ConnectorError) -> None:
        """End with a copy of the error: its words may be several items' own, the trace is not."""
        self.error = copy.copy(self.meaning(error))
        self.error.trace = tuple(self.trace[-LONGEST_TRACE:])

    def meaning(self, error: ConnectorError) -> ConnectorError:
        """What an error of a single request means where it ends a delivery. CRMs refine this."""
        return error

    def link(self) -> str:
        """The address of the lead's page in the CRM."""
        raise NotImplementedError

    def outcome(self) -> Outcome:
        return self.error or Receipt(
            uid=self.uid,
            journal={step: value for step, value in self.journal.items() if value},
            link=self.link(),
            adopted=self.adopted,
            losses=tuple(self.losses),
            problems=tuple(self.problems),
            placed=self.placed,
            trace=tuple(self.trace[-LONGEST_TRACE:]),
        )


W = TypeVar("W", bound=WorkItem)
LEAD_GONE = "lead_gone"  # code of the refusal to update a lead that was deleted


def deliver(
    drafts: Sequence[LeadDraft], begin: Callable[[LeadDraft], W], run: Callable[[list[W]], None]
) -> list[Outcome]:
    """One outcome per draft, in order; never raises. ``begin`` makes a draft's work item and asks nothing."""
    begun: list[W | ConnectorError] = []
    for draft in drafts:
        try:
            begun.append(begin(draft))
        except Exception as exc:
            log.exception("delivery=%s can't be laid out", draft.uid)
            words = message("The answer can't be laid out ({name})", name=type(exc).__name__)
            begun.append(TryLater(words, code="unexpected"))
    items = [one for one in begun if isinstance(one, WorkItem)]
    with guarded(items):
        run(items)
    return [_outcome(one) if isinstance(one, WorkItem) else one for one in begun]


class NoJournal:
    """For what is only looked at."""

    def record(self, done: Mapping[str, Mapping[str, str]]) -> None:
        return None

    def assign(self, owners: Mapping[str, str]) -> Mapping[str, str]:
        return {}


def compare(
    drafts: Sequence[LeadDraft], begin: Callable[[LeadDraft], W], run: Callable[[list[W]], None]
) -> list[Comparison | ConnectorError]:
    """``Connector.compare``: like ``deliver``, but that ``run`` writes nothing."""
    begun: list[W] = []

    def begin_to_compare(draft: LeadDraft) -> W:
        item = begin(draft)
        item.only_compare = True
        begun.append(item)
        return item

    outcomes = deliver(drafts, begin_to_compare, run)
    items = {item.uid: item for item in begun}
    return [_compared(outcome, items.get(draft.uid)) for draft, outcome in zip(drafts, outcomes, strict=True)]


def _compared(outcome: Outcome, item: W | None) -> Comparison | ConnectorError:
    if isinstance(outcome, ConnectorError):
        return Comparison(gone=True) if outcome.code == LEAD_GONE else outcome
    return Comparison(tuple(item.told) if item else ())


def _outcome(item: WorkItem) -> Outcome:
    try:
        return item.outcome()
    except Exception as exc:
        log.exception("delivery=%s", item.uid)
        return unexpected(exc, unclear=item.in_flight)


@contextmanager
def guarded(items: Iterable[WorkItem]) -> Iterator[None]:
    """Whatever is raised inside ends those of the items that have no error yet."""
    items = list(items)
    try:
        yield
    except ConnectorError as error:
        fail_all(items, error)
    except Exception as exc:
        log.exception("delivery=%s", ",".join(item.uid for item in items))
        for item in items:
            fail_all([item], unexpected(exc, unclear=item.in_flight))


def run_stages(stages: Iterable[Callable[[Sequence[W]], None]], items: Sequence[W]) -> None:
    """Each stage gets the items that have no error. What it raises ends them all; an account's error, too."""
    for stage in stages:
        spread_account_error(items)
        if live := [item for item in items if not item.error]:
            with guarded(live):
                stage(live)


def each(items: Sequence[W], do: Callable[[W], None], at_once: int = 1) -> None:
    """``do`` for every item; an error ends its item, an account-wide one all that follow.

    With ``at_once`` several are in flight. The first goes alone and in the caller's thread all the same: it
    reads the tokens, renews them where they are old (threads of ours would leave the token store's database
    connections open), and meets a dead account first.
    """
    stop: list[ConnectorError] = []

    def one(item: W) -> None:
        if stop:
            item.fail(unsent(stop[0]))
            return
        with guarded([item]):
            do(item)
        if item.error and item.error.account_wide:
            stop.append(item.error)

    alone = items if at_once == 1 else items[:1]
    for item in alone:
        one(item)
    if rest := items[len(alone) :]:
        _in_threads(rest, one, at_once)


def _in_threads(items: Sequence[W], do: Callable[[W], None], most: int) -> None:
    """Each thread takes the next item as soon as it is free: a task for each item would cost as much to hand
    over as a tenth of its request."""
    waiting = iter(items)  # of a sequence: threads may share it

    def work() -> None:
        for item in waiting:
            do(item)

    with ThreadPoolExecutor(max_workers=most) as pool:
        for task in [pool.submit(work) for _ in range(min(most, len(items)))]:
            task.result()


# -- errors that concern several items ------------------------------------------------------------------


def fail_all(items: Iterable[WorkItem], error: ConnectorError) -> None:
    for item in items:
        if not item.error:
            item.fail(error)


def spread_account_error(items: Iterable[WorkItem]) -> None:
    """After an account-wide error the items that go on would only meet it again."""
    items = list(items)
    if error := next((one.error for one in items if one.error and one.error.account_wide), None):
        fail_all(items, unsent(error))


def unsent(error: ConnectorError) -> ConnectorError:
    """What an account-wide error means for an item of which nothing was sent: never ``Unclear``."""
    if not isinstance(error, Unclear):
        return error
    return TryLater(error.message, code=error.code, account_wide=True)


# -- the journal and the trace ----------------------------------------------------------------------------


def record(journal: Journal, items: Iterable[WorkItem]) -> None:
    """Store the steps that are new, of all items in one statement. Nothing is in flight afterwards.

    To be called before the next request is sent. Raises what ``Journal.record`` raises; the items stay in
    flight then.
    """
    items = list(items)
    news = {
        item.uid: fresh
        for item in items
        if (fresh := {s: i for s, i in item.journal.items() if item.recorded.get(s) != i})
    }
    if news:
        journal.record(news)
    for item in items:
        _name_exchanges(item, news.get(item.uid, {}))
        item.recorded = dict(item.journal)
        item.in_flight = False


def _name_exchanges(item: WorkItem, fresh: Iterable[str]) -> None:
    """The exchanges since the last record are those that led to these steps."""
    if made := " ".join(fresh):
        item.trace[:] = [one if one.made else replace(one, made=made) for one in item.trace]


def trace_of(*items: WorkItem) -> Callable[[Exchange], None]:
    """Keeps an exchange in the traces of these items, whole."""

    def keep(exchange: Exchange) -> None:
        for item in items:
            item.trace.append(exchange)

    return keep


def own_part(exchange: Exchange, request: Any, response: Any = None) -> Exchange:
    """One item's part of an exchange for many. Without a ``response`` the answer speaks of no item."""
    said = exchange.response if response is None else excerpt(response)
    return replace(exchange, request=excerpt(request), response=said)
