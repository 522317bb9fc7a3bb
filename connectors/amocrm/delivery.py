"""A batch of drafts on its way into amoCRM, in the order a lead needs it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from connectors.amocrm.cards import listed, place_of
from connectors.amocrm.creation import Creation
from connectors.amocrm.customers import Customers
from connectors.amocrm.facts import Facts
from connectors.amocrm.notes import Notes
from connectors.amocrm.overflow import Overflow
from connectors.amocrm.people import find_contact
from connectors.amocrm.recovery import FoundLead, scan, search
from connectors.amocrm.talk import Talk
from connectors.amocrm.update import Update
from connectors.amocrm.work import Work
from connectors.delivery import Outcome, deliver, fail_all, run_stages
from connectors.draft import LeadDraft, UnplacedValue
from connectors.errors import ConnectorError

log = logging.getLogger(__name__)

NEWEST = {"order[created_at]": "desc"}  # where filters aren't paid for, these are most likely ours
KEPT = "the contact was in amoCRM already and is left as it is"


class Delivery:
    """One call of ``AmoConnector.deliver``."""

    def __init__(self, talk: Talk, facts: Facts, base_url: str) -> None:
        self.talk = talk
        self.facts = facts
        self.base_url = base_url

    def run(self, drafts: Sequence[LeadDraft]) -> list[Outcome]:
        return deliver(drafts, self._begin, self._walk)

    def _walk(self, works: Sequence[Work]) -> None:
        run_stages(self._stages(), [work for work in works if not work.draft.formers])
        update = Update(self.talk, self.facts)
        run_stages((update.run, Notes(self.talk).run), [work for work in works if work.draft.formers])

    def _stages(self) -> tuple[Callable[[Sequence[Work]], None], ...]:
        return (
            self.recover,
            self.meet,
            self.create,
            Overflow(self.talk).run,
            Customers(self.talk, self.facts).run,
            Notes(self.talk).run,
            self.read_back,
        )

    def _begin(self, draft: LeadDraft) -> Work:
        return Work.begin(draft, self.facts, self.base_url)

    # -- 1. was it made already? --------------------------------------------------------------------

    def recover(self, works: Sequence[Work]) -> None:
        """After an unclear try: adopt what carries our mark (reference 5.4)."""
        lost = [work for work in works if work.draft.look_first and not work.lead]
        if not lost:
            return
        self.talk.each(lost, self._search)
        missing = [work for work in lost if not work.lead and not work.error]
        if missing:
            self._scan(missing)
        self.talk.record([work for work in lost if work.adopted])

    def _scan(self, works: Sequence[Work]) -> None:
        """One walk for the whole batch. The pages are other people's leads: they are in no trace."""
        since = min(work.draft.visit.answered_at.timestamp() for work in works)
        http_client = self.talk.door_for([])
        try:
            leads = scan(http_client, [work.uid for work in works], self.facts.mark_field, since)
        except ConnectorError as error:
            fail_all(works, error)
            return
        for work in works:
            self._adopt(work, leads.get(work.uid))

    def _search(self, work: Work) -> None:
        self._adopt(work, search(self.talk.door_for([work]), work.uid, self.facts.mark_field))

    def _adopt(self, work: Work, lead: FoundLead | None) -> None:
        if lead:
            work.journal |= lead.journal()
            work.adopted = True

    # -- 2. do we know this person? -----------------------------------------------------------------

    def meet(self, works: Sequence[Work]) -> None:
        """Find the contacts of drafts that have no lead yet; who isn't found comes with the lead."""
        new = [work for work in works if not work.lead]
        for work in new:
            known = work.journal.get("contact") or work.draft.known_contact
            if known.isdigit():
                work.attach(known)
        strangers = [work for work in new if work.parcel.contact and not work.parcel.contact_id]
        self._look_up(strangers)
        self.talk.record([work for work in new if work.parcel.contact_id])

    def _look_up(self, works: Sequence[Work]) -> None:
        """Ask for each person by phone and e-mail."""
        reachable = [w for w in works if w.draft.person.phones or w.draft.person.emails]
        if reachable:
            self.talk.each(reachable, self._look_up_one)

    def _look_up_one(self, work: Work) -> None:
        http_client = self.talk.door_for([work])
        contact = find_contact(http_client, work.draft.person, but=work.refused_contacts)
        if contact:
            work.attach(contact)

    def _meet_again(self, works: Sequence[Work]) -> None:
        """The contact that we gave is refused: deleted, or merged into another."""
        self._look_up([work for work in works if work.parcel.contact])
        self.talk.record(works)

    # -- 3. the lead ----------------------------------------------------------------------------------

    def create(self, works: Sequence[Work]) -> None:
        new = [work for work in works if not work.lead]
        if new:
            Creation(self.talk, self._meet_again).run(new)
        for work in works:
            self._own_up(work)

    # -- 4. where is it now? ----------------------------------------------------------------------------

    def read_back(self, works: Sequence[Work]) -> None:
        """Where amoCRM put the new leads: one request for the batch, of which no trace has the strangers. A
        failure changes nothing; the lists are read again before long."""
        made = [work for work in works if work.lead and not (work.adopted or work.merged)]
        new = {work.lead: work for work in made if work.is_placed}
        try:
            found = listed(self.talk.door_for([]), "leads", list(new), NEWEST) if new else {}
        except ConnectorError as error:
            log.info("amocrm: %d leads were not read back (%s)", len(new), error.code)
            return
        for lead, card in found.items():
            new[lead].placed = place_of(card)

    def _own_up(self, work: Work) -> None:
        """Answers for the fields of a contact that was there before go only into the note.

        The rule is not at fault, so the loss names no field.
        """
        if work.error or not work.parcel.contact or work.own_contact:
            return
        for piece in work.parcel.contact.pieces:
            if piece.question and piece.key not in ("PHONE", "EMAIL"):
                work.lose(UnplacedValue(piece.question, piece.text, KEPT, "contacts"))
