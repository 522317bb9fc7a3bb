"""The two groups of staff, and what each of them may do."""

from __future__ import annotations

from django.contrib.auth.models import Group, Permission
from django.db.models import Q

VIEWED = {
    "accounts": ("account",),
    "crm_cache": ("crmuser", "pipeline", "step", "field", "tag", "syncrun"),
    "rules": ("rule", "answer", "delivery", "outcome", "incident", "bulkrun"),
}
OPERATED = {"accounts": ("account",), "crm_cache": VIEWED["crm_cache"], "rules": VIEWED["rules"]}
GROUPS = {"viewer": (("view", VIEWED),), "operator": (("view", VIEWED), ("change", OPERATED))}


def make_groups() -> list[Group]:
    """Make both groups, or give them back exactly what they should have. A repeat changes nothing."""
    return [_make(name, grants) for name, grants in GROUPS.items()]


def _make(name: str, grants: tuple[tuple[str, dict[str, tuple[str, ...]]], ...]) -> Group:
    wanted = Q()
    for verb, models in grants:
        for app, names in models.items():
            codes = [f"{verb}_{model}" for model in names]
            wanted |= Q(content_type__app_label=app, codename__in=codes)
    group, _ = Group.objects.get_or_create(name=name)
    group.permissions.set(Permission.objects.filter(wanted))
    return group
