"""Replays of deliveries on the wire."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.rest.writing import writer
from connectors.draft import FieldChange
from rules.models import Replay
from rules.replaying import Action, When

ACTIONS = {
    Action.UPDATE: "the lead is there and would be changed",
    Action.CREATE: "a lead would be made",
    Action.NOTHING: "the lead is there and nothing would change",
    Action.GONE: "the lead was deleted in the CRM; it is made anew only where anew says so",
    Action.LEFT_OUT: "by this version the rule's condition leaves the answer out",
    Action.IMPOSSIBLE: "it can't be replayed now; code and message say why",
}


class DeliveryReplayIn(serializers.Serializer[Any]):
    rule = serializers.ChoiceField(
        choices=[
            (When.THEN.value, "the version by which it went, or that was in force when its answer came"),
            (When.NOW.value, "the version of today"),
        ],
        default=When.NOW.value,
        help_text="By which version of its rule.",
    )
    dryRun = serializers.BooleanField(
        default=False, help_text="Read the lead in the CRM and say what would change; nothing is changed."
    )
    anew = serializers.BooleanField(
        default=False,
        help_text="A lead that was deleted in the CRM is made once more; without it, it stays deleted.",
    )


class FieldChangeOut(serializers.Serializer[Any]):
    what = serializers.CharField(
        help_text="A question, or a part of the lead: title, price, step, performer, tags, note, contact ..."
    )
    before = serializers.CharField(help_text="What stands in the CRM; empty for nothing.")
    after = serializers.CharField(help_text="What is or would be written.")
    kept = serializers.BooleanField(help_text="It is left as it stands.")
    why = serializers.CharField(help_text="Why it is left alone, mostly that people changed it since.")
    entity = serializers.CharField(help_text="The CRM's word for the record; empty where it is the lead.")
    fieldID = serializers.CharField(help_text="The CRM's id of the field; empty for parts of the record.")


class ForeseenOut(serializers.Serializer[Any]):
    """What a replay would do."""

    action = serializers.ChoiceField(choices=list(ACTIONS.items()), help_text="What would be done.")
    version = serializers.IntegerField(allow_null=True, help_text="The number of the rule's version.")
    code = serializers.CharField(help_text="For programs, why nothing would be done; empty where it would.")
    message = serializers.CharField(help_text="The same for people.")
    changes = FieldChangeOut(many=True, help_text="Part by part: what changes and what is left alone.")


class DeliveryReplayOut(serializers.Serializer[Any]):
    id = serializers.IntegerField(help_text="Our id of the replay.")
    state = serializers.ChoiceField(choices=Replay.State.choices, help_text="What became of it.")
    version = serializers.IntegerField(help_text="The number of the rule's version by which it goes.")
    anew = serializers.BooleanField(help_text="Was a deleted lead to be made once more?")
    askedBy = serializers.CharField(help_text="A staff user, or the quiz account whose token it was.")
    askedAt = serializers.DateTimeField(help_text="When it was asked for.")
    doneAt = serializers.DateTimeField(allow_null=True, help_text="When it was over; null until then.")
    formerLeadID = serializers.CharField(help_text="The deleted lead, where one was made anew.")
    error = serializers.CharField(help_text="Why it could not be carried out; empty where it could.")
    changes = FieldChangeOut(
        many=True,
        help_text="What was changed of a lead that was there, and what was left alone; erased"
        " with the answer.",
    )


_write_change = writer(FieldChangeOut)
write_foreseen = writer(
    ForeseenOut,
    version=lambda found: found.version.number if found.version else None,
    message="words",
    changes=lambda found: [_write_change(one) for one in found.changes],
)
write_replay = writer(
    DeliveryReplayOut,
    version="version.number",
    askedBy="who",
    askedAt="at",
    formerLeadID="former_lead",
    changes=lambda row: [_write_change(FieldChange(**one)) for one in row.changes],
)
