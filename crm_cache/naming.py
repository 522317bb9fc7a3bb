"""Names for remote ids inside a list's own query: a page of rows costs no further queries."""

from __future__ import annotations

from django.db.models import OuterRef, Subquery

from crm_cache.models import CachedRow


def name_of(model: type[CachedRow], remote_id: str, **also: str) -> Subquery:
    """The name of the account's row whose id is in the column ``remote_id``; ``also`` pairs more columns."""
    same = {column: OuterRef(outer) for column, outer in also.items()}
    rows = model._default_manager.filter(account=OuterRef("account"), remote_id=OuterRef(remote_id), **same)
    return Subquery(rows.order_by("deleted", "id").values("name")[:1])
