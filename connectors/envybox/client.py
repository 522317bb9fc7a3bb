"""Every documented method of Envybox, typed (reference 4), and its loose answers read (reference 1.3, 1.6).

``Client`` has them by record. All raise like ``HttpClient.call``: ``Refused`` with a code of ``errors`` where
Envybox says no. Ids and flags of an answer are numbers or texts, empty objects are arrays, containers have
several names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol

from connectors.errors import TryLater
from connectors.messages import message
from connectors.text import rows_in, text_of, texts_in

PREFIX = "/openapi/v1"
Id = str | int
Row = Mapping[str, Any]


class AnyHttpClient(Protocol):
    """``connectors.http.HttpClient``, or what makes its answers up for a preview."""

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


class WithInputs(Caller):
    """Records whose fields can be asked for, all of them or one, by these methods."""

    LIST: ClassVar[str]
    ONE: ClassVar[str]

    def list_inputs(self, kind: str = "custom", limit: int = 50, offset: int = 0) -> list[dict[str, Any]]:
        """``kind``: custom (by page) or service (whole)."""
        paging = {"limit": limit, "offset": offset} if kind == "custom" else {}
        return rows_in(self.get(self.LIST, type=kind, **paging).get("result"))

    def input(self, input_id: Id, kind: str = "custom") -> dict[str, Any]:
        """``Refused`` (no_field)."""
        return row_in(self.get(self.ONE, input_id=input_id, type=kind).get("result"))


class Account(Caller):
    """The account, tasks and statistics (reference 4.1, 4.5)."""

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


class Leads(Caller):
    """Leads (reference 4.2, methods 2 to 11)."""

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


class Deals(WithInputs):
    """Deals (reference 4.3, methods 12 to 29)."""

    LIST, ONE = "deal/getListInputs", "deal/getInput"

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


class Clients(WithInputs):
    """Clients, their people and companies (reference 4.4, methods 30 to 39)."""

    LIST, ONE = "client/getListInputs", "client/getInput"

    def page(
        self, *, keyword: str = "", limit: int = 50, offset: int = 0, date_start: str = "", date_end: str = ""
    ) -> dict[str, Any]:
        """client/list: ``result``, ``count``, the next ``offset`` or -1; days are those of creation."""
        dates = {"date_start": date_start or None, "date_end": date_end or None}
        return self.look("client/list", keyword=keyword or None, limit=limit, offset=offset, **dates)

    def read(self, client_id: Id) -> dict[str, Any]:
        """client/get: values, contacts, deals. ``Refused`` (no_client)."""
        return row_in(self.look("client/get", client_id=client_id).get("result"))

    def create(self, name: str) -> dict[str, Any]:
        """client/create takes a name and nothing else; contacts are added after."""
        return row_in(first_of(self.write("client/create", name=name), ("result", "client"), ("result",)))

    def contacts(self, client_id: Id) -> list[dict[str, Any]]:
        """A row for each phone and e-mail; one person's rows share an id."""
        answer = self.look("client/getContacts", client_id=client_id)
        return rows_in(first_of(answer, ("result", "contacts"), ("contacts",)))

    def add_contact(self, client_id: Id, name: str, *, phone: str = "", email: str = "", **more: Any) -> None:
        """client/addContact: a phone or an e-mail is needed; ``more``: messengers, work_phone, birthday."""
        reach = {key: value for key, value in (("phone", phone), ("email", email)) if value}
        self.write("client/addContact", client_id=client_id, name=name, **reach, **more)

    def set_values(
        self,
        client_id: Id,
        fields: Mapping[Id, Any],
        *,
        user_id: Id | None = None,
        employee_id: Id | None = None,
        value_type_id: int = 2,
    ) -> None:
        """client/updateClientValue. ``Refused`` (no_client)."""
        rows = field_rows(fields, value_type_id)
        who = {"user_id": user_id, "employee_id": employee_id}
        self.look("client/updateClientValue", client_id=client_id, fields=rows, **who)

    def companies(self, client_id: Id) -> list[dict[str, Any]]:
        """client/{id}/getCompanies, the primary one marked."""
        answer = self.get(f"client/{int(client_id)}/getCompanies")
        return rows_in(first_of(answer, ("result", "companies"), ("companies",)))

    def add_company(self, client_id: Id, short_name: str, inn: str, **more: str) -> dict[str, Any]:
        """client/{id}/addCompany: both are needed; ``more``: full_name, kpp, ogrn, addresses, bank."""
        path = f"client/{int(client_id)}/addCompany"
        return row_in(self.write(path, short_name=short_name, inn=inn, **more).get("result"))


class Client:
    """The methods of one account.

    ``user_id`` is its administrator's, ``keyword_covers_comment`` says that the keyword search of leads finds
    words of their comments.
    """

    def __init__(
        self, http_client: AnyHttpClient, user_id: str = "", keyword_covers_comment: bool = True
    ) -> None:
        self.account = Account(http_client)
        self.leads = Leads(http_client)
        self.deals = Deals(http_client)
        self.clients = Clients(http_client)
        self.user_id = user_id
        self.keyword_covers_comment = keyword_covers_comment


# -- requests and answers -------------------------------------------------------------------------------


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
    return int(value) if isinstance(value, str) and is_id(value) else value


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


def id_of(value: Any) -> str:
    """An id as text; empty for none, 0, null and the like."""
    text = text_of(value)
    return "" if text in ("", "0", "-1") else text


def flag_of(value: Any) -> bool:
    return str(value).strip().lower() in ("1", "true")


def row_in(value: Any) -> dict[str, Any]:
    """One row: an object, or the first of an array; empty for null (reference 1.6)."""
    if isinstance(value, dict):
        return value
    return next(iter(rows_in(value)), {})


def custom_values(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record's own fields by their ids."""
    custom = row_in(row_in(record.get("values")).get("custom"))
    rows = (row for row in custom.values() if isinstance(row, dict))
    return {str(row.get("input_id")): row.get("value") for row in rows}


def whole(row: dict[str, Any]) -> dict[str, Any]:
    """A success without the record says nothing of it, least of all that it is gone. Raises ``TryLater``."""
    if not id_of(row.get("id")):
        raise TryLater(message("Envybox's answer shows no record"), code="unreadable")
    return row


def is_id(text: str) -> bool:
    """A number of at most 18 digits; 0 is one: the administrator among the employees."""
    return re.fullmatch(r"[0-9]{1,18}", text) is not None


def at(body: Any, *names: str) -> Any:
    """``body[a][b]``, None where the path ends early."""
    for name in names:
        body = body.get(name) if isinstance(body, dict) else None
    return body


def first_of(body: Any, *paths: tuple[str, ...]) -> Any:
    """The first of several places that holds anything."""
    return next((found for path in paths if (found := at(body, *path)) is not None), None)


def searchable(uid: str) -> str:
    """The external id as it stands in texts: letters and digits, which no search splits (reference 7.5)."""
    return re.sub(r"[^a-z0-9]", "", uid.lower())


def carries(value: Any, external_id: str) -> bool:
    """Does any text of an answer hold this id, whole?"""
    whole = re.compile(rf"(?<![a-z0-9]){re.escape(external_id)}(?![a-z0-9])", re.IGNORECASE)
    return any(whole.search(text) for text in texts_in(value))
