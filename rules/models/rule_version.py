from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import AccountEvent
from accounts.texts import say
from rules.models.rule import Rule


class Asked(models.Model):
    """Who asked for something, and when: ``who`` is a staff user's name, or the quiz account whose token it
    was."""

    by = models.CharField(_("by"), max_length=10, choices=AccountEvent.By.choices)
    who = models.CharField(_("who"), max_length=200, blank=True)
    at = models.DateTimeField(_("at"), default=timezone.now)

    class Meta:
        abstract = True


class RuleVersion(Asked):
    """What a rule said from ``at`` on, until the next ``number``; never changed. Written by
    ``rules.versions`` in the transaction of the change.

    ``said`` has the columns of ``rules.versions.CONTENT``, ``restored`` is the number of the version that was
    brought back.
    """

    class Event(models.TextChoices):
        MADE = "made", _("made")
        CHANGED = "changed", _("changed")
        RESTORED = "restored", _("an earlier version brought back")
        FIELDS_MADE = "fields_made", _("fields were made in the CRM")
        PAUSED = "paused", _("paused")
        RESUMED = "resumed", _("resumed")
        DELETED = "deleted", _("deleted")
        KEPT = "kept", _("versions are kept from here on")

    rule = models.ForeignKey(Rule, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField(_("version"))
    event = models.CharField(_("what happened"), max_length=20, choices=Event.choices)
    restored = models.PositiveIntegerField(null=True, blank=True)
    said = models.JSONField()

    class Meta:
        verbose_name = _("version of a rule")
        verbose_name_plural = _("versions of rules")
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["rule", "number"], name="one_version_per_number")]
        indexes = [models.Index(fields=["at"], name="version_by_age")]

    def __str__(self) -> str:
        return say("version {number}", number=self.number)
