"""One draft on its way through a delivery: what is laid out, what is made, what went wrong."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field

from connectors.base import Journal
from connectors.draft import Exchange, LeadDraft, Problem, Receipt
from connectors.envybox.client import AnyHttpClient, Envybox
from connectors.envybox.client_calls import Clients
from connectors.envybox.deal_calls import Deals
from connectors.envybox.lead_calls import Leads
from connectors.envybox.parcel import Parcel, is_id, pack
from connectors.errors import ConnectorError, TryLater, Unclear

LONGEST_TRACE = 40
IDS = ("lead", "merged", "deal", "contact")


@dataclass(slots=True, eq=False)
class Work:
    """``journal`` grows with every step: ``lead`` (the one to use), ``merged`` (our own, where Envybox united
    it with an earlier one), ``deal``, ``contact`` (the client), and words for steps without an id: ``stage``,
    ``deal_fields``, ``client_fields``, ``tags``, ``company``, ``note``, ``comment1`` and so on. ``queued``
    says that the queue has it, ``resent`` that it was sent a second time. ``unsettled``: something was sent
    that is not written down yet.
    """

    draft: LeadDraft
    parcel: Parcel
    snapshot: Journal
    journal: dict[str, str]
    problems: list[Problem] = field(default_factory=list)
    trace: list[Exchange] = field(default_factory=list)
    adopted: bool = False
    unsettled: bool = False
    error: ConnectorError | None = None

    @classmethod
    def begin(cls, draft: LeadDraft, snapshot: Journal, money_fields: Sequence[str] = ()) -> Work:
        parcel = pack(draft, money_fields)
        known = {step: word for step, word in draft.journal.items() if step not in IDS or is_id(word)}
        return cls(draft, parcel, snapshot, known, list(parcel.problems))

    @property
    def uid(self) -> str:
        return self.draft.uid

    def has(self, step: str) -> bool:
        return bool(self.journal.get(step))

    @property
    def must_look(self) -> bool:
        """A comment may be there that the journal does not know."""
        return self.draft.look_first or self.adopted

    def keep(self, **steps: str) -> None:
        """Write steps down before the next request is sent."""
        self.journal |= steps
        self.snapshot.record({self.uid: steps})
        self.unsettled = False

    def warn(self, code: str, message: str, where: str = "") -> None:
        problem = Problem(code, message, where)
        if problem not in self.problems:
            self.problems.append(problem)

    def fail(self, error: ConnectorError) -> None:
        mine = copy.copy(error)
        mine.trace = tuple(self.trace[-LONGEST_TRACE:])
        self.error = mine

    def fail_unexpectedly(self, word: str) -> None:
        kind = Unclear if self.unsettled else TryLater
        self.fail(kind(f"Something unexpected happened on our side ({word})", code="unexpected"))

    def outcome(self, base_url: str) -> Receipt | ConnectorError:
        if self.error:
            return self.error
        page = f"deals/{self.journal['deal']}" if self.has("deal") else f"leads/{self.journal['lead']}"
        return Receipt(
            uid=self.uid,
            journal={step: word for step, word in self.journal.items() if word},
            link=f"{base_url}/{page}",
            adopted=self.adopted,
            losses=tuple(self.parcel.losses),
            problems=tuple(self.problems),
            trace=tuple(self.trace[-LONGEST_TRACE:]),
        )


class Talk:
    """The methods of one account, for one delivery."""

    def __init__(self, http_client: AnyHttpClient, keyword_covers_comment: bool, user_id: str = "") -> None:
        self.account = Envybox(http_client)
        self.leads, self.deals, self.clients = Leads(http_client), Deals(http_client), Clients(http_client)
        self.keyword_covers_comment = keyword_covers_comment
        self.user_id = user_id
