"""A batch of drafts on its way into amoCRM, in the order a lead needs it; and its preview."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from connectors.amocrm import contacts
from connectors.amocrm.additions import (
    CUSTOMERS,
    LINK,
    NOTES,
    STEPS,
    Customers,
    add_notes,
    add_values,
    customer_body,
    note_texts,
)
from connectors.amocrm.client import AT_ONCE, BatchRequests, BatchWrite, Item, fetch_listed, place_of
from connectors.amocrm.errors import ValidationIssue
from connectors.amocrm.existing import Existing, read_contacts
from connectors.amocrm.facts import Facts
from connectors.amocrm.fields import has_field
from connectors.amocrm.recovery import (
    HITS,
    FoundLead,
    Scan,
    find_contact,
    found,
    same_lead,
    scan,
    search,
    searches,
)
from connectors.amocrm.repair import FIELD_GONE, repair
from connectors.amocrm.repeated import MOST_LEADS, Joining
from connectors.amocrm.tasks import TASKS, add_tasks, task_body
from connectors.amocrm.update import KEPT, Update
from connectors.contact import is_of_region
from connectors.contact_directory import ContactDirectory
from connectors.delivery import Outcome, compare, deliver, guarded, run_stages
from connectors.draft import EXTERNAL_ID_FIELD_GONE, Comparison, LeadDraft, Plan, PlannedRequest
from connectors.errors import LOOK_INCOMPLETE, ConnectorError, Refused, Unclear
from connectors.messages import message
from connectors.repeated import JOINED, tell_mention
from connectors.text import text_of

log = logging.getLogger(__name__)

COMPLEX = "/api/v4/leads/complex"
FEW_AT_ONCE = 2  # look-ups in flight while the contacts are walked, which is to have its share of the pace
MOST_SEARCHED = 20  # lost leads from which one walk over the newest ones is quicker than a search for each
NEWEST = {"order[created_at]": "desc"}  # where filters aren't paid for, these are most likely ours
LOOK = message(
    "Look for the lead in amoCRM: if it is there, mark the delivery as delivered; if not, send it again."
)


@dataclass(eq=False)
class Delivery:
    """One call of ``AmoConnector.deliver``."""

    requests: BatchRequests
    facts: Facts
    base_url: str
    directory: ContactDirectory

    def run(self, drafts: Sequence[LeadDraft]) -> list[Outcome]:
        """One outcome per draft, in order; never raises."""
        return deliver(drafts, lambda draft: Item.begin(draft, self.facts, self.base_url), self._run)

    def _run(self, items: Sequence[Item]) -> None:
        notes, update = partial(add_notes, self.requests), Update(self.requests, self.facts)
        existing = Existing(self.requests, update)
        joining = Joining(self.requests, self.facts.mark_field, self.find_contacts, existing.run)
        first: Sequence[Callable[[Sequence[Item]], None]] = (self.recover, self.find_contacts, joining.run)
        stages: Sequence[Callable[[Sequence[Item]], None]] = (
            self.assign,
            self.create,
            partial(add_values, self.requests),
            Customers(self.requests, self.facts).run,
            existing.run,
            partial(add_tasks, self.requests),
            notes,
            self.read_back,
        )
        new = [item for item in items if not item.draft.formers]
        run_stages(first, new)
        run_stages(stages, [item for item in new if not item.has(JOINED)])
        later = [item for item in items if item.draft.formers]
        for item in (item for item in later if item.has(JOINED)):
            tell_mention(item)
        run_stages((update.run,), [item for item in later if not item.has(JOINED)])
        run_stages((existing.run, notes), later)

    def compare(self, drafts: Sequence[LeadDraft]) -> list[Comparison | ConnectorError]:
        """How leads that are there differ from their drafts; reads only."""
        update = Update(self.requests, self.facts)
        stages = (update.compare, Existing(self.requests, update).compare)
        begin = partial(Item.begin, facts=self.facts, base_url=self.base_url)
        return compare(drafts, begin, lambda items: run_stages(stages, items))

    # -- 1. was it made already? --------------------------------------------------------------------

    def recover(self, items: Sequence[Item]) -> None:
        """After an unclear try: adopt the lead with our external id; what is surely not there is made.

        A look that ended before it reached the answer's own time proves nothing (reference 5.4).
        """
        lost = [item for item in items if item.draft.look_first and not item.lead]
        if not lost:
            return
        unseen = lost
        if len(lost) > MOST_SEARCHED:
            with guarded(lost):
                unseen = self._adopt_newest(lost)
        self.requests.each([item for item in unseen if not item.lead and not item.error], self._search)
        missing = [item for item in lost if not item.lead and not item.error]
        if missing:
            with guarded(missing):
                self._look_closer(missing)
        self.requests.record([item for item in lost if item.adopted])

    def _adopt_newest(self, items: Sequence[Item]) -> list[Item]:
        """Many at a time were lost with a worker: most are among the newest leads, or surely not there. Those
        of whom that can't be said are left."""
        since = min(map(answered_at, items))
        seen = scan(self.requests.client_for(), [i.uid for i in items], self.facts.mark_field, since)
        for item in items:
            adopt(item, seen.found.get(item.uid))
        return [item for item in items if not seen.covers(answered_at(item))]

    def _search(self, item: Item) -> None:
        adopt(item, search(self.requests.client_for(item), item.uid, self.facts.mark_field))

    def _look_closer(self, items: Sequence[Item]) -> None:
        """One walk for the whole batch. The pages are other people's leads: they are in no trace."""
        client = self.requests.client_for()
        gone = bool(self.facts.mark_field) and not has_field(client, "leads", self.facts.mark_field)
        nameless = [item for item in items if gone or answered_at(item) < self.facts.mark_since]
        names = {name_of(item) for item in nameless}
        since = min(map(answered_at, items))
        seen = scan(client, [item.uid for item in items], self.facts.mark_field, since, names=names)
        if gone:
            for item in items:
                item.warn(EXTERNAL_ID_FIELD_GONE, FIELD_GONE)
        self.requests.each(items, lambda item: self._conclude(item, seen, item in nameless))

    def _conclude(self, item: Item, seen: Scan, by_name: bool) -> None:
        since = answered_at(item)
        adopt(item, seen.found.get(item.uid))
        if item.adopted:
            return
        if not seen.covers(since):
            words = message("amoCRM shows too many newer leads to say whether this one is there")
            raise Unclear(words, code=LOOK_INCOMPLETE, look_again=False, remedy=LOOK)
        if not by_name:
            return
        namesakes = seen.namesakes.get(name_of(item), ())
        alike = same_lead(self.requests.client_for(item), namesakes, item.draft.person, since)
        if len(alike) == 1 and item.draft.person.keys:
            adopt(item, found(alike[0]))
        elif alike:
            words = message(
                "The field for external ids was deleted in amoCRM, and leads of this name are there"
            )
            raise Unclear(words, code=LOOK_INCOMPLETE, look_again=False, remedy=LOOK)

    # -- 2. do we know this person? -----------------------------------------------------------------

    def find_contacts(self, items: Sequence[Item]) -> None:
        """Find the contacts of drafts that have no lead yet; who isn't found comes with the lead."""
        new = [item for item in items if not item.lead]
        for item in new:
            known = item.journal.get("contact") or item.draft.known_contact
            if known.isdigit():
                item.attach(known, "" if item.journal.get("contact") else "memory")
        # In the directory, where there is a complete one; whom it can't tell is asked for, one by one.
        unknown = [item for item in new if item.payload.contact and not item.payload.contact_id]
        if reachable := [item for item in unknown if item.draft.person.keys]:
            self.requests.each(self._not_in_directory(reachable), self._search_contact)
        self.requests.record([item for item in new if item.payload.contact_id])

    def _not_in_directory(self, items: Sequence[Item]) -> Sequence[Item]:
        """Whom the directory can't tell: everybody where it isn't complete. The pages that are read for it
        are other people's: they are in no trace."""
        begun, state = self.directory.state(), None
        if begun and begun.complete:
            state = contacts.up_to_date(self.requests.client_for(), self.directory, len(items))
        if state is None:
            self.requests.at_once = FEW_AT_ONCE if begun and not begun.complete else AT_ONCE
            return items
        found = self.directory.find({key for item in items for key in item.draft.person.keys})
        unsure = []
        for item in items:
            person = item.draft.person
            at_home = all(is_of_region(phone, state.region) for phone in person.phones)
            if hit := next((key for key in person.keys if found.get(key)), ""):
                item.attach(str(min(found[hit])), hit.partition(":")[0])
            elif not at_home or any(key in found for key in person.keys):
                unsure.append(item)
        return unsure

    def _search_contact(self, item: Item) -> None:
        """By phone and e-mail."""
        client = self.requests.client_for(item)
        contact, by = find_contact(client, item.draft.person, but=item.refused_contacts)
        if contact:
            item.attach(contact, by)

    def _look_up_again(self, items: Sequence[Item]) -> None:
        """The contact that we gave is refused: deleted, or merged into another."""
        self.directory.drop([int(one) for item in items for one in item.refused_contacts])
        reachable = [item for item in items if item.payload.contact and item.draft.person.keys]
        self.requests.each(reachable, self._search_contact)
        self.requests.record(items)

    def assign(self, items: Sequence[Item]) -> None:
        """Who looks after new leads of rules that ask for the contact's own responsible."""
        asking = [item for item in items if item.draft.asks_owner and not item.lead]
        if not asking:
            return
        known = [item for item in asking if item.payload.contact_id]
        rows = read_contacts(self.requests, known)
        owners = {item.uid: "" for item in asking}
        for item in known:
            row = rows[item.payload.contact_id]
            if isinstance(row, Mapping):
                owners[item.uid] = text_of(row.get("responsible_user_id"))
            elif isinstance(row, ConnectorError) and not isinstance(row, Refused):
                item.fail(row)
        chosen = self.requests.journal.assign({i.uid: owners[i.uid] for i in asking if not i.error})
        for item in asking:
            item.payload.put_performer(chosen.get(item.uid, ""))

    # -- 3. the lead ----------------------------------------------------------------------------------

    def create(self, items: Sequence[Item]) -> None:
        """Answers for the fields of a contact that was there before go only into the note."""
        Creation(self.requests, self.facts, self._look_up_again).run(items)
        for item in items:
            if not (item.error or item.own_contact or item.writes_existing):
                item.lose_contact(KEPT)

    # -- 4. where is it now? ----------------------------------------------------------------------------

    def read_back(self, items: Sequence[Item]) -> None:
        """Where amoCRM put the new leads: one request for the batch, of which no trace has the strangers. A
        failure changes nothing; the lists are read again before long."""
        made = [item for item in items if item.lead and not (item.adopted or item.merged)]
        new = {item.lead: item for item in made if item.is_placed}
        try:
            rows = fetch_listed(self.requests.client_for(), "leads", list(new), NEWEST) if new else {}
        except ConnectorError as error:
            log.info("amocrm: %d leads were not read back (%s)", len(new), error.code)
            return
        for lead, row in rows.items():
            new[lead].placed = place_of(row)


