"""Leads (reference 4.2, methods 2 to 11)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.envybox.answers import first_of, row_in
from connectors.envybox.client import Caller, Id, field_rows, ids


class Leads(Caller):
    def set(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """lead/set: ``id``, and ``parent_id`` where an equal lead was there; the parent is the one to use."""
        return self.write("lead/set", **body)

    def workset(self, body: Mapping[str, Any]) -> None:
        """lead/workset: into the queue, which makes no duplicates and tells no id."""
        self.write("lead/workset", **body)

    def read(self, lead_id: Id) -> dict[str, Any]:
        """lead/get: values, and ``deals`` once it was taken into work. ``Refused`` (no_lead)."""
        return row_in(self.look("lead/get", lead_id=lead_id).get("result"))

    def search(self, phone: str = "", email: str = "") -> dict[str, Any]:
        """A lead that nobody took into work yet; empty for none."""
        asked = {key: value for key, value in (("phone", phone), ("email", email)) if value}
        return row_in(self.look("lead/search", **asked).get("leads"))

    def page(
        self,
        *,
        keyword: str = "",
        limit: int = 50,
        offset: int = 0,
        date_start: str = "",
        date_end: str = "",
        date_type: str = "",
        stage_id: Sequence[Id] | Id | None = None,
    ) -> dict[str, Any]:
        """lead/list: ``result``, ``count``, the next ``offset`` or -1. Days as ``YYYY-MM-DD``."""
        answer = self.look(
            "lead/list",
            keyword=keyword or None,
            limit=limit,
            offset=offset,
            date_start=date_start or None,
            date_end=date_end or None,
            date_type=date_type or None,
            stage_id=ids(stage_id),
        )
        return row_in(answer.get("leads"))

    def start(self, lead_id: Id, user_id: Id | None = None, employee_id: Id | None = None) -> dict[str, Any]:
        """lead/start: ``client_id``, ``deal_id``. ``Refused`` (no_lead, in_work)."""
        answer = self.write("lead/start", lead_id=lead_id, user_id=user_id, employee_id=employee_id)
        return row_in(answer.get("result"))

    def logs(self, lead_id: Id, limit: int = 50, offset: int = 0) -> dict[str, Any]:
        """A page of the history: ``result``, ``count``, ``offset``. ``Refused`` (no_lead, missing)."""
        return self.get("lead/log/list", lead_id=lead_id, limit=limit, offset=offset)

    def add_log(
        self, lead_id: Id, type_id: int, data: Mapping[str, Any], employee_id: Id | None = None
    ) -> dict[str, Any]:
        """Type 9 is a call (direction, status, from, to), 10 a comment."""
        body = {"lead_id": lead_id, "type_id": type_id, "data": dict(data), "employee_id": employee_id}
        return row_in(first_of(self.write("lead/log/create", **body), ("result", "log"), ("log",)))

    def set_values(self, lead_id: Id, fields: Mapping[Id, Any], value_type_id: int = 2) -> None:
        """lead/updateLeadValue. ``Refused`` (bad_request) for an unknown lead."""
        rows = field_rows(fields, value_type_id)
        self.look("lead/updateLeadValue", lead_id=lead_id, fields=rows)

    def set_employee(
        self, lead_id: Id, employee_id: Id | None = None, department_id: Id | None = None
    ) -> dict[str, Any]:
        """lead/update_employee: a person or a department."""
        body = {"lead_id": lead_id, "employee_id": employee_id, "department_id": department_id}
        return self.look("lead/update_employee", **body)
