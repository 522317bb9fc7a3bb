"""Two sides measured in turns, so that whatever else the machine does hits both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median
from typing import TypeVar

Result = TypeVar("Result")


def in_turns(
    rounds: int, ours: Callable[[int], Result], peer: Callable[[int], Result]
) -> list[tuple[Result, Result]]:
    """(ours, the peer's) of each round, both called with the round's number; who goes first alternates."""
    pairs = []
    for number in range(rounds):
        if number % 2:
            theirs = peer(number)
            pairs.append((ours(number), theirs))
        else:
            mine = ours(number)
            pairs.append((mine, peer(number)))
    return pairs


def ratio(pairs: Sequence[tuple[float, float]]) -> float:
    """Ours by the peer's: the median of the rounds, for one disturbed round is no finding."""
    return median(ours / peer for ours, peer in pairs)


def spread(pairs: Sequence[tuple[float, float]]) -> str:
    """The same of the lowest and the highest round."""
    each = sorted(ours / peer for ours, peer in pairs)
    return f"{each[0]:.2f} to {each[-1]:.2f}"
