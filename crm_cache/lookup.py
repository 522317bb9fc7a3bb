"""What rules ask the cache, answered as plain values: live rows unless it says otherwise, one query each,
or names within a list's own query (``name_of``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import OuterRef, Subquery

from accounts.models import Account
from connectors.draft import Option, Target
from connectors.registry import connector_class
from connectors.rows import UserRow
from crm_cache import models

FIELD = ("entity", "remote_id", "name", "type", "code", "options", "multiple")


def users_by_id(account: Account) -> dict[str, UserRow]:
    """Everybody in the CRM by remote id, those who left (``active`` false) too."""
    rows = _live(models.CrmUser, account).values("remote_id", "name", "email", "role", "group_id", "active")
    return {row["remote_id"]: UserRow(**row) for row in rows}


def pipeline_names(account: Account) -> dict[str, str]:
    """Pipelines' names by remote id, those that left the CRM too."""
    return dict(models.Pipeline.objects.filter(account=account).values_list("remote_id", "name"))


def steps_by_id(account: Account) -> dict[tuple[str, str], tuple[str, str]]:
    """``{(pipeline, step): (name, kind)}`` by remote ids, those that left the CRM too."""
    rows = models.Step.objects.filter(account=account)
    columns = rows.values_list("pipeline_id", "remote_id", "name", "kind")
    return {(pipeline, step): (name, kind) for pipeline, step, name, kind in columns}


def fields(account: Account) -> list[Target]:
    """Every custom field, with its choices."""
    return [target_of(row) for row in _live(models.Field, account).order_by("id").values(*FIELD)]


def target_of(row: Mapping[str, Any]) -> Target:
    """A field as the value a connector takes, of the columns ``FIELD``."""
    options = tuple(Option(one["id"], one["text"], one.get("code", "")) for one in row["options"])
    return Target(**{**{name: row[name] for name in FIELD}, "options": options})


def by_key(fields: Iterable[Target]) -> dict[tuple[str, str], Target]:
    """Fields by the CRM's word for the record, and by id or code, as rules name them."""
    return {(one.entity, key): one for one in fields for key in (one.remote_id, one.code) if key}


def demanded_fields(account: Account) -> set[str]:
    """Remote ids of the fields that the CRM calls required."""
    demands = connector_class(account.crm).demands
    rows = _live(models.Field, account).values_list("remote_id", "details")
    return {remote_id for remote_id, details in rows if isinstance(details, dict) and demands(details)}


def tag_entities(account: Account, pks: Iterable[int]) -> dict[int, str]:
    """Which kind of record the account's tags are for, by our primary keys (contract D12); foreign ones are
    missing, those that left the CRM are not."""
    return dict(models.Tag.objects.filter(account=account, pk__in=list(pks)).values_list("pk", "entity"))


def _live(model: type[models.CachedRow], account: Account) -> Any:
    return model._default_manager.filter(account=account, deleted=False)


def name_of(model: type[models.CachedRow], remote_id: str, **also: str) -> Subquery:
    """The name of the account's row whose id is in the column ``remote_id``; ``also`` pairs more columns."""
    same = {column: OuterRef(outer) for column, outer in also.items()}
    rows = model._default_manager.filter(account=OuterRef("account"), remote_id=OuterRef(remote_id), **same)
    return Subquery(rows.order_by("deleted", "id").values("name")[:1])
