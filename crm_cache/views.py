"""The cached lists of an account: read a page, ask for a refresh. One view for every CRM and list."""

from __future__ import annotations

from typing import Any, cast

from django.db.models import QuerySet
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.crm_settings import label_of
from accounts.models import Account
from accounts.rest.errors import NotFound
from accounts.rest.paging import Page, cut, read_number, read_page
from accounts.rest.schema import string_responses
from accounts.rest.views import CrmViewSet
from crm_cache.runs import ask_for
from crm_cache.serializers.shape import ListShape
from crm_cache.sync import LISTS

PAGING = {
    "page": "page number, from 1; 1 when it is not given",
    "size": "page size, at most 10,000; 25 when it is not given",
}


class CachedListSchema(AutoSchema):
    def get_operation_id(self) -> str:
        return self._shape.read_id if self._reads else self._shape.refresh_id

    def get_tags(self) -> list[str]:
        return [self._shape.tag]

    def get_summary(self) -> str:
        listed = f"{self._shape.what} of {label_of(cast('Any', self.view).kind)}"
        return f"A page of the {listed}" if self._reads else f"Read the {listed} again"

    def get_override_parameters(self) -> list[Any]:
        if not self._reads:
            return []
        named = PAGING | {name: f"only the rows of this {name}" for name in self._shape.filters}
        return [OpenApiParameter(name, int, description=text) for name, text in named.items()]

    def get_request_serializer(self) -> None:
        return None

    def get_response_serializers(self) -> Any:
        if not self._reads:
            return string_responses(200, 401, 404, 500)
        refusals = {400: not self._shape.lenient, 401: True, 404: bool(self._shape.missing), 500: True}
        return {200: self._shape.answer} | string_responses(
            *(code for code, said in refusals.items() if said)
        )

    @property
    def _shape(self) -> ListShape:
        shape: ListShape = cast("Any", self.view).shape
        return shape

    @property
    def _reads(self) -> bool:
        return self.method == "GET"


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
