"""What became of delivered leads: the list, and the address at which CRMs tell of changes."""

from __future__ import annotations

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Count, QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import hooks
from accounts.rest.errors import NotFound
from accounts.rest.paging import MOST_LISTED, listed
from accounts.rest.parsers import FORM, BoundedFormParser, form_of
from accounts.rest.schema import string_responses
from accounts.rest.views import CallerViewSet
from accounts.serializers.errors import BAD_FILTER, NO_TOKEN, operation
from accounts.views import OpenView
from crm_cache import directory
from rules.models import Outcome
from rules.outcomes import following
from rules.serializers.outcomes import OutcomeListOut, write_outcome
from rules.views.filters import CHANGED_FROM, COMMON_FILTERS, by_change, read_choice, read_common_filters

FILTERS = [
    *COMMON_FILTERS,
    CHANGED_FROM,
    OpenApiParameter("status", str, enum=Outcome.Status.values, description="Only this status"),
]


class OutcomeViewSet(CallerViewSet):
    """The caller's outcomes over all CRMs."""

    @operation(
        "ListOutcomes",
        "What became of delivered leads",
        {200: OutcomeListOut, **BAD_FILTER, **NO_TOKEN},
        parameters=FILTERS,
    )
    def index(self, request: Request) -> Response:
        rows = read_common_filters(Outcome.objects.filter(test=False), request)
        status = read_choice(request, "status", Outcome.Status.values)
        chosen = rows.filter(status=status) if status else rows
        told = chosen.select_related("account", "delivery__answer")
        part = listed(request, told, late=by_change(request))
        return Response({**part.body(list(map(write_outcome, part.rows))), "counts": _counts(rows)})


def _counts(rows: QuerySet[Outcome]) -> dict[str, int]:
    """By status, of as many as the list counts: the newest. What joined a lead that was open counts with
    whatever made that lead; both statements read indexes alone."""
    newest = rows.order_by("-pk").values("status", "pk")[:MOST_LISTED]
    found = dict.fromkeys(Outcome.Status.values, 0)
    try:
        statement, values = newest.query.sql_with_params()
    except EmptyResultSet:  # a filter that nothing can pass
        return found
    with connection.cursor() as cursor:
        # The inner statement is the list's own; its values are parameters.
        cursor.execute(
            f"SELECT status, count(*), min(pk) FROM ({statement}) s GROUP BY status",  # noqa: S608
            values,
        )
        counted = cursor.fetchall()
    oldest = min((pk for _, _, pk in counted), default=0)
    joined = rows.filter(joined=True, pk__gte=oldest).order_by().values_list("status").annotate(Count("pk"))
    doubled = dict(joined) if counted else {}
    return {**found, **{status: count - doubled.get(status, 0) for status, count, _ in counted}}


class HookView(OpenView):
    """For the CRMs' servers, which post changes as forms."""

    parser_classes = (BoundedFormParser,)

    @extend_schema(
        operation_id="TakeHook",
        tags=["Webhook"],
        summary="A CRM tells of changed leads",
        description="A CRM tells that leads or contacts have changed. No bearer token: the CRM has none. The "
        "address is the account's own and can't be guessed; what is posted is never believed, it only brings "
        "our next look at these leads or contacts forward.",
        parameters=[
            OpenApiParameter("hook_pk", int, OpenApiParameter.PATH, description="Number of the address"),
            OpenApiParameter("secret", str, OpenApiParameter.PATH, description="What can't be guessed of it"),
        ],
        request=FORM,
        responses=string_responses(200, 400, 404),
        auth=[],
    )
    def take(self, request: Request, hook_pk: int, secret: str) -> Response:
        try:
            account, hint = hooks.take(hook_pk, secret, form_of(request))
        except hooks.NotOurs as exc:
            raise NotFound() from exc
        following.hint(account, hint.records)
        if hint.contacts:
            directory.hint(account, hint.contacts, hint.made)
        return Response("Success")
