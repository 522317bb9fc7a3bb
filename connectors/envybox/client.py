"""The methods of Envybox that we call, typed (reference 4), and its loose answers read (reference 1.3, 1.6).

``Client`` has them by record. All raise like ``HttpClient.call``: ``Refused`` with a code of ``errors`` where
Envybox says no. Ids and flags of an answer are numbers or texts, empty objects are arrays, containers have
several names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from connectors.errors import TryLater
from connectors.messages import message
from connectors.text import rows_in, text_of, texts_in

PREFIX = "/openapi/v1"
PAGE = 50  # rows of a list
COMMENT_LOG = 10  # the type of a comment in a lead's history (reference 2)
CUSTOM = 2  # the type of a field; 1 is a service field
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


class Account(Caller):
    """The account and its tasks (reference 4.1, 4.5)."""

    def main_data(self) -> dict[str, Any]:
        """Everything about the account but its tags; the key that it echoes is taken out."""
        return account_in(self.get("main/data"))

    def tasks(self, *, offset: int, start: str, end: str, success: bool) -> dict[str, Any]:
        """A page of ``result``; moments as ``YYYY-MM-DD HH:MM:SS``."""
        return self.look(
            "task/list",
            limit=PAGE,
            offset=offset,
            datetime_start=start,
            datetime_end=end,
            success=int(success),
        )


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
        return row_in(self.look("lead/search", phone=phone or None, email=email or None).get("leads"))

    def page(self, keyword: str = "", limit: int = PAGE, offset: int = 0, **dates: str) -> dict[str, Any]:
        """lead/list: ``result``, ``count``, the next ``offset`` or -1. ``dates``: ``date_start`` and
        ``date_end`` as ``YYYY-MM-DD``, and ``date_type``, of what."""
        answer = self.look("lead/list", keyword=keyword or None, limit=limit, offset=offset, **dates)
        return row_in(answer.get("leads"))

    def start(self, lead_id: Id, user_id: Id, employee_id: Id) -> dict[str, Any]:
        """lead/start: ``client_id``, ``deal_id``. ``Refused`` (no_lead, in_work)."""
        answer = self.write("lead/start", lead_id=lead_id, user_id=user_id, employee_id=employee_id)
        return row_in(answer.get("result"))

    def logs(self, lead_id: Id, offset: int = 0) -> dict[str, Any]:
        """A page of the history: ``result``, ``count``, ``offset``. ``Refused`` (no_lead, missing)."""
        return self.get("lead/log/list", lead_id=lead_id, limit=PAGE, offset=offset)

    def comment(self, lead_id: Id, text: str) -> None:
        """lead/log/create, of type 10."""
        self.write("lead/log/create", lead_id=lead_id, type_id=COMMENT_LOG, data={"comment": text})

    def set_values(self, lead_id: Id, fields: Mapping[Id, Any]) -> None:
        """lead/updateLeadValue. ``Refused`` (bad_request) for an unknown lead."""
        self.look("lead/updateLeadValue", lead_id=lead_id, fields=field_rows(fields))


class Deals(Caller):
    """Deals (reference 4.3, methods 12 to 29)."""

    def read(self, deal_id: Id, relatives: Sequence[str] = ()) -> dict[str, Any]:
        """deal/get; ``relatives``: parent_deal, child_deals. ``Refused`` (no_deal)."""
        more = {"with": list(relatives)} if relatives else {}
        return row_in(self.look("deal/get", deal_id=deal_id, **more).get("result"))

    def search(self, phone: str = "", email: str = "") -> list[dict[str, Any]]:
        """Clients with ``deals_for_event``; a lead that nobody took into work is not seen here."""
        return rows_in(self.look("deal/search", phone=phone or None, email=email or None).get("clients"))

    def of_person(self, phone: str, email: str) -> list[dict[str, Any]]:
        """The deals of these clients."""
        return [row for one in self.search(phone, email) for row in rows_in(one.get("deals_for_event"))]

    def page(self, limit: int = PAGE) -> dict[str, Any]:
        """deal/list: ``result``, ``count``, the next ``offset`` or -1."""
        return self.look("deal/list", limit=limit, offset=0)

    def move(self, deal_id: Id, stage_id: Id) -> None:
        """deal/updateDealStage. The stage it is in already is refused: read the deal first (OBS)."""
        self.write("deal/updateDealStage", deal_id=deal_id, stage_id=stage_id)

    def set_employee(self, deal_id: Id, employee_id: Id) -> None:
        self.look("deal/updateEmployee", deal_id=deal_id, employee_id=employee_id)

    def logs(self, deal_id: Id, offset: int = 0) -> dict[str, Any]:
        """A page of the history. ``Refused`` (no_deal, missing)."""
        return self.get("deal/log/list", deal_id=deal_id, limit=PAGE, offset=offset)

    def comment(self, deal_id: Id, text: str) -> None:
        """deal/createComment: a second one is a second one."""
        self.write("deal/createComment", deal_id=deal_id, comment=text)

    def update_task(self, deal_id: Id, time: int, comment: str, **who: Id | None) -> dict[str, Any]:
        """deal/updatetask: made where there is none, else changed. ``time`` is Unix seconds; ``who`` has it,
        by ``employee_id`` or ``department_id``."""
        answer = self.look("deal/updatetask", deal_id=deal_id, time=time, comment=comment, **who)
        return row_in(first_of(answer, ("result", "task"), ("task",)))

    def tasks(self, deal_id: Id) -> list[dict[str, Any]]:
        """All open tasks, wherever the answer keeps them (reference 6.4)."""
        answer = self.look("deal/getTasks", deal_id=deal_id)
        return rows_in(first_of(answer, ("result", "tasks"), ("tasks",), ("result",)))

    def add_tags(self, deal_id: Id, tags: Sequence[str]) -> None:
        """deal/tag/addDealTags: names; a repeat adds nothing (INF)."""
        self.look("deal/tag/addDealTags", deal_id=deal_id, tags=list(tags))

    def set_values(self, deal_id: Id, fields: Mapping[Id, Any], client_id: Id | None) -> None:
        """deal/updateDealValue. ``Refused`` (bad_request) for a deal or client that isn't there."""
        self.look("deal/updateDealValue", deal_id=deal_id, fields=field_rows(fields), client_id=client_id)


