"""What the CRMs told us: people, pipelines, steps, fields, tags; written by ``sync``, or ``by_hand``."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.message_fields import MessageField
from accounts.models import Account
from accounts.texts import said, say


def unique(name: str, *fields: str) -> models.UniqueConstraint:
    return models.UniqueConstraint(fields=fields, name=name)


class CachedRow(models.Model):
    """What all mirrored rows share. Rows that left the CRM stay, ``deleted``, so that old rules keep a name.

    ``synced_at`` is when the row was last written; a walk that finds nothing new writes nothing. ``by_hand``:
    staff wrote it, for a CRM that has no lists of its own, and walks leave it alone.
    """

    account = models.ForeignKey(
        Account, on_delete=models.CASCADE, verbose_name=_("account"), related_name="+"
    )
    remote_id = models.CharField(_("remote id"), max_length=100)
    name = models.CharField(_("name"), max_length=500, blank=True)
    details = models.JSONField(_("details"), default=dict, blank=True)
    deleted = models.BooleanField(_("deleted"), default=False)
    by_hand = models.BooleanField(_("by hand"), default=False, editable=False)
    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    synced_at = models.DateTimeField(_("synced at"), default=timezone.now)

    class Meta:
        abstract = True
        ordering = ["id"]

    def __str__(self) -> str:
        return self.name or self.remote_id


class CrmUser(CachedRow):
    """Somebody who can be responsible for a lead; ``active`` is false for those who left."""

    email = models.CharField(_("email"), max_length=255, blank=True)
    role = models.CharField(_("role"), max_length=255, blank=True)
    group_id = models.CharField(_("group id"), max_length=100, blank=True)
    active = models.BooleanField(_("active"), default=True)

    class Meta(CachedRow.Meta):
        # Django calls those who log in here by the same word.
        verbose_name = pgettext_lazy("of a CRM", "user")
        verbose_name_plural = pgettext_lazy("of a CRM", "users")
        constraints = [unique("one_user_per_remote_id", "account", "remote_id")]
        indexes = [models.Index(fields=["account", "deleted", "active", "id"], name="user_list")]


class Pipeline(CachedRow):
    entity = models.CharField(_("entity"), max_length=50, blank=True)
    is_main = models.BooleanField(_("is main"), default=False)
    archived = models.BooleanField(_("archived"), default=False)
    sort = models.IntegerField(_("sort"), default=0)

    class Meta(CachedRow.Meta):
        verbose_name = _("pipeline")
        verbose_name_plural = _("pipelines")
        constraints = [unique("one_pipeline_per_remote_id", "account", "entity", "remote_id")]
        indexes = [models.Index(fields=["account", "deleted", "id"], name="pipeline_list")]


class Step(CachedRow):
    """A pipeline's stage, or an entry of another directory (``entity``). ``kind`` as in ``StepRow``."""

    pipeline_id = models.CharField(_("pipeline id"), max_length=100, blank=True)
    entity = models.CharField(_("entity"), max_length=50, blank=True)
    color = models.CharField(_("color"), max_length=30, blank=True)
    kind = models.CharField(_("kind"), max_length=20, default="open")
    sort = models.IntegerField(_("sort"), default=0)

    class Meta(CachedRow.Meta):
        verbose_name = _("step")
        verbose_name_plural = _("steps")
        constraints = [
            unique("one_step_per_pipeline_and_id", "account", "entity", "pipeline_id", "remote_id")
        ]
        indexes = [
            models.Index(fields=["account", "deleted", "id"], name="step_list"),
            models.Index(fields=["account", "pipeline_id", "deleted", "id"], name="step_by_pipeline"),
        ]


class Field(CachedRow):
    """A custom field; ``options`` is a list of ``{"id", "text", "code"}``."""

    entity = models.CharField(_("entity"), max_length=50)
    code = models.CharField(_("code"), max_length=100, blank=True)
    type = models.CharField(_("type"), max_length=50)
    multiple = models.BooleanField(_("multiple"), default=False)
    options = models.JSONField(_("options"), default=list, blank=True)

    class Meta(CachedRow.Meta):
        verbose_name = _("field")
        verbose_name_plural = _("fields")
        constraints = [unique("one_field_per_entity_and_id", "account", "entity", "remote_id")]
        indexes = [models.Index(fields=["account", "deleted", "id"], name="field_list")]


class Tag(CachedRow):
    entity = models.CharField(_("entity"), max_length=50)
    color = models.CharField(_("color"), max_length=30, blank=True)

    class Meta(CachedRow.Meta):
        verbose_name = _("tag")
        verbose_name_plural = _("tags")
        constraints = [unique("one_tag_per_entity_and_id", "account", "entity", "remote_id")]
        indexes = [models.Index(fields=["account", "deleted", "id"], name="tag_list")]


