"""What became of leads: their cards, their people, what their steps are called (reference 4.3, 5.2).

amocrm.ru/developers/content/crm_platform/leads-api
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence

from connectors.amocrm import lists
from connectors.amocrm.cards import Card, Found, cards
from connectors.amocrm.errors import as_account_error
from connectors.amocrm.facts import Facts
from connectors.amocrm.recovery import found, search
from connectors.amocrm.standings import Names, gone, standing
from connectors.errors import ConnectorError, TryLater
from connectors.http import Door
from connectors.standing import Followed, Standing

log = logging.getLogger(__name__)

PARTS = "contacts,loss_reason"
Outcome = Standing | ConnectorError | None


class Following:
    """One call of ``AmoConnector.follow``: a request or two, where the account filters."""

    def __init__(self, make_door: Callable[[], Door], facts: Facts, base_url: str) -> None:
        self.make_door = make_door
        self.facts = facts
        self.base_url = base_url
        self.people: Mapping[str, Card] = {}
        self.names = Names()

    def run(self, leads: Sequence[Followed]) -> list[Outcome]:
        """In order. Without a lead's id there is nothing to ask about."""
        try:
            door = self.make_door()
            ids = unique(lead.remote_id for lead in leads)
            told = cards(door, "leads", ids, PARTS)
            self._enrich(door, [card for card in told.values() if isinstance(card, Mapping)])
            return [self._outcome(door, lead, told) for lead in leads]
        except Exception as exc:
            log.exception("amocrm: %d leads can't be followed", len(leads))
            return [unexpected(exc) for _ in leads]

    def _enrich(self, door: Door, alive: Sequence[Card]) -> None:
        """People and names are a help: without them the leads are told all the same."""
        if not alive:
            return
        ids = unique(found(card).contact for card in alive)
        told = cards(door, "contacts", ids)
        self.people = {number: card for number, card in told.items() if isinstance(card, Mapping)}
        try:
            self.names = Names.read(lists.raw_pipelines(door))
        except ConnectorError as error:
            log.warning("amocrm: the pipelines have no names today: %s", error.code)

    def _outcome(self, door: Door, lead: Followed, told: Mapping[str, Found]) -> Outcome:
        """One lead that can't be read costs no other."""
        if not lead.remote_id.isdigit():
            return None
        card = told[lead.remote_id]
        try:
            if isinstance(card, ConnectorError):
                return card
            if card is None:
                return gone(lead, self._heir(door, lead), self.base_url)
            person = self.people.get(found(card).contact)
            return standing(card, person, self.names, self.facts.currency, self.base_url)
        except ConnectorError as error:
            return as_account_error(error)
        except Exception as exc:
            log.exception("amocrm: delivery=%s can't be followed", lead.uid)
            return unexpected(exc)

    def _heir(self, door: Door, lead: Followed) -> str:
        """A merged lead leaves its values, and our mark is one of them (reference 5.3)."""
        heir = search(door, lead.uid, self.facts.mark_field) if lead.uid else None
        return heir.lead if heir and heir.lead != lead.remote_id else ""


def unique(ids: Iterable[str]) -> list[str]:
    return [number for number in dict.fromkeys(ids) if number.isdigit()]


def unexpected(exc: Exception) -> ConnectorError:
    return TryLater(f"Something unexpected happened on our side ({type(exc).__name__})", code="unexpected")
