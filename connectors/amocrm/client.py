"""One draft's work item, and the requests that many of them share (reference 4.2, 6.4).

amocrm.ru/developers/content/crm_platform/filters-api
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from connectors.amocrm.errors import (
    NOT_ALLOWED,
    ValidationFailed,
    ValidationIssue,
    address_gone,
    as_account_error,
)
from connectors.amocrm.facts import Facts
from connectors.amocrm.lists import embedded
from connectors.amocrm.records import Payload, Record, pack
from connectors.base import Journal
from connectors.delivery import FOUND_BY, WorkItem, each, own_part, record, spread_account_error, trace_of
from connectors.draft import Exchange, LeadDraft, Placement, UnplacedValue
from connectors.errors import ConnectorError, Refused, Unclear, of_one
from connectors.http import HttpClient
from connectors.messages import message
from connectors.text import is_id, rows_in, text_of

AT_ONCE = 8  # look-ups in flight; the account's limit is shared, only the latency is spread
MOST_ROUNDS = 400  # requests of one batch write
MOST_FAILURES = 3  # items that fail alone, with no success among them, before the account is to blame
CONTACT = "contact"  # our word for it
REFUSED_BEFORE = message("amoCRM refused this value")


@dataclass(eq=False)
class Item(WorkItem):
    """One draft, and its payload as far as amoCRM took it.

    Steps of the journal with remote ids: ``lead``, ``contact``, ``company``, ``customer``, ``customer_link``,
    and one for each note. ``found`` is a contact that was there before us and stays as it is, ``rest`` the
    lead whose values beyond 40 are sent. ``dropped`` lists values that amoCRM refused (``entity:field,...``);
    ``tracking`` is ``later`` once the statistics fields are suspected of a failure. ``merged``: amoCRM gave
    us an older lead.
    """

    payload: Payload = field(kw_only=True)
    base_url: str = ""
    refused_contacts: set[str] = field(default_factory=set)
    changes: dict[str, Record] = field(default_factory=dict)  # what an update writes, by entity
    merged: bool = False

    @classmethod
    def begin(cls, draft: LeadDraft, facts: Facts, base_url: str = "") -> Item:
        payload = pack(draft, facts)
        item = cls(draft, payload=payload, losses=payload.losses, base_url=base_url)
        item._leave_out(draft.journal)
        item._question_placement()
        return item

    @property
    def is_placed(self) -> bool:
        """Does the rule say where the lead goes, or who looks after it?"""
        asked = self.draft.placement
        return bool(asked.performer or asked.pipeline or asked.step or self.draft.asks_owner)

    @property
    def own_contact(self) -> str:
        """The contact that this draft made; empty for one that was there before."""
        contact = self.journal.get("contact", "")
        return "" if contact == self.journal.get("found") else contact

    @property
    def contact(self) -> Record:
        """What the draft says of its contact; empty where it says nothing."""
        return self.payload.contact or Record("contacts")

    @property
    def writes_existing(self) -> bool:
        """Was the contact there before, and does the rule say what is written into it?"""
        has_contact = bool(self.payload.contact and self.journal.get("contact")) and not self.own_contact
        return has_contact and CONTACT in self.draft.existing

    def meaning(self, error: ConnectorError) -> ConnectorError:
        return as_account_error(error)

    def attach(self, contact_id: str, by: str = "") -> None:
        """Use a contact that the CRM has already, as it is; ``by``: how it was found (``FOUND_BY``)."""
        self.payload.contact_id = contact_id
        self.journal |= {"contact": contact_id, "found": contact_id, **({FOUND_BY: by} if by else {})}

    def link(self) -> str:
        return f"{self.base_url}/leads/detail/{self.lead}"

    def lose_contact(self, reason: str, but: Collection[str] = ("PHONE", "EMAIL")) -> None:
        """What was answered for the contact's fields stays in the note. The rule is not at fault, so the loss
        names no field."""
        for entry in self.contact.entries:
            if entry.question and entry.key not in but:
                self.lose(UnplacedValue(entry.question, entry.text, reason, "contacts"))

    def _question_placement(self) -> None:
        for where in ("performer", "pipeline", "step"):
            remote_id = getattr(self.draft.placement, where)
            if remote_id and not remote_id.isdigit():
                self.warn(
                    "not_an_id",
                    message("{remote_id} is no amoCRM id and is left out.", remote_id=repr(remote_id)),
                    where,
                )

    def _leave_out(self, journal: Mapping[str, str]) -> None:
        """What earlier tries learned is not tried again."""
        for name in filter(None, journal.get("dropped", "").split(",")):
            entity, _, key = name.partition(":")
            record = self.payload.record(entity)
            if record and (entry := record.drop(key)):
                self.lose(entry.loss(entity, REFUSED_BEFORE))
        if journal.get("tracking") == "later":
            lead = self.payload.lead
            self.payload.later = [entry for entry in lead.entries if entry.kind == "tracking"]
            lead.entries = [entry for entry in lead.entries if entry.kind != "tracking"]


MakeClient = Callable[[Callable[[Exchange], None]], HttpClient]


@dataclass(eq=False)
class BatchRequests:
    """The requests of one delivery, each traced by the items that it concerns, and its journal.

    ``at_once``: look-ups in flight.
    """

    make_client: MakeClient
    journal: Journal
    at_once: int = AT_ONCE

    def client_for(self, *items: Item) -> HttpClient:
        """A client whose exchanges these items trace whole; without items nobody does."""
        return self.make_client(trace_of(*items))

    def send(
        self, method: str, path: str, bodies: Mapping[Item, dict[str, Any]], *, safe: bool | None = None
    ) -> Any:
        """One request for many items: an array of their bodies. Each traces its own part of it."""
        seen: list[Exchange] = []
        own: Callable[[Item], list[Any]] | None = None
        try:
            client = self.make_client(seen.append)
            reply = client.call(method, path, safe=safe, json=list(bodies.values()))
            own = partial(_own_rows, _by_owner(reply_rows(reply)))
        except ValidationFailed as refusal:
            own = partial(_own_issues, refusal.issues)
            raise
        finally:
            for item, body in bodies.items():
                item.trace += [
                    own_part(e, [body], own(item) if own and e is seen[-1] else None) for e in seen
                ]
        return reply

    def record(self, items: Iterable[Item]) -> None:
        record(self.journal, items)

    def settle(
        self, items: Sequence[Item], reply: Any, steps: Mapping[str, str]
    ) -> dict[Item, dict[str, Any]]:
        """Record the ids that a batch made: ``steps`` maps steps of the journal to keys of the reply's rows.

        Rows are matched by request id, never by position. An item without its first step ends ``Unclear``.
        """
        made = {uid: row for row in reply_rows(reply) for uid in request_ids(row)}
        named: dict[Item, dict[str, Any]] = {}
        errors: dict[Item, Unclear] = {}
        for item in items:
            row = made.get(item.uid, {})
            try:
                ids = {step: known for step, key in steps.items() if (known := remote_id(row.get(key)))}
                if next(iter(steps)) not in ids:
                    raise Unclear(
                        message("amoCRM's answer doesn't name this {next}", next=next(iter(steps))),
                        code="no_reply",
                    )
                item.journal |= ids
                named[item] = row
            except Unclear as exc:
                errors[item] = exc
        self.record(named)
        for item, error in errors.items():
            item.fail(error)
        return named

    def each(self, items: Sequence[Item], do: Callable[[Item], None]) -> None:
        each(items, do, self.at_once)


class BatchWrite:
    """One kind of write for many items, narrowed until a bad item harms only itself.

    A refusal that names items is repaired, any other is halved. So is a 5xx where a repeat is safe, or where
    ``look`` tells what was done after all. Items that may have made their last try unclear go alone from the
    start. An item that fails alone is to blame itself, unless it is the third one and nothing succeeds.
    """

    method, path = "POST", ""
    safe: bool | None = None  # may it be repeated without harm?
    most = 50  # items of a request: what /leads/complex takes, and what amoCRM recommends for the rest

    def __init__(self, requests: BatchRequests) -> None:
        self.requests = requests
        self.narrowed = self.succeeded = False
        self.failures = 0
        self.items: Sequence[Item] = ()
        self.refused: set[Item] = set()

    def wants(self, item: Item) -> bool:
        """Is there anything left to send for it?"""
        raise NotImplementedError

    def body(self, item: Item) -> dict[str, Any]:
        raise NotImplementedError

    def settle(self, items: Sequence[Item], reply: Any) -> None:
        """The request succeeded."""

    def repair(self, named: Mapping[Item, list[ValidationIssue]]) -> None:
        """Change what amoCRM names, or settle the item."""
        for item, issues in named.items():
            self.do_without(item, "; ".join(issue.words for issue in issues[:5]))

    def refuse(self, item: Item, refusal: Refused) -> None:
        """amoCRM does not take it, and does not say why."""
        self.do_without(item, refusal.message)

    def do_without(self, item: Item, reason: str) -> None:
        """The delivery goes on without this write. For writes that a delivery can do without."""
        raise NotImplementedError

    def fail(self, item: Item, error: ConnectorError) -> None:
        item.fail(error)

    def suspects(self, item: Item) -> bool:
        """May this write have made the last try unclear? Before the lead was there it was the creation."""
        return item.draft.look_first and bool(item.draft.journal.get("lead"))

    def look(self, items: Sequence[Item]) -> bool:
        """Find what a 500 may have done; False where that can't be told at once. Raises like any call."""
        return False

    def run(self, items: Sequence[Item]) -> None:
        self.items = items
        together = [item for item in items if self.safe or not self.suspects(item)]
        alone = set(items).difference(together)
        queue = [*self.portions(together), *([item] for item in items if item in alone)]
        for _ in range(MOST_ROUNDS):
            if not queue:
                return
            if batch := [item for item in queue.pop(0) if not item.error and self.wants(item)]:
                queue = self._send(batch) + queue
                spread_account_error(items)
        for item in (item for item in items if not item.error and self.wants(item)):
            self.refuse(
                item, Refused(message("amoCRM refuses the lead whatever is left out"), code="validation")
            )

    def portions(self, items: Sequence[Item]) -> list[list[Item]]:
        """What goes in one request each."""
        return [list(items[start : start + self.most]) for start in range(0, len(items), self.most)]

    def _send(self, batch: list[Item]) -> list[list[Item]]:
        """Send a batch; returns the batches to send next."""
        for item in batch:
            item.in_flight = not self.safe
        try:
            bodies = {item: self.body(item) for item in batch}
            reply = self.requests.send(self.method, self.path, bodies, safe=self.safe)
        except Refused as refusal:
            for item in batch:
                item.in_flight = False
            return self._after_refusal(batch, refusal)
        except ConnectorError as error:
            return self._after_failure(batch, error)
        self.succeeded = True
        self.settle(batch, reply)
        return []

    def _after_refusal(self, batch: list[Item], refusal: Refused) -> list[list[Item]]:
        named = owners(batch, refusal.issues) if isinstance(refusal, ValidationFailed) else {}
        if named:
            self.repair(named)
            return [batch]
        if len(batch) > 1 and refusal.code not in NOT_ALLOWED:
            return halves(batch)
        for item in batch:
            self.refuse(item, refusal)
        return []

    def _after_failure(self, batch: list[Item], error: ConnectorError) -> list[list[Item]]:
        if len(batch) > 1 and self._can_narrow(batch, error):
            self.narrowed = True
            return halves(batch)
        alone = len(batch) == 1 and (self.narrowed or self.suspects(batch[0]))
        if alone and (isinstance(error, Unclear) or error.code.startswith("http_5")):
            self.failures += 1
            if self.succeeded or self._may_be_its_own(batch[0], error):
                error = of_one(error)
        for item in batch:
            self.fail(item, error)
        return []

    def _may_be_its_own(self, item: Item, error: ConnectorError) -> bool:
        """Nothing has succeeded yet: others are tried before the account is to blame. Where there are none,
        only a 500 for a lead that failed before speaks of the lead; silence and gateways speak of amoCRM."""
        others = any(one is not item and not one.error and self.wants(one) for one in self.items)
        return self.failures < MOST_FAILURES and (others or error.code == "http_500")

    def _can_narrow(self, batch: list[Item], error: ConnectorError) -> bool:
        """A 500 is amoCRM's own, which is done with the request. A gateway's 502 or 504 may come earlier."""
        if self.safe:
            return error.code.startswith("http_5")
        try:
            return error.code == "http_500" and self.look(batch)
        except ConnectorError:
            return False


