"""What nightly reconciliations found: the reports, and the findings of one."""

from __future__ import annotations

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.rest.paging import LISTED, listed
from accounts.rest.views import CallerViewSet, one_of
from accounts.serializers.errors import BAD_FILTER, NO_TOKEN, operation
from rules.made_between import made_between
from rules.models import Finding, Reconciliation
from rules.serializers.reconciliations import (
    FindingListOut,
    ReconciliationListOut,
    ReconciliationOut,
    write_finding,
    write_reconciliation,
)
from rules.views.filters import CRM_FILTER, read_choice, read_crm, read_moment

NONE = {404: "No such reconciliation"}
WHICH = OpenApiParameter(
    "reconciliation_pk", int, OpenApiParameter.PATH, description="`id` of a reconciliation, ours"
)
FILTERS = [
    CRM_FILTER,
    OpenApiParameter("state", str, enum=Reconciliation.State.values, description="Only this state"),
    OpenApiParameter("from", OpenApiTypes.DATETIME, description="Begun at this moment or later"),
    OpenApiParameter("to", OpenApiTypes.DATETIME, description="Begun before this moment"),
    *LISTED,
]
KIND = OpenApiParameter("kind", str, enum=Finding.Kind.values, description="Only this kind")


class ReconciliationViewSet(CallerViewSet):
    """The caller's reconciliations over all CRMs; other accounts' are 404."""

    @operation(
        "ListReconciliations",
        "Reports that compare deliveries with what the CRMs have",
        {200: ReconciliationListOut, **BAD_FILTER, **NO_TOKEN},
        description="Made every night for each account, at a tenth of what its CRM allows. What differs is "
        "told and not mended.",
        parameters=FILTERS,
    )
    def index(self, request: Request) -> Response:
        rows = self._mine()
        if crm := read_crm(request):
            rows = rows.filter(account__crm=crm)
        if state := read_choice(request, "state", Reconciliation.State.values):
            rows = rows.filter(state=state)
        part = listed(request, made_between(rows, read_moment(request, "from"), read_moment(request, "to")))
        return Response(part.body(list(map(write_reconciliation, part.rows))))

    @operation(
        "GetReconciliation", "One report", {200: ReconciliationOut, **NO_TOKEN, **NONE}, parameters=[WHICH]
    )
    def retrieve(self, request: Request, reconciliation_pk: int) -> Response:
        return Response(write_reconciliation(self._one(reconciliation_pk)))

    @operation(
        "ListFindings",
        "What a report found",
        {200: FindingListOut, **BAD_FILTER, **NO_TOKEN, **NONE},
        description="Those that are still to be confirmed are not among them. What is held and was found is "
        "taken over by POST /deliveries/{delivery_pk}/arrived.",
        parameters=[WHICH, KIND, *LISTED],
    )
    def findings(self, request: Request, reconciliation_pk: int) -> Response:
        rows = Finding.objects.filter(reconciliation=self._one(reconciliation_pk), confirmed=True)
        if kind := read_choice(request, "kind", Finding.Kind.values):
            rows = rows.filter(kind=kind)
        part = listed(request, rows.select_related("delivery__answer"))
        return Response(part.body(list(map(write_finding, part.rows))))

    def _mine(self) -> QuerySet[Reconciliation]:
        return Reconciliation.objects.filter(owner=self.caller_id).select_related("account")

    def _one(self, pk: int) -> Reconciliation:
        return one_of(self._mine(), pk, "No such reconciliation")
