"""One draft on its way through a delivery: what is laid out, what is made, what went wrong."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field

from connectors.amocrm.errors import as_account_error
from connectors.amocrm.facts import Facts
from connectors.amocrm.parcel import Parcel, pack
from connectors.amocrm.sheets import Sheet
from connectors.draft import Exchange, LeadDraft, Placement, Problem, Receipt, UnplacedValue
from connectors.errors import ConnectorError, TryLater, Unclear

LONGEST_TRACE = 40
REFUSED_BEFORE = "amoCRM refused this value"


@dataclass(slots=True, eq=False)
class Work:
    """``journal`` grows with every remote id. Beside the ids it keeps three words for later tries:

    ``found``: the contact was there before us and stays as it is; ``dropped``: values that amoCRM
    refused; ``tracking``: ``later`` once the statistics fields were suspected of a failure.
    ``merged`` says that amoCRM gave us an older lead, which stays where it is; ``unsettled`` that a creation
    was sent whose outcome isn't known yet.
    """

    draft: LeadDraft
    parcel: Parcel
    journal: dict[str, str]
    problems: list[Problem] = field(default_factory=list)
    trace: list[Exchange] = field(default_factory=list)
    refused_contacts: set[str] = field(default_factory=set)
    changes: dict[str, Sheet] = field(default_factory=dict)  # what an update writes, by kind of card
    adopted: bool = False
    unsettled: bool = False
    merged: bool = False
    placed: Placement | None = None
    error: ConnectorError | None = None

    @classmethod
    def begin(cls, draft: LeadDraft, facts: Facts) -> Work:
        work = cls(draft, pack(draft, facts), dict(draft.journal))
        work._leave_out(draft.journal)
        work._question_placement()
        return work

    @property
    def uid(self) -> str:
        return self.draft.uid

    @property
    def lead(self) -> str:
        return self.journal.get("lead", "")

    @property
    def is_placed(self) -> bool:
        """Does the rule say where the lead goes, or who looks after it?"""
        asked = self.draft.placement
        return bool(asked.performer or asked.pipeline or asked.step)

    @property
    def must_look(self) -> bool:
        """Something of this draft may exist that the journal does not know."""
        return self.draft.look_first or self.adopted

    @property
    def own_contact(self) -> str:
        """The contact that this draft made; empty for one that was there before."""
        contact = self.journal.get("contact", "")
        return "" if contact == self.journal.get("found") else contact

    def fail(self, error: ConnectorError) -> None:
        """Settle with an error of its own: the same words as its neighbours', its own trace."""
        mine = copy.copy(as_account_error(error))
        mine.trace = tuple(self.trace[-LONGEST_TRACE:])
        self.error = mine

    def fail_unexpectedly(self, word: str) -> None:
        kind = Unclear if self.unsettled else TryLater
        self.fail(kind(f"Something unexpected happened on our side ({word})", code="unexpected"))

    def lose(self, loss: UnplacedValue | None) -> None:
        if loss:
            self.parcel.losses.append(loss)

    def warn(self, code: str, message: str, where: str = "") -> None:
        problem = Problem(code, message, where)
        if problem not in self.problems:
            self.problems.append(problem)

    def attach(self, contact_id: str) -> None:
        """Use a contact that the CRM has already, as it is."""
        self.parcel.contact_id = contact_id
        self.journal |= {"contact": contact_id, "found": contact_id}

    def outcome(self, base_url: str) -> Receipt | ConnectorError:
        if self.error:
            return self.error
        return Receipt(
            uid=self.uid,
            journal={step: value for step, value in self.journal.items() if value},
            link=f"{base_url}/leads/detail/{self.lead}",
            adopted=self.adopted,
            losses=tuple(self.parcel.losses),
            problems=tuple(self.problems),
            placed=self.placed,
            trace=tuple(self.trace[-LONGEST_TRACE:]),
        )

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
