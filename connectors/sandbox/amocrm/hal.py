"""How amoCRM's answers look: HAL bodies, problems, pages (reference 0, 3.1, 6.3, 6.4)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from connectors.sandbox.core import Reply, Request
from connectors.sandbox.php import map_of, nest

if TYPE_CHECKING:
    from connectors.sandbox.amocrm.model import Account, User
    from connectors.sandbox.amocrm.sandbox import AmoSandbox
    from connectors.sandbox.amocrm.tokens import Grant

HAL, PROBLEM = "application/hal+json", "application/problem+json"
TITLES = {
    400: "Bad Request", 401: "Unauthorized", 402: "Payment Required", 403: "Forbidden", 404: "Not Found",
    405: "Method Not Allowed", 422: "Unprocessable Entity", 425: "Feature Unavailable",
    426: "Feature Disabled", 429: "Too Many Requests", 500: "ErrInternalServer",
}  # fmt: skip


def hal(value: Any, status: int = 200) -> Reply:
    return Reply.json(status, value, HAL)


def problem(status: int, detail: str, **more: Any) -> Reply:
    body = {"title": TITLES[status], "type": f"https://httpstatus.es/{status}", "status": status}
    return Reply.json(status, {**more, **body, "detail": detail}, PROBLEM)


def nginx(status: int, title: str) -> Reply:
    page = f"<head><title>{status} {title}</title></head><body><center><h1>{status} {title}</h1></center>"
    return Reply.html(status, f"<html>{page}<hr><center>nginx</center></body></html>")


NO_CONTENT = Reply(204)


class Problem(Exception):
    """A refusal on the way; carries the reply."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def refuse(status: int, detail: str, **more: Any) -> Problem:
    return Problem(problem(status, detail, **more))


@dataclass
class Call:
    """One authorised request to /api/v4 of one account."""

    box: AmoSandbox
    request: Request
    account: Account
    grant: Grant
    user: User
    kind: str = ""
    ids: list[int] = field(default_factory=list)
    uid: str = ""

    @property
    def now(self) -> int:
        return self.box.clock.unix()

    @property
    def id(self) -> int:
        return self.ids[0]

    @cached_property
    def query(self) -> dict[str, Any]:
        """The query string as PHP reads it: `filter[id][0]=5` and `filter[id][]=5` are the same array."""
        return nest(self.request.query)

    @property
    def filter(self) -> dict[str, Any]:
        return map_of(self.query.get("filter"))

    @property
    def order(self) -> dict[str, str]:
        """Column -> asc or desc."""
        return {column: str(way).lower() for column, way in map_of(self.query.get("order")).items()}

    def href(self, path: str, query: str = "") -> dict[str, dict[str, str]]:
        return {"self": {"href": self.url(path, query)}}

    def url(self, path: str, query: str = "") -> str:
        request = self.request
        return f"{request.scheme}://{request.netloc}{path}" + (f"?{query}" if query else "")

    def wants(self, name: str) -> bool:
        return name in self.request.params.get("with", "").split(",")

    def admin_only(self) -> None:
        if not self.user.is_admin:
            raise refuse(403, "Forbidden")

    def payload(self) -> Any:
        if not self.request.body.strip():
            raise refuse(400, "Request data can not be empty")
        try:
            return self.request.json()
        except ValueError:
            raise refuse(400, "Invalid request body") from None

    def rows(self) -> list[dict[str, Any]]:
        """Collections take arrays of objects, even for one item (reference 4.1)."""
        payload = self.payload()
        if not isinstance(payload, list) or not all(isinstance(row, dict) for row in payload):
            raise refuse(400, "Invalid request body")
        if not payload:
            raise refuse(400, "Request data can not be empty")
        if len(payload) > 250:
            raise refuse(422, "Limit 250 per page")
        return payload

    def object(self) -> dict[str, Any]:
        payload = self.payload()
        if not isinstance(payload, dict):
            raise refuse(400, "Invalid request body")
        return payload


def _number(text: str, default: int) -> int:
    return int(text) if text.isdigit() and int(text) > 0 else default


def page_size(call: Call, cap: int) -> int:
    asked = _number(call.request.params.get("limit", ""), call.box.switches["default_limit"])
    if asked > 250:
        rule = call.box.switches["over_limit"]
        if rule == "422":
            raise refuse(422, "Limit 250 per page")
        asked = 250 if rule == "clamp" else 50
    return min(asked, cap, int(call.box.switches["page_cap"]))


def page(
    call: Call,
    name: str,
    items: Sequence[Any] | Iterable[Any],
    render: Callable[[Any], Any],
    *,
    total: int | None = None,
    cap: int = 250,
) -> Reply:
    """One page of a list: 204 when there is nothing on it, `next` only when there is more."""
    size, number = page_size(call, cap), _number(call.request.params.get("page", ""), 1)
    found = list(islice(iter(items), (number - 1) * size, number * size + 1))
    if not found:
        return NO_CONTENT
    links = {"self": {"href": _page_url(call, number, size)}}
    if len(found) > size:
        links["next"] = {"href": _page_url(call, number + 1, size, call.box.switches["next_host"])}
    body: dict[str, Any] = {"_page": number, "_links": links}
    if total is not None:
        body = {"_total_items": total, "_page": number, "_page_count": -(-total // size), "_links": links}
    return hal({**body, "_embedded": {name: [render(item) for item in found[:size]]}})


def _page_url(call: Call, number: int, size: int, host: str | None = None) -> str:
    kept = [(key, value) for key, value in call.request.query if key not in ("page", "limit")]
    query = urlencode([*kept, ("page", number), ("limit", size)])
    url = call.url(call.request.path, query)
    return url.replace(call.request.netloc, host, 1) if host else url
