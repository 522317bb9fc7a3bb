"""An open lead of the person is joined: one of ours, or one of the contact's (reference 4.3, 4.6).

Open is what is neither won (142) nor lost (143), incoming leads too: a note leaves them there, tags would
take them out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from connectors import repeated
from connectors.amocrm.additions import Changes, add_notes, recognise_notes
from connectors.amocrm.client import BatchRequests, Item, Row, fetch_listed, fetch_records
from connectors.amocrm.lists import embedded
from connectors.amocrm.records import Record
from connectors.amocrm.recovery import carries, created_at, found
from connectors.amocrm.tasks import PERFORMER, add_tasks
from connectors.errors import ConnectorError, Refused
from connectors.repeated import JOINED, JOINED_OWNER, NO_NOTE, OpenLead
from connectors.text import is_id, text_of

OVER = ("142", "143")  # won and lost, in every pipeline (reference 3.3)
MOST_LEADS = 20  # of one person, the newest, that are looked at
PORTION = 100  # ids in a request's address
LEADS, CONTACTS = "leads", "contacts"


@dataclass(eq=False)
class Joining:
    """A stage of ``Delivery``: whoever joins an open lead has its note when it ends, others go on as ever.

    ``find_contacts`` is the stage before it, for those whose lead was closed since an earlier try,
    ``write_existing`` writes the contact, as for new leads.
    """

    requests: BatchRequests
    mark_field: int
    find_contacts: Callable[[Sequence[Item]], None]
    write_existing: Callable[[Sequence[Item]], None]

    def run(self, items: Sequence[Item]) -> None:
        begun = [item for item in items if item.has(JOINED)]
        looking = [item for item in items if repeated.wanted(item)]
        if begun or looking:
            self._confirm([item for item in begun if not repeated.noted(item)])
            self._look([item for item in looking if not item.error])
            joined = [item for item in items if item.has(JOINED) and not item.error]
            self.write_existing([item for item in joined if not repeated.noted(item)])
            self._write([item for item in joined if not item.error])
        for item in items:
            repeated.tell_left(item)

    # -- which lead? --------------------------------------------------------------------------------------

    def _confirm(self, begun: Sequence[Item]) -> None:
        """What an earlier try has joined may be closed by now. Where its note is there, it stays so."""
        rows = self._listed({item: [item.journal[JOINED]] for item in begun})
        left = []
        for item in begun:
            row = self._row(item, item.journal[JOINED], rows)
            if item.error:
                continue
            if row is not None and _is_open(row):
                item.journal[JOINED_OWNER] = text_of(row.get(PERFORMER))
                self._tag(item, row)
                continue
            if item.must_look:
                recognise_notes(self.requests, item)
            if not repeated.noted(item):
                repeated.leave(item)
                left.append(item)
        self.requests.record(begun)
        self.find_contacts(left)

    def _look(self, items: Sequence[Item]) -> None:
        """Our own leads first; the contact's where none of them can be joined."""
        ours = {item: list(item.draft.repeated.ours) for item in items if item.draft.repeated}
        self._choose(ours)
        rest = [item for item in items if not item.lead and not item.error and item.payload.contact_id]
        self._choose(self._linked(rest))
        self.requests.record([item for item in items if item.lead])

    def _linked(self, items: Sequence[Item]) -> dict[Item, list[str]]:
        """The leads of each contact, the newest first."""
        if not items:
            return {}
        contacts = dict.fromkeys(item.payload.contact_id for item in items)
        rows = fetch_records(self.requests.client_for(), CONTACTS, list(contacts), LEADS)
        linked: dict[Item, list[str]] = {}
        for item in items:
            row = rows[item.payload.contact_id]
            if isinstance(row, ConnectorError):
                _unseen(item, row)
            elif row is not None:
                leads = {str(lead.get("id")) for lead in embedded(row, LEADS)}
                linked[item] = sorted(filter(is_id, leads), key=int, reverse=True)[:MOST_LEADS]
        return linked

    def _choose(self, candidates: Mapping[Item, Sequence[str]]) -> None:
        rows = self._listed(candidates)
        for item, leads in candidates.items():
            for row in self._open(item, leads, rows):
                if carries(row, item.uid, self.mark_field):  # a lost try's own, which a search had not yet
                    item.journal |= found(row).journal()
                    item.adopted = True
                elif lead := repeated.best(item.draft, [_open_lead(row)]):
                    repeated.join(item, lead)
                    self._tag(item, row)
                break

    def _open(self, item: Item, leads: Sequence[str], rows: Mapping[str, Row]) -> Iterator[Row]:
        wish = item.draft.repeated
        for lead in leads:
            row = self._row(item, lead, rows)
            if item.error or row is None or wish is None:
                continue
            there = not wish.pipeline or str(row.get("pipeline_id")) == wish.pipeline
            if there and _is_open(row) and repeated.in_time(item.draft, _made(row)):
                yield row

    def _listed(self, candidates: Mapping[Item, Sequence[str]]) -> dict[str, Row]:
        """What lists show, which may lack any of them (``fetch_records``). Pages are in no trace."""
        ids = list(dict.fromkeys(lead for leads in candidates.values() for lead in leads))
        rows: dict[str, Row] = {}
        for start in range(0, len(ids) if len(ids) > 1 else 0, PORTION):
            try:
                some = fetch_listed(
                    self.requests.client_for(), LEADS, ids[start : start + PORTION], {"with": CONTACTS}
                )
            except ConnectorError as error:
                if error.account_wide:
                    raise
                some = {}
            rows |= some
        return rows

    def _row(self, item: Item, lead: str, rows: Mapping[str, Row]) -> Row | None:
        """The lead as it is now, asked for alone where the lists lack it; None where it is gone."""
        if lead in rows:
            return rows[lead]
        row = fetch_records(self.requests.client_for(item), LEADS, [lead], CONTACTS)[lead]
        if isinstance(row, ConnectorError):
            _unseen(item, row)
            return None
        return row

    def _tag(self, item: Item, row: Row) -> None:
        """The rule's tags, added to those that the lead has; a change would take it out of incoming."""
        tags = item.payload.lead.tags
        if not tags or item.draft.repeated is None or repeated.only_mentioned(item.draft):
            return
        if str(row.get("status_id")) in item.draft.repeated.incoming:
            item.untagged = tuple(tag.name for tag in tags)
        else:
            item.changes[LEADS] = Record(LEADS, {"tags_to_add": [{"name": tag.name} for tag in tags]})

    # -- what is written there ------------------------------------------------------------------------------

    def _write(self, joined: Sequence[Item]) -> None:
        """Tags, then the note. A lead that takes none is gone, or as good as that."""
        tagged = {
            item: one for item in joined if (one := item.changes.get(LEADS)) and not repeated.noted(item)
        }
        Changes(self.requests, LEADS, tagged).run(list(tagged))
        add_notes(self.requests, [item for item in joined if not item.error])
        left = [item for item in joined if not item.error and not repeated.noted(item)]
        for item in left:
            item.problems[:] = [one for one in item.problems if one.code != "note_refused"]
            repeated.leave(item)
            repeated.tell_left(item, NO_NOTE)
        self.requests.record(left)
        self.find_contacts(left)
        there = [item for item in joined if item.has(JOINED) and not item.error]
        for item in there:
            repeated.tell_mention(item)
            repeated.task_on_joined(item)
        add_tasks(self.requests, there)


def _is_open(row: Row) -> bool:
    return not row.get("is_deleted") and str(row.get("status_id")) not in OVER


def _open_lead(row: Row) -> OpenLead:
    return OpenLead(str(row["id"]), _made(row), owner=text_of(row.get(PERFORMER)))


def _made(row: Row) -> datetime | None:
    at = created_at(row)
    return datetime.fromtimestamp(at, UTC) if at else None


def _unseen(item: Item, error: ConnectorError) -> None:
    """What may not be seen is not joined; a look that failed is taken again."""
    if isinstance(error, Refused):
        repeated.warn_unseen(item, error.message)
    else:
        item.fail(error)
