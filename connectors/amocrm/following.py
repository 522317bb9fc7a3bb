"""What became of leads: their cards, their people, what their steps are called (reference 4.3, 5.2).

amocrm.ru/developers/content/crm_platform/leads-api
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from connectors.amocrm import lists
from connectors.amocrm.cards import Card, Found, cards
from connectors.amocrm.errors import address_gone
from connectors.amocrm.facts import Facts
from connectors.amocrm.recovery import found, search
from connectors.amocrm.standings import Names, gone, standing
from connectors.errors import ConnectorError, unexpected
from connectors.http import HttpClient
from connectors.lead_status import Followed, LeadStatus

log = logging.getLogger(__name__)

ID = re.compile(r"[1-9][0-9]{0,17}")
PARTS = "contacts,loss_reason"
Outcome = LeadStatus | ConnectorError | None


@dataclass(frozen=True, slots=True)
class Sighting:
    """A lead's card, or why there is none; ``matched`` as in ``LeadStatus``."""

    remote_id: str
    card: Found
    matched: str = ""


class Following:
    """One call of ``AmoConnector.follow``: three requests, where the account filters."""

    def __init__(self, make_http_client: Callable[[], HttpClient], facts: Facts, base_url: str) -> None:
        self.make_http_client = make_http_client
        self.facts = facts
        self.base_url = base_url
        self.people: Mapping[str, Card] = {}
        self.names = Names()

    def run(self, leads: Sequence[Followed]) -> list[Outcome]:
        """In order. Without a lead's id there is nothing to ask about."""
        try:
            http_client = self.make_http_client()
            told = cards(http_client, "leads", unique(map(id_of, leads)), PARTS)
            seen = [self._find(http_client, lead, told) for lead in leads]
            self._enrich(http_client, [one.card for one in seen if one and isinstance(one.card, Mapping)])
            return [self._outcome(one) for one in seen]
        except Exception as exc:
            log.exception("amocrm: %s can't be followed", ", ".join(lead.uid for lead in leads))
            return [unexpected(exc) for _ in leads]

    def _find(self, http_client: HttpClient, lead: Followed, told: Mapping[str, Found]) -> Sighting | None:
        """A merged lead leaves its values to another, and our mark is one of them (reference 5.3)."""
        remote_id = id_of(lead)
        if remote_id not in told:
            return None
        if told[remote_id] is not None or not lead.uid:
            return Sighting(remote_id, told[remote_id])
        try:
            heir = search(http_client, lead.uid, self.facts.mark_field)
        except ConnectorError as error:
            return Sighting(remote_id, address_gone(error) if error.code == "http_404" else error)
        if heir is None or heir.lead == remote_id:
            return Sighting(remote_id, None)
        return Sighting(
            heir.lead, cards(http_client, "leads", [heir.lead], PARTS)[heir.lead], f"merged into {heir.lead}"
        )

    def _enrich(self, http_client: HttpClient, alive: Sequence[Card]) -> None:
        """People and names are a help: without them the leads are told all the same."""
        if not alive:
            return
        told = cards(http_client, "contacts", unique(found(card).contact for card in alive))
        self.people = {number: card for number, card in told.items() if isinstance(card, Mapping)}
        try:
            self.names = Names.read(lists.raw_pipelines(http_client))
        except ConnectorError as error:
            log.warning("amocrm: the pipelines have no names today: %s", error.code)

    def _outcome(self, one: Sighting | None) -> Outcome:
        """One card that can't be read costs no other lead."""
        if one is None:
            return None
        if isinstance(one.card, ConnectorError):
            return one.card
        if one.card is None:
            return gone(one.remote_id, self.base_url)
        try:
            person = self.people.get(found(one.card).contact)
            return standing(one.card, person, self.names, self.facts.currency, self.base_url, one.matched)
        except Exception as exc:
            log.exception("amocrm: lead=%s can't be read", one.remote_id)
            return unexpected(exc)


def id_of(lead: Followed) -> str:
    """What an earlier look found it to be by now, else what was made."""
    return lead.record_id or lead.remote_id


def unique(ids: Iterable[str]) -> list[str]:
    return [number for number in dict.fromkeys(ids) if ID.fullmatch(number)]
