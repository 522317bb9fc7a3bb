"""Rounds of refreshing: what is done to each, from outside only, and what has to come of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from tests.torture.seat import REFUSED, SIGNED_IN

SENTENCE = "amoCRM no longer accepts our token"  # the reason is stored as text and parameters


class Kind(Enum):
    """What happens to whoever makes the round's first exchange."""

    CALM = "undisturbed"
    ANSWER = "killed while the answer was on its way"
    SAVE = "killed between answer and save"
    LOST = "answer lost"
    SILENT = "no answer in time"


KEPT = (Kind.CALM, Kind.SAVE)  # a new pair is kept at once, on a connection of its own if need be


@dataclass
class Round:
    """Pairs ``given`` by the CRM, ``asked`` for by us. To a ``strict`` CRM the old pair is dead at once."""

    kind: Kind
    strict: bool
    given: int = 0
    asked: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    state: str = ""
    reason: str = ""

    @property
    def doomed(self) -> bool:
        """The CRM's rules leave nobody a token that still counts."""
        return self.strict and self.kind not in KEPT

    @property
    def lost(self) -> bool:
        """The account can't sign in any more, though it could."""
        return not self.doomed and (self.state != "active" or bool(self.outcomes[REFUSED]))

    def complaints(self) -> Iterator[str]:
        wanted = 1 if self.strict or self.kind in KEPT else 2
        if self.given != wanted:
            yield f"{self.given} exchanges instead of {wanted}"
        if set(self.outcomes) != {REFUSED if self.doomed else SIGNED_IN}:
            yield f"outcomes {dict(self.outcomes)}"
        if self.doomed and (self.state, SENTENCE in self.reason) != ("needs_reconnect", True):
            yield f"the account is {self.state}: {self.reason!r}"
        if not self.doomed and self.state != "active":
            yield f"the account is {self.state}: {self.reason!r}"
