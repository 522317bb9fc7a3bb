"""Customers: a card of their own, made after the lead and linked to its contact (reference 4.4, 4.6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from connectors.amocrm.creation import owners
from connectors.amocrm.errors import ValidationFailed
from connectors.amocrm.facts import Facts
from connectors.amocrm.mending import mend
from connectors.amocrm.people import embedded
from connectors.amocrm.recovery import SKEW
from connectors.amocrm.sheets import Sheet
from connectors.amocrm.talk import Talk
from connectors.amocrm.work import Work
from connectors.delivery import fail_all
from connectors.draft import LeadDraft, UnplacedValue
from connectors.errors import ConnectorError, Refused

CUSTOMERS = "/api/v4/customers"
LINK = "/api/v4/customers/link"
NEXT_PURCHASE = timedelta(days=30)
KNOWN = "the person is an amoCRM customer already, who is left as is"


class Customers:
    """Only for drafts that have something to put on a customer, where customers are switched on."""

    def __init__(self, talk: Talk, facts: Facts) -> None:
        self.talk = talk
        self.facts = facts

    def run(self, works: Sequence[Work]) -> None:
        works = [work for work in works if work.lead and work.parcel.customer]
        new = [work for work in works if not work.journal.get("customer")]
        if new:
            self.talk.each(new, self._recognise)
            self.talk.record([work for work in new if work.journal.get("customer")])
        self._create([work for work in new if not work.journal.get("customer") and not work.error])
        self._link([work for work in works if not work.error])

    # -- is there one? --------------------------------------------------------------------------------

    def _recognise(self, work: Work) -> None:
        """The contact's customer, or the one that a lost answer may have told us of."""
        known = self._of_contact(work)
        if not known and work.must_look:
            known = self._unlinked(work)
        if known:
            work.journal["customer"] = known

    def _of_contact(self, work: Work) -> str:
        contact = work.journal.get("contact", "")
        if not contact or (contact == work.own_contact and not work.must_look):
            return ""
        try:
            page = self.talk.door_for([work]).call("GET", f"/api/v4/contacts/{contact}/links")
        except Refused:  # the contact is gone since
            return ""
        links = [link for link in embedded(page, "links") if link.get("to_entity_type") == "customers"]
        if not links:
            return ""
        work.journal["customer_link"] = contact
        if contact != work.own_contact:
            self._keep(work)
        return str(links[0]["to_entity_id"])

    def _keep(self, work: Work) -> None:
        for piece in work.parcel.customer.pieces if work.parcel.customer else ():
            work.lose(UnplacedValue(piece.question, piece.text, KNOWN, "customers"))

    def _unlinked(self, work: Work) -> str:
        """Ours bears the person's name, is no older than the answer, and belongs to nobody yet."""
        name = customer_item(work.draft, self.facts, work.parcel.customer)["name"]
        params = {"query": name, "limit": 50, "with": "contacts"}
        since = work.draft.visit.answered_at.timestamp() - SKEW
        hits = embedded(self.talk.door_for([work]).call("GET", CUSTOMERS, params=params), "customers")
        ours = (
            str(hit["id"])
            for hit in hits
            if hit.get("name") == name
            and float(hit.get("created_at") or 0) >= since
            and not embedded(hit, "contacts")
        )
        return next(ours, "")

    # -- make, then link ------------------------------------------------------------------------------

    def _create(self, works: Sequence[Work]) -> None:
        works = [work for work in works if not work.error and work.parcel.customer]
        if not works:
            return
        for work in works:
            work.in_flight = True
        items = [(work, customer_item(work.draft, self.facts, work.parcel.customer)) for work in works]
        try:
            reply = self.talk.mass("POST", CUSTOMERS, items)
        except Refused as refusal:
            self._after_refusal(works, refusal)
        except ConnectorError as error:
            fail_all(works, error)
        else:
            self.talk.settle(works, reply, "customer")

    def _after_refusal(self, works: Sequence[Work], refusal: Refused) -> None:
        """Mended like a lead; what can't be mended costs the customer, not the delivery."""
        for work in works:
            work.in_flight = False
        named = owners(works, refusal.ailments) if isinstance(refusal, ValidationFailed) else {}
        for work, ailments in named.items():
            mend(work, ailments, work.parcel.customer)
            if work.error:
                reason, work.error = work.error.message, None
                self._do_without(work, reason)
        if named:
            self._create(works)
        elif len(works) > 1:
            for work in works:
                self._create([work])
        else:
            self._do_without(works[0], refusal.message)

    def _do_without(self, work: Work, reason: str) -> None:
        for piece in work.parcel.customer.pieces if work.parcel.customer else ():
            work.lose(piece.loss("customers", reason))
        work.parcel.customer = None
        work.warn("customer_refused", f"amoCRM does not take the customer ({reason}).")

    def _link(self, works: Sequence[Work]) -> None:
        """Linking twice makes one link, so it may be repeated."""
        ready = [w for w in works if w.journal.get("customer") and w.journal.get("contact")]
        ready = [work for work in ready if not work.journal.get("customer_link")]
        if not ready:
            return
        items = [(work, link_item(work.journal)) for work in ready]
        try:
            self.talk.mass("POST", LINK, items, safe=True)
        except ConnectorError as error:
            self._unlinkable(ready, error)
            return
        for work in ready:
            work.journal["customer_link"] = work.journal["contact"]
        self.talk.record(ready)

    def _unlinkable(self, works: Sequence[Work], error: ConnectorError) -> None:
        """A contact that is gone since: the customer stays alone, the delivery goes on."""
        if not isinstance(error, Refused):
            fail_all(works, error)
        elif len(works) > 1:
            for work in works:
                self._link([work])
        else:
            works[0].warn("customer_refused", f"amoCRM does not link the customer ({error.message}).")


def customer_item(draft: LeadDraft, facts: Facts, sheet: Sheet | None) -> dict[str, Any]:
    """The item of ``POST /customers``; a name is required, in one mode the next purchase too."""
    body = {"name": draft.uid, **(sheet.body() if sheet else {}), "request_id": draft.uid}
    if facts.customers_mode == "periodicity":
        body["next_date"] = int((draft.visit.answered_at + NEXT_PURCHASE).timestamp())
    return body


def link_item(journal: Mapping[str, str]) -> dict[str, Any]:
    return {
        "entity_id": int(journal["customer"]),
        "to_entity_id": int(journal["contact"]),
        "to_entity_type": "contacts",
    }