class SyncRun(models.Model):
    """One refresh of one cached list: asked for, under way, done or failed, and what it changed.

    States are moved by ``crm_cache.runs`` alone. ``error`` of a waiting run says what it waits for; a failed
    one that was ``refused`` would meet the same answer again until somebody gives us more rights.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    account = models.ForeignKey(
        Account, on_delete=models.CASCADE, verbose_name=_("account"), related_name="sync_runs"
    )
    what = models.CharField(_("list"), max_length=20)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.WAITING)
    pages = models.PositiveIntegerField(_("pages"), default=0)
    added = models.PositiveIntegerField(_("added"), default=0)
    changed = models.PositiveIntegerField(_("changed"), default=0)
    gone = models.PositiveIntegerField(_("gone"), default=0)
    error = MessageField(_("error"), blank=True)
    refused = models.BooleanField(default=False, db_default=False)
    asked_at = models.DateTimeField(_("asked at"), default=timezone.now)
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    alive_at = models.DateTimeField(_("alive at"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    class Meta:
        verbose_name = _("sync run")
        verbose_name_plural = _("sync runs")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "what"], condition=Q(state="waiting"), name="one_waiting_run_per_list"
            ),
            models.UniqueConstraint(
                fields=["account", "what"], condition=Q(state="running"), name="one_running_run_per_list"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "running", "done", "failed"]), name="sync_state_is_known"
            ),
        ]
        indexes = [
            models.Index(
                fields=["state", "asked_at"], condition=Q(state__in=["waiting", "running"]), name="sync_open"
            ),
            models.Index(fields=["account", "-id"], name="sync_of_account"),
        ]

    def __str__(self) -> str:
        return say("reading of list «{name}»", name=said(self.what))


class KnownContact(models.Model):
    """A person we met in a CRM: ``key`` is ``phone:+7...`` or ``email:a@b``, ``remote_id`` the contact.

    Kept for the CRM's own account (``crm``, ``crm_account``): quiz accounts connected to one share it.
    """

    crm = models.CharField(max_length=20)
    crm_account = models.CharField(max_length=100)
    key = models.CharField(max_length=330)
    remote_id = models.CharField(_("remote id"), max_length=100)
    seen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [unique("one_contact_per_key", "crm", "crm_account", "key")]

    def __str__(self) -> str:
        return f"contact {self.remote_id}"


class ContactDirectory(models.Model):
    """How far the contacts of a CRM's account were read, for all its quiz accounts (``crm_cache.directory``).

    ``key_id`` says with which of our keys the marks were made, ``region`` where phones without a country code
    belonged. ``wanted``: there is to be a directory; without it the row says when it was asked last whether
    one pays (``considered_at``). ``complete``, ``walked_to``, ``offset``, ``changed_to``, ``events_to`` and
    ``revision`` as in ``DirectoryState``. ``walking``: a walk is under way. ``due_at`` is when beat looks
    after it, ``followed_at`` when its changes were last read, ``walked_at`` when the last walk came to its
    end. ``holes`` are the last bits of marks that were erased with a person: whoever has the same is asked
    for in the CRM.
    """

    crm = models.CharField(_("CRM"), max_length=20)
    crm_account = models.CharField(_("CRM's account id"), max_length=100)
    key_id = models.CharField(max_length=16, blank=True)
    region = models.CharField(max_length=10, blank=True)
    wanted = models.BooleanField(default=False)
    complete = models.BooleanField(default=False)
    walking = models.BooleanField(default=False)
    walked_to = models.BigIntegerField(default=0)
    offset = models.BigIntegerField(default=0)
    changed_to = models.BigIntegerField(default=0)
    events_to = models.BigIntegerField(default=0)
    revision = models.BigIntegerField(default=0)
    holes = ArrayField(models.IntegerField(), default=list)
    considered_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    followed_at = models.DateTimeField(null=True)
    walked_at = models.DateTimeField(null=True)
    error = MessageField(blank=True)

    class Meta:
        constraints = [unique("one_directory_per_crm_account", "crm", "crm_account")]
        indexes = [models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="directory_due")]

    def __str__(self) -> str:
        return f"contacts of {self.crm} {self.crm_account}"


class DirectoryKey(models.Model):
    """One phone or e-mail of one contact: ``mark`` is 64 bits of its keyed hash, from which nobody reads it.

    The table has no primary key but two plain indexes, of ``mark`` and of ``(directory, contact)``: that
    saves a tenth of 110 bytes, and rows are written by one at a time (``ContactDirectory.revision``).
    """

    pk = models.CompositePrimaryKey("directory", "contact", "mark")
    mark = models.BigIntegerField()
    contact = models.BigIntegerField()
    directory = models.IntegerField()

    def __str__(self) -> str:
        return f"a key of contact {self.contact}"


class ContactHint(models.Model):
    """A notice named this contact since it was read: the next look at the directory reads it anew.

    At most ``directory.MOST_HINTS`` or so of a directory; gone once the contact was read.
    """

    pk = models.CompositePrimaryKey("directory_id", "contact")
    directory = models.ForeignKey(
        ContactDirectory, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    contact = models.BigIntegerField()
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"a hint at contact {self.contact}"


class Lease(models.Model):
    """Work that one at a time does in a CRM's account, whichever quiz account it is done for.

    ``key`` says which work, ``holder`` who does it; after ``until`` anybody may take it. See ``leases``.
    """

    crm = models.CharField(max_length=20)
    crm_account = models.CharField(max_length=100)
    key = models.CharField(max_length=330)
    holder = models.CharField(max_length=40)
    until = models.DateTimeField()

    class Meta:
        constraints = [unique("one_lease_per_key", "crm", "crm_account", "key")]
        indexes = [
            models.Index(fields=["holder"], name="lease_of_holder"),
            models.Index(fields=["until"], name="lease_by_end"),
        ]

    def __str__(self) -> str:
        return f"lease of {self.holder}"
