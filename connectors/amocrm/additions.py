"""What a lead gets once it is there: values beyond the 40 of a creation, a customer, notes.

Reference 4.2 to 4.4, 4.6, 4.9, 4.11.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from connectors.amocrm.client import BatchRequests, BatchWrite, Item
from connectors.amocrm.errors import ValidationIssue
from connectors.amocrm.facts import Facts
from connectors.amocrm.fields import tidy
from connectors.amocrm.lists import embedded, page_of, walk
from connectors.amocrm.records import Record
from connectors.amocrm.recovery import SKEW, created_at
from connectors.amocrm.repair import repair
from connectors.changes import shown
from connectors.draft import PERFORMER, STEP, TAGS, LeadDraft, UnplacedValue
from connectors.errors import ConnectorError, Refused
from connectors.messages import message
from connectors.note_texts import parts
from connectors.repeated import lines_of, note_text

WORDS = {  # of attributes that are changed; a pipeline goes with its step
    "name": "name",
    "price": "price",
    "status_id": STEP,
    "responsible_user_id": PERFORMER,
    "tags_to_add": TAGS,
}
STEPS = {"leads": "lead", "contacts": "contact", "companies": "company"}
INCOMING = message("amoCRM takes a lead out of incoming when it is changed")
FAILED = message("amoCRM fails on this statistics field")


# -- values beyond the 40 of a creation -------------------------------------------------------------------


def add_values(requests: BatchRequests, items: Sequence[Item]) -> None:
    """A stage: what the creation had no room for, and statistics that made it fail."""
    waiting = [item for item in items if item.lead and not item.has("rest")]
    for item in waiting:
        _give_up_incoming(item)
    late = {item: Record("leads", entries=item.payload.later) for item in waiting if item.payload.later}
    Statistics(requests, "leads", late).run(list(late))
    rests = [(item, rest) for item in waiting if not item.error for rest in _rests(item)]
    for entity in STEPS:
        own = {item: rest for item, rest in rests if rest.entity == entity}
        Changes(requests, entity, own).run(list(own))
    done = [item for item in dict.fromkeys([*late, *(item for item, _ in rests)]) if not item.error]
    for item in done:
        item.journal["rest"] = item.lead
    requests.record(done)


def _rests(item: Item) -> list[Record]:
    """What is left of the records of this draft's own making."""
    own = {"leads": item.lead, "contacts": item.own_contact, "companies": item.journal.get("company")}
    rests = [(one.entity, one.rest()) for one in item.payload.records() if own[one.entity]]
    return [Record(entity, entries=rest) for entity, rest in rests if rest]


def _give_up_incoming(item: Item) -> None:
    if not item.payload.metadata:
        return
    lead = item.payload.lead
    for entry in (*lead.rest(), *item.payload.later):
        item.lose(entry.loss("leads", INCOMING))
    lead.entries = lead.entries[: len(lead.entries) - len(lead.rest())]
    item.payload.later = []


class Changes(BatchWrite):
    """``PATCH`` of records that are there. What can't be repaired costs these values, not the delivery."""

    method, safe = "PATCH", True

    def __init__(self, requests: BatchRequests, entity: str, records: Mapping[Item, Record]) -> None:
        super().__init__(requests)
        self.path = f"/api/v4/{entity}"
        self.step = STEPS[entity]
        self.records = records
        self.done: set[Item] = set()

    def wants(self, item: Item) -> bool:
        record = self.records[item]
        return item not in self.done and bool(record.entries or record.attributes)

    def body(self, item: Item) -> dict[str, Any]:
        record = self.records[item]
        values = {"custom_fields_values": [one.body for one in record.entries]} if record.entries else {}
        return {"id": int(item.journal[self.step]), "request_id": item.uid, **record.attributes, **values}

    def settle(self, items: Sequence[Item], reply: Any) -> None:
        self.done |= set(items)

    def repair(self, named: Mapping[Item, list[ValidationIssue]]) -> None:
        for item, issues in named.items():
            repair(item, issues, self.records[item])
            if item.error:
                reason, item.error = item.error.message, None
                self.do_without(item, reason)

    def do_without(self, item: Item, reason: str) -> None:
        record = self.records[item]
        item.lose(*(entry.loss(record.entity, reason) for entry in record.entries))
        for name, value in record.attributes.items():
            if what := WORDS.get(name):
                item.lose(UnplacedValue(what, shown(value), reason, record.entity))
        record.entries, record.attributes = [], {}