class Creation(BatchWrite):
    """``POST /leads/complex`` for drafts that have no lead yet (reference 4.2)."""

    path = COMPLEX

    def __init__(
        self, requests: BatchRequests, facts: Facts, look_up_again: Callable[[Sequence[Item]], None]
    ) -> None:
        super().__init__(requests)
        self.facts = facts
        self.look_up_again = look_up_again
        self.began = time.time()

    def wants(self, item: Item) -> bool:
        return not item.lead

    def suspects(self, item: Item) -> bool:
        return item.draft.look_first

    def body(self, item: Item) -> dict[str, Any]:
        return item.payload.body(item.uid)

    def settle(self, items: Sequence[Item], reply: Any) -> None:
        steps = {"lead": "id", "contact": "contact_id", "company": "company_id"}
        for item, row in self.requests.settle(items, reply, steps).items():
            if row.get("merged"):  # duplicate control gave us somebody's older lead (reference 5.3)
                item.journal["found"] = item.journal.get("contact", "")
                item.merged = True
        self.requests.record(item for item in items if item.merged)

    def repair(self, named: Mapping[Item, list[ValidationIssue]]) -> None:
        contacts = {item: item.payload.contact_id for item in named}
        for item, issues in named.items():
            repair(item, issues)
        self.requests.record(named)
        lost = [i for i, contact in contacts.items() if contact and not i.payload.contact_id and not i.error]
        if lost:
            self.look_up_again(lost)

    def refuse(self, item: Item, refusal: Refused) -> None:
        item.fail(refusal)

    def fail(self, item: Item, error: ConnectorError) -> None:
        """A REFERRER once gave 500 (issue 290): the next try goes without the statistics."""
        tracked = any(entry.kind == "tracking" for entry in item.payload.lead.entries)
        if tracked and isinstance(error, Unclear) and error.code == "http_500":
            item.journal["tracking"] = "later"
            self.requests.record([item])
        item.fail(error)

    def look(self, items: Sequence[Item]) -> bool:
        """Among the newest leads, which need no index. When incoming leads are listed, nobody knows."""
        if any(item.payload.metadata for item in items):
            return False
        uids = [item.uid for item in items]
        seen = scan(self.requests.client_for(), uids, self.facts.mark_field, self.began)
        for item in items:
            adopt(item, seen.found.get(item.uid))
        self.requests.record(item for item in items if item.adopted)
        return seen.covers(self.began) or len(seen.found) == len(items)


