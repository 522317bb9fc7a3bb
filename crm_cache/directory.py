"""The directory of an account's contacts as it is stored: marks of phones and e-mails, how far it was read.

A mark is 64 bits of an HMAC over the CRM, its account and a key (``Person.keys``), with a key that is derived
from the first of ENCRYPTION_KEYS when the directory is begun. So a directory is good as long as that one is
listed; once it isn't, or when a walk is due anyway, it is begun anew. Nothing of a contact can be read from
it, and it is erased when nobody is connected to the CRM's account any more, or a switch is turned off.

Whatever is written was read at a known revision, by which one at a time writes, in whichever process. Notices
of changed contacts are only hints at whom to read anew; more than ``MOST_HINTS`` are not kept.
"""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from accounts import db_clock, hooks
from accounts.database import given_back
from accounts.models import Account, live_accounts
from connectors.contact_directory import ContactDirectory as Directory
from connectors.contact_directory import DirectoryState, NoDirectory
from connectors.registry import connector_class
from crm_cache.models import ContactDirectory, ContactHint, DirectoryKey

log = structlog.stdlib.get_logger(__name__)
ERASED_AT_ONCE = 20_000
MOST_HINTS = 1000  # of a directory that wait; a lost one costs no lead its contact, only time
HOW_FAR = ("complete", "walked_to", "offset", "changed_to", "events_to")  # it was read; row and state have it
HOLE = 0xFFFF  # so many bits of a mark say that somebody of thousands was erased, and not who
_TURNS: dict[tuple[str, str], threading.Lock] = {}


def directory_for(account: Account) -> Directory:
    """What the account's connector is given."""
    return StoredDirectory(account) if is_allowed(account) else NoDirectory()


def is_allowed(account: Account) -> bool:
    """May this account's contacts be walked?"""
    able = connector_class(account.crm).can.directory and bool(account.remote_id)
    return able and settings.CONTACT_DIRECTORY and account.contact_directory


# -- keys and marks ---------------------------------------------------------------------------------------


@lru_cache(maxsize=4)
def _secrets(keys: tuple[str, ...]) -> dict[str, bytes]:
    """The keys of marks by their ids, the one for new directories first."""
    made = [hmac.digest(key.encode(), b"contact directory", "sha256") for key in keys]
    return {hashlib.sha256(secret).hexdigest()[:16]: secret for secret in made}


def listed_keys() -> dict[str, bytes]:
    return _secrets(tuple(settings.ENCRYPTION_KEYS))


def mark_of(secret: bytes, crm: str, crm_account: str, key: str) -> int:
    told = hmac.digest(secret, f"{crm}|{crm_account}|{key}".encode(), "sha256")
    return int.from_bytes(told[:8], "big", signed=True)


# -- what a connector sees --------------------------------------------------------------------------------


class StoredDirectory(Directory):
    """The directory of one account's CRM. Threads may share one; each call gives its connection back."""

    def __init__(self, account: Account) -> None:
        self.crm, self.crm_account = account.crm, account.remote_id
        self.region = account.phone_region

    def turn(self) -> AbstractContextManager[object]:
        return _TURNS.setdefault((self.crm, self.crm_account), threading.Lock())

    def state(self) -> DirectoryState | None:
        with given_back():
            row = self._rows().filter(wanted=True, region=self.region).first()
            now = db_clock.now()
            hints = ContactHint.objects.filter(directory=row, at__lte=now).order_by("at")
            hinted = tuple(hints.values_list("contact", flat=True)) if row else ()
        if row is None or row.key_id not in listed_keys():
            return None
        age = (now - row.followed_at).total_seconds() if row.followed_at else float("inf")
        kept = {name: getattr(row, name) for name in ("region", "revision", *HOW_FAR)}
        return DirectoryState(**kept, age=age, read_at=now.timestamp(), hinted=hinted)

    def find(self, keys: Collection[str]) -> Mapping[str, Sequence[int]]:
        with given_back():
            row = self._rows().first()
            secret = listed_keys().get(row.key_id) if row else None
            if row is None or secret is None:
                return dict.fromkeys(keys, ())
            marks = {key: mark_of(secret, self.crm, self.crm_account, key) for key in keys}
            found: dict[int, list[int]] = {}
            rows = DirectoryKey.objects.filter(directory=row.pk, mark__in=list(marks.values()))
            for mark, contact in rows.values_list("mark", "contact"):
                found.setdefault(mark, []).append(contact)
        holes = set(row.holes)
        return {
            key: tuple(found.get(mark, ()))
            for key, mark in marks.items()
            if mark in found or mark & HOLE in holes
        }

    def take(
        self,
        before: DirectoryState,
        after: DirectoryState,
        contacts: Mapping[int, Collection[str]],
        *,
        span: tuple[int, int] | None = None,
        followed: bool = False,
    ) -> bool:
        changes: dict[str, Any] = {name: getattr(after, name) for name in HOW_FAR}
        changes["revision"] = before.revision + 1
        read_at = datetime.fromtimestamp(before.read_at, UTC)
        if followed:
            changes["followed_at"] = read_at
        with given_back(), transaction.atomic():
            rows = self._rows().filter(wanted=True, region=before.region, revision=before.revision)
            if not rows.update(**changes):
                return False
            row = self._rows().get()
            secret = listed_keys().get(row.key_id)
            if secret is None:
                transaction.set_rollback(True)
                return False
            found = {
                (contact, mark_of(secret, self.crm, self.crm_account, key))
                for contact, keys in contacts.items()
                for key in keys
            }
            _replace(row.pk, found, list(contacts), span or (0, 0))
            hints = ContactHint.objects.filter(directory=row.pk, at__lte=read_at)
            hints.filter(contact__in=list(contacts)).delete()
        return True

    def drop(self, contacts: Collection[int]) -> None:
        with given_back():
            directories = self._rows().values("pk")
            DirectoryKey.objects.filter(directory__in=directories, contact__in=list(contacts)).delete()

    def ask_for_reading(self) -> None:
        with given_back():
            self._rows().filter(wanted=True, due_at__gt=db_clock.now()).update(due_at=db_clock.now())

    def _rows(self) -> QuerySet[ContactDirectory]:
        return ContactDirectory.objects.filter(crm=self.crm, crm_account=self.crm_account)


