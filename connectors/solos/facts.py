"""What we know of one account, read from ``Remote.facts``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

V1, V2 = "v1", "v2"


@dataclass(frozen=True, slots=True)
class Facts:
    """``api``: which generation reads; with ``v1`` leads are delivered and projects can't be seen.

    ``leads_readable``: leads could be read back when it was last tried, so our mark can be looked for.
    """

    api: str = V2
    leads_readable: bool = False

    @classmethod
    def read(cls, facts: Mapping[str, Any]) -> Facts:
        return cls(V1 if facts.get("api") == V1 else V2, facts.get("leads_readable") is True)
