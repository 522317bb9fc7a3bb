"""Accounts over REST, and the two addresses that CRMs and browsers come back to."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse, HttpResponseRedirect
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from accounts import oauth, states
from accounts.consent import ConnectError
from accounts.crm_settings import label_of
from accounts.history import OWNER
from accounts.notices import uninstall
from accounts.pages import connected_page, failure_page, success_page, wants_page
from accounts.rest.errors import ApiError
from accounts.rest.schema import optional_texts, string_responses
from accounts.rest.views import CrmViewSet, JsonWhateverIsAsked
from accounts.serializers.amocrm import ConnectAccountResp, CurrentAccount
from connectors.errors import BadCallback
from connectors.messages import message

NEVER_KEPT = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
OVER_REST = message("Its owner disconnected it over REST")


class AccountView(CrmViewSet):
    """The caller's account of a CRM whose consent page asks which account it is to be."""

    error_shape = "string"

    @extend_schema(
        operation_id="ConnectAccount",
        tags=["main"],
        summary="Connect an account",
        description="A link to the CRM's consent page. A body, if there is one, is ignored.",
        request=None,
        responses={
            200: OpenApiResponse(ConnectAccountResp, "The authorisation link was made"),
            **string_responses(401, 500),
        },
    )
    def connect(self, request: Request) -> Response:
        _, link = oauth.begin(self.caller_id, self.kind)
        return Response(ConnectAccountResp({"link": link}).data, headers=NEVER_KEPT)

    @extend_schema(
        operation_id="GetCurrentAccount",
        tags=["main"],
        summary="The connected account",
        description="The connected account; 404 until it is authorised.",
        responses={
            200: OpenApiResponse(CurrentAccount, "The integration account"),
            **string_responses(401, 404, 500),
        },
    )
    def show(self, request: Request) -> Response:
        return Response(CurrentAccount(self.connected_account()).data)

    @extend_schema(
        operation_id="SoftDeleteAccount",
        tags=["main"],
        summary="Disconnect the account",
        description="Disconnect and soft-delete the account. Connected again, it has its id and its rules "
        "back; another account may be connected in its place.",
        request=None,
        responses=string_responses(200, 401, 500),
    )
    def remove(self, request: Request) -> Response:
        if account := self.live_account():
            states.disconnect(account, OVER_REST, OWNER)
        return Response("Success")


class OpenView(ViewSet):
    """For callers without a token: browsers and CRMs, whose proof is in the address."""

    authentication_classes = ()
    permission_classes = ()
    content_negotiation_class = JsonWhateverIsAsked
    error_shape = "string"
    kind = ""

    def nothing(self, request: Request, **ids: Any) -> Response:
        """HEAD looks; it never acts."""
        return Response(headers=NEVER_KEPT)


class ConsentReturnView(OpenView):
    @extend_schema(
        operation_id="WebhookCreate",
        tags=["main"],
        summary="Come back from a CRM's consent page",
        description="Where a CRM's consent page sends the browser. The state alone tells which CRM and "
        "account it is about; each CRM sends parameters of its own. A browser gets a page, not a string. "
        "No bearer token: a browser has none, and `state` is signed, expires and is taken once.",
        parameters=optional_texts(
            state="issued with the link, for one use",
            code="authorisation code",
            error="why there is no code",
            referer="host of the account",
            platform="which of the vendor's platforms",
            from_widget="a notice of an installation, not a return",
            client_id="the integration",
            domain="host of the portal",
            member_id="id of the portal",
            server_domain="authorisation server",
            scope="granted scopes",
        ),
        request=None,
        responses={
            **string_responses(200),
            302: OpenApiResponse(description="To the return address"),
            **string_responses(400, 500),
        },
        auth=[],
    )
    def finish(self, request: Request) -> HttpResponse:
        query = request.query_params.dict()
        if query.get("from_widget") and not query.get("state"):
            # A server's notice about an installation; nothing ties it to one of our accounts (reference 1.3).
            return Response("Success", headers=NEVER_KEPT)
        try:
            account, return_url = oauth.finish(query)
        except ConnectError as exc:
            if wants_page(request):
                if exc.connected:
                    return connected_page(request, exc.connected, exc.crm)
                return failure_page(request, exc)
            return Response(exc.said(), status=400, headers=NEVER_KEPT)
        if return_url:
            return HttpResponseRedirect(return_url, headers=NEVER_KEPT)
        if wants_page(request):
            return success_page(request, account, label_of(account.crm))
        return Response("Success", headers=NEVER_KEPT)

    def handle_exception(self, exc: Exception) -> Any:
        """A person whose browser comes back while the database is away is told so on a page, too."""
        answer: Response = super().handle_exception(exc)
        if answer.status_code != 503 or not wants_page(self.request):
            return answer
        page = failure_page(self.request, ConnectError("away"), answer.status_code)
        page["Retry-After"] = answer["Retry-After"]
        return page


class UninstallView(OpenView):
    @extend_schema(
        operation_id="WebhookDelete",
        tags=["main"],
        summary="A CRM tells that the integration was removed",
        description="The CRM tells that the integration was removed there: whatever is tied to that CRM "
        "account is soft-deleted, once the CRM confirms it by refusing our tokens. No bearer token: the "
        "CRM has none, and signs what it says.",
        parameters=optional_texts(
            account_id="id of the CRM account",
            client_uuid="the integration",
            signature='hex HMAC-SHA256 of "client_uuid|account_id", keyed with the integration\'s secret',
        ),
        request=None,
        responses=string_responses(200, 403),
        auth=[],
    )
    def remove(self, request: Request) -> Response:
        try:
            uninstall(self.kind, request.query_params.dict())
        except BadCallback as exc:
            raise ApiError(f"Forbidden: {exc}", code="forbidden", status=403) from exc
        return Response("Success", headers=NEVER_KEPT)
