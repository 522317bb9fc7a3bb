"""What became of leads, on the wire."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from rest_framework import serializers

from accounts.rest.paging import ListOut
from accounts.rest.writing import writer
from connectors.registry import CONNECTORS
from connectors.tasks import STEP
from rules.models import Outcome


class NamedOut(serializers.Serializer[Any]):
    id = serializers.CharField(help_text="The CRM's id; empty where it says nothing.")
    name = serializers.CharField(help_text="As the CRM or its lists call it; empty where nobody does.")


class PaymentOut(serializers.Serializer[Any]):
    id = serializers.CharField(help_text="The CRM's id of the payment.")
    amount = serializers.CharField(help_text="Below zero for money that went out.")
    paidAt = serializers.CharField(help_text="When it was paid, as the CRM writes it.")


class TaskOut(serializers.Serializer[Any]):
    state = serializers.ChoiceField(
        choices=Outcome.Task.choices,
        help_text="gone: the CRM shows it no longer; refused: it was not made, its text stands in the note.",
    )
    id = serializers.CharField(help_text="The CRM's id of the task; empty where none was made.")
    dueAt = serializers.DateTimeField(allow_null=True, help_text="As the CRM showed it last.")
    endedAt = serializers.DateTimeField(allow_null=True, help_text="When it was done, by the CRM's clock.")


class OutcomeOut(serializers.Serializer[Any]):
    """One lead as its CRM showed it at ``seenAt``; sums are decimal texts, empty where there is none."""

    deliveryID = serializers.IntegerField(help_text="`id` of the delivery that made the lead.")
    answerID = serializers.CharField(help_text="The quiz service's own id of the answer.")
    quizID = serializers.IntegerField(help_text="The quiz service's number of the quiz.")
    crm = serializers.ChoiceField(choices=list(CONNECTORS), help_text="Which CRM.")
    joined = serializers.BooleanField(
        help_text="Did the delivery join a lead that was open? Such a lead is another's, too: it is in no "
        "`counts`."
    )
    status = serializers.ChoiceField(choices=Outcome.Status.choices, help_text="How it ended, if it did.")
    gone = serializers.CharField(help_text="Why the CRM shows it no longer: deleted, merged.")
    record = serializers.CharField(help_text="What it is by now: lead, deal, project.")
    recordID = serializers.CharField(help_text="The CRM's id of that record.")
    matched = serializers.CharField(help_text="How it was found, where the CRM does not link it to the lead.")
    link = serializers.CharField(help_text="Opens it in the CRM.")
    pipeline = NamedOut(help_text="Where it is by now.")
    step = NamedOut(help_text="How far it got.")
    performer = NamedOut(help_text="Who is responsible.")
    task = TaskOut(allow_null=True, help_text="The rule's task for this lead; null where it wanted none.")
    amount = serializers.CharField(
        help_text="The sum of the deal, two decimals as a text; empty where there is none."
    )
    currency = serializers.CharField(
        help_text="Of the sums, as the CRM writes it, such as RUB; empty where it says nothing."
    )
    paid = serializers.CharField(help_text="Empty where the CRM says nothing of money received.")
    payments = PaymentOut(many=True, help_text="Money received, where the CRM tells each payment.")
    contact = serializers.DictField(
        child=serializers.CharField(),
        help_text="Who the CRM says it is: id, name, phone, email, as far as it told them.",
    )
    details = serializers.DictField(
        help_text="What else the CRM shows: goods, payments, history of steps; its keys differ by CRM."
    )
    deliveredAt = serializers.DateTimeField(help_text="When the lead was made.")
    changedAt = serializers.DateTimeField(allow_null=True, help_text="By the CRM's clock.")
    updatedAt = serializers.DateTimeField(help_text="When we last saw a change; `changedFrom` asks by it.")
    closedAt = serializers.DateTimeField(
        allow_null=True, help_text="When it was won or lost; null while it is open."
    )
    steppedAt = serializers.DateTimeField(
        allow_null=True, help_text="When it left the step in which we saw it first; null while it has not."
    )
    seenAt = serializers.DateTimeField(
        allow_null=True, help_text="When we looked last; null before the first look."
    )
    nextLookAt = serializers.DateTimeField(
        allow_null=True, help_text="When we look again without a notice; null once it is no longer followed."
    )
    error = serializers.CharField(help_text="Why the last look found nothing.")


class CountsOut(serializers.Serializer[Any]):
    open = serializers.IntegerField(help_text="How many are open.")
    won = serializers.IntegerField(help_text="How many are won.")
    lost = serializers.IntegerField(help_text="How many are lost.")


class OutcomeListOut(ListOut):
    """``counts`` are of the newest 100,000 that the other filters choose, whatever ``status`` says."""

    counts = CountsOut(help_text="By status, of all that the other filters choose.")
    items = OutcomeOut(many=True, help_text="The rows of this page.")


def _text(amount: Decimal | None) -> str:
    return "" if amount is None else str(amount)


def _task(row: Outcome) -> dict[str, Any] | None:
    if not (state := row.task_state()):
        return None
    made = row.delivery.steps.get(STEP, "")
    return {"state": state, "id": made, "dueAt": row.task_due, "endedAt": row.task_ended_at}


# A row of which the delivery, its answer and its account are at hand.
write_outcome = writer(
    OutcomeOut,
    answerID="delivery.answer.answer_id",
    crm="account.crm",
    pipeline=lambda row: {"id": row.pipeline, "name": row.pipeline_name},
    step=lambda row: {"id": row.step, "name": row.step_name},
    performer=lambda row: {"id": row.performer, "name": row.performer_name},
    task=_task,
    amount=lambda row: _text(row.amount),
    paid=lambda row: _text(row.paid),
    payments=lambda row: row.payments or [],
    deliveredAt="created_at",
)
