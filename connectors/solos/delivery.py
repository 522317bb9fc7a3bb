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
from connectors.solos.parcel import Parcel, pack
from connectors.solos.shapes import id_in

log = logging.getLogger(__name__)
Outcome = Receipt | ConnectorError
LOOK = (
    "Look for {uid} in the comments of leads in solOS: if it is there, mark the delivery as delivered; "
    "if it is not, send the answer again."
)
MADE = "made"  # in the journal of a lead whose id solOS kept to itself


class CanNotLook(Exception):
    """solOS refuses to show leads, though it once did."""


class Delivery:
    """One draft. ``may_look``: leads can be read back."""

    def __init__(
        self,
        draft: LeadDraft,
        make_http_client: Callable[[Callable[[Exchange], None]], HttpClient],
        options: SolosOptions,
        journal: Journal,
        may_look: bool,
    ) -> None:
        self.draft = draft
        self.trace: list[Exchange] = []
        self.client = Client(make_http_client(self.trace.append), options)
        self.options = options
        self.journal = journal
        self.may_look = may_look
        self.sent = False

    def run(self) -> Outcome:
        """Never raises, but for ``CanNotLook``."""
        try:
            return self._run(pack(self.draft, self.options))
        except CanNotLook:
            raise
        except ConnectorError as error:
            error.trace = tuple(self.trace)
            if isinstance(error, Unclear) and not self.may_look:
                error.remedy = error.remedy or LOOK.format(uid=self.draft.uid)
            return error
        except Exception as error:
            log.exception("solos: delivery=%s", self.draft.uid)
            kind = Unclear if self.sent else TryLater
            words = f"Something unexpected happened on our side ({type(error).__name__})"
            return kind(words, code="unexpected", trace=tuple(self.trace))

    def _run(self, parcel: Parcel) -> Receipt:
        known = dict(self.draft.journal)
        if known.get("lead") or known.get(MADE):
            return self._receipt(parcel, known)
        if self.draft.look_first and self.may_look and (lead := self._look()) is not None:
            return replace(self._receipt(parcel, self._written(lead)), adopted=True)
        self.sent = True
        answer = self.client.create(parcel.payload)
        return self._receipt(parcel, self._written(id_in(answer, self.options.id_paths)))

    def _look(self) -> str | None:
        """The lead's id, "" for one without, None where there is none. Raises ``CanNotLook``."""
        try:
            return recovery.find(self.client, [self.draft.uid]).get(self.draft.uid)
        except Refused as refusal:
            raise CanNotLook(refusal.message) from refusal

    def _written(self, lead: str) -> dict[str, str]:
        """An answer without an id is a success all the same: ``made`` keeps us from a second one."""
        done = {"lead": lead} if lead else {MADE: "yes"}
        self.journal.record({self.draft.uid: done})
        return done

    def _receipt(self, parcel: Parcel, journal: dict[str, str]) -> Receipt:
        lead, path = journal.get("lead", ""), self.options.lead_path
        base = self.client.http_client.base_url
        return Receipt(
            uid=self.draft.uid,
            journal={step: value for step, value in journal.items() if value},
            link=base + path.replace("{id}", lead) if path and lead else base + "/",
            losses=parcel.losses,
            problems=parcel.problems,
            trace=tuple(self.trace),
        )