class Clients(Caller):
    """Clients, their people and companies (reference 4.4, methods 30 to 39)."""

    def read(self, client_id: Id) -> dict[str, Any]:
        """client/get: values, contacts, deals. ``Refused`` (no_client)."""
        return row_in(self.look("client/get", client_id=client_id).get("result"))

    def contacts(self, client_id: Id) -> list[dict[str, Any]]:
        """A row for each phone and e-mail; one person's rows share an id."""
        answer = self.look("client/getContacts", client_id=client_id)
        return rows_in(first_of(answer, ("result", "contacts"), ("contacts",)))

    def add_contact(self, client_id: Id, name: str, **reach: str) -> None:
        """client/addContact; ``reach``: a ``phone`` or an ``email``."""
        self.write("client/addContact", client_id=client_id, name=name, **reach)

    def set_values(self, client_id: Id, fields: Mapping[Id, Any]) -> None:
        """client/updateClientValue. ``Refused`` (no_client)."""
        self.look("client/updateClientValue", client_id=client_id, fields=field_rows(fields))

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


def _body(answer: Any) -> dict[str, Any]:
    return answer if isinstance(answer, dict) else {}


def field_rows(fields: Mapping[Id, Any]) -> list[dict[str, Any]]:
    """``{input id: value}`` of fields that are no service fields, as the update methods want it."""
    return [
        {"input_id": as_sent(number), "value": value, "value_type_id": CUSTOM}
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
