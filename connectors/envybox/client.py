"""Every documented method of Envybox, typed (reference 4). Errors: ``errors``; safe ones may be repeated.

``Envybox(door)`` has the account's own calls; leads, deals and clients are in parts of their own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from connectors.envybox.answers import rows_in

PREFIX = "/openapi/v1"
Id = str | int


class AnyHttpClient(Protocol):
    """``connectors.http.Door``, or what imagines its answers for a preview."""

    def call(self, method: str, path: str, *, safe: bool | None = None, **kwargs: Any) -> Any: ...


class Caller:
    """How a method is called: the path ends in a slash, a POST wraps its body (reference 1.1, 1.2)."""

    def __init__(self, http_client: AnyHttpClient) -> None:
        self.http_client = http_client

    def get(self, method: str, /, **query: Any) -> dict[str, Any]:
        return _body(self.http_client.call("GET", f"{PREFIX}/{method}/", params=sent(query)))

    def look(self, method: str, /, **body: Any) -> dict[str, Any]:
        """A POST that only reads, or that sets what a repeat sets again."""
        return self._post(method, body, safe=True)

    def write(self, method: str, /, **body: Any) -> dict[str, Any]:
        """A POST that must not be done twice."""
        return self._post(method, body, safe=False)

    def _post(self, method: str, body: Mapping[str, Any], safe: bool) -> dict[str, Any]:
        asked = {"request": sent(body)}
        return _body(self.http_client.call("POST", f"{PREFIX}/{method}/", safe=safe, json=asked))


class Envybox(Caller):
    """Account, tasks and statistics (reference 4.1, 4.5)."""

    def main_data(self) -> dict[str, Any]:
        """Everything about the account but its tags; the key that it echoes is taken out."""
        return account_in(self.get("main/data"))

    def tasks(
        self,
        *,
        limit: int = 50,
        offset: int = 0,
        start: str = "",
        end: str = "",
        success: bool | None = None,
        employee_id: Id | None = None,
    ) -> dict[str, Any]:
        """A page of ``result``; moments as ``YYYY-MM-DD HH:MM:SS``; employee 0: the administrator's own."""
        return self.look(
            "task/list",
            limit=limit,
            offset=offset,
            datetime_start=start or None,
            datetime_end=end or None,
            success=None if success is None else int(success),
            employee_id=employee_id,
        )

    def statistics(
        self, stat_id: Id, pipeline_id: Id, start_date: str, end_date: str, show_type: str = "table"
    ) -> dict[str, Any]:
        """``data``, ``tableColumns``, ``settings``; ``show_type``: table or tree."""
        answer = self.look(
            "stat/custom",
            stat_id=stat_id,
            pipeline_id=pipeline_id,
            start_date=start_date,
            end_date=end_date,
            show_type=show_type,
        )
        return dict(answer.get("result") or {})


def account_in(body: Mapping[str, Any]) -> dict[str, Any]:
    """What main/data says, out of whichever wrapper it has (reference 4.1), without the key."""
    inner = next((body[key] for key in ("result", "crm", "data") if isinstance(body.get(key), dict)), body)
    return {key: value for key, value in inner.items() if key != "api_key"}


def sent(values: Mapping[str, Any]) -> dict[str, Any]:
    """What is None is left out; ids go as numbers, texts of digits stay texts."""
    given = {key: value for key, value in values.items() if value is not None}
    return {key: as_sent(value) if key.endswith("_id") else value for key, value in given.items()}


def as_sent(value: Any) -> Any:
    """An id as a number, whichever way it was kept."""
    return int(value) if isinstance(value, str) and re.fullmatch(r"[0-9]{1,18}", value) else value


def ids(values: Sequence[Id] | Id | None) -> Any:
    """One id, or several."""
    if values is None or isinstance(values, (str, int)):
        return as_sent(values)
    return [as_sent(one) for one in values]


def _body(answer: Any) -> dict[str, Any]:
    return answer if isinstance(answer, dict) else {}


def field_rows(fields: Mapping[Id, Any], value_type_id: int = 2) -> list[dict[str, Any]]:
    """``{input id: value}`` as the update methods want it; 1 is a service field, 2 a custom one."""
    return [
        {"input_id": as_sent(number), "value": value, "value_type_id": value_type_id}
        for number, value in fields.items()
    ]


def inputs(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    return rows_in(answer.get("result"))
