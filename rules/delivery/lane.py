"""The lane of an account: a lease on its row (``accounts.models.Lane``), so that one worker drains it.

Taken, renewed and left by conditional updates; a worker that dies leaves a lease that runs out. A lane
rests after its CRM was silent, and then lets a single delivery probe (half-open). Times are the database's.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Coalesce, Greatest

from accounts import db_clock
from accounts.models import Account, Lane
from rules.delivery.retry import lane_rest

INTAKE_LOCK, INTAKE_LOCKS = 7107, 256  # shared by whoever adds to a lane: migrations rules.0008, rules.0021
MARGIN = 0.1  # of a lease: its holder stops so much earlier than others may begin
NO_RULES: Mapping[int, datetime] = MappingProxyType({})
NOBODY: dict[str, Any] = {"lease_until": None, "holder": ""}


@dataclass(slots=True)
class LaneLease:
    """A taken lane. ``failures``: how often in a row its CRM was silent."""

    account: Account
    holder: str
    failures: int
    _renewed: float = field(default_factory=db_clock.elapsed)
    _lost: bool = False

    @property
    def probing(self) -> bool:
        """The CRM was silent last time: one delivery goes first."""
        return self.failures > 0

    @property
    def alive(self) -> bool:
        """Is the lease still ours? Counted from before it was asked for, by no clock that can be set."""
        return not self._lost and self._age() < _length() * (1 - MARGIN)

    def renew(self) -> bool:
        """Prolong the lease, and learn of a pause. False where the lane is no longer ours.

        Whatever keeps us from renewing it, an error of the database too, ends the lease for us.
        """
        begun, mine = db_clock.elapsed(), False
        try:
            mine = _update(RENEW, until=db_clock.now() + settings.LANE_LEASE, **self._me()) is not None
        finally:
            self._lost = not mine
        self._renewed = begun
        return mine

    def due_for_renewal(self) -> bool:
        return self._age() > _length() / 3

    def leave(self, resting: Mapping[int, datetime] = NO_RULES) -> None:
        """Somebody else may take it, once something is due again; what its rules name is read by then.
        ``resting``: rules by which nothing is to be sent before that time."""
        reckon(self.account.pk, resting)
        checked = Coalesce("check_at", Value(db_clock.now()))
        self._row().filter(holder=self.holder).update(**NOBODY, check_at=checked)
        self._lost = True

    def rest(self, asked: float | None = None) -> None:
        """The CRM was silent: no request for a while, then one probe."""
        self.failures += 1
        until = db_clock.now() + lane_rest(self.failures, asked)
        self._row().update(failures=F("failures") + 1, rests_until=until)

    def recover(self) -> None:
        """The CRM answered: full width again."""
        if self.failures:
            self.failures = 0
            forget_silence(self.account.pk)

    def _age(self) -> float:
        return db_clock.elapsed() - self._renewed

    def _row(self) -> QuerySet[Lane]:
        return Lane.objects.filter(pk=self.account.pk)

    def _me(self) -> dict[str, Any]:
        return {"account": self.account.pk, "holder": self.holder}


# The conditions on the lane's own columns are asked again by PostgreSQL once a concurrent update has ended.
TAKE = """
UPDATE accounts_lane l SET lease_until = %(until)s, holder = %(holder)s
FROM accounts_account a
WHERE a.id = l.account_id AND l.account_id = %(account)s AND a.state = 'active' AND NOT a.deleted
AND (l.lease_until IS NULL OR l.lease_until < %(now)s) AND (l.rests_until IS NULL OR l.rests_until <= %(now)s)
RETURNING l.failures
"""
RENEW = """
UPDATE accounts_lane l SET lease_until = %(until)s
FROM accounts_account a
WHERE a.id = l.account_id AND l.account_id = %(account)s AND a.state = 'active' AND NOT a.deleted
AND l.holder = %(holder)s
RETURNING l.failures
"""
# From when on anything waits in the lane of ``s``, a row of accounts_lane, by rules that do not rest.
NEXT_DUE = """least(
    (SELECT min(due_at) FROM rules_delivery d WHERE d.account_id = s.account_id AND state = 'waiting'
     AND rule_id <> ALL (%(resting)s::bigint[])),
    (SELECT min(claimed_at) FROM rules_delivery d WHERE d.account_id = s.account_id AND state = 'sending')
)"""
RECKON = f"""
UPDATE accounts_lane l SET next_due = found.due
FROM (SELECT least({NEXT_DUE}, %(until)s) AS due FROM accounts_lane s WHERE account_id = %(account)s) found
WHERE l.account_id = %(account)s AND l.next_due IS DISTINCT FROM found.due
"""  # noqa: S608 - words of our own
RECKON_LOOKS = """
UPDATE accounts_lane l SET look_at = found.due
FROM (SELECT min(next_look_at) AS due FROM rules_outcome WHERE account_id = %(account)s) found
WHERE l.account_id = %(account)s AND l.look_at IS DISTINCT FROM found.due
"""


def take_lane(account_id: int) -> LaneLease | None:
    """The lane, or None: another worker has it, it rests, or the account is not active."""
    begun, now, holder = db_clock.elapsed(), db_clock.now(), secrets.token_hex(8)
    until = now + settings.LANE_LEASE
    failures = _update(TAKE, account=account_id, holder=holder, now=now, until=until)
    if failures is None:
        return None
    return LaneLease(Account.objects.get(pk=account_id), holder, failures, begun)


def reckon(account_id: int, resting: Mapping[int, datetime] = NO_RULES) -> None:
    """Say anew from when on anything waits in the lane, by rules that rest not before they end."""
    _reckon(account_id, RECKON, resting=list(resting), until=min(resting.values(), default=None))


def reckon_looks(account_id: int) -> None:
    """Say anew from when on the CRM is to be asked what became of leads."""
    _reckon(account_id, RECKON_LOOKS)


def _reckon(account_id: int, statement: str, **values: Any) -> None:
    """Not while somebody is adding to the lane (``INTAKE_LOCK``): what is not committed can't be seen here,
    and would be forgotten. The lane then stays due, and whoever finds nothing in it reckons again."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [INTAKE_LOCK, account_id % INTAKE_LOCKS])
        if cursor.fetchone()[0]:
            cursor.execute(statement, {"account": account_id, **values})


