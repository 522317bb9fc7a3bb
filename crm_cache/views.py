"""The cached lists of an account: read a page, ask for a refresh. One view for every CRM and list."""

from __future__ import annotations

from typing import Any, cast

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Account
from accounts.rest.errors import NotFound
from accounts.rest.paging import Page, cut, read_number, read_page
from accounts.rest.views import CrmViewSet
from crm_cache.runs import ask_for
from crm_cache.schema import CachedListSchema
from crm_cache.serializers.shape import ListShape
from crm_cache.sync import LISTS


class CachedListView(CrmViewSet):
    """The URL table says which: ``as_view(..., kind=..., shape=...)``."""

    shape: ListShape = cast("ListShape", None)  # as_view() takes only what the class has
    error_shape = "string"
    schema = CachedListSchema()

    def read(self, request: Request) -> Response:
        """A page of what the CRM told us last, in the order in which we learned it."""
        page = read_page(request, self.shape.lenient)
        picked = {column: read_number(request, name) for name, column in self.shape.filters.items()}
        count, items = self._items(page, picked)
        if not count and self.shape.missing:
            raise NotFound(self.shape.missing)
        return Response({"count": count, "items": items})

    def refresh(self, request: Request) -> Response:
        """Have the list fetched again; a refresh that already waits is joined (D9)."""
        account = self.connected_account()
        if account.state == Account.State.NEEDS_RECONNECT:
            # "Success" would say what isn't so, and a 200 may say nothing else (D8): so 404, as without an
            # account (D9).
            crm = account.get_crm_display()
            words = (
                f"Not Found: {crm} no longer accepts our sign-in. Connect it again: then its lists are read."
            )
            raise NotFound(words, code="account_needs_reconnect")
        ask_for(account, [self.shape.what])
        return Response("Success")

    def _items(self, page: Page, picked: dict[str, int]) -> tuple[int, list[dict[str, Any]]]:
        account = self.live_account()
        if account is None or account.pending:
            return 0, []
        count, rows = cut(_rows(account, self.shape, picked), page)
        return count, [self.shape.item(row, account) for row in rows]


def _rows(account: Account, shape: ListShape, picked: dict[str, int]) -> QuerySet[Any]:
    listed = LISTS[shape.what]
    chosen = {column: str(number) for column, number in picked.items() if number}
    rows = listed.model._default_manager.filter(account=account, deleted=False, **chosen, **listed.offered)
    left_out = [column for column in listed.bulky if column not in shape.reads]
    return rows.filter(**shape.only).order_by("id").defer(*left_out)
