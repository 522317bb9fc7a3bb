from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.message_fields import MessageField
from accounts.texts import say


class BulkRun(models.Model):
    """What a person does to many deliveries at once: asked for on a page, done by ``rules.bulk`` in portions.

    ``chosen`` are the keys of hand-picked deliveries; where it is empty, all are meant that the list of
    deliveries shows under ``query`` (of its address), up to the one that was the ``newest`` when it was
    asked for. They are walked by their keys: all up to ``reached`` are done with, in the transactions that
    moved them, so whoever goes on begins there. ``planned`` is how many were to be moved when the person
    was asked, or more where ``at_least``. ``by_rule`` is the rule by which a replay goes
    (``rules.replaying.When``). ``failures`` counts vain tries of the portion that comes next.
    """

    class Action(models.TextChoices):
        RETRY = "retry", _("try again")
        RELEASE = "release", _("release")
        CANCEL = "cancel", _("cancel")
        ARRIVED = "arrived", _("mark as delivered")
        REPLAY = "replay", _("replay")

    class State(models.TextChoices):
        WAITING = "waiting", _("begins in a moment")
        RUNNING = "running", _("under way")
        CANCELLED = "cancelled", _("cancelled, the rest was left alone")
        DONE = "done", _("done")
        FAILED = "failed", _("ended with failures")

    action = models.CharField(_("what is done"), max_length=10, choices=Action.choices)
    by_rule = models.CharField(max_length=10, blank=True, db_default="")
    query = models.TextField(_("filter"), blank=True)
    chosen = ArrayField(models.BigIntegerField(), default=list, blank=True)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    who = models.CharField(_("who"), max_length=150)
    planned = models.PositiveIntegerField(_("planned"), default=0)
    at_least = models.BooleanField(default=False)
    first = models.BigIntegerField(default=0)
    reached = models.BigIntegerField(default=0)
    newest = models.BigIntegerField(default=0)
    moved = models.PositiveIntegerField(_("done"), default=0)
    left_alone = models.PositiveIntegerField(_("left alone"), default=0)
    failed = models.PositiveIntegerField(_("failed"), default=0)
    failures = models.PositiveIntegerField(default=0)
    error = MessageField(_("error"), blank=True)
    asked_at = models.DateTimeField(_("asked for"), default=timezone.now)
    began_at = models.DateTimeField(_("began"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    cancelled_at = models.DateTimeField(_("cancelled"), null=True, blank=True)
    cancelled_by = models.CharField(_("cancelled by"), max_length=150, blank=True)

    class Meta:
        verbose_name = _("bulk run")
        verbose_name_plural = _("bulk runs")
        ordering = ["-id"]
        indexes = [models.Index(fields=["id"], condition=Q(ended_at=None), name="bulk_run_open")]

    def __str__(self) -> str:
        return say("bulk run {number}", number=self.pk)

    @property
    def state(self) -> State:
        if self.ended_at is None:
            return self.State.RUNNING if self.began_at else self.State.WAITING
        if self.cancelled_at:
            return self.State.CANCELLED
        return self.State.FAILED if self.failed or self.error else self.State.DONE

    @property
    def percent(self) -> int:
        """How far the walk over the keys is."""
        if self.ended_at and not self.cancelled_at:
            return 100
        return 100 * (self.reached - self.first) // max(1, self.newest - self.first)