class Statistics(Changes):
    """Alone, since they made a creation fail: another failure costs these values only (reference 4.9)."""

    def repair(self, named: Mapping[Item, list[ValidationIssue]]) -> None:
        BatchWrite.repair(self, named)

    def do_without(self, item: Item, reason: str) -> None:
        super().do_without(item, FAILED)

    def fail(self, item: Item, error: ConnectorError) -> None:
        if error.code == "http_500":
            self.do_without(item, FAILED)
        else:
            item.fail(error)


# -- a customer, linked to the lead's contact -------------------------------------------------------------

CUSTOMERS = "/api/v4/customers"
LINK = "/api/v4/customers/link"
NEXT_PURCHASE = timedelta(days=30)
KNOWN = message("the person is an amoCRM customer already, who is left as is")


class Customers(BatchWrite):
    """A stage for drafts with something to put on a customer, where customers are switched on."""

    path = CUSTOMERS

    def __init__(self, requests: BatchRequests, facts: Facts) -> None:
        super().__init__(requests)
        self.facts = facts

    def run(self, items: Sequence[Item]) -> None:
        concerned = [item for item in items if item.lead and item.payload.customer]
        self.requests.each([item for item in concerned if self.wants(item)], self._recognise)
        self.requests.record([item for item in concerned if item.has("customer")])
        super().run([item for item in concerned if not item.error])
        CustomerLinks(self.requests).run([item for item in concerned if not item.error])

    # is there one?

    def _recognise(self, item: Item) -> None:
        """The contact's customer, or the one that a lost answer may have told us of. Where that may not be
        seen, none is made beside it."""
        try:
            known = self._of_contact(item) or (self._unlinked(item) if item.must_look else "")
        except Refused as refusal:
            self.refuse(item, refusal)
            return
        if known:
            item.journal["customer"] = known

    def _of_contact(self, item: Item) -> str:
        contact = item.journal.get("contact", "")
        if not contact or (contact == item.own_contact and not item.must_look):
            return ""
        try:
            page = self.requests.client_for(item).call("GET", f"/api/v4/contacts/{contact}/links")
        except Refused:  # the contact is gone since
            return ""
        links = [link for link in page_of(page, "links") if link.get("to_entity_type") == "customers"]
        if not links:
            return ""
        item.journal["customer_link"] = contact
        if contact != item.own_contact and item.payload.customer:
            for entry in item.payload.customer.entries:
                item.lose(UnplacedValue(entry.question, entry.text, KNOWN, "customers"))
        return str(links[0]["to_entity_id"])

    def _unlinked(self, item: Item) -> str:
        """Ours bears the person's name, is no older than the answer, and belongs to nobody yet."""
        name = self.body(item)["name"]
        params = {"query": name, "limit": 50, "with": "contacts"}
        since = item.draft.visit.answered_at.timestamp() - SKEW
        hits = page_of(self.requests.client_for(item).call("GET", CUSTOMERS, params=params), "customers")
        ours = (hit for hit in hits if hit.get("name") == name and created_at(hit) >= since)
        return next((str(hit["id"]) for hit in ours if not embedded(hit, "contacts")), "")

    # make it

    def wants(self, item: Item) -> bool:
        return bool(item.payload.customer) and not item.has("customer")

    def body(self, item: Item) -> dict[str, Any]:
        return customer_body(item.draft, self.facts, item.payload.customer)

    def settle(self, items: Sequence[Item], reply: Any) -> None:
        self.requests.settle(items, reply, {"customer": "id"})

    def repair(self, named: Mapping[Item, list[ValidationIssue]]) -> None:
        """Like a lead; what can't be repaired costs the customer, not the delivery."""
        for item, issues in named.items():
            repair(item, issues, item.payload.customer)
            if item.error:
                reason, item.error = item.error.message, None
                self.do_without(item, reason)

    def do_without(self, item: Item, reason: str) -> None:
        for entry in item.payload.customer.entries if item.payload.customer else ():
            item.lose(entry.loss("customers", reason))
        item.payload.customer = None
        item.warn("customer_refused", message("amoCRM does not take the customer ({reason}).", reason=reason))


class CustomerLinks(BatchWrite):
    """Linking twice makes one link. A contact that is gone since: the customer stays alone."""

    path, safe = LINK, True

    def wants(self, item: Item) -> bool:
        linked = item.has("customer_link") or item in self.refused
        return item.has("customer") and item.has("contact") and not linked

    def body(self, item: Item) -> dict[str, Any]:
        return {
            "entity_id": int(item.journal["customer"]),
            "to_entity_id": int(item.journal["contact"]),
            "to_entity_type": "contacts",
        }

    def settle(self, items: Sequence[Item], reply: Any) -> None:
        for item in items:
            item.journal["customer_link"] = item.journal["contact"]
        self.requests.record(items)

    def do_without(self, item: Item, reason: str) -> None:
        self.refused.add(item)
        item.warn("customer_refused", message("amoCRM does not link the customer ({reason}).", reason=reason))


