"""A person's data: who is meant, what is given out, what is forgotten."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.models import AccountEvent
from accounts.rest.writing import writer
from connectors.registry import CONNECTORS
from rules import people
from rules.models import Delivery
from rules.serializers.deliveries import FormerValueOut


class PersonIn(serializers.Serializer[Any]):
    """Who is meant: whoever has this phone or this e-mail, or gave this answer. One of them is needed."""

    phone = serializers.CharField(
        required=False, max_length=100, help_text="As the person wrote it, or with the country's code"
    )
    email = serializers.CharField(required=False, max_length=300, help_text="In any case")
    answerID = serializers.CharField(
        required=False, max_length=200, help_text="The quiz service's own id of an answer"
    )
    accountID = serializers.CharField(
        required=False, max_length=200, help_text="Only in this quiz account; in all where it is missing"
    )


class ErasureOut(serializers.Serializer[Any]):
    """What became of it. ``done`` is false while leads of the person are being sent: it goes on by itself,
    and the same request tells how far it is."""

    id = serializers.IntegerField(help_text="Our id of the request to forget.")
    done = serializers.BooleanField(help_text="All is erased.")
    answers = serializers.IntegerField(help_text="Answers whose content is erased")
    inFlight = serializers.IntegerField(help_text="Answers whose leads are being sent, erased after that")
    erased = serializers.ListField(child=serializers.CharField(), help_text="What is erased, in words")
    kept = serializers.ListField(child=serializers.CharField(), help_text="What stays, in words")


class PersonDeliveryOut(serializers.Serializer[Any]):
    """What was sent of an answer."""

    id = serializers.IntegerField(help_text="Our id of the delivery.")
    crm = serializers.ChoiceField(choices=list(CONNECTORS), help_text="Which CRM.")
    state = serializers.ChoiceField(choices=Delivery.State.choices, help_text="Where it is on its way.")
    leadID = serializers.CharField(help_text="Empty where no lead was made")
    link = serializers.CharField(help_text="Opens the lead in the CRM; empty where there is none.")
    losses = serializers.ListField(child=serializers.JSONField(), help_text="Values that fit no field")
    formerValues = FormerValueOut(
        many=True, help_text="What was written into contacts that were there before"
    )
    contact = serializers.JSONField(help_text="Who the CRM says it is, as seen last")
    details = serializers.JSONField(help_text="What else was seen of the lead in the CRM")


class PersonCorrectionOut(serializers.Serializer[Any]):
    """A value of an answer that was set right."""

    what = serializers.CharField(help_text="`answer.<questionID>` or `contact.<part>`.")
    before = serializers.JSONField(help_text="What stood there; null where nothing did, or it is erased.")
    after = serializers.JSONField(help_text="What stands there since; null where it is erased.")
    by = serializers.ChoiceField(choices=AccountEvent.By.choices, help_text="What kind of caller that was.")
    who = serializers.CharField(help_text="Who that was; empty where nobody knows.")


class PersonAnswerOut(serializers.Serializer[Any]):
    """An answer with all that is kept of it."""

    id = serializers.IntegerField(help_text="Our id of the answer.")
    accountID = serializers.CharField(help_text="The quiz account whose quiz it was.")
    quizID = serializers.IntegerField(help_text="The quiz service's number of the quiz.")
    answerID = serializers.CharField(help_text="The quiz service's own id of the answer.")
    createdAt = serializers.DateTimeField(help_text="When it came.")
    erased = serializers.BooleanField(help_text="Its content is gone, by retention or on request")
    body = serializers.JSONField(help_text="As it was posted")
    formerBodies = serializers.ListField(child=serializers.JSONField(), help_text="Bodies it replaced")
    corrections = PersonCorrectionOut(many=True, help_text="Values that were set right, oldest first.")
    deliveries = PersonDeliveryOut(many=True, help_text="What was sent to which CRM.")


class PersonOut(serializers.Serializer[Any]):
    """All that is kept of a person, the newest answers first. ``more``: only the newest 1,000 are here."""

    answers = PersonAnswerOut(many=True, help_text="Each with all that is kept of it.")
    more = serializers.BooleanField(help_text="There are older answers than these 1,000.")


write_erasure = writer(
    ErasureOut,
    done=lambda erasure: erasure.done_at is not None,
    inFlight=people.in_flight,
    erased=lambda erasure: list(people.ERASED),
    kept=lambda erasure: list(people.KEPT),
)