def _replace(
    directory: int, found: Collection[tuple[int, int]], contacts: Sequence[int], span: tuple[int, int]
) -> None:
    """Make the (contact, mark) rows of these contacts, and of all ids of the span, those that were found.
    Only what differs is written."""
    with connection.cursor() as cursor:
        cursor.execute(
            KNOWN, {"directory": directory, "ids": list(contacts), "low": span[0], "high": span[1]}
        )
        known = set(cursor.fetchall())
        for statement, pairs in ((DELETE, known - set(found)), (INSERT, set(found) - known)):
            if pairs:
                ordered = sorted(pairs)
                ids, marks = [pair[0] for pair in ordered], [pair[1] for pair in ordered]
                cursor.execute(statement, {"directory": directory, "ids": ids, "marks": marks})


KNOWN = """
SELECT contact, mark FROM crm_cache_directorykey
WHERE directory = %(directory)s AND contact = ANY(%(ids)s::bigint[])
UNION
SELECT contact, mark FROM crm_cache_directorykey
WHERE directory = %(directory)s AND contact > %(low)s AND contact <= %(high)s
"""
DELETE = """
DELETE FROM crm_cache_directorykey k USING unnest(%(ids)s::bigint[], %(marks)s::bigint[]) AS t(contact, mark)
WHERE k.directory = %(directory)s AND k.contact = t.contact AND k.mark = t.mark
"""
INSERT = """
INSERT INTO crm_cache_directorykey (mark, contact, directory)
SELECT t.mark, t.contact, %(directory)s
FROM unnest(%(ids)s::bigint[], %(marks)s::bigint[]) AS t(contact, mark)
"""


def hint(account: Account, contacts: Iterable[str], made: Collection[str] = ()) -> None:
    """A notice of the account's CRM says that these have changed; nobody is believed more than that.

    Those that were just ``made`` say nothing new where they have been read since: mostly they are our own,
    and where leads come by the hundred their notices are late.
    """
    ids = sorted(map(int, contacts))  # one order everywhere, so that two never wait for each other in a ring
    new = [str(contact) in made for contact in ids]
    with connection.cursor() as cursor:
        cursor.execute(HINT, [db_clock.now(), account.crm, account.remote_id, ids, new, MOST_HINTS])


HINT = """
INSERT INTO crm_cache_contacthint (directory_id, contact, at)
SELECT d.id, t.contact, %s
FROM (SELECT id FROM crm_cache_contactdirectory WHERE crm = %s AND crm_account = %s AND wanted) d,
    unnest(%s::bigint[], %s::bool[]) AS t(contact, made)
WHERE NOT (t.made AND EXISTS (
    SELECT FROM crm_cache_directorykey k WHERE k.directory = d.id AND k.contact = t.contact
)) AND (SELECT count(*) FROM crm_cache_contacthint h WHERE h.directory_id = d.id) < %s
ORDER BY t.contact
ON CONFLICT (directory_id, contact) DO UPDATE SET at = EXCLUDED.at
"""


# -- the life of a directory ------------------------------------------------------------------------------


