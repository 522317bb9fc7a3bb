"""One draft on its way through a delivery: what is laid out, what is made, what went wrong."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import dataclass, field

from connectors.bitrix24.errors import as_account_error
from connectors.bitrix24.facts import Facts
from connectors.bitrix24.parcel import Parcel, pack
from connectors.draft import Exchange, LeadDraft, Placement, Problem, Receipt, UnplacedValue
from connectors.errors import ConnectorError, TryLater, Unclear
from connectors.note_texts import lost, parts
from connectors.text import tidy

LONGEST_TRACE = 40
LONGEST_COMMENT = 30_000  # no bound is documented
MOST_COMMENTS = 20  # more than the longest body that is taken in


@dataclass(slots=True, eq=False)
class Work:
    """``journal`` grows with every remote id: ``lead``, ``contact``, ``company``. Beside the ids it keeps

    ``kind``: whether ``lead`` is a lead or a deal; ``found`` and ``found_company``: who was there before us
    and stays as it is; ``note/2`` and so on: further comments, in the timeline. ``unsettled`` says that a
    creation was sent and is not written down yet.
    """

    draft: LeadDraft
    parcel: Parcel
    journal: dict[str, str]
    problems: list[Problem] = field(default_factory=list)
    trace: list[Exchange] = field(default_factory=list)
    recorded: dict[str, str] = field(default_factory=dict)
    adopted: bool = False
    unsettled: bool = False
    placed: Placement | None = None
    error: ConnectorError | None = None

    @classmethod
    def begin(cls, draft: LeadDraft, facts: Facts) -> Work:
        parcel, journal = pack(draft, facts), dict(draft.journal)
        return cls(draft, parcel, journal, list(parcel.problems), recorded=dict(journal))

    @property
    def uid(self) -> str:
        return self.draft.uid

    @property
    def lead(self) -> str:
        return self.journal.get("lead", "")

    @property
    def kind(self) -> str:
        """``deal`` or ``lead``: what was made, else what is to be made."""
        return self.journal.get("kind") or self.parcel.record.word

    def news(self) -> dict[str, str]:
        """Steps that are not written down yet."""
        return {step: what for step, what in self.journal.items() if self.recorded.get(step) != what}

    def fail(self, error: ConnectorError) -> None:
        """Settle with an error of its own: the same words as its neighbours', its own trace."""
        mine = copy.copy(as_account_error(error))
        mine.trace = tuple(self.trace[-LONGEST_TRACE:])
        self.error = mine

    def fail_unexpectedly(self, word: str) -> None:
        kind = Unclear if self.unsettled else TryLater
        self.fail(kind(f"Something unexpected happened on our side ({word})", code="unexpected"))

    def lose(self, losses: Iterable[UnplacedValue]) -> None:
        self.parcel.losses += losses

    def warn(self, code: str, message: str, where: str = "") -> None:
        problem = Problem(code, message, where)
        if problem not in self.problems:
            self.problems.append(problem)

    def comments(self) -> list[str]:
        """The readable answers and what found no place: for the record's own comment, then its timeline."""
        told = (tidy(self.draft.note), tidy(lost(self.parcel.losses, self.draft.language)))
        text = "\n\n".join(filter(None, told))
        return parts(text, LONGEST_COMMENT, MOST_COMMENTS, self.draft.language)

    def outcome(self, base_url: str) -> Receipt | ConnectorError:
        if self.error:
            return self.error
        return Receipt(
            uid=self.uid,
            journal={step: value for step, value in self.journal.items() if value},
            link=f"{base_url}/crm/{self.kind}/details/{self.lead}/",
            adopted=self.adopted,
            losses=tuple(self.parcel.losses),
            problems=tuple(self.problems),
            placed=self.placed,
            trace=tuple(self.trace[-LONGEST_TRACE:]),
        )
