"""One draft on its way through a delivery: what is laid out, what is made, what went wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from connectors.amocrm.errors import as_account_error
from connectors.amocrm.facts import Facts
from connectors.amocrm.parcel import Parcel, pack
from connectors.amocrm.sheets import Sheet
from connectors.delivery import WorkItem
from connectors.draft import LeadDraft
from connectors.errors import ConnectorError

REFUSED_BEFORE = "amoCRM refused this value"


@dataclass(eq=False)
class Work(WorkItem):
    """``journal`` grows with every remote id. Beside the ids it keeps three words for later tries:

    ``found``: the contact was there before us and stays as it is; ``dropped``: values that amoCRM
    refused; ``tracking``: ``later`` once the statistics fields were suspected of a failure.
    ``merged`` says that amoCRM gave us an older lead, which stays where it is.
    """

    parcel: Parcel = field(kw_only=True)
    base_url: str = ""
    refused_contacts: set[str] = field(default_factory=set)
    changes: dict[str, Sheet] = field(default_factory=dict)  # what an update writes, by kind of card
    merged: bool = False

    @classmethod
    def begin(cls, draft: LeadDraft, facts: Facts, base_url: str = "") -> Work:
        parcel = pack(draft, facts)
        work = cls(draft, parcel=parcel, losses=parcel.losses, base_url=base_url)
        work._leave_out(draft.journal)
        work._question_placement()
        return work

    @property
    def is_placed(self) -> bool:
        """Does the rule say where the lead goes, or who looks after it?"""
        asked = self.draft.placement
        return bool(asked.performer or asked.pipeline or asked.step)

    @property
    def own_contact(self) -> str:
        """The contact that this draft made; empty for one that was there before."""
        contact = self.journal.get("contact", "")
        return "" if contact == self.journal.get("found") else contact

    def meaning(self, error: ConnectorError) -> ConnectorError:
        return as_account_error(error)

    def attach(self, contact_id: str) -> None:
        """Use a contact that the CRM has already, as it is."""
        self.parcel.contact_id = contact_id
        self.journal |= {"contact": contact_id, "found": contact_id}

    def link(self) -> str:
        return f"{self.base_url}/leads/detail/{self.lead}"

    def _question_placement(self) -> None:
        for where in ("performer", "pipeline", "step"):
            remote_id = getattr(self.draft.placement, where)
            if remote_id and not remote_id.isdigit():
                self.warn("not_an_id", f"{remote_id!r} is no amoCRM id and is left out.", where)

    def _leave_out(self, journal: Mapping[str, str]) -> None:
        """What earlier tries learned is not tried again."""
        for name in filter(None, journal.get("dropped", "").split(",")):
            entity, _, key = name.partition(":")
            sheet = self.parcel.sheet(entity)
            if sheet and (piece := sheet.drop(key)):
                self.lose(piece.loss(entity, REFUSED_BEFORE))
        if journal.get("tracking") == "later":
            lead = self.parcel.lead
            self.parcel.later = [piece for piece in lead.pieces if piece.kind == "tracking"]
            lead.pieces = [piece for piece in lead.pieces if piece.kind != "tracking"]
