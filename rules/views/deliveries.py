"""What became of the answers: the list, one with its timeline, and what a person decides about a held one."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.history import OWNER
from accounts.rest.errors import Conflict
from accounts.rest.paging import listed
from accounts.rest.views import CallerViewSet, checked, one_of
from accounts.serializers.errors import BAD_BODY, BAD_FILTER, NO_TOKEN, operation
from rules.delivery import outbox, replay_moves
from rules.delivery.next_try import next_tries
from rules.delivery.queueing import wake_lanes
from rules.models import Delivery
from rules.replaying import NotReplayable, When, ask, foresee
from rules.serializers.deliveries import (
    ArrivedIn,
    DeliveryDetailOut,
    DeliveryListOut,
    write_delivery,
    write_delivery_detail,
)
from rules.serializers.replays import DeliveryReplayIn, ForeseenOut, write_foreseen
from rules.views.filters import (
    CHANGED_FROM,
    COMMON_FILTERS,
    PERSON_FILTERS,
    by_change,
    read_choice,
    read_common_filters,
    read_person,
)

NO_DELIVERY = {404: "No such delivery"}
WHICH = [OpenApiParameter("delivery_pk", int, OpenApiParameter.PATH, description="`id` of a delivery, ours")]
WITH_ACCOUNT = Delivery.objects.filter(test=False).select_related("account__lane", "answer")
FILTERS = [
    *COMMON_FILTERS,
    *PERSON_FILTERS,
    CHANGED_FROM,
    OpenApiParameter("state", str, enum=Delivery.State.values, description="Only this state"),
    OpenApiParameter(
        "heldBecause", str, enum=Delivery.Held.values, description="Only those held for this reason"
    ),
]


class DeliveryViewSet(CallerViewSet):
    """The caller's deliveries over all CRMs; other accounts' are 404."""

    @operation(
        "ListDeliveries", "Deliveries", {200: DeliveryListOut, **BAD_FILTER, **NO_TOKEN}, parameters=FILTERS
    )
    def index(self, request: Request) -> Response:
        rows = read_person(read_common_filters(WITH_ACCOUNT, request), request, "answer__")
        if state := read_choice(request, "state", Delivery.State.values):
            rows = rows.filter(state=state)
        if because := read_choice(request, "heldBecause", Delivery.Held.values):
            rows = rows.filter(state="held", held_because=because)
        part = listed(request, rows, late=by_change(request))
        tries = next_tries(part.rows)
        return Response(
            part.body([write_delivery(row, row.answer.answer_id, tries[row.pk]) for row in part.rows])
        )

    @operation(
        "GetDelivery",
        "One delivery with the timeline of its tries",
        {200: DeliveryDetailOut, **NO_TOKEN, **NO_DELIVERY},
        parameters=WHICH,
    )
    def retrieve(self, request: Request, delivery_pk: int) -> Response:
        return self._shown(delivery_pk)

    @operation(
        "RetryDelivery",
        "Try again now, whatever it waits for",
        {202: DeliveryDetailOut, **NO_TOKEN, **NO_DELIVERY, 409: "It is delivered, or being sent right now"},
        parameters=WHICH,
        request=None,
    )
    def retry(self, request: Request, delivery_pk: int) -> Response:
        delivery = self._one(delivery_pk)
        if not outbox.retry(Delivery.objects.filter(pk=delivery.pk)):
            raise Conflict(f"The delivery is {self._one(delivery_pk).state}; there is nothing to retry")
        wake_lanes([delivery.account_id])
        return self._shown(delivery_pk, status=202)

    @operation(
        "ArrivedDelivery",
        "The lead of a held delivery is in the CRM: it is delivered, nothing is sent",
        {200: DeliveryDetailOut, **BAD_BODY, **NO_TOKEN, **NO_DELIVERY, 409: "It is not held"},
        parameters=WHICH,
        request=ArrivedIn,
    )
    def arrived(self, request: Request, delivery_pk: int) -> Response:
        delivery = self._one(delivery_pk)
        if not outbox.arrived(delivery.pk, checked(ArrivedIn, request.data)["leadID"]):
            raise Conflict(f"The delivery is {self._one(delivery_pk).state}, not held")
        return self._shown(delivery_pk)

    @operation(
        "CancelDelivery",
        "Nobody wants it sent: a waiting or held delivery stays held as cancelled, until a retry",
        {
            200: DeliveryDetailOut,
            **NO_TOKEN,
            **NO_DELIVERY,
            409: "It is delivered, being sent right now, or cancelled already",
        },
        parameters=WHICH,
        request=None,
    )
    def cancel(self, request: Request, delivery_pk: int) -> Response:
        delivery = self._one(delivery_pk)
        if not replay_moves.cancel(Delivery.objects.filter(pk=delivery.pk)):
            now = self._one(delivery_pk)
            raise Conflict(f"The delivery is {now.held_because or now.state}; there is nothing to cancel")
        return self._shown(delivery_pk)

    @operation(
        "ReplayDelivery",
        "Send it once more by the rule of that day or of today, without a second lead",
        {
            200: OpenApiResponse(ForeseenOut, "A dry run: what would be done"),
            202: DeliveryDetailOut,
            **BAD_BODY,
            **NO_TOKEN,
            **NO_DELIVERY,
            409: "It can't be replayed now; the code says why",
        },
        description="With dryRun the lead is read in the CRM and nothing is changed: 200 with what would"
        " change. Otherwise 202: the delivery's lane compares the lead, changes what people left alone, and"
        " keeps what was changed under replays; a lead that was never made is made. Asking again while it is"
        " under way, or after it, changes nothing.",
        parameters=WHICH,
        request=DeliveryReplayIn,
    )
    def replay(self, request: Request, delivery_pk: int) -> Response:
        delivery = self._one(delivery_pk)
        asked = checked(DeliveryReplayIn, request.data)
        when = When(asked["rule"])
        if asked["dryRun"]:
            [found] = foresee([delivery], when)
            return Response(write_foreseen(found))
        try:
            ask(delivery.pk, when, OWNER, anew=asked["anew"])
        except NotReplayable as no:
            raise Conflict(no.words, code=no.code) from no
        return self._shown(delivery_pk, status=202)

    def _shown(self, pk: int, status: int = 200) -> Response:
        """As it is now, with its timeline."""
        delivery = self._one(pk)
        return Response(write_delivery_detail(delivery, delivery.attempts.all()), status=status)

    def _one(self, pk: int) -> Delivery:
        return one_of(WITH_ACCOUNT.filter(owner=self.caller_id), pk, "No such delivery")