def halves(items: list[Item]) -> list[list[Item]]:
    middle = len(items) // 2
    return [items[:middle], items[middle:]]


def owners(batch: Sequence[Item], issues: Sequence[ValidationIssue]) -> dict[Item, list[ValidationIssue]]:
    """The items that the issues are about; empty where the answer does not say."""
    if len(batch) == 1:
        return {batch[0]: list(issues)}
    named: dict[Item, list[ValidationIssue]] = {}
    by_uid = {item.uid: item for item in batch}
    for issue in issues:
        if item := by_uid.get(issue.request_id):
            named.setdefault(item, []).append(issue)
    return named


# -- reading replies --------------------------------------------------------------------------------------


def reply_rows(reply: Any) -> list[dict[str, Any]]:
    """The rows of a reply to a batch: a bare array, or the one list inside ``_embedded``."""
    if isinstance(reply, dict):
        reply = next((v for v in (reply.get("_embedded") or {}).values() if isinstance(v, list)), [])
    return rows_in(reply)


def request_ids(row: Mapping[str, Any]) -> list[str]:
    """``/leads/complex`` answers with a list of them, everything else with one (reference 4.2)."""
    given = row.get("request_id")
    return [str(one) for one in (given if isinstance(given, list) else [given])]


def remote_id(value: Any) -> str:
    """An id that amoCRM names; empty for none. Raises ``Unclear`` for what can't be stored as one."""
    text = text_of(value)
    if text in ("", "0"):
        return ""
    if is_id(text):
        return text
    raise Unclear(
        message("amoCRM answered with an id that can't be one"),
        code="id_too_long",
        remedy=message("Look in amoCRM whether the lead is there."),
    )


