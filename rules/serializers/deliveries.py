"""Deliveries on the wire, what they wrote into records that were there, and the backfill that makes them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rest_framework import serializers

from accounts.rest.paging import ListOut
from accounts.rest.writing import writer
from connectors.existing import STEP, read_written
from connectors.registry import CONNECTORS
from rules.delivery.joined import words_of
from rules.delivery.next_try import NextTry, next_try
from rules.models import Attempt, Delivery
from rules.serializers.outcomes import OutcomeOut, write_outcome
from rules.serializers.replays import DeliveryReplayOut, write_replay

MOST_REPLAYS = 20


class ArrivedIn(serializers.Serializer[Any]):
    leadID = serializers.CharField(
        max_length=100,
        default="",
        allow_blank=True,
        help_text="The CRM's id of the lead, where it is known: what becomes of it is followed by it.",
    )


class BackfillIn(serializers.Serializer[Any]):
    """Which kept answers get a delivery: those that came at ``from`` or later and before ``to``."""

    dryRun = serializers.BooleanField(default=False, help_text="Count only, make nothing.")

    def get_fields(self) -> dict[str, Any]:
        """``from`` is a word of Python."""
        start = serializers.DateTimeField(help_text="At this moment or later, e.g. 2026-01-31T10:00:00Z")
        end = serializers.DateTimeField(
            required=False,
            allow_null=True,
            default=None,
            help_text="Before this moment; now where it is missing",
        )
        return {"from": start, "to": end, **super().get_fields()}


class BackfillOut(serializers.Serializer[Any]):
    answers = serializers.IntegerField(help_text="Kept answers that had no delivery in this account")
    deliveries = serializers.IntegerField(help_text="Made by this call, or by a dry run's real one")
    purged = serializers.IntegerField(
        help_text="Answers without one whose content is erased already: too late"
    )
    more = serializers.BooleanField(help_text="Are there more than one call makes? Then call again.")
    dryRun = serializers.BooleanField(help_text="As it was asked: nothing was made.")


class ErrorWords(serializers.Serializer[Any]):
    code = serializers.CharField(
        help_text="For programs, empty where nothing went wrong: the reason in one word, such as "
        "rule_paused or refused."
    )
    message = serializers.CharField(help_text="What happened, for people; empty where nothing went wrong.")
    remedy = serializers.CharField(
        help_text="What a person can do about it; empty where nothing needs to be done."
    )


class DeliveryOut(serializers.Serializer[Any]):
    """One answer on its way through one rule. ``waitsFor`` says in words what comes next, ``heldBecause`` and
    ``error`` what happened."""

    id = serializers.IntegerField(help_text="Our id of the delivery.")
    answerID = serializers.CharField(help_text="The quiz service's own id of the answer.")
    quizID = serializers.IntegerField(help_text="The quiz service's number of the quiz.")
    crm = serializers.ChoiceField(choices=list(CONNECTORS), help_text="Which CRM.")
    state = serializers.ChoiceField(choices=Delivery.State.choices, help_text="Where it is on its way.")
    heldBecause = serializers.ChoiceField(
        choices=Delivery.Held.choices, allow_blank=True, help_text="Why it is held; empty in other states."
    )
    dueAt = serializers.DateTimeField(help_text="When it was or is due by its own plan; see nextTryAt")
    nextTryAt = serializers.DateTimeField(
        allow_null=True,
        help_text="When it is really tried next, a moment to come; null where it is due now, being sent,"
        " delivered, or waits for something that has no time.",
    )
    waitsFor = serializers.CharField(
        help_text="What has to happen before its next try, for people; empty once it is delivered."
    )
    tries = serializers.IntegerField(help_text="How often it was tried.")
    leadID = serializers.CharField(help_text="The CRM's id of the lead; empty until it is known.")
    link = serializers.CharField(help_text="Opens the lead in the CRM; empty until it is delivered.")
    error = ErrorWords(help_text="What went wrong last, also while it is tried again.")
    createdAt = serializers.DateTimeField(help_text="When it was made: with its answer, or by a backfill.")
    updatedAt = serializers.DateTimeField(help_text="When its state, its reason or its lead last changed.")
    deliveredAt = serializers.DateTimeField(
        allow_null=True, help_text="When the lead was made; null until then."
    )


# What ``rules.delivery.attempts.outcome_word`` says.
TRIES = {
    "delivered": "the lead was made",
    "adopted": "the lead was there already, made by an earlier try",
    "wait": "tried again later",
    "look_first": "unclear: the CRM is asked before anything is made",
    "reconnect": "the account has to be connected again",
    "resume": "the account is paused",
    "edit_rule": "the rule needs fixing",
    "fix_settings": "the settings of this service need fixing",
    "give_up": "refused by the CRM",
}


class AttemptOut(serializers.Serializer[Any]):
    number = serializers.IntegerField(help_text="1 for the first try.")
    startedAt = serializers.DateTimeField(help_text="When it began.")
    seconds = serializers.FloatField(help_text="How long it took, in seconds.")
    outcome = serializers.ChoiceField(choices=list(TRIES.items()), help_text="What became of it.")
    code = serializers.CharField(help_text="For programs: the error in one word; empty where all went well.")
    message = serializers.CharField(help_text="For people: what went wrong, or what had no field.")
    exchanges = serializers.ListField(
        child=serializers.DictField(),
        help_text="The requests to the CRM, each with method, url, request, status, response and "
        "seconds; secrets are left out.",
    )


class FormerValueOut(serializers.Serializer[Any]):
    record = serializers.CharField(help_text="contact or company.")
    recordID = serializers.CharField(help_text="Its id in the CRM.")
    field = serializers.CharField(help_text="The CRM's own name of the field.")
    name = serializers.CharField(help_text="What people call it; `name` is the record's own name.")
    before = serializers.ListField(
        child=serializers.CharField(), help_text="What was there; empty where nothing was."
    )
    now = serializers.ListField(
        child=serializers.CharField(), help_text="What was written; where values were added, these alone."
    )
    added = serializers.BooleanField(help_text="Were they added to what was there, instead of replacing it?")


class DeliveryDetailOut(DeliveryOut):
    route = serializers.CharField(
        help_text="The rule's route that the lead goes by; empty for the rule itself."
    )
    performer = serializers.CharField(help_text="Who was drawn to be responsible, by the CRM's id.")
    draw = serializers.CharField(help_text="How that came about, in words.")
    joined = serializers.CharField(
        help_text="Why it joined an open lead of the person instead of making one, in words: `leadID` and "
        "`link` lead there. Empty where it made its own."
    )
    revision = serializers.IntegerField(help_text="Which body of the answer the CRM is to have: 1, 2 ...")
    revisionSent = serializers.IntegerField(help_text="Which body was sent last.")
    mark = serializers.CharField(help_text="Our external id in the lead, by which it is found again.")
    steps = serializers.DictField(
        child=serializers.CharField(),
        help_text="What was made in the CRM, by kind: lead, contact, note ... with its id there.",
    )
    formerValues = FormerValueOut(
        many=True,
        help_text="What was written into a contact or company that was in the CRM before, and what was "
        "there (`Extra.Existing` of the rule); erased with the answer.",
    )
    losses = serializers.ListField(
        child=serializers.DictField(child=serializers.CharField()),
        help_text="Answers that fit no field and are only in the note: question, value, reason, "
        "entity, field_id.",
    )
    attempts = AttemptOut(many=True, help_text="Every try, the first one first; erased after ATTEMPT_DAYS.")
    replays = DeliveryReplayOut(
        many=True, help_text="How often it was sent once more by a version of its rule; the last one first."
    )
    outcome = OutcomeOut(allow_null=True, help_text="What became of the lead; null until it is delivered.")


class DeliveryListOut(ListOut):
    items = DeliveryOut(many=True, help_text="The rows of this page.")


def write_delivery(delivery: Delivery, answer_id: str, then: NextTry) -> dict[str, Any]:
    return {
        "id": delivery.pk,
        "answerID": answer_id,
        "quizID": delivery.quiz_id,
        "crm": delivery.account.crm,
        "state": delivery.state,
        "heldBecause": delivery.held_because,
        "dueAt": delivery.due_at,
        "nextTryAt": then.at,
        "waitsFor": then.waits_for,
        "tries": delivery.attempts_made,
        "leadID": delivery.remote_id,
        "link": delivery.remote_link,
        "error": {"code": delivery.error_code, "message": delivery.error, "remedy": delivery.remedy},
        "createdAt": delivery.created_at,
        "updatedAt": delivery.updated_at,
        "deliveredAt": delivery.delivered_at,
    }


def write_delivery_detail(delivery: Delivery, attempts: Iterable[Attempt]) -> dict[str, Any]:
    return {
        **write_delivery(delivery, delivery.answer.answer_id, next_try(delivery)),
        "revision": delivery.revision,
        "revisionSent": delivery.revision_sent,
        "route": delivery.route,
        "performer": delivery.performer,
        "draw": delivery.draw,
        "joined": words_of(delivery.steps),
        "mark": delivery.uid,
        "steps": {step: made for step, made in delivery.steps.items() if step != STEP},
        "formerValues": write_former_values(delivery),
        "losses": delivery.losses,
        "attempts": [_write_attempt(attempt) for attempt in attempts],
        "replays": [write_replay(row) for row in delivery.replays.select_related("version")[:MOST_REPLAYS]],
        "outcome": write_outcome(outcome) if (outcome := getattr(delivery, "outcome", None)) else None,
    }


def write_former_values(delivery: Delivery) -> list[dict[str, Any]]:
    """By record and field, in the order in which they were written."""
    return [_write_former_value(one) for one in read_written(delivery.steps)]


_write_attempt = writer(AttemptOut)
_write_former_value = writer(
    FormerValueOut,
    record="word",
    recordID="record",
    before=lambda one: list(one.before),
    now=lambda one: list(one.now),
)
