"""What the local CRMs are told to do badly, and which of their requests write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from config.demo.environment import Environment
from config.demo.http import look_into, tell

# Requests after which there is more in the CRM than before.
WRITES: Mapping[str, Mapping[str, str]] = {
    "amocrm": {"method": "POST|PATCH", "path": r"^/api/v4/(leads|contacts|companies)"},
    "bitrix24": {"path": r"^/rest/", "contains": ".add"},
    "envybox": {
        "path": r"/(lead/(set|workset|start|log/create)|deal/(update|log/create)|client/(add|update))"
    },
    "solos": {"path": r"^/api/post"},
}
# Every request of a signed-in client; consent pages and token servers are left alone.
ALL: Mapping[str, str] = {
    "amocrm": r"^/api/v4/",
    "bitrix24": r"^/rest/",
    "envybox": r"^/(openapi|crm)/",
    "solos": r"^/(api|backend)/",
}
# Where tokens are exchanged.
TOKENS: Mapping[str, str] = {"amocrm": "^/oauth2/access_token", "bitrix24": "^/oauth/token"}
# Work done and reply lost, in 5 % of the writes: the connection ends, a proxy loses patience, or nobody does.
LOST_REPLIES: tuple[Mapping[str, Any], ...] = (
    {"action": "reset_after", "probability": 0.025},
    {"action": "answer_after", "status": 504, "probability": 0.015},
    {"action": "timeout_after", "probability": 0.01},
)
SLOW = "slow but answering"
MOODS: Mapping[str, Mapping[str, Any]] = {
    "429": {"status": 429, "times": 4},
    "500": {"status": 500, "times": 4},
    "502 HTML": {"status": 502, "times": 4},
    "504": {"status": 504, "times": 3},
    "reset": {"action": "reset", "times": 4},
    "slow beyond the timeout": {"action": "timeout", "times": 2},
    SLOW: {"action": "delay", "delay": 6.0, "times": 20},
}
FORBIDDEN = {"status": 403, "times": 1}  # amoCRM's way to say: stop at once
BUSY = {"amocrm": 429, "bitrix24": 503, "envybox": 429, "solos": 429}


@dataclass(frozen=True)
class Moods:
    """The control API of the local CRMs, as far as faults go."""

    environment: Environment

    def add(self, kind: str, **fault: Any) -> int:
        """A fault for a CRM; its id."""
        return int(tell(self.environment.control_url, kind, "faults", **fault)["id"])

    def hits(self, kind: str, fault_id: int) -> int:
        return sum(fault["hits"] for fault in self.all(kind) if fault["id"] == fault_id)

    def all(self, kind: str) -> list[dict[str, Any]]:
        return list(look_into(self.environment.control_url, kind, "faults")["faults"])

    def lose_replies(self, kind: str, seed: int) -> None:
        for number, fault in enumerate(LOST_REPLIES):
            self.add(kind, **WRITES[kind], **fault, times=None, seed=seed * 10 + number)

    def end(self, kind: str) -> None:
        tell(self.environment.control_url, kind, "faults/clear")

    def admit_more(self, kind: str) -> None:
        """For runs that are about blows and not about pace."""
        tell(self.environment.control_url, kind, "switches", rate_integration=50)

    def refusals(self, kind: str) -> int:
        """How often a CRM has called itself too busy of its own accord, by its own limit."""
        counted = look_into(self.environment.control_url, kind, "journal", last=1)["statuses"]
        injected = sum(one["hits"] for one in self.all(kind) if one["status"] == BUSY[kind] and _answers(one))
        return int(counted.get(str(BUSY[kind]), 0)) - injected


def _answers(fault: Mapping[str, Any]) -> bool:
    return str(fault["action"]).startswith("answer")
