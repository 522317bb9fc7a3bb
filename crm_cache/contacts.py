"""The people we met in a CRM, so that the next lead of a person needs no search."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.utils import timezone

from crm_cache.models import KnownContact

LONGEST = 330


def known_contacts(account_id: int, keys: Iterable[str]) -> dict[str, str]:
    """``{key: remote contact id}`` for those of ``keys`` (``Person.keys``) that we remember. One query."""
    rows = KnownContact.objects.filter(account_id=account_id, key__in=list(keys))
    return dict(rows.values_list("key", "remote_id"))


def remember(account_id: int, met: Mapping[str, str]) -> None:
    """Keep ``{key: remote contact id}``; the newest word on a key counts. One statement."""
    now = timezone.now()
    # In one order everywhere, so that two workers never wait for each other's rows in a ring.
    rows = [
        KnownContact(account_id=account_id, key=key, remote_id=remote_id, seen_at=now)
        for key, remote_id in sorted(met.items())
        if len(key) <= LONGEST
    ]
    KnownContact.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["account", "key"], update_fields=["remote_id", "seen_at"]
    )