def adopt(item: Item, lead: FoundLead | None) -> None:
    """The lead that a look found is the item's, with its contact and company."""
    if lead:
        item.journal |= lead.journal()
        item.adopted = True


def answered_at(item: Item) -> float:
    """Seconds since 1970. Nothing of the item was sent before."""
    return item.draft.visit.answered_at.timestamp()


def name_of(item: Item) -> str:
    return str(item.payload.lead.attributes["name"])


# -- the preview ------------------------------------------------------------------------------------------

LATER, LATER_FOUND = "<id of the new {}>", "<id of the contact>"
Step = tuple[str, str, object, str]


def plan(draft: LeadDraft, facts: Facts, base_url: str) -> Plan:
    """The requests in order, what would be dropped, and what is wrong with the rule."""
    item = Item.begin(draft, facts)
    if draft.known_contact.isdigit():
        item.attach(draft.known_contact)
    requests = [
        PlannedRequest(method, base_url + path, body, why) for method, path, body, why in _steps(item, facts)
    ]
    return Plan(tuple(requests), tuple(item.losses), tuple(item.problems))


def _steps(item: Item, facts: Facts) -> Iterator[Step]:
    if item.payload.contact and not item.payload.contact_id:
        for query in searches(item.draft.person):
            body = {"query": query, "limit": HITS}
            yield "GET", "/api/v4/contacts", body, message("is the person in amoCRM already?")
    if item.draft.repeated and item.draft.person.keys:
        why = message("has the person an open lead already?")
        contact = item.payload.contact_id or LATER_FOUND
        yield "GET", f"/api/v4/contacts/{contact}", {"with": "leads"}, why
        yield "GET", "/api/v4/leads", {"limit": MOST_LEADS}, why
    yield "POST", COMPLEX, [item.payload.body(item.uid)], message("the lead with its contact and company")
    yield from _more_values(item)
    if item.payload.customer:
        yield (
            "POST",
            CUSTOMERS,
            [customer_body(item.draft, facts, item.payload.customer)],
            message("the customer"),
        )
        yield "POST", LINK, [_customer_link(item)], message("the customer's contact")
    if task := item.draft.task:
        item.journal["lead"] = LATER.format("lead")
        yield "POST", TASKS, [task_body(item, task)], message("the task for people")
    for text in note_texts(item):
        note = {"entity_id": LATER.format("lead"), "note_type": "common", "params": {"text": text}}
        yield "POST", NOTES, [{**note, "request_id": item.uid}], message("all answers, readable")


def _more_values(item: Item) -> Iterator[Step]:
    for record in item.payload.records():
        is_kept = record.entity == "contacts" and item.payload.contact_id
        is_incoming = record.entity == "leads" and item.payload.metadata
        if record.rest() and not is_kept and not is_incoming:
            values = [entry.body for entry in record.rest()]
            body = {"id": LATER.format(STEPS[record.entity]), "custom_fields_values": values}
            yield "PATCH", f"/api/v4/{record.entity}", [body], message("values beyond the 40 of a creation")


def _customer_link(item: Item) -> dict[str, object]:
    contact = int(item.payload.contact_id) if item.payload.contact_id else LATER.format("contact")
    customer = LATER.format("customer")
    return {"entity_id": customer, "to_entity_id": contact, "to_entity_type": "contacts"}
