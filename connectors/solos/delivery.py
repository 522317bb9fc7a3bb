"""Drafts on their way into solOS: one request each, and no second one by ourselves (reference 5.2)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

from connectors.base import Journal
from connectors.draft import Exchange, LeadDraft, Receipt
from connectors.errors import ConnectorError, Refused, TryLater, Unclear
from connectors.http import HttpClient
from connectors.solos import recovery
from connectors.solos.client import Client
from connectors.solos.options import SolosOptions
from connectors.solos.records import Payload, id_in, pack

log = logging.getLogger(__name__)
REMEDY = (
    "Look for {uid} in the comments of leads in solOS: if it is there, mark the delivery as delivered; "
    "if it is not, send the answer again."
)
NO_LEADS = "can_not_look"  # solOS refuses to show leads, though it once did
MADE = "made"  # the journal's step of a lead whose id solOS kept to itself


class Delivery:
    """One draft. ``can_look``: this account shows its leads."""

    def __init__(
        self,
        draft: LeadDraft,
        make_http_client: Callable[[Callable[[Exchange], None]], HttpClient],
        options: SolosOptions,
        journal: Journal,
        can_look: bool,
    ) -> None:
        self.draft = draft
        self.trace: list[Exchange] = []
        self.client = Client(make_http_client(self.trace.append), options)
        self.options = options
        self.journal = journal
        self.can_look = can_look
        self.sent = False

    def run(self) -> Receipt | ConnectorError:
        """Never raises."""
        try:
            return self._run(pack(self.draft, self.options))
        except ConnectorError as exc:
            error = exc
        except Exception as exc:
            log.exception("solos: delivery=%s", self.draft.uid)
            kind = Unclear if self.sent else TryLater
            words = f"Something unexpected happened on our side ({type(exc).__name__})"
            error = kind(words, code="unexpected")
        error.trace = tuple(self.trace)
        if isinstance(error, Unclear) and not (self.can_look and error.look_again):
            error.remedy = error.remedy or REMEDY.format(uid=self.draft.uid)
        return error

    def _run(self, payload: Payload) -> Receipt:
        known = dict(self.draft.journal)
        if known.get("lead") or known.get(MADE):
            return self._receipt(payload, known)
        if self.draft.look_first and self.can_look and (lead := self._look()) is not None:
            return replace(self._receipt(payload, self._record(lead)), adopted=True)
        self.sent = True
        answer = self.client.create(payload.lead)
        return self._receipt(payload, self._record(id_in(answer, self.options.id_paths)))

    def _look(self) -> str | None:
        """The lead's id, "" for one without, None for no lead. Raises ``Unclear`` where it can't be told."""
        uid = self.draft.uid
        try:
            return recovery.find(self.client, [uid], self.draft.visit.answered_at).get(uid)
        except Refused as refusal:
            words = "It is not known whether solOS has this lead, and it no longer shows leads"
            message = f"{words} ({refusal.message})"
            raise Unclear(message, code=NO_LEADS, look_again=False) from refusal

    def _record(self, lead: str) -> dict[str, str]:
        """An answer without an id is a success all the same: ``made`` keeps us from a second lead."""
        done = {"lead": lead} if lead else {MADE: "yes"}
        self.journal.record({self.draft.uid: done})
        return done

    def _receipt(self, payload: Payload, journal: dict[str, str]) -> Receipt:
        lead, path = journal.get("lead", ""), self.options.lead_path
        base = self.client.http_client.base_url
        return Receipt(
            uid=self.draft.uid,
            journal={step: value for step, value in journal.items() if value},
            link=base + path.replace("{id}", lead) if path and lead else base + "/",
            losses=payload.losses,
            problems=payload.problems,
            trace=tuple(self.trace),
        )