Owned = Mapping[str, Sequence[tuple[int, dict[str, Any]]]]  # rows with their places, by request or record id


def _by_owner(found: Sequence[dict[str, Any]]) -> tuple[Owned, Owned]:
    """A row is an item's by its request id; replies to changes carry only the record's id."""
    by_request: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    by_record: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    for place, row in enumerate(found):
        if "request_id" in row:
            owned, ids = by_request, request_ids(row)
        else:
            owned, ids = by_record, [str(row[key]) for key in ("id", "entity_id") if row.get(key)]
        for one in dict.fromkeys(ids):
            owned.setdefault(one, []).append((place, row))
    return by_request, by_record


def _own_rows(found: tuple[Owned, Owned], item: Item) -> list[Any]:
    """In the order in which they came, each once."""
    by_request, by_record = found
    rows = dict(by_request.get(item.uid, ()))
    for step in ("lead", "contact", "company", "customer"):
        rows |= dict(by_record.get(item.journal.get(step, ""), ()))
    return [rows[place] for place in sorted(rows)]


def _own_issues(found: Sequence[ValidationIssue], item: Item) -> list[Any]:
    return [issue.words for issue in found if issue.request_id in ("", item.uid)]


# -- records by their ids ---------------------------------------------------------------------------------

Row = Mapping[str, Any]
Found = Row | ConnectorError | None


