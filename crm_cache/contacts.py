"""The people we met in a CRM, so that the next lead of a person needs no search."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.db.models import Exists, OuterRef

from accounts import db_clock
from accounts.models import Account, live_accounts
from crm_cache.models import KnownContact

LONGEST = 330
AT_ONCE = 5000


def known_contacts(account: Account, keys: Iterable[str]) -> dict[str, str]:
    """``{key: remote contact id}`` for those of ``keys`` (``Person.keys``) that we remember. One query.

    What any quiz account met in the same account of the CRM counts.
    """
    rows = KnownContact.objects.filter(crm=account.crm, crm_account=account.remote_id, key__in=list(keys))
    return dict(rows.values_list("key", "remote_id"))


def remember(account: Account, met: Mapping[str, str]) -> None:
    """Keep ``{key: remote contact id}``; the newest word on a key counts. One statement."""
    now = db_clock.now()
    # In one order everywhere, so that two workers never wait for each other's rows in a ring.
    rows = [
        KnownContact(
            crm=account.crm, crm_account=account.remote_id, key=key, remote_id=remote_id, seen_at=now
        )
        for key, remote_id in sorted(met.items())
        if len(key) <= LONGEST
    ]
    KnownContact.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["crm", "crm_account", "key"],
        update_fields=["remote_id", "seen_at"],
    )


def forget_disconnected() -> int:
    """Drop whom we met in CRM accounts that no quiz account is connected to any more. Returns how many keys,
    at most ``AT_ONCE``; beat comes again."""
    connected = live_accounts(crm=OuterRef("crm"), remote_id=OuterRef("crm_account"))
    orphans = KnownContact.objects.exclude(Exists(connected)).values("pk")[:AT_ONCE]
    return KnownContact.objects.filter(pk__in=orphans).delete()[0]
