from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.message_fields import MessageField
from accounts.models import Account, WebhookEndpoint
from rules.models.rule import Rule


class Incident(models.Model):
    """Something that keeps answers of an account (or of one of its rules) from becoming leads, or an endpoint
    from its events: that one has no account.

    Opened and solved by ``rules.incidents.look`` alone: one open row for each kind, account, rule and
    endpoint. ``deliveries`` is how many are concerned as of ``seen_at``. ``opening_told_at`` and
    ``end_told_at`` say when somebody was sent a message (``rules.alerts``); muted ones are shown, and nobody
    is written to.
    """

    class Kind(models.TextChoices):
        RECONNECT = "reconnect", _("the CRM no longer accepts our sign-in")
        RULE = "rule", _("the rule needs fixing")
        REFUSED = "refused", _("the CRM refuses leads")
        LOOK = "look", _("leads that may have arrived: somebody must look")
        UNREACHABLE = "unreachable", _("the CRM does not take leads")
        STALE = "stale", _("answers waited too long for their account")
        SILENT = "silent", _("no answers of a quiz that usually brings some")
        WEBHOOK = "webhook", _("an address takes no events")

    kind = models.CharField(_("what happened"), max_length=20, choices=Kind.choices)
    account = models.ForeignKey(
        Account,
        on_delete=models.PROTECT,
        related_name="incidents",
        verbose_name=_("account"),
        null=True,
        blank=True,
    )
    rule = models.ForeignKey(
        Rule,
        on_delete=models.PROTECT,
        related_name="incidents",
        verbose_name=_("rule"),
        null=True,
        blank=True,
    )
    endpoint = models.ForeignKey(
        WebhookEndpoint,
        on_delete=models.PROTECT,
        related_name="incidents",
        verbose_name=_("webhook endpoint"),
        null=True,
        blank=True,
    )
    deliveries = models.PositiveIntegerField(_("deliveries"), default=0)
    reason = MessageField(_("reason"), blank=True)
    opened_at = models.DateTimeField(_("opened"), default=timezone.now)
    seen_at = models.DateTimeField(_("last seen"), default=timezone.now)
    solved_at = models.DateTimeField(_("solved"), null=True, blank=True)
    muted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("muted by"),
    )
    muted_at = models.DateTimeField(_("muted"), null=True, blank=True)
    opening_told_at = models.DateTimeField(null=True, blank=True)
    end_told_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("incident")
        verbose_name_plural = _("incidents")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "account", "rule", "endpoint"],
                condition=Q(solved_at=None),
                nulls_distinct=False,
                name="one_open_incident_per_kind",
            )
        ]
        indexes = [
            models.Index(fields=["kind", "account"], condition=Q(solved_at=None), name="incident_open"),
            models.Index(
                fields=["opened_at"],
                condition=Q(opening_told_at=None) | Q(solved_at__isnull=False, end_told_at=None),
                name="incident_to_tell",
            ),
            models.Index(fields=["account", "-id"], name="incident_of_account"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.account or self.endpoint}"
