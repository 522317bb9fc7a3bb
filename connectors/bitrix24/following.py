"""What became of deals and leads, in two requests for fifty of them (reference 2.5, 2.6, 4.7).

apidocs.bitrix24.com: api-reference/crm/deals/crm-deal-list, api-reference/crm/leads/crm-lead-list
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from connectors.bitrix24.asking import rows
from connectors.bitrix24.batch import Budget, Command, Outcome, Reply, send
from connectors.bitrix24.errors import NOT_FOUND
from connectors.bitrix24.facts import Facts
from connectors.bitrix24.recovery import carriers, search
from connectors.bitrix24.standings import DEAL, PERSON, SELECT, Row, contact_id, gone, standing
from connectors.bitrix24.trail import CHILDREN, Lists, Sighting, Trail, listing, lists_for, rows_of, sighting
from connectors.errors import ConnectorError, TryLater, unexpected
from connectors.http import HttpClient
from connectors.lead_status import Followed, LeadStatus
from connectors.text import text_of

log = logging.getLogger(__name__)

PAGE = 50
MOST_PAGES = 10
ID = re.compile(r"[1-9][0-9]{0,17}")
Told = LeadStatus | ConnectorError | None
EMPTY: Mapping[str, Row] = {}


class Following:
    """One call of ``BitrixConnector.follow``: records and their deals, then people and what was missing."""

    def __init__(
        self, make_http_client: Callable[[], HttpClient], budget: Budget, facts: Facts, base_url: str
    ) -> None:
        self.make_http_client = make_http_client
        self.budget = budget
        self.facts = facts
        self.base_url = base_url

    def run(self, leads: Sequence[Followed]) -> list[Told]:
        """In order. Without a record's id there is nothing to ask about."""
        trails = [Trail.of(lead) for lead in leads]
        known = {index: trail for index, trail in enumerate(trails) if is_id(trail.remote_id)}
        try:
            told = dict(zip(known, self._follow(list(known.values())), strict=True)) if known else {}
        except Exception as exc:
            log.exception("bitrix24: %s can't be followed", ", ".join(lead.uid for lead in leads))
            told = dict.fromkeys(known, unexpected(exc))
        return [told.get(index) for index in range(len(trails))]

    def _follow(self, trails: Sequence[Trail]) -> list[Told]:
        http_client = self.make_http_client()
        lists = self._lists(http_client, trails)
        seen = [sighting(trail, lists) for trail in trails]
        missing = [trail for trail, one in zip(trails, seen, strict=True) if one is None]
        people, verdicts = self._second(
            http_client, [one for one in seen if isinstance(one, Sighting)], missing
        )
        return [next(verdicts) if one is None else self._told(one, people) for one in seen]

    def _told(self, one: Sighting | ConnectorError, people: Mapping[str, Row]) -> Told:
        return one if isinstance(one, ConnectorError) else self._standing(one, people)

    def _standing(self, one: Sighting, people: Mapping[str, Row] = EMPTY) -> LeadStatus:
        return standing(one.word, one.row, people, self.facts.zone, self.base_url, one.matched)

    # -- the records --------------------------------------------------------------------------------

    def _lists(self, http_client: HttpClient, trails: Sequence[Trail]) -> Lists:
        """The rows by (kind of record, field), all asked for in one request."""
        asked = lists_for(trails)
        commands = [listing(word, field, ids) for (word, field), ids in asked.items()]
        found = dict(zip(asked, map(rows_of, send(http_client, commands, self.budget)), strict=True))
        deals = found.get((DEAL, CHILDREN), ())
        if not isinstance(deals, ConnectorError):
            found[DEAL, CHILDREN] = self._all(http_client, asked.get((DEAL, CHILDREN), ()), deals)
        return found

    def _all(
        self, http_client: HttpClient, leads: Sequence[str], page: Sequence[Row]
    ) -> Sequence[Row] | ConnectorError:
        """The pages after a full one. A stranger on a page shows that the filter was not heard: no more."""
        found = list(page)
        for _ in range(MOST_PAGES):
            if len(page) < PAGE or any(text_of(row.get(CHILDREN)) not in leads for row in page):
                break
            (outcome,) = send(
                http_client, [listing(DEAL, CHILDREN, leads, text_of(page[-1].get("ID")))], self.budget
            )
            if isinstance(outcome, ConnectorError):
                return outcome
            page = rows(outcome)
            found += page
        return found

    # -- people, and what the lists lack --------------------------------------------------------------

    def _second(
        self, http_client: HttpClient, seen: Sequence[Sighting], missing: Sequence[Trail]
    ) -> tuple[Mapping[str, Row], Iterator[Told]]:
        """Contacts by id, and a verdict on each missing record; without people the rest is told all the same.

        Lists are filtered by our rights, so a record that is missing is asked for by its id, and by its mark.
        """
        ids = list(dict.fromkeys(filter(None, (contact_id(one.row) for one in seen))))
        asking = [contacts(ids)] if ids else []
        asking += [command for trail in missing for command in confirm(trail)]
        outcomes = iter(send(http_client, asking, self.budget))
        people = rows_of(next(outcomes)) if ids else ()
        known = {} if isinstance(people, ConnectorError) else {text_of(row.get("ID")): row for row in people}
        return known, iter([self._verdict(trail, outcomes) for trail in missing])

    def _verdict(self, trail: Trail, outcomes: Iterator[Outcome]) -> Told:
        """A record that is there speaks first, then what keeps us from knowing; gone is what is left."""
        found = [self._judge(trail, word, next(outcomes), next(outcomes)) for word in trail.words]
        return min(found, key=_doubt)

    def _judge(self, trail: Trail, word: str, there: Outcome, marked: Outcome) -> LeadStatus | ConnectorError:
        """Gone is only what the portal says is not there: a refusal or a failure says nothing of the kind."""
        if isinstance(there, Reply):
            if not isinstance(there.value, dict):
                return TryLater("Bitrix24's answer can't be read", code="unreadable")
            return self._standing(Sighting(word, there.value))
        if there.code != NOT_FOUND:
            return there
        if isinstance(marked, ConnectorError):
            return marked
        return self._heir(trail, word, marked) or gone(word, trail.remote_id, self.base_url)

    def _heir(self, trail: Trail, word: str, marked: Reply) -> LeadStatus | None:
        """A merged record leaves what the other one lacks, and our mark is some of it."""
        for row in carriers(rows(marked), trail.lead.uid):
            if (heir := text_of(row.get("ID"))) != trail.remote_id:
                return self._standing(Sighting(word, row, f"merged into {heir}"))
        return None


def _doubt(found: LeadStatus | ConnectorError) -> int:
    return 1 if isinstance(found, ConnectorError) else 2 if found.gone else 0


def contacts(ids: Sequence[str]) -> Command:
    params = {"filter": {"@ID": list(ids)}, "select": ["ID", *PERSON], "order": {"ID": "ASC"}, "start": -1}
    return Command("crm.contact.list", params, why="who is it about?")


def confirm(trail: Trail) -> list[Command]:
    """Is it really not there, and did it leave its mark to another record? For each kind it may be of."""
    return [
        command
        for word in trail.words
        for command in (
            Command(f"crm.{word}.get", {"id": trail.remote_id}, why=f"is the {word} still there?"),
            carrying(word, trail.lead.uid),
        )
    ]


def carrying(word: str, uid: str) -> Command:
    """As in a recovery, with all that a standing shows."""
    found = search(word, uid)
    return replace(found, params={**found.params, "select": list(SELECT[word])}, why="was it merged?")


def is_id(remote_id: str) -> bool:
    return ID.fullmatch(remote_id) is not None
