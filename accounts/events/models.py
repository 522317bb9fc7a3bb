"""Events: first in the outbox, where they are written, then in the feed, in an order that holds."""

from __future__ import annotations

from django.db import models


class EventType(models.TextChoices):
    """What an event tells. Types are added; none is taken away."""

    ANSWER_ACCEPTED = "answer.accepted"
    DELIVERED = "delivery.delivered"
    HELD = "delivery.held"
    RELEASED = "delivery.released"
    OUTCOME_CHANGED = "outcome.changed"
    CONNECTED = "account.connected"
    NEEDS_RECONNECT = "account.needs_reconnect"
    RECOVERED = "account.recovered"
    SYNC_FINISHED = "sync.finished"
    RULE_PROBLEM = "rule.problem"
    RULE_SOLVED = "rule.solved"
    INCIDENT_OPENED = "incident.opened"
    INCIDENT_SOLVED = "incident.solved"


class NewEvent(models.Model):
    """An event in the transaction of what it tells: the outbox, from which ``feed.number`` takes it.

    Written by triggers of the database where many statements change what is told (migration ``rules.0016``),
    else by ``writing.write``. ``owner`` is the quiz account; ``data`` holds ids and states, nothing of a
    person. Its ids are given under the lock of the row that changed, so that they say in which order one
    thing's events happened, but not in which order transactions were committed.
    """

    owner = models.CharField(max_length=200)
    type = models.CharField(max_length=40)
    at = models.DateTimeField()
    data = models.JSONField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.type} of {self.owner}, new"


class Event(models.Model):
    """An event in the feed, kept for ``EVENT_DAYS``.

    ``id`` is its place: given by one process at a time, to what is committed already (``feed.number``). So
    whoever has read up to a place has read all that will ever stand before it.
    """

    owner = models.CharField(max_length=200)
    type = models.CharField(max_length=40)
    at = models.DateTimeField()
    data = models.JSONField()

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["owner", "id"], name="event_of_owner")]

    def __str__(self) -> str:
        return f"event {self.pk}: {self.type} of {self.owner}"
