"""What was in a contact or company before a delivery wrote into it, on the wire."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from connectors.existing import read_written
from rules.models import Delivery


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


def write_former_values(delivery: Delivery) -> list[dict[str, Any]]:
    """By record and field, in the order in which they were written."""
    return [
        {
            "record": one.word,
            "recordID": one.record,
            "field": one.field,
            "name": one.name,
            "before": list(one.before),
            "now": list(one.now),
            "added": one.added,
        }
        for one in read_written(delivery.steps)
    ]
