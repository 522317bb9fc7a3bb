"""The rule of a quiz in one CRM; the URL table says which CRM and which spelling."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Account
from accounts.rest.errors import ApiError, NotFound
from accounts.rest.values import BIGGEST
from accounts.rest.views import CrmViewSet
from rules.models import Rule
from rules.rule_save import change_rule, create_rule, delete_rule
from rules.serializers.dialect import RuleDialect
from rules.views.schema import RuleSchema

REPRESENTATION = "return=representation"


def read_quiz_id(text: str) -> int:
    """Digits, 64 bits (D14). Raises ``ApiError``."""
    if re.fullmatch(r"[0-9]{1,19}", text) and int(text) <= BIGGEST:
        return int(text)
    raise ApiError("Bad Request: quizID must be a whole number", field="quizID")


def live_rule(account: Account, quiz_id: int) -> Rule:
    """The live rule of a quiz. Raises ``NotFound``."""
    rule = (
        Rule.objects.filter(account=account, quiz_id=quiz_id, deleted=False).select_related("account").first()
    )
    if rule is None:
        raise NotFound("rules not found", code="no_rule", field="quizID")
    return rule


def read_body(request: Request) -> Mapping[str, Any]:
    """The body as an object. Raises ``ApiError`` for none at all (D27) and for anything else."""
    sent = (
        request.META.get("CONTENT_LENGTH") not in (None, "", "0") or "HTTP_TRANSFER_ENCODING" in request.META
    )
    if not sent or not isinstance(request.data, Mapping):
        raise ApiError("Bad Request: the body must be a JSON object")
    return request.data


def preferences(request: Request) -> list[str]:
    """What the ``Prefer`` header says (RFC 7240), without blanks."""
    return [one.replace(" ", "").lower() for one in request.headers.get("Prefer", "").split(",")]


def wants_rule(request: Request) -> bool:
    """Whether the saved rule is to be the answer: ``?include=rule`` or ``Prefer: return=representation``.

    Raises ``ApiError`` for anything else under ``include``.
    """
    include = request.query_params.get("include", "")
    if include not in ("", "rule"):
        raise ApiError("Bad Request: include: only rule can be included", field="include")
    return bool(include) or REPRESENTATION in preferences(request)


class QuizViewSet(CrmViewSet):
    """About a quiz of the caller in one CRM."""

    def live_rule(self, quizID: str) -> Rule:
        """The quiz's rule. Raises ``ApiError``."""
        return live_rule(self.connected_account(), read_quiz_id(quizID))


class RuleViewSet(QuizViewSet):
    """The URL table says how this CRM's rule is spelled (``as_view(..., dialect=...)``)."""

    dialect: RuleDialect = cast("RuleDialect", None)  # as_view() takes only what the class has
    error_shape = "string"
    schema = RuleSchema()

    def retrieve(self, request: Request, quizID: str) -> Response:
        """The quiz's rule; ``Problems`` says what is wrong with it today."""
        rule = self.live_rule(quizID)
        return Response(self.dialect.write(rule))

    def create(self, request: Request, quizID: str) -> Response:
        """Make the quiz's rule. A field asked for is made in the CRM soon after."""
        wanted, shows = read_quiz_id(quizID), wants_rule(request)
        if wanted > self.dialect.biggest_quiz_id:
            biggest = self.dialect.biggest_quiz_id
            raise ApiError(f"Bad Request: quizID: rules of this CRM take {biggest} at most", field="quizID")
        changes = self.dialect.read(read_body(request), partial=False)
        return self._saved(create_rule(self.connected_account(), wanted, changes), shows)

    def partial_update(self, request: Request, quizID: str) -> Response:
        """Change the quiz's rule: what is missing stays, what is sent replaces the stored value whole."""
        wanted, shows = read_quiz_id(quizID), wants_rule(request)
        changes = self.dialect.read(read_body(request), partial=True)
        choices = changes.pop("choices", None)
        rule = change_rule(live_rule(self.connected_account(), wanted).pk, changes, choices)
        return self._saved(rule, shows)

    def destroy(self, request: Request, quizID: str) -> Response:
        """Delete the quiz's rule. Answers that wait for their turn are held: a new rule of the quiz takes
        them over, or each is cancelled. What is being sent right now is finished; leads stay in the CRM."""
        delete_rule(self.live_rule(quizID).pk)
        return Response("Success")

    def _saved(self, rule: Rule, shows: bool) -> Response:
        """The contract's "Success", or the rule with what is wrong with it, where that was asked for."""
        if not shows:
            return Response("Success")
        applied = (
            {"Preference-Applied": REPRESENTATION} if REPRESENTATION in preferences(self.request) else {}
        )
        return Response(self.dialect.write(rule), headers=applied)
