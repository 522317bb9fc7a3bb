"""How REST shows a cached list: each property is told once, for the rows and for the schema."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rest_framework import serializers
from rest_framework.serializers import Serializer

from accounts.models import Account
from accounts.rest.derived import Described


@dataclass(frozen=True, slots=True)
class ListShape:
    """One list of one CRM.

    ``item`` builds a row's answer; ``answer`` describes the whole of it in the schema. ``filters`` maps a
    whole number of the query to the column it picks by; ``only`` leaves out the rows that the contract has
    no word for; ``reads`` names the bulky columns that ``item`` needs. ``missing`` is the sentence of the 404
    for an empty list, where the contract has one (D7); ``lenient`` takes a bad page for the first one (D5).
    """

    what: str
    item: Callable[[Any, Account], dict[str, Any]]
    answer: type[Serializer]
    read_id: str
    refresh_id: str
    tag: str
    filters: Mapping[str, str] = field(default_factory=dict)
    only: Mapping[str, Any] = field(default_factory=dict)
    reads: tuple[str, ...] = ()
    missing: str = ""
    lenient: bool = False


@dataclass(frozen=True, slots=True)
class Property:
    """A property of a row: its value of (row, account), its description and its type in the schema."""

    write: Callable[[Any, Account], Any]
    text: str
    type: Callable[..., serializers.Field[Any, Any, Any, Any]] = serializers.CharField


def _as_it_is(value: Any) -> Any:
    return value


def of_row(
    column: str, text: str, type_: Any = serializers.CharField, write: Callable[[Any], Any] = _as_it_is
) -> Property:
    """A column of the row, ``write`` says how."""
    return Property(lambda row, account: write(getattr(row, column)), text, type_)


def of_account(
    column: str, text: str, type_: Any = serializers.CharField, write: Callable[[Any], Any] = _as_it_is
) -> Property:
    """A column of the row's account."""
    return Property(lambda row, account: write(getattr(account, column)), text, type_)


DELETED = of_row("deleted", "soft deletion flag", serializers.BooleanField)


def list_shape(
    what: str,
    row: str,
    properties: Mapping[str, Property],
    answer: str,
    ids: tuple[str, str],
    tag: str,
    *,
    count: Any = serializers.IntegerField,
    text: str = "",
    **more: Any,
) -> ListShape:
    """A list whose rows have these properties in this order. ``row`` and ``answer`` are names of components,
    ``text`` describes the row, ``ids`` are those of the operations that read and refresh it."""
    described = {name: one.type(help_text=one.text) for name, one in properties.items()}
    rows = Described.component(row, described, text)
    page = {
        "count": count(help_text="how many there are in all"),
        "items": rows(many=True, help_text="the rows of this page"),
    }

    def item(found: Any, account: Account) -> dict[str, Any]:
        return {name: one.write(found, account) for name, one in properties.items()}

    return ListShape(what, item, Described.component(answer, page), *ids, tag, **more)