def customer_body(draft: LeadDraft, facts: Facts, record: Record | None) -> dict[str, Any]:
    """The item of ``POST /customers``; a name is required, in one mode the next purchase too."""
    body = {"name": draft.uid, **(record.body() if record else {}), "request_id": draft.uid}
    if facts.customers_mode == "periodicity":
        body["next_date"] = int((draft.visit.answered_at + NEXT_PURCHASE).timestamp())
    return body


# -- the readable record of an answer, as notes on its lead -----------------------------------------------

NOTES = "/api/v4/leads/notes"
LONGEST_NOTE = 60_000  # characters; no bound is documented
MARK = "\n\n["  # what stands before a note's mark
MOST_PARTS = 10  # more than the longest body that is taken in
MOST_NOTES = 250  # written at a time
LONGEST_REQUEST = 500_000  # characters of notes; no bound is documented, and long requests ended in 504s


def note_texts(item: Item) -> list[str]:
    """The draft's note and what found no place, in as many notes as it takes; each ends with its mark."""
    found = parts(tidy(note_text(item, item.losses)), LONGEST_NOTE, MOST_PARTS, item.draft.language)
    return [f"{part}{MARK}{item.draft.note_mark(number)}]" for number, part in enumerate(found, start=1)]


def add_notes(requests: BatchRequests, items: Sequence[Item]) -> None:
    """A stage: the first notes of all items in one request, then their second ones, and so on.

    amoCRM never deduplicates notes: after an unclear try the lead's own are read first.
    """
    texts = {item: note_texts(item) for item in items if item.lead}
    writes = []
    for number in range(1, max(map(len, texts.values()), default=0) + 1):
        own = {item: found[number - 1] for item, found in texts.items() if len(found) >= number}
        writes.append(NoteWrite(requests, number, own))
    unsure = [item for item in texts if item.must_look and any(one.wants(item) for one in writes)]
    requests.each(unsure, partial(recognise_notes, requests))
    requests.record(unsure)
    for write in writes:
        write.run([item for item in write.texts if not item.error])


def recognise_notes(requests: BatchRequests, item: Item) -> None:
    """Put the lead's notes that end with their marks into the journal. Raises like any call."""
    common = {"filter[note_type][]": "common"}
    pages = walk(requests.client_for(item), f"/api/v4/leads/{item.lead}/notes", "notes", **common)
    try:
        notes = [note for page in pages for note in page]
    except Refused:  # the lead is gone since; the note itself will say so
        return
    for note in notes:
        text = str((note.get("params") or {}).get("text") or "").rstrip()
        for number in range(1, MOST_PARTS + 1):
            if text.endswith(f"[{item.draft.note_mark(number)}]"):
                item.journal[item.draft.note_step(number)] = str(note["id"])


class NoteWrite(BatchWrite):
    """The notes with one number. The lead is there: a note that amoCRM won't have is no reason to hold it."""

    path = NOTES
    most = MOST_NOTES

    def __init__(self, requests: BatchRequests, number: int, texts: Mapping[Item, str]) -> None:
        super().__init__(requests)
        self.number = number
        self.texts = texts

    def portions(self, items: Sequence[Item]) -> list[list[Item]]:
        """As many as a request takes, fewer where they are long."""
        found: list[list[Item]] = []
        room = 0
        for item in items:
            length = len(self.texts.get(item, ""))
            if not found or len(found[-1]) == self.most or length > room:
                found.append([])
                room = LONGEST_REQUEST
            found[-1].append(item)
            room -= length
        return found

    def wants(self, item: Item) -> bool:
        return item in self.texts and item not in self.refused and not item.has(self.step(item))

    def step(self, item: Item) -> str:
        return item.draft.note_step(self.number)

    def body(self, item: Item) -> dict[str, Any]:
        return {
            "entity_id": int(item.lead),
            "note_type": "common",
            "params": {"text": self.texts[item]},
            "request_id": item.uid,
        }

    def settle(self, items: Sequence[Item], reply: Any) -> None:
        for step in {self.step(item) for item in items}:
            self.requests.settle([item for item in items if self.step(item) == step], reply, {step: "id"})

    def do_without(self, item: Item, reason: str) -> None:
        self.refused.add(item)
        item.warn("note_refused", message("amoCRM does not take the note ({reason}).", reason=reason))
        if self.number > 1:
            item.lose(*lines_of(self.texts[item].rpartition(MARK)[0], reason))

    def look(self, items: Sequence[Item]) -> bool:
        """Their leads list their notes at once."""
        self.requests.each(items, partial(recognise_notes, self.requests))
        self.requests.record(items)
        return not any(item.error for item in items)
