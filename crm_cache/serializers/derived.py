"""Lists of CRMs without a contract on the wire: which lists there are, and which columns their rows fill."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from rest_framework import serializers

from accounts.models import Account
from accounts.rest.derived import Described, described
from accounts.rest.schema import Int64
from accounts.rest.values import rfc3339
from crm_cache import models
from crm_cache.serializers.shape import ListShape

COMPONENTS = {"users": "User", "pipelines": "Pipeline", "steps": "Step", "fields": "Field", "tags": "Tag"}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a cached list: its name over REST, and its description where the CRM has none."""

    name: str
    text: str
    field: Callable[..., serializers.Field[Any, Any, Any, Any]] = serializers.CharField


COLUMNS = {
    "email": Column("email", "e-mail"),
    "role": Column("role", "role"),
    "group_id": Column("groupID", "the user's group"),
    "entity": Column("entity", "kind of record"),
    "is_main": Column("isMain", "where leads go whose rule names none", serializers.BooleanField),
    "pipeline_id": Column("pipelineID", "the CRM's id of the pipeline"),
    "kind": Column(
        "kind",
        "what a lead in this step is",
        partial(serializers.ChoiceField, choices=["open", "incoming", "won", "lost"]),
    ),
    "color": Column("color", "colour"),
    "type": Column("type", "type of value"),
    "code": Column("code", "code by which rules may name the field"),
}


def lists_for(kind: str) -> list[ListShape]:
    """The lists of a CRM, in the order of ``can.lists``."""
    crm = described(kind)
    row = _row(crm)
    listed = crm.component(f"{crm.word}ListResp", {"count": Int64(help_text="how many there are in all")})
    return [_list(crm, what, row, listed) for what in crm.can.lists]


def _list(
    crm: Described,
    what: str,
    row: type[serializers.Serializer[Any]],
    listed: type[serializers.Serializer[Any]],
) -> ListShape:
    name, word, columns = COMPONENTS[what], what.capitalize(), crm.rest.columns[what]
    shown = {column: COLUMNS[column] for column in columns}
    properties = {
        one.name: one.field(help_text=crm.text(one.text, f"{name}.{one.name}")) for one in shown.values()
    }
    item = crm.component(f"{crm.word}{name}", properties, crm.text("", name), row)
    answer = crm.component(
        f"{crm.word}{word}Resp", {"items": item(many=True, help_text="the rows of this page")}, base=listed
    )

    def write(found: models.CachedRow, account: Account) -> dict[str, Any]:
        return {
            **_write(crm, found, account),
            **{one.name: getattr(found, column) for column, one in shown.items()},
        }

    ids = (f"Get{crm.word}{word}", f"Refresh{crm.word}{word}")
    return ListShape(what, write, answer, *ids, tag=word, lenient=True)


def _row(crm: Described) -> type[serializers.Serializer[Any]]:
    own: dict[str, Any] = {
        "id": Int64(help_text="id in our system, primary key"),
        "accountID": serializers.CharField(
            help_text=crm.text(f"id of the account in {crm.label}", "accountID")
        ),
        crm.id_name: serializers.CharField(help_text=crm.text(f"id in {crm.label}", f"Row.{crm.id_name}")),
        "name": serializers.CharField(help_text=crm.text("name", "Row.name")),
    }
    if crm.can.observes:
        by_hand = "named or added by staff, and left alone by every refresh"
        own["byHand"] = serializers.BooleanField(help_text=by_hand)
    own["deleted"] = serializers.BooleanField(help_text="soft deletion flag")
    own["createdAt"] = serializers.DateTimeField(help_text="when it came into our system")
    return crm.component(f"{crm.word}Row", own)


def _write(crm: Described, row: models.CachedRow, account: Account) -> dict[str, Any]:
    return {
        "id": row.pk,
        "accountID": account.remote_id,
        crm.id_name: row.remote_id,
        "name": row.name,
        **({"byHand": row.by_hand} if crm.can.observes else {}),
        "deleted": row.deleted,
        "createdAt": rfc3339(row.created_at),
    }
