"""One method call: the account, the parameters, and lenient ways to read them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from connectors.sandbox.envybox.errors import Refused
from connectors.sandbox.envybox.model import Client, Crm, Deal, Lead

if TYPE_CHECKING:
    from connectors.sandbox.envybox.sandbox import EnvySandbox

MOST = 50


def to_int(value: Any) -> int:
    try:
        return int(str(value).strip() or 0)
    except ValueError:
        return 0


@dataclass
class Call:
    box: EnvySandbox
    crm: Crm
    params: dict[str, Any]

    @property
    def now(self) -> float:
        return self.box.clock.now()

    @property
    def switches(self) -> Any:
        return self.box.switches

    def has(self, name: str) -> bool:
        return self.params.get(name) not in (None, "")

    def text(self, name: str) -> str:
        value = self.params.get(name)
        return "" if value is None or isinstance(value, (dict, list)) else str(value)

    def number(self, name: str) -> int:
        return to_int(self.params.get(name))

    def ids(self, name: str) -> list[int]:
        """A number or an array of them."""
        value = self.params.get(name)
        found = value if isinstance(value, list) else [] if value in (None, "") else [value]
        return [to_int(one) for one in found]

    def object(self, name: str) -> dict[str, Any]:
        value = self.params.get(name)
        return value if isinstance(value, dict) else {}

    def rows(self, name: str) -> list[dict[str, Any]]:
        value = self.params.get(name)
        return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []

    def lead(self, missing: str = "NO_LEAD") -> Lead:
        row: Lead = found(self.crm.leads.get(self.number("lead_id")), missing)
        return row

    def deal(self, missing: str = "NO_DEAL") -> Deal:
        row: Deal = found(self.crm.deals.get(self.number("deal_id")), missing)
        return row

    def client(self) -> Client:
        row: Client = found(self.crm.clients.get(self.number("client_id")), "NO_CLIENT")
        return row


def found(row: Any, missing: str) -> Any:
    if row is None:
        raise Refused(missing)
    return row


Handler = Callable[[Call], dict[str, Any]]


def page(rows: list[Any], call: Call) -> dict[str, Any]:
    """limit 0 is 50, above 50 is 50; offset answers the next one, or -1 (reference 1.5)."""
    limit, offset = call.number("limit"), max(0, call.number("offset"))
    limit = limit if 0 < limit <= MOST else MOST
    after = offset + limit
    following = after if after < len(rows) else -1
    return {"result": rows[offset:after], "count": len(rows), "limit": limit, "offset": following}
