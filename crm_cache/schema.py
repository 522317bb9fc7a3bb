"""What the OpenAPI document says about the cached lists; all of it is in their ``ListShape``."""

from __future__ import annotations

from typing import Any, cast

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

from accounts.crm_settings import label_of
from accounts.rest.schema import string_responses
from crm_cache.serializers.shape import ListShape

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