def fetch_records(
    http_client: HttpClient, kind: str, ids: Sequence[str], parts: str = ""
) -> dict[str, Found]:
    """The ``kind`` (leads, contacts) of each id with its ``parts``; None for one that is not there.

    An error stands where its row would, and an account-wide one spares the rest the asking. A filter that
    an account has not paid for is ignored without a word, so a list proves only what it shows: what it lacks
    is asked for alone before it counts as missing.
    """
    params = {"with": parts} if parts else {}
    try:
        found: dict[str, Found] = {**fetch_listed(http_client, kind, ids, params)} if len(ids) > 1 else {}
    except ConnectorError as error:
        if (refusal := _of_all(error)) is not None:
            return dict.fromkeys(ids, refusal)
        found = {}
    for remote_id in ids:
        if remote_id not in found:
            errors = (one for one in found.values() if isinstance(one, ConnectorError))
            stop = next((one for one in errors if one.account_wide), None)
            found[remote_id] = stop or _one(http_client, kind, remote_id, params)
    return found


def fetch_listed(
    http_client: HttpClient, kind: str, ids: Sequence[str], params: Mapping[str, Any]
) -> dict[str, Row]:
    """Those of one request's page. No longer than what was asked for: it may be a page of strangers."""
    asked = {**params, "filter[id][]": list(ids), "limit": len(ids)}
    rows = embedded(http_client.call("GET", f"/api/v4/{kind}", params=asked), kind)
    return {str(row.get("id")): row for row in rows if str(row.get("id")) in ids}


def place_of(row: Row) -> Placement:
    """Where a lead is, and who looks after it."""
    performer, pipeline, step = (
        str(row.get(key) or "") for key in ("responsible_user_id", "pipeline_id", "status_id")
    )
    return Placement(performer, pipeline, step)


def _of_all(error: ConnectorError) -> ConnectorError | None:
    """What a refused list means for each of its records; None where it may only have been too clever."""
    if error.code == "http_404":
        return address_gone(error)
    return error if error.account_wide or error.code in NOT_ALLOWED else None


def _one(http_client: HttpClient, kind: str, remote_id: str, params: Mapping[str, Any]) -> Found:
    """An id that is not there gives an empty answer or 404 (reference 3.1)."""
    try:
        row = http_client.call("GET", f"/api/v4/{kind}/{remote_id}", params=params)
    except ConnectorError as error:
        return None if error.code == "http_404" else error
    return row if isinstance(row, dict) and str(row.get("id")) == remote_id else None
