"""Clients, their people and companies (reference 4.4, methods 30 to 39)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors.envybox.answers import first_of, row_in, rows_in
from connectors.envybox.client import Caller, Id, field_rows, inputs


class Clients(Caller):
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

    def list_inputs(self, kind: str = "custom", limit: int = 50, offset: int = 0) -> list[dict[str, Any]]:
        """client/getListInputs; ``kind``: custom (by page) or service (whole)."""
        paging = {"limit": limit, "offset": offset} if kind == "custom" else {}
        return inputs(self.get("client/getListInputs", type=kind, **paging))

    def input(self, input_id: Id, kind: str = "custom") -> dict[str, Any]:
        """client/getInput. ``Refused`` (no_field)."""
        return row_in(self.get("client/getInput", input_id=input_id, type=kind).get("result"))

    def companies(self, client_id: Id) -> list[dict[str, Any]]:
        """client/{id}/getCompanies, the primary one marked."""
        answer = self.get(f"client/{int(client_id)}/getCompanies")
        return rows_in(first_of(answer, ("result", "companies"), ("companies",)))

    def add_company(self, client_id: Id, short_name: str, inn: str, **more: str) -> dict[str, Any]:
        """client/{id}/addCompany: both are needed; ``more``: full_name, kpp, ogrn, addresses, bank."""
        path = f"client/{int(client_id)}/addCompany"
        return row_in(self.write(path, short_name=short_name, inn=inn, **more).get("result"))
