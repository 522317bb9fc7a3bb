"""What all REST views share: whose request it is, and which CRM it is about."""

from __future__ import annotations

from typing import Any, TypeVar, cast

from django.db.models import Model, QuerySet
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request
from rest_framework.serializers import Serializer
from rest_framework.viewsets import ViewSet

from accounts.models import Account, live_accounts
from accounts.rest.authentication import Caller, IsPlatform, PlatformAuthentication
from accounts.rest.errors import NotFound
from accounts.rest.rate_limit import AccountRate, Allowance
from accounts.rest.values import BIGGEST

Row = TypeVar("Row", bound=Model)


def checked(shape: type[Serializer[Any]], body: Any, partial: bool = False) -> dict[str, Any]:
    """What a body says, as ``shape`` has it. Raises DRF's ``ValidationError``."""
    read = shape(data=body, partial=partial)
    read.is_valid(raise_exception=True)
    said: dict[str, Any] = read.validated_data
    return said


def one_of(rows: QuerySet[Row], pk: int, missing: str) -> Row:
    """The row with this id of ours. Raises ``NotFound`` with the words for a ``missing`` one."""
    row = rows.filter(pk=min(pk, BIGGEST)).first()
    if row is None:
        raise NotFound(missing, field="id")
    return row


class JsonWhateverIsAsked(DefaultContentNegotiation):
    """The API speaks JSON; an ``Accept`` that doesn't mention it is no reason for 406."""

    def select_renderer(self, request: Any, renderers: Any, format_suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type


class CallerViewSet(ViewSet):
    """A view on behalf of a quiz account. ``error_shape`` is how its errors look (``exception_handler``): a
    contract's are strings."""

    error_shape = "object"
    content_negotiation_class = JsonWhateverIsAsked
    throttle_classes = (AccountRate,)
    allowance: Allowance | None = None
    request: Request

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Every answer says what is left of the caller's rate."""
        response = super().finalize_response(request, response, *args, **kwargs)
        for name, value in (self.allowance.headers if self.allowance else {}).items():
            response[name] = value
        return response

    @property
    def caller_id(self) -> str:
        """The quiz account named by the bearer token."""
        return cast("Caller", self.request.user).account_id


class PlatformViewSet(ViewSet):
    """A view for the quiz platform's own tokens, on behalf of no quiz account."""

    error_shape = "object"
    content_negotiation_class = JsonWhateverIsAsked
    authentication_classes = (PlatformAuthentication,)
    permission_classes = (IsPlatform,)


class CrmViewSet(CallerViewSet):
    """A view on one CRM of the caller; the URL table says which (``as_view(..., kind=...)``)."""

    kind = ""

    def live_account(self) -> Account | None:
        """The caller's account of this CRM, connected or on its way, or None."""
        return live_accounts(account_id=self.caller_id, crm=self.kind).first()

    def connected_account(self) -> Account:
        """The caller's account of this CRM once it was authorised. Raises ``NotFound``."""
        account = self.live_account()
        if account is None or account.pending:
            raise NotFound("Not Found: no account of this CRM is connected", code="no_account")
        return account
