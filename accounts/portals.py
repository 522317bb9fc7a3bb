"""Accounts of CRMs in which every customer has a portal: named first, authorised there or opened by keys."""

from __future__ import annotations

from typing import Any, cast

from django.http import Http404, HttpResponse
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import notices, oauth, states
from accounts.consent import ConnectError
from accounts.crm_settings import label_of
from accounts.history import OWNER
from accounts.keys import connect_by_key
from accounts.models import Account
from accounts.pages import connected_page, wants_page
from accounts.rest.errors import ApiError, NotFound
from accounts.rest.parsers import FORM, BoundedFormParser, form_of
from accounts.rest.schema import string_responses
from accounts.rest.views import CallerViewSet, CrmViewSet, checked
from accounts.serializers.dialect import AccountDialect
from accounts.views import NEVER_KEPT, OVER_REST, OpenView
from connectors.errors import BadCallback
from connectors.hosts import HostNotAllowed
from connectors.registry import CONNECTORS

CODES = {"show": (401, 404, 500), "connect": (400, 401, 500), "remove": (200, 401, 500)}


class PortalAccountSchema(AutoSchema):
    """Names, bodies and codes come from ``view.dialect``."""

    view: Any

    def get_operation_id(self) -> str:
        return str(self.view.dialect.operations[self.view.action])

    def get_tags(self) -> list[str]:
        return ["Account"]

    def get_summary(self) -> str:
        words = {"connect": "Connect an account of", "show": "The account of", "remove": "Disconnect"}
        return f"{words[self.view.action]} {label_of(self.view.kind)}"

    def get_request_serializer(self) -> Any:
        return self.view.dialect.request if self.view.action == "connect" else None

    def get_response_serializers(self) -> Any:
        dialect, said = self.view.dialect, string_responses(*CODES[self.view.action])
        if self.view.action == "connect":
            return {
                200: OpenApiResponse(dialect.connecting, "The account, and the link to authorise it"),
                **said,
            }
        if self.view.action == "show":
            return {200: OpenApiResponse(dialect.response, "The account"), **said}
        return said


class PortalAccountView(CrmViewSet):
    """The caller's account; the URL table says how this CRM's is spelled (``as_view(..., dialect=...)``)."""

    dialect: AccountDialect = cast("AccountDialect", None)  # as_view() takes only what the class has
    error_shape = "string"
    schema = PortalAccountSchema()

    def connect(self, request: Request) -> Response:
        """The account of a portal, and the link to its consent page; a live account works on until then."""
        sent = checked(self.dialect.request, request.data)
        account, link = self._begin(sent.get(self.dialect.portal, ""), sent.get("return_url", ""))
        return Response({**self.dialect.write(account), "link": link}, headers=NEVER_KEPT)

    def show(self, request: Request) -> Response:
        """The account, from its first connecting on: stale until it is authorised (D18)."""
        account = self.live_account()
        if account is None:
            raise NotFound("Not Found: no account of this CRM is connected", code="no_account")
        return Response(self.dialect.write(account))

    def remove(self, request: Request) -> Response:
        """Disconnect and soft-delete the account; connected again, it has its rules back."""
        if account := self.live_account():
            states.disconnect(account, OVER_REST, OWNER)
        return Response("Success")

    def _begin(self, portal: str, return_url: str) -> tuple[Account, str]:
        goes_on = return_url or oauth.default_return_url(self.kind)
        try:
            return oauth.begin(self.caller_id, self.kind, portal, goes_on)
        except HostNotAllowed as exc:
            raise ApiError(f"Bad Request: {exc}", code="portal", field=self.dialect.portal) from exc
        except ConnectError as exc:
            raise ApiError(f"Bad Request: {exc}", code=exc.code, field="return_url") from exc


class HealthView(CallerViewSet):
    """A sign of life for callers with a token (D3); a probe without one asks ``/healthz``."""

    error_shape = "string"

    @extend_schema(
        operation_id="CheckHealth",
        tags=["Account"],
        summary="A sign of life",
        request=None,
        responses=string_responses(200, 401),
    )
    def show(self, request: Request) -> Response:
        return Response("OK")


class ConnectedView(OpenView):
    """Where browsers end that have no other address to go on to: RETURN_URLS lists none (``oauth``)."""

    @extend_schema(exclude=True)
    def show(self, request: Request, crm: str) -> HttpResponse:
        if crm not in CONNECTORS:
            raise Http404
        return connected_page(request, crm, label_of(crm)) if wants_page(request) else Response("Success")


class NoticeView(OpenView):
    """For a CRM's servers, which post notices about installations as forms."""

    parser_classes = (BoundedFormParser,)

    @extend_schema(
        operation_id="TakeNotice",
        tags=["Webhook"],
        summary="A CRM tells of an installation",
        description="A portal tells that the integration was installed or removed there. Proven by the "
        "installation's own token; a removal counts once the portal refuses our tokens. Other events are "
        "passed over. No bearer token: the portal has none.",
        request=FORM,
        responses=string_responses(200, 400, 403),
        auth=[],
    )
    def take(self, request: Request) -> Response:
        try:
            notices.take(self.kind, form_of(request))
        except BadCallback as exc:
            raise ApiError(f"Forbidden: {exc}", code="forbidden", status=403) from exc
        return Response("Success")


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
        credentials = checked(self.dialect.request, request.data)
        address = credentials.pop(self.dialect.portal)
        account = connect_by_key(self.caller_id, self.kind, address, credentials)
        return Response(self.dialect.write(account), headers=NEVER_KEPT)
