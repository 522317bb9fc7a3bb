"""What several of the amoCRM tests need to read and to write."""

from __future__ import annotations

from typing import Any


def errors_of(reply: Any) -> dict[str, str]:
    """path -> code of the first refused item"""
    assert reply.status == 400, reply.text
    assert reply.headers["Content-Type"] == "application/problem+json"
    return {error["path"]: error["code"] for error in reply.value()["validation-errors"][0]["errors"]}


def with_phone(number: str, **more: Any) -> dict[str, Any]:
    values = [{"field_code": "PHONE", "values": [{"value": number, "enum_code": "WORK"}]}]
    return {"first_name": "Иван", "custom_fields_values": values, **more}


def lead(name: str = "Квиз", phone: str | None = None, **more: Any) -> dict[str, Any]:
    nest = {"contacts": [with_phone(phone)]} if phone else {}
    embedded = {**nest, **more.pop("_embedded", {})}
    return {"name": name, **more, **({"_embedded": embedded} if embedded else {})}


def values_of(account: Any, kind: str, **by_name: Any) -> list[dict[str, Any]]:
    fields = account.fields[kind]
    return [
        {"field_id": fields.named(name.replace("_", " ")).id, "values": [value]}
        for name, value in by_name.items()
    ]


def tag_names(api: Any, number: int) -> list[str]:
    return [tag["name"] for tag in api.get(f"/leads/{number}").value()["_embedded"]["tags"]]
