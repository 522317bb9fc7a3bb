"""The people we met in a CRM, so that the next lead of a person needs no search."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.db.models import Exists, OuterRef

from accounts import database, db_clock
from accounts.models import Account, live_accounts
from crm_cache.models import KnownContact

LONGEST = 330
AT_ONCE = 5000


def known_contacts(account: Account, keys: Iterable[str]) -> dict[str, str]:
    """``{key: remote contact id}`` for those of ``keys`` (``Person.keys``) that we remember. One query.

    What any quiz account met in the same account of the CRM counts.
    """
    wanted = list(keys)
    return dict(database.run(KNOWN, [account.crm, account.remote_id, wanted])) if wanted else {}


KNOWN = """
SELECT key, remote_id FROM crm_cache_knowncontact
WHERE crm = %s AND crm_account = %s AND key = ANY (%s::text[])
"""


def remember(account: Account, met: Mapping[str, str]) -> None:
    """Keep ``{key: remote contact id}``; the newest word on a key counts. One statement."""
    if kept := {key: remote_id for key, remote_id in met.items() if len(key) <= LONGEST}:
        document = database.document(kept)
        database.run(REMEMBER, [account.crm, account.remote_id, db_clock.now(), document])


# A jsonb has its keys in one order everywhere: two workers never wait for each other's rows in a ring.
REMEMBER = """
INSERT INTO crm_cache_knowncontact (crm, crm_account, key, remote_id, seen_at)
SELECT %s, %s, met.key, met.value, %s FROM jsonb_each_text(%s::jsonb) met
ON CONFLICT (crm, crm_account, key) DO UPDATE SET remote_id = excluded.remote_id, seen_at = excluded.seen_at
"""


def forget_disconnected() -> int:
    """Drop whom we met in CRM accounts that no quiz account is connected to any more. Returns how many keys,
    at most ``AT_ONCE``; beat comes again."""
    connected = live_accounts(crm=OuterRef("crm"), remote_id=OuterRef("crm_account"))
    orphans = KnownContact.objects.exclude(Exists(connected)).values("pk")[:AT_ONCE]
    return KnownContact.objects.filter(pk__in=orphans).delete()[0]
