"""An account that was disconnected and connected anew goes on with what was left.

Our row is a new one, but it is the same quiz account and the same account of the same CRM: what waited there
is sent, what was delivered is followed. Another account of the CRM inherits nothing.
"""

from __future__ import annotations

import logging

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet, Subquery

from accounts.models import Account, live_accounts
from rules.models import Delivery, Outcome, Rule

log = logging.getLogger(__name__)
AT_ONCE = 5000  # deliveries a round; the sweep comes again


def hand_over() -> None:
    """Move what disconnected accounts have left to those connected in their place."""
    same = {name: OuterRef(name) for name in ("account_id", "crm", "remote_id")}
    heir = live_accounts(state=Account.State.ACTIVE, **same).values("pk")[:1]
    left = Account.objects.filter(deleted=True).exclude(remote_id="").annotate(heir=Subquery(heir))
    with_work = Exists(Delivery.objects.filter(account=OuterRef("pk")))
    for old, heir_id in left.filter(with_work, heir__isnull=False).values_list("pk", "heir"):
        moved = _move(old, heir_id)
        log.info("account=%s inherits=%s from=%s", heir_id, moved, old)


def _move(old: int, heir: int) -> int:
    """Not what is being sent, and not what the heir was sent, too."""
    known = Delivery.objects.filter(answer=OuterRef("answer"), account=heir)
    rows = Delivery.objects.filter(account=old).exclude(state=Delivery.State.SENDING).exclude(Exists(known))
    with transaction.atomic():
        ids = list(rows.select_for_update().values_list("pk", flat=True)[:AT_ONCE])
        moving = Delivery.objects.filter(pk__in=ids)
        _give_rules(moving.exclude(state=Delivery.State.DELIVERED), heir)
        Outcome.objects.filter(delivery__in=ids).update(account=heir)
        return moving.update(account=heir)


def _give_rules(waiting: QuerySet[Delivery], heir: int) -> None:
    """The heir's own rule for the quiz, where it has one: that is what its owner can see and mend."""
    own = Rule.objects.filter(account=heir, quiz_id=OuterRef("quiz_id"), deleted=False).values("pk")[:1]
    for quiz, rule in waiting.values_list("quiz_id", Subquery(own)).distinct():
        if rule:
            waiting.filter(quiz_id=quiz).update(rule=rule)
