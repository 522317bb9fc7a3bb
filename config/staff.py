"""The groups of staff, and what each of them may do.

A viewer sees how things stand. An operator mends: tries again, resumes, edits rules, and reads who answered.
An administrator also connects accounts, says where events are posted, reads whole bodies and what was said to
CRMs, forgets people, looks after staff, and sees who did what.
"""

from __future__ import annotations

from django.contrib.auth.models import Group, Permission
from django.db.models import Q

VIEWED = {
    "accounts": ("account", "webhookendpoint"),
    "crm_cache": ("crmuser", "pipeline", "step", "field", "tag", "syncrun"),
    "rules": ("rule", "answer", "delivery", "outcome", "incident", "bulkrun", "reconciliation", "finding"),
}
OPERATED = {"accounts": ("account",), "crm_cache": VIEWED["crm_cache"], "rules": VIEWED["rules"]}
ADMINISTERED = {
    "auth": ("user", "group"),
    "axes": ("accessattempt",),
    "admin": ("logentry",),
    "rules": ("erasure",),
}
Grant = tuple[str, dict[str, tuple[str, ...]]]  # a verb, and the models of each app
VIEWER: tuple[Grant, ...] = (("view", VIEWED),)
OPERATOR: tuple[Grant, ...] = (*VIEWER, ("change", OPERATED))
ADMINISTRATOR: tuple[Grant, ...] = (
    *OPERATOR,
    ("view", ADMINISTERED),
    ("connect", {"accounts": ("account",)}),
    ("change", {"accounts": ("webhookendpoint",)}),
    ("view", {"rules": ("payload",)}),
    ("erase", {"rules": ("person",)}),
    ("add", {"auth": ("user",)}),
    ("change", {"auth": ("user",)}),
    ("delete", {"auth": ("user",), "axes": ("accessattempt",)}),
)
GROUPS = {"viewer": VIEWER, "operator": OPERATOR, "administrator": ADMINISTRATOR}


def make_groups() -> list[Group]:
    """Make the groups, or give them back exactly what they should have. A repeat changes nothing."""
    return [_make(name, grants) for name, grants in GROUPS.items()]


def _make(name: str, grants: tuple[Grant, ...]) -> Group:
    wanted = Q()
    for verb, models in grants:
        for app, names in models.items():
            codes = [f"{verb}_{model}" for model in names]
            wanted |= Q(content_type__app_label=app, codename__in=codes)
    group, _ = Group.objects.get_or_create(name=name)
    group.permissions.set(Permission.objects.filter(wanted))
    return group
