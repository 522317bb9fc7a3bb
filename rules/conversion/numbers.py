"""The numbers of one line of conversion, as they are counted, kept and added up. Pure.

``open``, ``won``, ``lost`` and ``gone`` (from the CRM while open) are all ``leads`` there are. Money is kept
by currency and never added across them. How long a lead took to its first step is kept by buckets that grow
by a tenth, so what is read of them is right within 5 %.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

COUNTS = ("answers", "leads", "open", "won", "lost", "gone")
GROWTH = math.log(1.1)
MEDIAN, MOST_OF = 50, 90
MOST = 300  # names of one part that a row keeps
OTHERS = "*"


@dataclass(slots=True)
class Numbers:
    answers: int = 0
    leads: int = 0
    open: int = 0
    won: int = 0
    lost: int = 0
    gone: int = 0
    won_sum: dict[str, Decimal] = field(default_factory=dict)
    paid_sum: dict[str, Decimal] = field(default_factory=dict)
    steps: dict[int, int] = field(default_factory=dict)

    @property
    def percent(self) -> float | None:
        """Won of leads, with one decimal; None where there is no lead."""
        return round(100 * self.won / self.leads, 1) if self.leads else None

    @property
    def stepped(self) -> int:
        """How many leads left the step in which they were seen first."""
        return sum(self.steps.values())

    def seconds_to_step(self, part: int) -> float | None:
        """By when so many of 100 had left their first step; None where none did."""
        place = min(self.stepped - 1, self.stepped * part // 100)
        for bucket in sorted(self.steps):
            place -= self.steps[bucket]
            if place < 0:
                return math.exp(bucket * GROWTH) - 1
        return None

    def step_after(self, seconds: float) -> None:
        bucket = round(math.log1p(max(0.0, seconds)) / GROWTH)
        self.steps[bucket] = self.steps.get(bucket, 0) + 1

    def add(self, other: Numbers) -> None:
        for name in COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.add_sums(other)

    def add_sums(self, other: Numbers) -> None:
        for mine, theirs in ((self.won_sum, other.won_sum), (self.paid_sum, other.paid_sum)):
            for currency, amount in theirs.items():
                mine[currency] = mine.get(currency, Decimal()) + amount
        for bucket, count in other.steps.items():
            self.steps[bucket] = self.steps.get(bucket, 0) + count

    @property
    def counts(self) -> list[int]:
        return [getattr(self, name) for name in COUNTS]

    @property
    def sums(self) -> dict[str, Any]:
        """What is no count, for a column of JSON; nothing where there is nothing."""
        told = {
            "won": {currency: str(amount) for currency, amount in sorted(self.won_sum.items())},
            "paid": {currency: str(amount) for currency, amount in sorted(self.paid_sum.items())},
            "steps": {str(bucket): count for bucket, count in sorted(self.steps.items())},
        }
        return {name: said for name, said in told.items() if said}


def read(counts: Iterable[int], sums: Mapping[str, Any]) -> Numbers:
    """What ``counts`` and ``sums`` had kept."""
    found = Numbers()
    for name, count in zip(COUNTS, counts, strict=False):
        setattr(found, name, count)
    if sums:
        found.won_sum = {currency: Decimal(amount) for currency, amount in sums.get("won", {}).items()}
        found.paid_sum = {currency: Decimal(amount) for currency, amount in sums.get("paid", {}).items()}
        found.steps = {int(bucket): count for bucket, count in sums.get("steps", {}).items()}
    return found


def kept(part: Mapping[str, Numbers]) -> dict[str, list[Any]]:
    """A part of a row: ``{name: [counts ..., sums]}``, those with most answers by name, all others as one."""
    ordered = sorted(part.items(), key=lambda pair: (pair[0] == OTHERS, -pair[1].answers, pair[0]))
    told = {name: [*numbers.counts, numbers.sums] for name, numbers in ordered[:MOST]}
    if rest := [numbers for _, numbers in ordered[MOST:]]:
        others = total(rest)
        told[OTHERS] = [*others.counts, others.sums]
    return told


def read_kept(said: Sequence[Any]) -> Numbers:
    return read(said[:-1], said[-1])


def total(of: Iterable[Numbers]) -> Numbers:
    whole = Numbers()
    for one in of:
        whole.add(one)
    return whole