def due_lanes(most: int, *, usable: bool) -> list[int]:
    """Accounts in whose lanes something waits or was left half-sent, and nobody is at it; those that have
    waited longest come first."""
    wakes = Greatest("next_due", "lease_until", "rests_until")
    rows = Lane.objects.annotate(wakes=wakes).filter(next_due__isnull=False, wakes__lte=db_clock.now())
    active = Q(account__state=Account.State.ACTIVE, account__deleted=False)
    chosen = rows.filter(active) if usable else rows.exclude(active)
    return list(chosen.order_by("wakes", "pk").values_list("pk", flat=True)[:most])


def goes_first(account_id: int) -> bool:
    """Does anything wait in this lane that goes before looks at what became of leads?"""
    return Lane.objects.filter(pk=account_id, next_due__lte=db_clock.now()).exists()


def forget_silence(account_id: int) -> None:
    """Its CRM answers again, or its account has come back."""
    Lane.objects.filter(pk=account_id).update(failures=0, rests_until=None)


def end_rests(account_ids: Iterable[int]) -> None:
    """A person doesn't want to wait: these lanes may be probed at once."""
    Lane.objects.filter(pk__in=account_ids, rests_until__isnull=False).update(rests_until=None)


def is_free() -> Q:
    """Nobody holds the lane."""
    return Q(lane__lease_until__isnull=True) | Q(lane__lease_until__lt=db_clock.now())


def _length() -> float:
    return settings.LANE_LEASE.total_seconds()


def _update(statement: str, **values: Any) -> int | None:
    """The lane's failures where the update took place."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        row = cursor.fetchone()
    return int(row[0]) if row else None
