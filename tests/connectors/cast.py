"""Who plays in the connectors' tests: an answer of Anna's, a journal, a token store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

from connectors.auth import Tokens
from connectors.draft import LeadDraft, Person, Receipt, Visit
from connectors.lead_status import Followed

NOW = datetime.now(UTC)
_numbers = count(1)


def make_draft(**changes: Any) -> LeadDraft:
    """An answer of somebody new, with a phone of her own; ``changes`` are a draft's attributes."""
    number = next(_numbers)
    draft = LeadDraft(
        uid=f"qz-{number:08x}",
        title=f"Квиз «Ремонт» {number}",
        visit=Visit(
            answered_at=datetime.now(UTC), quiz_id="42", quiz_title="Ремонт", page="https://quiz.example/42"
        ),
        person=Person(name=f"Анна {number}", phones=(f"+7999{number:07d}",)),
        note="Площадь: 54",
    )
    return replace(draft, **changes)


class Notebook:
    """A ``base.Journal`` that remembers every entry."""

    def __init__(self) -> None:
        self.entries: list[dict[str, dict[str, str]]] = []
        self.owners: dict[str, str] = {}

    def record(self, done: Mapping[str, Mapping[str, str]]) -> None:
        self.entries.append({uid: dict(steps) for uid, steps in done.items()})

    def assign(self, owners: Mapping[str, str]) -> Mapping[str, str]:
        """The contact's own responsible has it; what was asked is kept in ``owners``."""
        self.owners |= owners
        return owners

    def of(self, uid: str) -> dict[str, str]:
        """All that was written down for one draft, the newest word for a step."""
        merged: dict[str, str] = {}
        for entry in self.entries:
            merged |= entry.get(uid, {})
        return {step: value for step, value in merged.items() if value}


class Store:
    """A ``auth.TokenStore`` in memory; ``renewer`` plays the locked exchange."""

    def __init__(self, tokens: Tokens, renewer: Callable[[Tokens], Tokens] | None = None) -> None:
        self.tokens = tokens
        self.renewer = renewer
        self.renewals = 0

    def current(self) -> Tokens:
        return self.tokens

    def renew(self, stale: Tokens) -> Tokens:
        self.renewals += 1
        if self.renewer is None:
            raise AssertionError("nobody expected a renewal")
        self.tokens = self.renewer(stale)
        return self.tokens


def followed(receipt: Receipt, **changes: Any) -> Followed:
    """A delivery as the engine would ask what became of it."""
    lead = Followed(receipt.uid, receipt.journal.get("lead", ""), NOW, receipt.journal)
    return replace(lead, **changes)


def again(draft: LeadDraft, notebook: Notebook, *, look_first: bool = False) -> LeadDraft:
    """The same draft on its next try, as the engine would hand it over."""
    return replace(draft, journal=notebook.of(draft.uid), look_first=look_first)
