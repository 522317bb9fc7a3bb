"""Events: first in the outbox, where they are written, then in the feed, in an order that holds."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.message_fields import MessageField
from accounts.secrets import SecretField


class EventType(models.TextChoices):
    """What an event tells. Types are added; none is taken away."""

    ANSWER_ACCEPTED = "answer.accepted", _("an answer is stored")
    DELIVERED = "delivery.delivered", _("a lead is in the CRM")
    HELD = "delivery.held", _("a delivery waits for somebody")
    RELEASED = "delivery.released", _("a delivery goes on")
    OUTCOME_CHANGED = "outcome.changed", _("something became of a lead")
    CONNECTED = "account.connected", _("an account was connected")
    NEEDS_RECONNECT = "account.needs_reconnect", _("an account needs reconnecting")
    RECOVERED = "account.recovered", _("an account is back")
    SYNC_FINISHED = "sync.finished", _("a list was read")
    RULE_PROBLEM = "rule.problem", _("a rule has a problem")
    RULE_SOLVED = "rule.solved", _("a rule has no problem any more")
    INCIDENT_OPENED = "incident.opened", _("an incident opened")
    INCIDENT_SOLVED = "incident.solved", _("an incident is solved")
    RECONCILED = "account.reconciled", _("an account was compared with its CRM")


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


class WithoutSecrets(models.Manager["WebhookEndpoint"]):
    """Reads an endpoint's secrets only when they are asked for: lists show none, and none may open."""

    def get_queryset(self) -> models.QuerySet[WebhookEndpoint]:
        return super().get_queryset().defer("secret", "former_secret")


class WebhookEndpoint(models.Model):
    """An address of the quiz platform to which events are posted, signed (``signing``).

    ``owner`` narrows it to a quiz account, ``types`` to some types; empty ones mean all. Events up to
    ``place`` are done with, or are ``WebhookRetry`` rows. While nothing arrives ``failing_since`` is set and
    ``due_at`` says when the next try is; ``disabled_at``: we gave up after days of it. ``lease_until``: one
    worker sends. Until ``former_until`` the ``former_secret`` signs, too. A deleted one keeps its row,
    without secrets.
    """

    url = models.CharField(_("address"), max_length=500)
    types = ArrayField(
        models.CharField(max_length=40), verbose_name=_("event types"), default=list, blank=True
    )
    owner = models.CharField(_("quiz account"), max_length=200, blank=True)
    enabled = models.BooleanField(_("enabled"), default=True)
    deleted = models.BooleanField(_("deleted"), default=False)
    secret = SecretField()
    former_secret = SecretField(blank=True, default="")
    former_until = models.DateTimeField(_("the former secret signs until"), null=True, blank=True)
    place = models.BigIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(_("next try"), null=True, blank=True)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0)
    failing_since = models.DateTimeField(_("failing since"), null=True, blank=True)
    disabled_at = models.DateTimeField(_("given up"), null=True, blank=True)
    error = MessageField(_("error"), blank=True)
    delivered_at = models.DateTimeField(_("last success"), null=True, blank=True)
    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    updated_at = models.DateTimeField(_("changed at"), default=timezone.now)
    objects = WithoutSecrets()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("webhook endpoint")
        verbose_name_plural = _("webhook endpoints")
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.url

    def __repr__(self) -> str:
        return f"<WebhookEndpoint {self.pk}>"


class WebhookRetry(models.Model):
    """An event that an endpoint did not take while it took others: tried again by itself, until it is given
    up. ``event`` is its place; the feed may have forgotten it by then."""

    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="retries")
    event = models.BigIntegerField()
    tries = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["endpoint", "event"], name="one_retry_per_endpoint_and_event")
        ]
        indexes = [models.Index(fields=["endpoint", "due_at"], name="webhook_retry_due")]

    def __str__(self) -> str:
        return f"event {self.event} for endpoint {self.endpoint_id}"
