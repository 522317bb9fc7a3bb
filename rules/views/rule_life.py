"""All rules of a quiz account over all CRMs; pausing one and letting it go on, its options, its backfill."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Count
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Account
from accounts.rest.paging import LISTED, listed
from accounts.rest.views import CallerViewSet, checked
from accounts.serializers.errors import BAD_BODY, BAD_FILTER, NO_TOKEN, operation, responses_of
from rules.delivery import holds
from rules.models import OPEN_STATES, Delivery, Rule
from rules.option_offers import options_of
from rules.planning import MOST_BACKFILLED, backfill, unplanned
from rules.rule_save import pause_rule, resume_rule
from rules.serializers import dialect_of
from rules.serializers.deliveries import BackfillIn, BackfillOut
from rules.serializers.options import RuleOptionsOut, write_question
from rules.serializers.rules import QuizRuleListOut, QuizRuleOut, write_rule
from rules.views.filters import CRM_FILTER, QUIZ_FILTER, of_quiz, read_crm
from rules.views.rules import QuizViewSet, read_body
from rules.views.schema import QuizSchema

ERRORS = responses_of({**NO_TOKEN, 404: "No account or no rule"})


def undelivered(owner: str, rules: Collection[int]) -> dict[int, int]:
    """How many deliveries by each of an owner's rules are neither delivered nor cancelled. One query, which
    reads an index alone (``delivery_undelivered``)."""
    rows = Delivery.objects.filter(owner=owner, rule__in=rules, state__in=OPEN_STATES, test=False)
    rows = rows.exclude(held_because__in=holds.OVER).order_by()
    return dict(rows.values_list("rule").annotate(Count("pk")))


class RuleListViewSet(CallerViewSet):
    """The caller's rules over all CRMs, those of disconnected accounts too; deleted ones are left out."""

    @operation(
        "ListRules",
        "The rules of all quizzes in all CRMs",
        {200: QuizRuleListOut, **BAD_FILTER, **NO_TOKEN},
        tag="Rules",
        parameters=[CRM_FILTER, QUIZ_FILTER, *LISTED],
    )
    def index(self, request: Request) -> Response:
        mine = Account.objects.filter(account_id=self.caller_id)
        rows = Rule.objects.filter(account__in=mine, deleted=False).select_related("account")
        if crm := read_crm(request):
            rows = rows.filter(account__crm=crm)
        part = listed(request, of_quiz(rows, request))
        waiting = undelivered(self.caller_id, [rule.pk for rule in part.rows])
        return Response(part.body([write_rule(rule, waiting) for rule in part.rows]))


class RulePauseViewSet(QuizViewSet):
    """A rule at rest: answers are taken in and wait, with their reason, until it goes on."""

    schema = QuizSchema()
    told = {
        "pause": ("Pause", "Pause the rule of a quiz in"),
        "resume": ("Resume", "Let go on the rule of a quiz in"),
    }

    @extend_schema(tags=["Rules"], request=None, responses={200: QuizRuleOut, **ERRORS})
    def pause(self, request: Request, quizID: str) -> Response:
        """Nothing goes out by the rule until it is resumed; what is being sent right now is finished."""
        rule = self.live_rule(quizID)
        pause_rule(rule.pk)
        return self._shown(rule.pk)

    @extend_schema(tags=["Rules"], request=None, responses={200: QuizRuleOut, **ERRORS})
    def resume(self, request: Request, quizID: str) -> Response:
        """What waited goes on, by the rule as it is now."""
        rule = self.live_rule(quizID)
        resume_rule(rule.pk)
        return self._shown(rule.pk)

    def _shown(self, rule_id: int) -> Response:
        rule = Rule.objects.select_related("account").get(pk=rule_id)
        return Response(write_rule(rule, undelivered(self.caller_id, [rule.pk])))


class RuleOptionsViewSet(QuizViewSet):
    """Options of the quiz beside those of the CRM's fields, for ``Extra.Options``."""

    schema = QuizSchema()
    told = {
        "index": ("ListOptionsOf", "What options of the quiz mean in the CRM, and what they may mean, in")
    }

    @extend_schema(tags=["Rules"], responses={200: RuleOptionsOut, **ERRORS})
    def index(self, request: Request, quizID: str) -> Response:
        """What each option of the quiz means by the rule, and what it may mean, judged by likeness. Options
        are known from the quiz's configuration and from what was answered."""
        rule = self.live_rule(quizID)
        dialect = dialect_of(rule.account.crm)
        return Response({"items": [write_question(one, dialect) for one in options_of(rule)]})


class BackfillViewSet(QuizViewSet):
    """Kept answers of the quiz that have no delivery in this CRM get one by the quiz's rule."""

    schema = QuizSchema()
    told = {"create": ("Backfill", "Deliver answers that came before the rule, in")}

    @extend_schema(
        tags=["deliveries"],
        request=BackfillIn,
        responses={
            202: OpenApiResponse(
                BackfillOut, "Made; they are on their way, or held where the account is away"
            ),
            200: OpenApiResponse(BackfillOut, "Nothing was made: a dry run, or there was nothing to do"),
            **responses_of(BAD_BODY),
            **ERRORS,
        },
    )
    def create(self, request: Request, quizID: str) -> Response:
        """At most 5,000 answers a call, the oldest first; ``more`` says that there are others. Repeating a
        call makes nothing twice."""
        rule = self.live_rule(quizID)
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