def begin(account: Account) -> None:
    """There is to be a directory of these contacts: walk them soon, from the first one. What was there under
    another key is worth nothing."""
    key_id = next(iter(listed_keys()))
    unread = DirectoryState(account.phone_region)
    fresh: dict[str, Any] = {
        **{name: getattr(unread, name) for name in HOW_FAR},
        "wanted": True,
        "walking": True,
        "key_id": key_id,
        "region": account.phone_region,
        "holes": [],
        "due_at": db_clock.now(),
        "followed_at": None,
        "error": "",
    }
    with transaction.atomic():
        row, _ = ContactDirectory.objects.select_for_update().get_or_create(
            crm=account.crm, crm_account=account.remote_id
        )
        if row.key_id not in ("", key_id):
            DirectoryKey.objects.filter(directory=row.pk).delete()
        ContactDirectory.objects.filter(pk=row.pk).update(revision=F("revision") + 1, **fresh)
    log.info("contacts are to be walked", account=account.pk, crm=account.crm)


def note_considered(account: Account) -> None:
    """It was asked whether a directory pays."""
    ContactDirectory.objects.update_or_create(
        crm=account.crm, crm_account=account.remote_id, defaults={"considered_at": db_clock.now()}
    )


def give_up(account: Account, error: str) -> None:
    """The account's contacts can't be walked. What was read is erased; ``considered_at`` says since when."""
    rows = ContactDirectory.objects.filter(crm=account.crm, crm_account=account.remote_id)
    _want_no_more(rows, error=error, considered_at=db_clock.now())


def _want_no_more(rows: QuerySet[ContactDirectory], **changes: Any) -> None:
    """It proves nothing any more, should somebody connect again while it is erased; its CRM is asked to post
    no more of contacts."""
    for row in rows:
        with transaction.atomic():
            rows.filter(pk=row.pk).update(revision=F("revision") + 1, **UNWANTED, **changes)
            ContactHint.objects.filter(directory=row.pk).delete()
            hooks.want_contacts(row.crm, row.crm_account, False)


UNWANTED = {"wanted": False, "complete": False, "walking": False, "due_at": None}


def erase_unwanted() -> int:
    """Erase directories of accounts that nobody is connected to, or that are not allowed any more; how many
    keys went, at most ``ERASED_AT_ONCE``. Beat comes again."""
    same = live_accounts(crm=OuterRef("crm"), remote_id=OuterRef("crm_account"))
    unwanted = ~Exists(same) | Exists(same.filter(contact_directory=False))
    rows = ContactDirectory.objects.all()
    stray = rows.filter(unwanted) if settings.CONTACT_DIRECTORY else rows
    _want_no_more(stray.filter(wanted=True))
    erased = 0
    for row in rows.filter(wanted=False).exclude(key_id=""):
        left = ERASED_AT_ONCE - erased
        if left <= 0:
            break
        with connection.cursor() as cursor:
            cursor.execute(ERASE, [row.pk, left])
            count = cursor.rowcount
        erased += count
        if count < left:
            rows.filter(pk=row.pk, wanted=False).update(key_id="", holes=[])
    ContactDirectory.objects.filter(~Exists(same), wanted=False, key_id="").delete()
    return erased


ERASE = """
DELETE FROM crm_cache_directorykey
WHERE ctid = ANY(ARRAY(SELECT ctid FROM crm_cache_directorykey WHERE directory = %s LIMIT %s))
"""


def forget(keys: Iterable[str]) -> None:
    """Somebody is to be forgotten: in no directory is a mark of them.

    Their contact may stand in the CRM all the same, so absence proves nothing for them: it is kept that
    somebody was erased, by so few bits of a mark that thousands share them, until the next walk.
    """
    keys = list(keys)
    known = listed_keys()
    for row in ContactDirectory.objects.exclude(key_id=""):
        if (secret := known.get(row.key_id)) is None:
            continue
        marks = [mark_of(secret, row.crm, row.crm_account, key) for key in keys]
        with transaction.atomic():
            mine = ContactDirectory.objects.select_for_update().get(pk=row.pk)
            gone, _ = DirectoryKey.objects.filter(directory=row.pk, mark__in=marks).delete()
            if gone:
                mine.holes = sorted({*mine.holes, *(mark & HOLE for mark in marks)})
                mine.save(update_fields=["holes"])


def status_of(account: Account) -> ContactDirectory | None:
    """For people, and for whoever decides whether a directory pays."""
    return ContactDirectory.objects.filter(crm=account.crm, crm_account=account.remote_id).first()


def due(now: datetime, most: int) -> list[Account]:
    """One account for each directory that is due, whichever of those that share it can be used."""
    rows = ContactDirectory.objects.filter(wanted=True, due_at__lte=now).order_by("due_at")[:most]
    usable = Q()
    for row in rows:
        usable |= Q(crm=row.crm, remote_id=row.crm_account)
    accounts = live_accounts(state=Account.State.ACTIVE).filter(usable) if usable else Account.objects.none()
    return list({(one.crm, one.remote_id): one for one in accounts.defer("facts").order_by("-pk")}.values())
