"""The lane of an account: a lease on its row, so that one worker at a time drains it.

Taken, renewed and left by conditional updates; a worker that dies leaves a lease that runs out. A lane
rests after its CRM was silent, and then lets a single delivery probe (half-open).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import Account
from rules.delivery.retry import lane_rest


@dataclass(slots=True)
class Lane:
    """A taken lane. ``until`` is when the lease ends unless it is renewed."""

    account: Account
    holder: str
    until: datetime

    @property
    def probing(self) -> bool:
        """The CRM was silent last time: one delivery goes first."""
        return self.account.lane_failures > 0

    @property
    def alive(self) -> bool:
        """Is the lease still ours, by our own clock?"""
        return timezone.now() < self.until

    def renew(self) -> bool:
        """Prolong the lease, and learn of a pause. False where the lane is no longer ours."""
        until = timezone.now() + settings.LANE_LEASE
        mine = self._mine().filter(state=Account.State.ACTIVE, deleted=False)
        if not mine.update(lane_until=until):
            return False
        self.until = until
        return True

    def due_for_renewal(self) -> bool:
        return timezone.now() > self.until - settings.LANE_LEASE * 2 / 3

    def leave(self) -> None:
        self._mine().update(lane_until=None, lane_holder="")

    def rest(self, asked: float | None = None) -> None:
        """The CRM was silent: no request for a while, then one probe."""
        self.account.lane_failures += 1
        pause = lane_rest(self.account.lane_failures, asked)
        self._row().update(lane_failures=F("lane_failures") + 1, lane_rests_until=timezone.now() + pause)

    def recover(self) -> None:
        """The CRM answered: full width again."""
        if self.account.lane_failures:
            self.account.lane_failures = 0
            self._row().update(lane_failures=0, lane_rests_until=None)

    def _row(self):  # type: ignore[no-untyped-def]
        return Account.objects.filter(pk=self.account.pk)

    def _mine(self):  # type: ignore[no-untyped-def]
        return self._row().filter(lane_holder=self.holder)


def take_lane(account_id: int) -> Lane | None:
    """The lane, or None: another worker has it, it rests, or the account is not active."""
    now, holder = timezone.now(), secrets.token_hex(8)
    free = Q(lane_until__isnull=True) | Q(lane_until__lt=now)
    rested = Q(lane_rests_until__isnull=True) | Q(lane_rests_until__lte=now)
    until = now + settings.LANE_LEASE
    row = Account.objects.filter(free, rested, pk=account_id, state=Account.State.ACTIVE, deleted=False)
    if not row.update(lane_until=until, lane_holder=holder):
        return None
    return Lane(Account.objects.get(pk=account_id), holder, until)


def end_rests(account_ids: Iterable[int]) -> None:
    """A person doesn't want to wait: these lanes may be probed at once."""
    Account.objects.filter(pk__in=account_ids, lane_rests_until__isnull=False).update(lane_rests_until=None)
