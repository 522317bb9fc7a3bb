"""What became of a lead: still a lead, united with another, or a deal (reference 7.6). Reads only."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from connectors.envybox.answers import id_of, mark_of
from connectors.envybox.errors import NO_CLIENT, NO_DEAL, NO_LEAD
from connectors.envybox.outlook import LEAD, Outlook
from connectors.envybox.parcel import digits
from connectors.envybox.recovery import Sought, newest_deal, probe
from connectors.envybox.work import Talk
from connectors.errors import ConnectorError, Refused, TryLater
from connectors.lead_status import Followed, LeadStatus

log = logging.getLogger(__name__)
RELATIVES = ("child_deals",)
LONGEST_CHAIN = 5  # leads that were united with each other, one after the other
BY_MARK = "mark"
Outcome = LeadStatus | ConnectorError | None


class Following:
    """One call of ``EnvyConnector.follow``: one lead after the other, until the account itself fails."""

    def __init__(self, talk: Talk, outlook: Outlook) -> None:
        self.talk = talk
        self.outlook = outlook
        self.account_error: ConnectorError | None = None

    def run(self, leads: Sequence[Followed]) -> list[Outcome]:
        return [self.account_error or self._one(lead) for lead in leads]

    def _one(self, lead: Followed) -> Outcome:
        try:
            return self._look(lead)
        except ConnectorError as error:
            if error.account_wide:
                self.account_error = error
            return error
        except Exception as exc:
            log.exception("envybox: following delivery=%s", lead.uid)
            words = f"Something unexpected happened on our side ({type(exc).__name__})"
            return TryLater(words, code="unexpected")

    def _look(self, lead: Followed) -> LeadStatus | None:
        """What an earlier look found spares the way there: deals stay deals."""
        known = lead.record_id if lead.record != LEAD else ""
        if known:
            return self._deal(known, met=True)
        if deal := lead.journal.get("deal", ""):
            return self._deal(deal)
        lead_id = lead.record_id or lead.journal.get("lead", "") or lead.remote_id
        return self._lead(lead_id) if lead_id else self._unnamed(lead)

    def _unnamed(self, lead: Followed) -> LeadStatus | None:
        """The queue told no id: the mark is looked for, as after a lost answer."""
        found = probe(self.talk, sought(lead))
        if found is None:
            return None
        standing = self._deal(found.deal) if found.deal else self._lead(found.lead)
        return replace(standing, matched=standing.matched or BY_MARK)

    def _lead(self, lead_id: str, matched: str = "", depth: int = 0) -> LeadStatus:
        """Its deal where there is one, else the lead that it was united with, else the lead."""
        try:
            row = whole(self.talk.leads.read(lead_id))
        except Refused as error:
            if error.code != NO_LEAD:
                raise
            return self.outlook.gone(LEAD, lead_id, matched)
        parent = id_of(row.get("parent_id"))
        united = bool(parent) and parent != lead_id and depth < LONGEST_CHAIN
        matched = f"merged into {parent}" if united else matched
        if deal := newest_deal(row):
            return self._deal(deal, matched)
        return self._lead(parent, matched, depth + 1) if united else self.outlook.lead(row, matched)

    def _deal(self, deal_id: str, matched: str = "", *, met: bool = False) -> LeadStatus:
        """``met``: an earlier look told whose it is."""
        try:
            row = whole(self.talk.deals.read(deal_id, RELATIVES))
        except Refused as error:
            if error.code != NO_DEAL:
                raise
            return self.outlook.gone("deal", deal_id, matched)
        return self.outlook.deal(row, matched, None if met else self._client(row))

    def _client(self, deal: dict[str, Any]) -> dict[str, Any] | None:
        """The person, asked for once: when the deal is seen for the first time."""
        client_id = id_of(deal.get("client_id"))
        try:
            return self.talk.clients.read(client_id) if client_id else None
        except Refused as error:
            if error.code != NO_CLIENT:
                raise
            return None


def sought(lead: Followed) -> Sought:
    """What the probes need to know of a lead."""
    found = {"phone": "", "email": ""}
    for key in lead.people:
        kind, _, text = key.partition(":")
        if kind in found and not found[kind]:
            found[kind] = digits(text) if kind == "phone" else text
    return Sought(mark_of(lead.uid), found["phone"], found["email"], lead.delivered_at)


def whole(row: dict[str, Any]) -> dict[str, Any]:
    """A success without the record says nothing of it, least of all that it is gone. Raises ``TryLater``."""
    if not id_of(row.get("id")):
        raise TryLater("Envybox's answer shows no record", code="unreadable")
    return row
