"""The plan of blows: what happens to whom and when. The same seed makes the same plan."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tests.torture.moods import MOODS

ROUND = 60.0  # seconds in which everything happens once
EVERYONE = ("amocrm", "bitrix24", "envybox", "solos")
CHOSEN = "worker killed "
FIRST_BYTE = "worker frozen before the first byte"
CUT_EXCHANGE = "database gone in a token exchange"
SIGNED_IN = ("amocrm", "bitrix24")  # by tokens that expire

# When in a round: moments are chosen one by one where leads flow, before everything else is upset.
LATER = (0.3, 0.9)
WHEN = {
    f"{CHOSEN}before settle": (0.01, 0.05),
    f"{CHOSEN}after claim": (0.1, 0.2),
    f"{CHOSEN}after commit": (0.3, 0.4),
    FIRST_BYTE: (0.2, 0.3),
    CUT_EXCHANGE: (0.4, 0.6),
}

# What may happen -> to accounts of which CRMs; to none of them where it is about our own processes.
KINDS: Mapping[str, tuple[str, ...]] = {
    "worker killed": (),
    f"{CHOSEN}after claim": EVERYONE,
    f"{CHOSEN}after commit": EVERYONE,
    f"{CHOSEN}before settle": EVERYONE,
    "worker frozen": (),
    FIRST_BYTE: (),
    CUT_EXCHANGE: SIGNED_IN,
    "web killed": (),
    "beat killed": (),
    "Redis flushed": (),
    "Redis restarted": (),
    "PostgreSQL crashed": (),
    **dict.fromkeys(MOODS, EVERYONE),
    "403 HTML": ("amocrm",),
    "tokens expired": SIGNED_IN,
    "tokens revoked": EVERYONE,
    "field deleted": SIGNED_IN,
    "responsible deactivated": SIGNED_IN,
    "renamed": ("amocrm",),
    "account disconnected": EVERYONE,
    "another account chosen": EVERYONE,
    "rule saved": EVERYONE,
    "step deleted": SIGNED_IN,
}


@dataclass(frozen=True)
class Blow:
    """``whom`` is a quiz account, empty for our own processes; ``luck`` in 0..1 chooses among variants."""

    at: float
    what: str
    whom: str
    luck: float


def plan_blows(
    accounts: Mapping[str, Sequence[str]], seconds: float, seed: int, length: float = ROUND
) -> list[Blow]:
    """``accounts`` are the quiz accounts of each CRM. In every round everything happens once."""
    dice = random.Random(f"blows {seed}")
    rounds = max(1, round(seconds / length))
    found = [blow for number in range(rounds) for blow in _round(accounts, number, seconds / rounds, dice)]
    return sorted(found, key=lambda blow: blow.at)


def _round(
    accounts: Mapping[str, Sequence[str]], number: int, length: float, dice: random.Random
) -> Iterator[Blow]:
    for what, crms in KINDS.items():
        at = (number + dice.uniform(*WHEN.get(what, LATER))) * length
        whom = dice.choice(accounts[dice.choice(crms)]) if crms else ""
        yield Blow(round(at, 2), what, whom, dice.random())
