"""What became of leads, on the wire."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.rest.paging import ListOut
from rules.models import Outcome


class NamedOut(serializers.Serializer[Any]):
    id = serializers.CharField()
    name = serializers.CharField()


class PaymentOut(serializers.Serializer[Any]):
    id = serializers.CharField()
    amount = serializers.CharField(help_text="Below zero for money that went out.")
    paidAt = serializers.CharField()


class OutcomeOut(serializers.Serializer[Any]):
    """One lead as its CRM showed it at ``seenAt``; sums are decimal texts, empty where there is none."""

    deliveryID = serializers.IntegerField()
    answerID = serializers.CharField()
    quizID = serializers.IntegerField()
    crm = serializers.CharField()
    status = serializers.ChoiceField(choices=Outcome.Status.choices)
    gone = serializers.CharField(help_text="Why the CRM shows it no longer: deleted, merged.")
    record = serializers.CharField(help_text="What it is by now: lead, deal, project.")
    recordID = serializers.CharField()
    matched = serializers.CharField(help_text="How it was found, where the CRM does not link it to the lead.")
    link = serializers.CharField()
    pipeline = NamedOut()
    step = NamedOut()
    performer = NamedOut()
    amount = serializers.CharField()
    currency = serializers.CharField()
    paid = serializers.CharField(help_text="Empty where the CRM says nothing of money received.")
    payments = PaymentOut(many=True)
    contact = serializers.DictField(child=serializers.CharField())
    details = serializers.DictField(
        help_text="What else the CRM shows: goods, payments, history of steps; its keys differ by CRM."
    )
    deliveredAt = serializers.DateTimeField()
    changedAt = serializers.DateTimeField(allow_null=True, help_text="By the CRM's clock.")
    updatedAt = serializers.DateTimeField(help_text="When we last saw a change; `changedFrom` asks by it.")
    closedAt = serializers.DateTimeField(allow_null=True)
    seenAt = serializers.DateTimeField(allow_null=True)
    nextLookAt = serializers.DateTimeField(allow_null=True)
    error = serializers.CharField(help_text="Why the last look found nothing.")


class CountsOut(serializers.Serializer[Any]):
    open = serializers.IntegerField()
    won = serializers.IntegerField()
    lost = serializers.IntegerField()


class OutcomeListOut(ListOut):
    """``counts`` are of everything that the filters choose, whatever ``status`` says."""

    counts = CountsOut()
    items = OutcomeOut(many=True)


def write_outcome(row: Outcome) -> dict[str, Any]:
    """A row of which the delivery, its answer and its account are at hand."""
    return {
        "deliveryID": row.delivery_id,
        "answerID": row.delivery.answer.answer_id,
        "quizID": row.quiz_id,
        "crm": row.account.crm,
        "status": row.status,
        "gone": row.gone,
        "record": row.record,
        "recordID": row.record_id,
        "matched": row.matched,
        "link": row.link,
        "pipeline": {"id": row.pipeline, "name": row.pipeline_name},
        "step": {"id": row.step, "name": row.step_name},
        "performer": {"id": row.performer, "name": row.performer_name},
        **_money(row),
        "contact": row.contact,
        "details": row.details,
        **_moments(row),
        "error": row.error,
    }


def _money(row: Outcome) -> dict[str, Any]:
    return {
        "amount": "" if row.amount is None else str(row.amount),
        "currency": row.currency,
        "paid": "" if row.paid is None else str(row.paid),
        "payments": row.payments or [],
    }


def _moments(row: Outcome) -> dict[str, Any]:
    return {
        "deliveredAt": row.created_at,
        "changedAt": row.changed_at,
        "updatedAt": row.updated_at,
        "closedAt": row.closed_at,
        "seenAt": row.seen_at,
        "nextLookAt": row.next_look_at,
    }
