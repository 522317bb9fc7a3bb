"""Which CRMs are connected, and the secrets that keep them so."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Greatest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import db_clock
from accounts.events.models import Event as Event
from accounts.events.models import NewEvent as NewEvent
from accounts.events.models import WebhookEndpoint as WebhookEndpoint
from accounts.events.models import WebhookRetry as WebhookRetry
from accounts.message_fields import MessageField, MessagesField
from accounts.secrets import SecretField
from connectors.registry import kinds


class Account(models.Model):
    """A CRM account that a quiz account connected: one row for each, however often it is connected.

    ``account_id`` is the quiz account (an opaque string from the bearer token), ``remote_id`` the CRM's own
    id of its account (empty until it is authorised for the first time), ``facts`` what its connector learned
    of it. A disconnected account is ``deleted`` and keeps its rules, lists and deliveries until it is
    connected again. Rows are moved between states by ``accounts.states`` alone. When its deliveries are
    due is in its ``lane``, a row of its own.
    """

    class State(models.TextChoices):
        CONNECTING = "connecting", _("connecting")
        ACTIVE = "active", _("active")
        NEEDS_RECONNECT = "needs_reconnect", _("needs reconnecting")
        PAUSED = "paused", _("paused")
        DISCONNECTED = "disconnected", _("disconnected")

    account_id = models.CharField(_("quiz account"), max_length=200)
    crm = models.CharField(_("CRM"), max_length=20, choices=kinds)
    remote_id = models.CharField(_("CRM's account id"), max_length=100, blank=True)
    host = models.CharField(_("host"), max_length=255, blank=True)
    name = models.CharField(_("name"), max_length=255, blank=True)
    subdomain = models.CharField(max_length=255, blank=True)
    country = models.CharField(_("country"), max_length=10, blank=True)
    user_id = models.CharField(_("connected by (id)"), max_length=100, blank=True)
    user_name = models.CharField(_("connected by"), max_length=255, blank=True)
    user_email = models.CharField(_("connected by (e-mail)"), max_length=255, blank=True)
    user_role = models.CharField(_("user role"), max_length=255, blank=True)
    user_group = models.CharField(max_length=100, blank=True)
    facts = models.JSONField(default=dict, blank=True)

    state = models.CharField(_("state"), max_length=20, choices=State.choices, default=State.CONNECTING)
    state_reason = MessageField(_("why"), blank=True)
    state_since = models.DateTimeField(_("state since"), default=timezone.now)
    deleted = models.BooleanField(_("deleted"), default=False)
    send_again = models.BooleanField(
        _("send again when unclear"),
        default=False,
        help_text=_(
            "Where the CRM can't be asked whether a lead arrived: "
            "send it again instead of waiting for a person."
        ),
    )
    contact_directory = models.BooleanField(
        _("directory of contacts"),
        default=True,
        db_default=True,
        help_text=_(
            "Where many leads come, all contacts of the CRM are walked once and known by keyed hashes of "
            "their phones and e-mails, which spares a search for each person. Turned off, it is erased."
        ),
    )
    reconcile = models.BooleanField(
        _("nightly reconciliation"),
        default=True,
        db_default=True,
        help_text=_(
            "At night the deliveries of the last days are compared with what the CRM has, at a tenth of what "
            "it allows; what differs is told in a report."
        ),
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    connected_at = models.DateTimeField(_("connected at"), null=True, blank=True)

    next_sync_at = models.DateTimeField(_("next sync at"), null=True, blank=True)
    synced_at = models.DateTimeField(_("synced at"), null=True, blank=True)
    reconcile_at = models.DateTimeField(_("next reconciliation at"), null=True, blank=True)
    reconciled_at = models.DateTimeField(_("reconciled at"), null=True, blank=True)

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        ordering = ["-id"]
        permissions = [("connect_account", _("Can connect and disconnect accounts"))]
        constraints = [
            models.UniqueConstraint(
                fields=["account_id", "crm"], condition=Q(deleted=False), name="one_live_account_per_crm"
            ),
            models.UniqueConstraint(
                fields=["account_id", "crm", "remote_id"],
                condition=~Q(remote_id=""),
                name="one_row_per_crm_account",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["connecting", "active", "needs_reconnect", "paused", "disconnected"]),
                name="account_state_is_known",
            ),
        ]
        indexes = [
            models.Index(fields=["crm", "remote_id"], name="account_by_remote"),
            models.Index(
                fields=["next_sync_at"], condition=Q(deleted=False, state="active"), name="account_sync_due"
            ),
            models.Index(
                fields=["reconcile_at"],
                condition=Q(deleted=False, state="active", reconcile=True),
                name="account_reconcile_due",
            ),
            models.Index(
                fields=["reconciled_at"],
                condition=Q(deleted=False, state="active", reconcile=True),
                name="account_reconciled",
            ),
            models.Index(
                fields=["id"], condition=Q(deleted=False, state="needs_reconnect"), name="account_signed_out"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_crm_display()} {self.called}"

    @property
    def called(self) -> str:
        """How people know it."""
        return self.name or self.host or self.account_id

    @property
    def phone_region(self) -> str:
        """Where its phones without a country code belong."""
        return self.country or settings.PHONE_REGION

    @property
    def usable(self) -> bool:
        """May requests be sent for it?"""
        return self.state == self.State.ACTIVE and not self.deleted

    @property
    def pending(self) -> bool:
        """Is it on its way to be connected, for the first time or again?"""
        return self.state == self.State.CONNECTING


class Lane(models.Model):
    """When an account's deliveries are due, and who sends them: narrow, because it is written for each batch.

    The database makes the row with its account's, and keeps ``next_due`` (migrations ``accounts.0006`` and
    ``rules.0008``): the moment from which anything waits, null where nothing does. It may be too early, which
    costs a look, never too late. ``lease_until`` and ``holder``: one worker drains the lane. ``failures`` and
    ``rests_until``: its CRM was silent. ``review_at``: the account's deliveries are to be compared with its
    state, because that has changed. ``look_at``: from when on the CRM is to be asked what became of leads,
    kept as ``next_due`` is (migration ``rules.0021``). ``check_at``: when what its rules name is read again;
    null where nothing was sent lately. Written by ``rules``, and by ``accounts.states`` where the account's
    state changes.
    """

    account = models.OneToOneField(Account, on_delete=models.CASCADE, primary_key=True, related_name="lane")
    next_due = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    holder = models.CharField(max_length=40, blank=True, db_default="")
    rests_until = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0, db_default=0)
    review_at = models.DateTimeField(null=True, blank=True)
    look_at = models.DateTimeField(null=True, blank=True)
    check_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(
                Greatest("next_due", "lease_until", "rests_until"),
                condition=Q(next_due__isnull=False),
                name="lane_due",
            ),
            models.Index(fields=["review_at"], condition=Q(review_at__isnull=False), name="lane_to_review"),
            models.Index(fields=["look_at"], condition=Q(look_at__isnull=False), name="lane_to_look"),
            models.Index(fields=["check_at"], condition=Q(check_at__isnull=False), name="lane_to_check"),
            models.Index(fields=["account"], condition=Q(failures__gt=0), name="lane_silent"),
        ]

    def __str__(self) -> str:
        return f"lane of account {self.account_id}"


class AccountEvent(models.Model):
    """A move of an account from one state to another, or an attempt that was refused (both states alike).

    Written by ``accounts.history`` in the transaction of the move. ``who`` is a staff user's name.
    """

    class By(models.TextChoices):
        OWNER = "owner", _("its owner")
        CRM = "crm", _("the CRM")
        STAFF = "staff", _("staff")
        SERVICE = "service", _("this service")

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="events")
    at = models.DateTimeField(_("at"), default=timezone.now)
    before = models.CharField(_("from"), max_length=20, choices=Account.State.choices)
    after = models.CharField(_("to"), max_length=20, choices=Account.State.choices)
    reason = MessageField(_("why"), blank=True)
    by = models.CharField(_("by"), max_length=10, choices=By.choices)
    who = models.CharField(_("who"), max_length=150, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["account", "-id"], name="event_of_account")]

    def __str__(self) -> str:
        return f"account {self.account_id}: {self.before} → {self.after}"


class Token(models.Model):
    """An account's secrets: an OAuth pair, or a key and its second half. No admin page.

    ``refresh_at`` is when beat renews the pair; ``failures`` counts exchanges without an answer.
    ``exchange_begun_at``: an exchange was begun then, and nothing of its end was written down since.
    """

    account = models.OneToOneField(Account, on_delete=models.CASCADE, related_name="token")
    access = SecretField()
    refresh = SecretField(blank=True, default="")
    expires_at = models.DateTimeField(null=True, blank=True)
    refresh_at = models.DateTimeField(null=True, blank=True)
    refreshed_at = models.DateTimeField(null=True, blank=True)
    exchange_begun_at = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0)
    last_error = MessageField(blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["refresh_at"], condition=Q(refresh_at__isnull=False), name="token_refresh_due"
            )
        ]

    def __str__(self) -> str:
        return f"token of account {self.account_id}"


class ConnectAttempt(models.Model):
    """One way to a consent page and back: the OAuth ``state``, hashed, expiring, for one use."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="attempts")
    state_hash = models.CharField(max_length=64, unique=True)
    portal = models.CharField(max_length=255, blank=True)
    return_url = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes = [models.Index(fields=["expires_at"], name="connect_attempt_expiry")]

    def __str__(self) -> str:
        return f"attempt {self.pk} of account {self.account_id}"


