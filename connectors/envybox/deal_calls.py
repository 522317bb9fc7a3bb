"""Deals (reference 4.3, methods 12 to 29)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.envybox.answers import first_of, row_in, rows_in
from connectors.envybox.client import Caller, Id, field_rows, ids, inputs


class Deals(Caller):
    def read(self, deal_id: Id, relatives: Sequence[str] = ()) -> dict[str, Any]:
        """deal/get; ``relatives``: parent_deal, child_deals. ``Refused`` (no_deal)."""
        more = {"with": list(relatives)} if relatives else {}
        return row_in(self.look("deal/get", deal_id=deal_id, **more).get("result"))

    def create(self, client_id: Id, name: str, **more: Any) -> dict[str, Any]:
        """deal/create; ``more``: employee_id or department_id (one is needed), pipeline_id, task, values."""
        answer = self.write("deal/create", client_id=client_id, name=name, **more)
        return row_in(first_of(answer, ("result", "deal"), ("result",)))

    def search(self, phone: str = "", email: str = "") -> list[dict[str, Any]]:
        """Clients with ``deals_for_event``; a lead that nobody took into work is not seen here."""
        asked = {key: value for key, value in (("phone", phone), ("email", email)) if value}
        return rows_in(self.look("deal/search", **asked).get("clients"))

    def filter(
        self, wanted: Mapping[str, Any], *, keyword: str = "", limit: int = 50, offset: int = 0
    ) -> dict[str, Any]:
        """By fields, people, stages, tags; sent to the list: the printed path is a slip (reference 6.1)."""
        return self.look("deal/list", filter=dict(wanted), keyword=keyword, limit=limit, offset=offset)

    def page(
        self,
        *,
        keyword: str = "",
        limit: int = 50,
        offset: int = 0,
        date_start: str = "",
        date_end: str = "",
        date_type: str = "",
        pipeline_id: Sequence[Id] | Id | None = None,
        stage_id: Sequence[Id] | Id | None = None,
        date_stage_ids: Sequence[Id] | Id | None = None,
    ) -> dict[str, Any]:
        """deal/list: ``result``, ``count``, the next ``offset`` or -1."""
        return self.look(
            "deal/list",
            keyword=keyword or None,
            limit=limit,
            offset=offset,
            date_start=date_start or None,
            date_end=date_end or None,
            date_type=date_type or None,
            pipeline_id=ids(pipeline_id),
            stage_id=ids(stage_id),
            date_stage_ids=ids(date_stage_ids),
        )

    def move(self, deal_id: Id, stage_id: Id, employee_id: Id | None = None) -> str:
        """deal/updateDealStage. The stage it is in already is refused: read the deal first (OBS)."""
        answer = self.write(
            "deal/updateDealStage", deal_id=deal_id, stage_id=stage_id, employee_id=employee_id
        )
        return str(row_in(answer.get("result")).get("stage_id") or "")

    def set_employee(
        self, deal_id: Id, employee_id: Id | None = None, department_id: Id | None = None
    ) -> dict[str, Any]:
        """deal/updateEmployee: a person or a department."""
        body = {"deal_id": deal_id, "employee_id": employee_id, "department_id": department_id}
        return row_in(first_of(self.look("deal/updateEmployee", **body), ("result", "deal"), ("result",)))

    def to_inbox(self, deal_id: Id) -> None:
        """deal/toInbox: into the section "Incoming"."""
        self.look("deal/toInbox", deal_id=deal_id)

    def logs(self, deal_id: Id, limit: int = 50, offset: int = 0) -> dict[str, Any]:
        """A page of the history. ``Refused`` (no_deal, missing)."""
        return self.get("deal/log/list", deal_id=deal_id, limit=limit, offset=offset)

    def add_log(
        self,
        deal_id: Id,
        type_id: int,
        data: Mapping[str, Any],
        user_id: Id | None = None,
        employee_id: Id | None = None,
    ) -> dict[str, Any]:
        """Type 2009 is a call, 2010 a comment; the answer has two printed shapes."""
        body = {"deal_id": deal_id, "type_id": type_id, "data": dict(data)}
        answer = self.write("deal/log/create", **body, user_id=user_id, employee_id=employee_id)
        return row_in(first_of(answer, ("result", "log"), ("log",)))

    def comment(self, deal_id: Id, text: str) -> None:
        """deal/createComment: a second one is a second one."""
        self.write("deal/createComment", deal_id=deal_id, comment=text)

    def update_task(
        self,
        deal_id: Id,
        time: int | None = None,
        comment: str | None = None,
        employee_id: Id | None = None,
        department_id: Id | None = None,
    ) -> dict[str, Any]:
        """deal/updatetask: made where there is none, else changed; needs a time (Unix) or a comment."""
        body = {"deal_id": deal_id, "time": time, "comment": comment}
        answer = self.look("deal/updatetask", **body, employee_id=employee_id, department_id=department_id)
        return row_in(first_of(answer, ("result", "task"), ("task",)))

    def task(self, deal_id: Id) -> dict[str, Any]:
        """The responsible person's open task; empty for none."""
        return row_in(first_of(self.look("deal/getTask", deal_id=deal_id), ("result", "task"), ("task",)))

    def tasks(self, deal_id: Id) -> list[dict[str, Any]]:
        """All open tasks, wherever the answer keeps them (reference 6.4)."""
        answer = self.look("deal/getTasks", deal_id=deal_id)
        return rows_in(first_of(answer, ("result", "tasks"), ("tasks",), ("result",)))

    def add_tags(self, deal_id: Id, tags: Sequence[str]) -> None:
        """deal/tag/addDealTags: names; a repeat adds nothing (INF)."""
        self.look("deal/tag/addDealTags", deal_id=deal_id, tags=list(tags))

    def set_values(
        self,
        deal_id: Id,
        fields: Mapping[Id, Any],
        *,
        client_id: Id | None = None,
        user_id: Id | None = None,
        employee_id: Id | None = None,
        value_type_id: int = 2,
    ) -> None:
        """deal/updateDealValue. ``Refused`` (bad_request) for a deal or client that isn't there."""
        rows = field_rows(fields, value_type_id)
        who = {"client_id": client_id, "user_id": user_id, "employee_id": employee_id}
        self.look("deal/updateDealValue", deal_id=deal_id, fields=rows, **who)

    def list_inputs(self, kind: str = "custom", limit: int = 50, offset: int = 0) -> list[dict[str, Any]]:
        """deal/getListInputs; ``kind``: custom (by page) or service (whole)."""
        paging = {"limit": limit, "offset": offset} if kind == "custom" else {}
        return inputs(self.get("deal/getListInputs", type=kind, **paging))

    def input(self, input_id: Id, kind: str = "custom") -> dict[str, Any]:
        """deal/getInput. ``Refused`` (no_field)."""
        return row_in(self.get("deal/getInput", input_id=input_id, type=kind).get("result"))
