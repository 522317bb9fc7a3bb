from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.texts import say


class Erasure(models.Model):
    """Somebody asked that a person be forgotten, and who asked. See ``rules.people``.

    ``keys`` (``phone:+7...``, ``email:a@b``) and ``answer_id`` say who it is, ``owner`` in which quiz account
    (in all where it is empty). The first two are emptied when it is done; ``digest`` tells whom it was about.
    """

    keys = ArrayField(models.CharField(max_length=330), default=list, blank=True)
    answer_id = models.CharField(max_length=200, blank=True)
    owner = models.CharField(_("quiz account"), max_length=200, blank=True)
    digest = models.CharField(max_length=64)
    asked_by = models.CharField(_("asked by"), max_length=200)
    asked_at = models.DateTimeField(_("asked at"), default=timezone.now)
    done_at = models.DateTimeField(_("done at"), null=True, blank=True)
    answers = models.PositiveIntegerField(_("answers erased"), default=0)

    class Meta:
        verbose_name = _("erasure of a person")
        verbose_name_plural = _("erasures of people")
        ordering = ["-id"]
        permissions = [("erase_person", _("Can give out and forget what is kept of a person"))]
        constraints = [
            models.UniqueConstraint(
                fields=["digest"], condition=Q(done_at__isnull=True), name="one_open_erasure_of_a_person"
            )
        ]
        indexes = [models.Index(fields=["asked_at"], condition=Q(done_at__isnull=True), name="erasure_open")]

    def __str__(self) -> str:
        return say("erasure {number}", number=self.pk)