class InstallKey(models.Model):
    """The secret with which a CRM proves its notices about one of its accounts.

    A portal hands it over when the integration is installed, mostly before anybody connects an account of
    it: so it belongs to the CRM's account, not to ours, and stays when ours is disconnected.
    """

    crm = models.CharField(_("CRM"), max_length=20)
    remote_id = models.CharField(_("CRM's account id"), max_length=100)
    secret = SecretField()
    created_at = models.DateTimeField(_("created at"), default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["crm", "remote_id"], name="one_key_per_crm_account")]

    def __str__(self) -> str:
        return f"key of {self.crm} {self.remote_id}"


class Hook(models.Model):
    """The address at which an account's CRM tells of changed leads: unguessable, one per account.

    ``contacts``: of changed contacts, too, where a directory of them is kept. ``ask_at`` is when the CRM is
    asked (again) to post there; ``error`` why it would not.
    """

    account = models.OneToOneField(Account, on_delete=models.CASCADE, related_name="hook")
    secret = SecretField()
    contacts = models.BooleanField(default=False, db_default=False)
    ask_at = models.DateTimeField(default=timezone.now)
    asked_at = models.DateTimeField(_("subscribed at"), null=True, blank=True)
    heard_at = models.DateTimeField(_("last notice at"), null=True, blank=True)
    error = MessageField(blank=True)

    class Meta:
        indexes = [models.Index(fields=["ask_at"], name="hook_due")]

    def __str__(self) -> str:
        return f"hook of account {self.account_id}"

    @property
    def url(self) -> str:
        """What the CRM posts to."""
        return f"{settings.PUBLIC_URL}/hooks/{self.pk}/{self.secret}"


