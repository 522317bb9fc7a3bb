"""What the law wants of whoever keeps data of people: give it out, or forget it. For the platform alone."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiResponse
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.rest.errors import ApiError
from accounts.rest.views import PlatformViewSet, checked
from accounts.serializers.errors import NO_TOKEN, NOT_PLATFORM, operation
from rules import people
from rules.serializers.people import ErasureOut, PersonIn, PersonOut, write_erasure

ERRORS = {400: "Nobody is named, or a phone or an e-mail is none", **NO_TOKEN, **NOT_PLATFORM}


class PeopleViewSet(PlatformViewSet):
    """One person's data over all quiz accounts, or in one of them."""

    @operation(
        "ErasePerson",
        "Forget a person",
        {
            200: OpenApiResponse(ErasureOut, "Forgotten"),
            202: OpenApiResponse(ErasureOut, "Something is being sent: the rest follows by itself"),
            **ERRORS,
        },
        tag="people",
        description="Leads that are being sent are finished first; what waits or is held is sent no more. The"
        " CRM's own records stay as they are. An answer that is posted later is kept like any other.",
        request=PersonIn,
    )
    def erase(self, request: Request) -> Response:
        erasure = people.erase(_who(request), "platform")
        return Response(write_erasure(erasure), status=200 if erasure.done_at else 202)

    @operation(
        "ExportPerson",
        "All that is kept of a person",
        {200: PersonOut, **ERRORS},
        tag="people",
        request=PersonIn,
    )
    def export(self, request: Request) -> Response:
        return Response(people.export(_who(request)))


def _who(request: Request) -> people.Who:
    told = checked(PersonIn, request.data)
    try:
        return people.who(
            told.get("phone", ""), told.get("email", ""), told.get("answerID", ""), told.get("accountID", "")
        )
    except ValueError as exc:
        raise ApiError(str(exc), field="phone" if "phone" in str(exc) else "email") from exc
