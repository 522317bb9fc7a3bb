"""Deliveries for answers that came before their rule."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.rest.views import CrmViewSet, checked
from accounts.serializers.errors import BAD_BODY, NO_TOKEN, OurError
from rules.planning import MOST_BACKFILLED, backfill, unplanned
from rules.serializers.deliveries import BackfillIn, BackfillOut
from rules.views.rules import live_rule, read_body, read_quiz_id
from rules.views.schema import BackfillSchema


class BackfillViewSet(CrmViewSet):
    """Kept answers of the quiz that have no delivery in this CRM get one by the quiz's rule."""

    schema = BackfillSchema()

    @extend_schema(
        tags=["deliveries"],
        request=BackfillIn,
        responses={
            202: OpenApiResponse(
                BackfillOut, "Made; they are on their way, or held where the account is away"
            ),
            200: OpenApiResponse(BackfillOut, "Nothing was made: a dry run, or there was nothing to do"),
            **BAD_BODY,
            **NO_TOKEN,
            404: OpenApiResponse(OurError, "No account or no rule"),
        },
    )
    def create(self, request: Request, quizID: str) -> Response:
        """At most 5,000 answers a call, the oldest first; ``more`` says that there are others. Repeating a
        call makes nothing twice."""
        rule = live_rule(self.connected_account(), read_quiz_id(quizID))
        wanted = checked(BackfillIn, read_body(request))
        dry_run, rows = wanted["dryRun"], unplanned(rule, wanted["from"], wanted["to"])
        answers, purged = rows.filter(purged_at=None).count(), rows.exclude(purged_at=None).count()
        made = min(answers, MOST_BACKFILLED) if dry_run else backfill(rule, rows)
        told = {
            "answers": answers,
            "deliveries": made,
            "purged": purged,
            "more": answers > MOST_BACKFILLED,
            "dryRun": dry_run,
        }
        return Response(told, status=202 if made and not dry_run else 200)
