"""The methods that we call: of API v2 to read projects, and the two addresses of API v1.

solos.pro/api/v2/projects (P1 to P5, P7 to P9); github.com/artlevitan/solos-examples (W1, W2)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from connectors.errors import Refused
from connectors.http import HttpClient
from connectors.messages import message
from connectors.solos.errors import NOT_FOUND, unreadable
from connectors.solos.options import SolosOptions
from connectors.solos.records import (
    Checklist,
    Good,
    Payment,
    Project,
    Row,
    Stage,
    is_empty,
    record_of,
    rows_of,
)

T = TypeVar("T")
Query = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list, in which order. ``deleted`` picks one of the two sets, there is no "both"."""

    count: int = 100
    offset: int = 0
    reverse: bool = False
    deleted: bool = False

    @property
    def query(self) -> Query:
        """Always all five: no default is documented."""
        flags = {"reverse": str(int(self.reverse)), "deleted": str(int(self.deleted))}
        return {"count": self.count, "offset": self.offset, "order_by": "id", **flags}


ALL = Page()


class Client:
    """The methods of one account.

    Each raises like ``HttpClient.call``, and ``TryLater`` (``unreadable``) for an answer of an unknown form.
    """

    def __init__(self, http_client: HttpClient, options: SolosOptions) -> None:
        self.http_client = http_client
        self.options = options

    # -- API v2 -------------------------------------------------------------------------------------

    def projects(self, page: Page = ALL) -> list[Project]:
        """P1."""
        return self._rows("/projects", page.query, Project.read)

    def having(self, part: str, page: Page) -> list[Project]:
        """P2: a POST that changes nothing. Projects with any payments, goods or ``actions``."""
        return self._filter({"having": part}, page)

    def project(self, project: int) -> Project:
        """P3. Raises ``Refused`` where there is no such project."""
        return Project.read(self._record("/projects/info", project))

    def steps(self, project: int) -> list[Stage]:
        """P4."""
        return self._rows("/projects/steps", {"id": project}, Stage.read)

    def events(self, project: int) -> list[Row]:
        """P5: the newest hundred."""
        return self._rows("/projects/actions", {"id": project, "count": ALL.count, "offset": 0}, dict)

    def checklists(self, project: int) -> list[Checklist]:
        """P7."""
        return self._rows("/projects/checklists", {"id": project}, Checklist.read)

    def goods(self, project: int) -> list[Good]:
        """P8: no paging."""
        return self._rows("/projects/goods", {"id": project}, Good.read)

    def payments(self, project: int, page: Page = ALL, income: bool | None = None) -> list[Payment]:
        """P9: what came in, what went out, or both."""
        query: Query = {"id": project, "count": page.count, "offset": page.offset}
        query |= {} if income is None else {"filter_type": str(int(income))}
        return self._rows("/projects/payments", query, Payment.read)

    # -- API v1 -------------------------------------------------------------------------------------

    def create(self, payload: Mapping[str, Any]) -> Any:
        """W1: the answer as it came, None for an empty one. Sending it twice makes two."""
        body = create_body(self.options, payload)
        return self.http_client.call("POST", self.options.create_path, safe=False, json=body)

    def leads(self, count: int, offset: int = 0, order: str = "") -> list[Row]:
        """W2: a missing ``payload`` is an empty list."""
        body = {"module": self.options.create_module, "count": count, "offset": offset}
        body |= {"order": order} if order else {}
        answer = self.http_client.call("POST", self.options.read_path, safe=True, json=body)
        return [] if isinstance(answer, Mapping) and "payload" not in answer else _rows(answer)

    # -- walking ------------------------------------------------------------------------------------

    def newest(self, most: int, *, deleted: bool = False) -> Iterator[list[Project]]:
        """At most so many projects, the newest first, page by page (reference 5.1)."""
        return self._walk(self.projects, most, deleted)

    def created(
        self, first: date, last: date, most: int, *, deleted: bool = False
    ) -> Iterator[list[Project]]:
        """The same of those made between two days, both included."""
        span = {"buildin_data": {"created": f"{first};{last}"}}  # the vendor's own spelling
        return self._walk(lambda page: self._filter(span, page), most, deleted)

    def _walk(
        self, fetch: Callable[[Page], list[Project]], most: int, deleted: bool = False
    ) -> Iterator[list[Project]]:
        """Nothing tells how many there are: a short page is the last, and so is one with nothing new."""
        count, seen = min(self.options.page_size, most), set[int]()
        for offset in range(0, most, count):
            page = fetch(Page(count, offset, reverse=True, deleted=deleted))
            fresh = [project for project in page if project.id not in seen]
            seen.update(project.id for project in fresh)
            if fresh:
                yield fresh
            if not fresh or len(page) < count:
                return

    # -- requests ------------------------------------------------------------------------------------

    def _filter(self, wanted: Query, page: Page) -> list[Project]:
        path = self.options.projects_path + "/projects/filter"
        body = {**page.query, "condition": "and", **wanted}
        return [Project.read(row) for row in _rows(self.http_client.call("POST", path, safe=True, json=body))]

    def _rows(self, path: str, query: Mapping[str, Any], read: Callable[[Row], T]) -> list[T]:
        return [read(row) for row in _rows(self._get(path, query))]

    def _record(self, path: str, number: int) -> Row:
        body = self._get(path, {"id": number})
        if is_empty(body):
            raise Refused(message("solOS has no such record"), code=NOT_FOUND)
        record = record_of(body)
        if record is None:
            raise unreadable(body)
        return record

    def _get(self, path: str, params: Mapping[str, Any]) -> Any:
        return self.http_client.call("GET", self.options.projects_path + path, params=params)


def create_body(options: SolosOptions, payload: Mapping[str, Any]) -> dict[str, Any]:
    """W1's body."""
    return {"module": options.create_module, "payload": dict(payload)}


def _rows(body: Any) -> list[Row]:
    rows = rows_of(body)
    if rows is None:
        raise unreadable(body)
    return rows
