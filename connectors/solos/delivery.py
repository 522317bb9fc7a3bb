"""Drafts on their way into solOS: one request each, and no second one by ourselves (reference 5.2)."""

from __future__ import annotations

from dataclasses import dataclass, field

from connectors.base import Journal
from connectors.delivery import WorkItem, record
from connectors.draft import LeadDraft
from connectors.errors import ConnectorError, Refused, Unclear
from connectors.messages import aside, message
from connectors.solos import recovery
from connectors.solos.client import Client
from connectors.solos.options import SolosOptions
from connectors.solos.records import Payload, id_in, pack

NO_LEADS = "can_not_look"  # solOS refuses to show leads, though it once did
MADE = "made"  # the journal's step of a lead whose id solOS kept to itself


@dataclass(eq=False)
class Item(WorkItem):
    """``can_look``: this account shows its leads."""

    payload: Payload = field(kw_only=True)
    options: SolosOptions = field(kw_only=True)
    base_url: str = ""
    can_look: bool = False

    @classmethod
    def begin(cls, draft: LeadDraft, options: SolosOptions, base_url: str, can_look: bool) -> Item:
        payload = pack(draft, options)
        found = list(payload.losses), list(payload.problems)
        return cls(draft, *found, payload=payload, options=options, base_url=base_url, can_look=can_look)

    def link(self) -> str:
        path = self.options.lead_path if self.lead else ""
        return self.base_url + (path.replace("{id}", self.lead) or "/")

    def fail(self, error: ConnectorError) -> None:
        super().fail(error)
        if isinstance(self.error, Unclear) and not (self.can_look and self.error.look_again):
            self.error.remedy = self.error.remedy or message(
                "Look for {uid} in the comments of leads in solOS: if it is there, mark the delivery as"
                " delivered; if it is not, send the answer again.",
                uid=self.uid,
            )


def send(client: Client, item: Item, journal: Journal) -> None:
    """One lead, unless the journal or a look knows it. Raises what stands in the way."""
    if item.lead or item.has(MADE):
        return
    lead = _look(client, item) if item.draft.look_first and item.can_look else None
    item.adopted = lead is not None
    if lead is None:
        item.in_flight = True
        lead = id_in(client.create(item.payload.lead), item.options.id_paths)
    # An answer without an id is a success all the same: ``made`` keeps us from a second lead.
    item.journal |= {"lead": lead} if lead else {MADE: "yes"}
    record(journal, [item])


def _look(client: Client, item: Item) -> str | None:
    """The lead's id, "" for one without, None for no lead. Raises ``Unclear`` where it can't be told."""
    try:
        return recovery.find(client, [item.uid], item.draft.visit.answered_at).get(item.uid)
    except Refused as refusal:
        words = message("It is not known whether solOS has this lead, and it no longer shows leads")
        raise Unclear(aside(words, refusal.message), code=NO_LEADS, look_again=False) from refusal
