"""Events on the wire, alike in the feed and in webhooks."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.events.models import EventType
from accounts.rest.writing import writer
from connectors.registry import CONNECTORS

# Each type's data, as the schema shows it; ``tests/stories/test_events.py`` compares them with real ones.
WHOSE = {"crm": next(iter(CONNECTORS)), "crmAccountID": 7}
ANSWER = {"quizID": 42, "answerID": "a-1001"}
DELIVERY = {**WHOSE, **ANSWER, "deliveryID": 5012, "heldBecause": "", "leadID": ""}
INCIDENT = {**WHOSE, "quizID": 42, "incidentID": 31, "kind": "rule", "deliveries": 3}
EXAMPLES: dict[str, dict[str, Any]] = {
    EventType.ANSWER_ACCEPTED: {**ANSWER, "revision": 1, "complete": True},
    EventType.DELIVERED: {**DELIVERY, "state": "delivered", "leadID": "15000001"},
    EventType.HELD: {**DELIVERY, "state": "held", "heldBecause": "fix_rule"},
    EventType.RELEASED: {**DELIVERY, "state": "waiting", "heldBecause": "fix_rule"},
    EventType.OUTCOME_CHANGED: {
        **WHOSE, **ANSWER, "deliveryID": 5012, "changed": ["step", "status", "amount"], "status": "won",
        "pipelineID": "31", "stepID": "142", "performerID": "9", "amount": "54000.00", "currency": "RUB",
        "paid": "", "recordID": "15000001", "gone": False, "task": "done",
    },
    EventType.CONNECTED: WHOSE,
    EventType.NEEDS_RECONNECT: WHOSE,
    EventType.RECOVERED: WHOSE,
    EventType.SYNC_FINISHED: {**WHOSE, "list": "fields", "state": "done"},
    EventType.RULE_PROBLEM: {
        **WHOSE, "quizID": 42, "problems": [{"code": "value_not_placed", "field": "lead.101"}],
    },
    EventType.RULE_SOLVED: {**WHOSE, "quizID": 42, "problems": []},
    EventType.INCIDENT_OPENED: INCIDENT,
    EventType.INCIDENT_SOLVED: {**INCIDENT, "deliveries": 0},
    EventType.RECONCILED: {
        **WHOSE, "reconciliationID": 118, "state": "done", "compared": 412, "unchecked": 0,
        "findings": {"missing": 1, "deleted": 2, "doubled": 0, "found": 0, "moved": 3},
    },
}  # fmt: skip
CHANGED = ("step", "status", "performer", "amount", "paid", "record", "gone", "task")


class EventProblemOut(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="As in the rule's Problems.")
    field = serializers.CharField(help_text="What it is about, empty for the whole rule.")


class FindingCountsOut(serializers.Serializer[Any]):
    missing = serializers.IntegerField(help_text="Delivered, and not in the CRM.")
    deleted = serializers.IntegerField(help_text="They were there, and somebody has deleted them.")
    doubled = serializers.IntegerField(help_text="The CRM has more than one lead of one answer.")
    found = serializers.IntegerField(help_text="There, though their deliveries are not delivered.")
    moved = serializers.IntegerField(help_text="In another pipeline than their rule named; no fault.")


class EventDataOut(serializers.Serializer[Any]):
    """Ids and states; which of these there are depends on the type, see the examples."""

    crm = serializers.ChoiceField(
        choices=list(CONNECTORS), allow_null=True, help_text="null where it is about none: an endpoint's."
    )
    crmAccountID = serializers.IntegerField(allow_null=True, help_text="`id` of GET /accounts.")
    quizID = serializers.IntegerField(allow_null=True, help_text="null where it is about no quiz of its own.")
    answerID = serializers.CharField(help_text="The quiz service's own id of the answer.")
    revision = serializers.IntegerField(help_text="How many bodies came under this answerID.")
    complete = serializers.BooleanField(help_text="false: more is awaited.")
    deliveryID = serializers.IntegerField(help_text="`id` of GET /deliveries.")
    state = serializers.CharField(
        help_text="Of the delivery, as in GET /deliveries; of a sync or a reconciliation: done or failed."
    )
    heldBecause = serializers.CharField(help_text="Why it is held; of delivery.released: why it was.")
    leadID = serializers.CharField(help_text="The CRM's id, empty until there is a lead.")
    changed = serializers.ListField(
        child=serializers.ChoiceField(choices=CHANGED), help_text="What of the outcome is new."
    )
    status = serializers.CharField(help_text="open, won or lost.")
    pipelineID = serializers.CharField(help_text="The CRM's id.")
    stepID = serializers.CharField(help_text="The CRM's id.")
    performerID = serializers.CharField(help_text="The CRM's id of who is responsible.")
    amount = serializers.CharField(help_text="A decimal text, empty where there is none.")
    currency = serializers.CharField(help_text="Of the amount, as the CRM writes it.")
    paid = serializers.CharField(help_text="Empty where the CRM says nothing of payments.")
    recordID = serializers.CharField(help_text="The CRM's id of what the lead is by now.")
    gone = serializers.BooleanField(help_text="true: the CRM shows it no longer.")
    task = serializers.CharField(
        help_text="open, done or gone; empty before it was seen, or where there is none."
    )
    list = serializers.CharField(help_text="Which list was read.")
    problems = EventProblemOut(many=True, help_text="Those that are new.")
    incidentID = serializers.IntegerField(help_text="Alike when it opens and when it is solved.")
    kind = serializers.CharField(help_text="What kind of incident.")
    deliveries = serializers.IntegerField(help_text="How many deliveries it concerns.")
    reconciliationID = serializers.IntegerField(help_text="`id` of GET /reconciliations.")
    compared = serializers.IntegerField(help_text="How many deliveries were compared.")
    unchecked = serializers.IntegerField(help_text="How many of them nobody could find out about.")
    findings = FindingCountsOut(help_text="How many of each kind were found.")

    def get_fields(self) -> dict[str, Any]:
        """None of them is in every event."""
        fields = super().get_fields()
        for one in fields.values():
            one.required = False
        return fields


class EventOut(serializers.Serializer[Any]):
    """Something that has happened. Nothing in it is of a person; what it names is read over its own path."""

    id = serializers.CharField(help_text="Unique: whoever meets it again has had it. The header webhook-id.")
    type = serializers.ChoiceField(choices=EventType.choices, help_text="What happened.")
    timestamp = serializers.DateTimeField(help_text="When it happened.")
    accountID = serializers.CharField(help_text="The quiz account.")
    data = EventDataOut(help_text="Ids and states of what it is about; which there are depends on the type.")  # type: ignore[assignment]


class EventListOut(serializers.Serializer[Any]):
    items = EventOut(many=True, help_text="In the order in which they are to be read.")
    next = serializers.CharField(help_text="For `after`: what comes behind these, now or later.")
    more = serializers.BooleanField(help_text="Is there anything behind them by now?")


# An event as everybody reads it.
write_event = writer(EventOut, id=lambda row: f"evt_{row.pk}", timestamp="at", accountID="owner")


def example(kind: str) -> dict[str, Any]:
    """One of a type, for the schema."""
    return {
        "id": "evt_1207",
        "type": str(kind),
        "timestamp": "2026-11-28T09:30:00.120000Z",
        "accountID": "shop-17",
        "data": EXAMPLES[kind],
    }
