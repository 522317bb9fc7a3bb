"""One method call: who asks, what with, and what the handlers may ask back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from connectors.sandbox.bitrix24.errors import Refused, access_denied, plain
from connectors.sandbox.bitrix24.model import Portal, User
from connectors.sandbox.php import is_array, to_int, values_of

if TYPE_CHECKING:
    from connectors.sandbox.bitrix24.sandbox import BitrixSandbox

PAGE = 50


@dataclass(frozen=True)
class Auth:
    """An app's token or an incoming webhook."""

    user: User
    client_id: str  # "" for a webhook
    scopes: tuple[str, ...]
    key: str  # whose operating budget it is


@dataclass
class Outcome:
    """What a method answers; total and next only for lists."""

    result: Any
    total: int | None = None
    next: int | None = None
    time: dict[str, Any] | None = None

    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = {"result": self.result}
        if self.next is not None:
            body["next"] = self.next
        if self.total is not None:
            body["total"] = self.total
        return body | ({"time": self.time} if self.time else {})


Run = Callable[[str, dict[str, Any]], Outcome]


@dataclass
class Call:
    box: BitrixSandbox
    portal: Portal
    auth: Auth
    method: str
    params: dict[str, Any]
    run: Run  # how a batch runs its commands

    def param(self, name: str, default: Any = None) -> Any:
        """Parameter names may be written in any case."""
        if name in self.params:
            return self.params[name]
        wanted = name.lower()
        return next((value for key, value in self.params.items() if key.lower() == wanted), default)

    def array(self, name: str) -> dict[str, Any]:
        """An array parameter as a map; absent is empty, a scalar is refused (2.3)."""
        value = self.param(name)
        if value is None or value == "":
            return {}
        if not is_array(value):
            raise plain(f"Parameter '{name}' must be array.")
        return value if isinstance(value, dict) else {}

    def required_array(self, name: str) -> dict[str, Any]:
        if not is_array(self.param(name)):
            raise plain(f"Parameter '{name}' must be array.")
        return self.array(name)

    def names(self, name: str) -> list[str]:
        return [str(value) for value in values_of(self.param(name))]

    def number(self, name: str) -> int:
        return to_int(self.param(name))

    @property
    def user(self) -> User:
        return self.auth.user

    @property
    def now(self) -> float:
        return self.box.clock.now()

    @property
    def switches(self) -> Any:
        return self.box.switches

    def need_admin(self) -> None:
        if not self.user.admin:
            raise access_denied()

    def need_app(self) -> None:
        if not self.auth.client_id:
            raise Refused(403, "ACCESS_DENIED", "Application context required")


def paged(rows: list[Any], start: int) -> Outcome:
    """A page of 50 at the real offset."""
    start = max(0, start)
    after = start + PAGE
    return Outcome(rows[start:after], len(rows), after if after < len(rows) else None)