class Checkup(models.Model):
    """What an account's CRM said when it was asked whether everything is right for us, once a day.

    ``problems`` are its connector's (``Connector.check``): rights that are missing, and what deliveries miss
    there. ``error`` says why it could not be asked. Written by ``accounts.checkups`` alone, but that
    ``accounts.states`` has it asked as soon as the account is connected.
    """

    account = models.OneToOneField(Account, on_delete=models.CASCADE, related_name="checkup")
    ask_at = models.DateTimeField(default=timezone.now)
    asked_at = models.DateTimeField(null=True, blank=True)
    problems = MessagesField(default=list, blank=True)
    error = MessageField(blank=True)

    class Meta:
        indexes = [models.Index(fields=["ask_at"], name="checkup_due")]

    def __str__(self) -> str:
        return f"checkup of account {self.account_id}"


class Unsubscription(models.Model):
    """An address that a CRM is still to be told to forget, after its account was disconnected.

    The account's own secrets are gone by then: ``access`` is the last token, kept for this one request and
    deleted with the row, within ``accounts.hooks.FORGET_AFTER``.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    url = SecretField()
    access = SecretField()
    ask_at = models.DateTimeField(default=timezone.now)
    created_at = models.DateTimeField(_("created at"), default=timezone.now)

    def __str__(self) -> str:
        return f"unsubscription of account {self.account_id}"


def shares_its_crm(account: Account) -> bool:
    """Is another quiz account connected to the same account of the CRM, or was it?

    Whom a former one was sending may be there already and not be found yet, and it may be back in a moment.
    """
    same = Account.objects.filter(crm=account.crm, remote_id=account.remote_id)
    return same.exclude(pk=account.pk).exists()


def first_in_turn(count: int) -> int:
    """Where rows are looked through ``count`` accounts a minute: the first key of this minute's."""
    newest = Account.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    return int(db_clock.now().timestamp() // 60) % (newest // count + 1) * count


def live_accounts(**chosen: Any) -> models.QuerySet[Account]:
    """Accounts that are not deleted."""
    return Account.objects.filter(deleted=False, **chosen)
