"""Accounts of CRMs that are opened by keys: named with them, connected at once."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiResponse
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.keys import connect_by_key
from accounts.portals import CODES, PortalAccountSchema, PortalAccountView
from accounts.rest.schema import string_responses
from accounts.views import NEVER_KEPT


class KeyAccountSchema(PortalAccountSchema):
    def get_response_serializers(self) -> Any:
        if self.view.action == "connect":
            response = OpenApiResponse(self.view.dialect.response, "The account, connected")
            return {200: response, **string_responses(*CODES["connect"], 409)}
        return super().get_response_serializers()


class KeyAccountView(PortalAccountView):
    """``dialect.portal`` is the address, the rest of ``dialect.request`` credentials nobody reads back."""

    schema = KeyAccountSchema()

    def connect(self, request: Request) -> Response:
        """Connect the account that these keys open, or give the connected one new keys.

        They are tried at the CRM first: what it refuses is not stored. While another account of this CRM is
        connected, it is to be disconnected first (409).
        """
        asked = self.dialect.request(data=request.data)
        asked.is_valid(raise_exception=True)
        credentials = {**asked.validated_data}
        address = credentials.pop(self.dialect.portal)
        account = connect_by_key(self.caller_id, self.kind, address, credentials)
        return Response(self.dialect.write(account), headers=NEVER_KEPT)
