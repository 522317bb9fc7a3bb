"""Every change of a delivery's state, and nothing else changes one.

    waiting --claim--> sending --receipt--> delivered
       ^                  |
       |                  +-- TryLater, Unclear (where the CRM can be asked) --> waiting, later
       |                  +-- NeedsReconnect, RuleNeedsFixing, Refused, out of tries --> held
       +-- a person, a saved rule, a returned account --------------------------- held
                              (a person who found the lead in the CRM: held --> delivered)

Claims and settlements are single statements over a whole batch: the conditional update is the guard, no
lock is held while a CRM thinks. The lanes' rows follow by a trigger of the database (migration
``rules.0008``): whatever begins to wait is in its lane's ``next_due``. Times are the database's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Case, F, Q, QuerySet, Value, When
from django.db.models.functions import Least
from django.utils import timezone

from accounts import database, db_clock
from accounts.access import connector_for
from accounts.models import Account
from connectors.draft import UnplacedValue
from connectors.errors import LOOK_INCOMPLETE, OurMistake
from connectors.messages import message, stored, to_column
from connectors.registry import connector_class
from connectors.text import storable
from crm_cache import leases
from rules.delivery import attempts
from rules.delivery.holds import CANCELLED, ERASED, FOR_RETURN, FOR_RULE, OVER, Hold, held_by
from rules.delivery.lane import end_rests
from rules.delivery.settle_statement import SETTLE
from rules.delivery.settlement import Settlement, died, losses_of
from rules.models import Delivery, Outcome, Replay

log = structlog.stdlib.get_logger(__name__)
State = Delivery.State
WAITING, SENDING, DELIVERED, HELD = State.WAITING, State.SENDING, State.DELIVERED, State.HELD
Held = Delivery.Held
SECOND_LOOK = timedelta(minutes=10)  # after an unclear lead is there: searches lag, frozen workers wake
ELSEWHERE = timedelta(seconds=5)  # until somebody whom another lane is sending is looked at again
PERSON_LEASE = timedelta(minutes=5)  # longer than any batch is under way
FIRST_LOOK = timedelta(hours=1)  # what becomes of a lead: nobody moves it at once, and hooks are quicker
MOST_CANDIDATES = 4  # looked at for each one taken, so that one busy person does not block the rest
AT_ONCE = 500  # rows of one statement that moves many, at most
LONGEST_REST = 1.0  # seconds, after a portion
FIRST_PORTION, FEWEST = 250, 25
FOUND = message("Found in the CRM by a person.")
UNSENT: Mapping[str, Any] = {  # a delivery that was sent, as if it never had been
    "steps": {}, "remote_id": "", "remote_link": "", "delivered_at": None, "also_made": [],
    "look_again_at": None,
}  # fmt: skip
QUICK, SLOW = 0.05, 0.2  # seconds of a portion: the next one is twice as wide, or half


def claim(
    account_id: int,
    most: int,
    busy: Iterable[str] = (),
    shared_with: Account | None = None,
    resting: Iterable[int] = (),
) -> list[int]:
    """Take up to ``most`` due deliveries of a lane, oldest first: their ids.

    Never two of one person, nor one whose person is ``busy`` (in flight), nor one whose person's earlier
    lead ended unclear and has not been looked up yet: their contact may exist and not be found yet.
    ``shared_with``: the lane's account, where other lanes lead into the same account of the CRM; then nobody
    is taken whom another lane is sending. ``resting``: rules by which nothing is taken.
    """
    now, busy = db_clock.now(), set(busy)
    _postpone_behind_unclear(account_id, now)
    due = _due(account_id, now, resting).order_by("due_at", "id")
    looks = [(due, most), (due, most * MOST_CANDIDATES)]
    if busy:  # last, as PostgreSQL may compare their keys with those of all that is due
        taken = Value(list(busy), Delivery._meta.get_field("contact_keys"))  # one parameter, not hundreds
        looks.append((due.exclude(contact_keys__overlap=taken), most * MOST_CANDIDATES))
    for candidates, looked_at in looks:
        rows = candidates.values_list("pk", "contact_keys", "replay_id")
        found = list(rows[:looked_at])
        chosen = _one_of_each_person(_fresh_first(rows, found), most, busy)
        if len(chosen) == most or len(found) < looked_at:
            break
    if shared_with and chosen:
        chosen = _not_sent_elsewhere(shared_with, chosen, now)
    if not chosen:
        return []
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, [now, chosen])
        return sorted(row[0] for row in cursor.fetchall())


# In one order for everybody: two workers that take the same ones at once must not wait for each other.
CLAIM = """
UPDATE rules_delivery d SET state = 'sending', claimed_at = %s, write_begun_at = NULL
FROM (SELECT id FROM rules_delivery WHERE id = ANY(%s) AND state = 'waiting' ORDER BY id FOR UPDATE) free
WHERE d.id = free.id RETURNING d.id
"""


def _fresh_first(rows: QuerySet[Any], found: Sequence[Any]) -> Sequence[Any]:
    """New answers do not wait behind replays, of which there are never many due at a time."""
    replays = [row for row in found if row[2]]
    return [*rows.filter(replay=None)[: len(found)], *replays] if replays else found


def settle(settlements: Sequence[Settlement], tried: Sequence[attempts.Tried] = ()) -> None:
    """Write the outcomes of a batch in one statement, with the tries that led to them, and begin to follow
    what was delivered. Only our own claims are touched: a worker that lost its lane meanwhile changes
    nothing. A delivery whose answer got another body while it was sent waits again, as an update."""
    if not settlements:
        return
    now, here = db_clock.now(), timezone.now()
    rows = [
        {
            "id": s.delivery_id,
            "claimed": s.claimed_at,
            "state": s.state,
            "held": s.held_because,
            "due": now + (s.due_at - here),  # settlements count from this machine's clock
            "tries": s.tries,
            "strikes": s.strikes,
            "look": s.look_first,
            "steps": s.steps,
            "losses": stored([_loss(loss) for loss in s.losses]),
            "remote": s.remote_id,
            "link": s.remote_link,
            "code": s.code[:100],
            "error": to_column(s.error),
            "remedy": to_column(s.remedy),
            "version": s.version,
            "replayed": s.replayed or None,
            "complaint": to_column(s.complaint),
        }
        for s in settlements
    ]
    settled, told = database.document(rows), database.document(tried)
    database.run(SETTLE, [now, now, now + SECOND_LOOK, settled, now, told, now + FIRST_LOOK])


def record_steps(done: Mapping[str, Mapping[str, str]], claims: Mapping[str, datetime | None]) -> None:
    """The journal: keep what was made, ``{uid: {step: remote id}}``. ``claims``: by uid, when we claimed it.

    Of a delivery that is claimed by somebody else by now, the lead is kept apart (``also_made``), and looked
    for again.
    """
    if not done:
        return
    rows = [{"uid": uid, "steps": dict(steps), "claimed": claims.get(uid)} for uid, steps in done.items()]
    ours = {uid for (uid,) in database.run(RECORD, [database.document(rows)])}
    if late := {uid: made["lead"] for uid, made in done.items() if uid not in ours and made.get("lead")}:
        again = db_clock.now() + SECOND_LOOK
        database.run(RECORD_LATE, [again, list(late), list(late.values())])
        log.warning("leads made after their claims were lost", leads=late)


RECORD = """
UPDATE rules_delivery d SET steps = d.steps || v.steps
FROM jsonb_to_recordset(%s::jsonb) AS v(uid text, steps jsonb, claimed timestamptz)
WHERE d.uid = v.uid AND d.state = 'sending' AND d.claimed_at = v.claimed
RETURNING d.uid
"""
RECORD_LATE = """
UPDATE rules_delivery d SET also_made = array_append(d.also_made, v.lead::varchar), look_again_at = %s
FROM (SELECT * FROM unnest(%s::text[], %s::text[]) AS t(uid, lead)) v
WHERE d.uid = v.uid AND v.lead <> ALL (d.also_made)
"""


def begin_writing(claims: Mapping[int, datetime | None]) -> bool:
    """A request that can't be repeated is about to be sent for these claims, ``{delivery id: claimed at}``.

    False, and nothing may be sent, where one of them is not ours any more. A statement of its own, committed
    by the database itself: a worker that freezes here keeps nobody waiting.
    """
    with connection.cursor() as cursor:
        cursor.execute(BEGIN, [db_clock.now(), list(claims), list(claims.values())])
        return bool(cursor.rowcount == len(claims))


BEGIN = """
UPDATE rules_delivery d SET write_begun_at = %s
FROM (SELECT * FROM unnest(%s::bigint[], %s::timestamptz[]) AS t(id, claimed)) v
WHERE d.id = v.id AND d.state = 'sending' AND d.claimed_at = v.claimed
"""


def _postpone_behind_unclear(account_id: int, now: datetime) -> None:
    """Due leads of somebody whose earlier lead is to be looked up first wait until it was."""
    with connection.cursor() as cursor:
        cursor.execute(POSTPONE, {"account": account_id, "now": now})


# For each lead its own person's unclear one decides, the latest where there are several. Where nobody is,
# what waits is not looked through; else each key once, whatever PostgreSQL knows of the table.
POSTPONE = """
WITH unclear AS MATERIALIZED (
    SELECT key, max(due_at) AS due_at FROM rules_delivery, unnest(contact_keys) AS key
    WHERE account_id = %(account)s AND state = 'waiting' AND look_first AND due_at > %(now)s GROUP BY key
), due AS (
    SELECT id, unnest(contact_keys) AS key FROM rules_delivery
    WHERE account_id = %(account)s AND state = 'waiting' AND due_at <= %(now)s AND NOT look_first
    AND EXISTS (SELECT FROM unclear)
), behind AS (
    SELECT due.id, max(u.due_at) AS due_at FROM due JOIN unclear u ON u.key = due.key GROUP BY due.id
)
UPDATE rules_delivery d SET due_at = b.due_at + interval '1 second'
FROM behind b WHERE d.id = b.id AND d.state = 'waiting'
"""


def _not_sent_elsewhere(account: Account, chosen: Sequence[int], now: datetime) -> list[int]:
    """Those whose persons are now leased to them; the others come again in a moment, which costs no try."""
    rows = Delivery.objects.filter(pk__in=chosen).values_list("pk", "uid", "contact_keys")
    holders = {pk: (uid, set(keys)) for pk, uid, keys in rows}
    wanted = {key: uid for uid, keys in holders.values() for key in keys}
    got = leases.take(account, wanted, PERSON_LEASE)
    refused = [pk for pk, (_, keys) in holders.items() if not keys <= got]
    if refused:
        leases.let_go([holders[pk][0] for pk in refused])
        Delivery.objects.filter(pk__in=refused, state=WAITING).update(due_at=now + ELSEWHERE)
    return [pk for pk in chosen if pk not in refused]


def _one_of_each_person(
    rows: Iterable[tuple[int, list[str], Any]], most: int, busy: Iterable[str]
) -> list[int]:
    chosen: list[int] = []
    people = set(busy)
    for pk, keys, _ in rows:
        if len(chosen) < most and people.isdisjoint(keys):
            chosen.append(pk)
            people.update(keys)
    return chosen


def _loss(loss: UnplacedValue) -> dict[str, str]:
    return {
        "question": loss.question,
        "value": loss.value[:1000],
        "reason": storable(loss.reason),
        "entity": loss.entity,
        "field": loss.field_id,
    }


# -- moves that no try causes --------------------------------------------------------------------------------


def free_stale(account_id: int, can_look: bool, send_again: bool) -> int:
    """Whoever was sending these died: what may have been sent ends unclear, the rest waits again. Only for
    whoever holds the lane (or nobody can)."""
    rows = list(Delivery.objects.filter(account_id=account_id, state=SENDING)[:AT_ONCE])
    settle([died(row, can_look, send_again) for row in rows], attempts.of_the_dead(rows))
    return len(rows)


def park(account: Account, hold: Hold, most: int | None = None) -> int:
    """Hold what waits and can't go on for now; what the account's earlier state holds says the new reason.

    How many were moved: ``most`` says that there may be more.
    """
    mine = Delivery.objects.filter(account=account, account__state=account.state)
    moved = _move(mine.filter(state=WAITING), lambda: held_by(hold), ("due_at", "pk"), most)
    for because in FOR_RETURN:
        left = None if most is None else most - moved
        if because != hold.because and left != 0:
            moved += _move(mine.filter(state=HELD, held_because=because), lambda: held_by(hold), most=left)
    return moved


def park_rule(rows: QuerySet[Delivery], hold: Hold) -> int:
    """Hold what waits for its turn, or for its rule, as ``hold`` says: the first of many now. The others are
    held one by one when their turn comes."""
    moved = _move(rows.filter(state=WAITING), lambda: held_by(hold), most=AT_ONCE)
    for_rule = rows.filter(state=HELD, held_because__in=FOR_RULE).exclude(held_because=hold.because)
    return moved + _move(for_rule, lambda: held_by(hold), most=AT_ONCE)


def hand_over(rows: Sequence[Delivery]) -> None:
    """Claimed deliveries of deleted rules go by the quiz's new rule, where there is one: it says who looks
    after what has not begun."""
    for row in rows:
        if row.rule.deleted and (rule := row.rule.successor()):
            row.rule = rule
            if not row.begun:
                row.performer = row.draw = ""
            row.save(update_fields=["rule", "performer", "draw"])


def keep_routes(rows: Iterable[Delivery]) -> None:
    """Write down by which routes claimed deliveries are sent, before they are."""
    Delivery.objects.bulk_update(rows, ["route"])


def release(rows: QuerySet[Delivery], *because: str, most: int | None = None) -> int:
    """Let held deliveries go on, by a retry plan that begins anew: what held them is gone."""
    held, moved = rows.filter(state=HELD), 0
    for reason in because:
        left = None if most is None else most - moved
        if left != 0:
            moved += _move(held.filter(held_because=reason), released, most=left)
    return moved


def released() -> dict[str, Any]:
    """What goes on by a retry plan that begins anew."""
    return {
        "state": WAITING,
        "held_because": "",
        "due_at": soonest(),
        "strikes": 0,
        "first_failed_at": None,
        "error_code": "",
        "error": "",
        "remedy": "",
    }


def explain(rows: QuerySet[Delivery], error: str, remedy: str, most: int | None = None) -> int:
    """Say anew why deliveries are held, where they don't say so already."""
    unsaid = rows.filter(state=HELD).exclude(error=error)
    return _move(unsaid, lambda: {"error": error, "remedy": remedy}, most=most)


def expire(rows: QuerySet[Delivery], hold: Hold, most: int | None = None) -> int:
    """What waited too long for its account is left to a person."""
    return _move(rows.filter(state=HELD, held_because__in=FOR_RETURN), lambda: held_by(hold), most=most)


def cancel_erased(rows: QuerySet[Delivery]) -> int:
    """Whose person is to be forgotten: nothing is sent any more. What is being sent is left alone."""
    return rows.filter(state__in=[WAITING, HELD]).update(**held_by(ERASED))


def _move(
    rows: QuerySet[Delivery],
    columns: Callable[[], Mapping[str, Any]],
    order: tuple[str, ...] = ("pk",),
    most: int | None = None,
) -> int:
    """Update many rows, at most ``most``, in short transactions of their own where the caller has none. Rows
    that somebody else moves right now are left to them.

    ``order`` is that of the index by which the rows are found: each portion begins where the last one ended,
    because an index holds what was moved out of it until it is vacuumed.
    """
    moved, after, width = 0, rows, min(FIRST_PORTION, AT_ONCE)
    while most is None or moved < most:
        portion, begun = width if most is None else min(width, most - moved), time.monotonic()
        with transaction.atomic():
            locked = after.order_by(*order).select_for_update(of=("self",), skip_locked=True)
            found = list(locked.values_list("pk", order[0])[:portion])
            moved += Delivery.objects.filter(pk__in=[pk for pk, _ in found]).update(**columns())
        if len(found) < portion:
            break
        after = rows.filter(**{f"{order[0]}__gte": found[-1][1]})
        width = _fitting(width, time.monotonic() - begun)
    return moved


def _fitting(width: int, seconds: float) -> int:
    """How many rows the next portion has: no statement lasts, however busy the database is."""
    if seconds > SLOW:
        return max(width // 2, min(FEWEST, AT_ONCE))
    return min(width * 2, AT_ONCE) if seconds < QUICK else width


def rest_after(seconds: float) -> float:
    """How long nothing more is moved after so many ``seconds`` of it, so that others have four fifths of the
    time; never longer than a second."""
    return min(4 * seconds, LONGEST_REST)


# -- what a person decides -----------------------------------------------------------------------------------


def cancel(rows: QuerySet[Delivery]) -> int:
    """A person says that these are not to be sent; how many waited or were held. What is being sent is left
    alone."""
    movable = rows.filter(state__in=[WAITING, HELD]).exclude(held_because__in=OVER)
    return _move(movable, lambda: held_by(CANCELLED))


def retry(rows: QuerySet[Delivery]) -> int:
    """A person says: try again now (``soonest``), even where the lane rests; how many, in short transactions
    where the caller has none. Held and waiting deliveries only; what is being sent is left alone.

    ``look_first`` stays where the account can be asked. Where it can't, or a look saw only a part, the person
    has looked and decides: send. So does whoever tries again what the rule's condition left out.
    """
    movable = rows.filter(state__in=[WAITING, HELD]).exclude(held_because=Held.ERASED).order_by("pk")
    moved, last, width = 0, 0, min(FIRST_PORTION, AT_ONCE)
    while True:
        begun = time.monotonic()
        with transaction.atomic():
            locked = movable.filter(pk__gt=last).select_for_update(of=("self",))
            portion = dict(locked.values_list("pk", "account_id")[:width])
            _retry(list(portion), set(portion.values()))
        moved += len(portion)
        if len(portion) < width:
            return moved
        last, width = max(portion), _fitting(width, time.monotonic() - begun)


def _retry(keys: Sequence[int], accounts: set[int]) -> None:
    rows = Delivery.objects.filter(pk__in=keys)
    unclear = rows.filter(look_first=True)
    whose = Account.objects.filter(pk__in=unclear.order_by().values("account_id").distinct())
    deaf = [account.pk for account in whose if not can_look(account)]
    blind = Q(account__in=deaf) | Q(held_because=Held.LOOK_FIRST, error_code=LOOK_INCOMPLETE)
    unclear.filter(blind).update(look_first=False)
    rows.filter(held_because=Held.LEFT_OUT).update(wanted=True)
    end_rests(accounts)
    rows.update(state=WAITING, held_because="", due_at=soonest(), strikes=0, first_failed_at=None)


def can_look(account: Account) -> bool:
    """Can this very account be asked for our external ids? Some CRMs allow it to some accounts only; one
    whose host we may not talk to is judged by its CRM."""
    try:
        return connector_for(account).can.find_by_external_id
    except OurMistake:
        return connector_class(account.crm).can.find_by_external_id


def soonest() -> Case:
    """Now; but what ended unclear a moment ago can't be found by a look yet, and would be made twice."""
    now = db_clock.now()
    looked_up = Least(F("due_at"), Value(now + settings.UNCLEAR_PAUSE))
    return Case(When(look_first=True, due_at__gt=now, then=looked_up), default=Value(now))


def arrived(delivery_id: int, remote_id: str = "") -> bool:
    """A person found a held lead in the CRM: it is delivered, as the lead that our journal knows where the
    person names none, and not replayed any more. False where it is not held any more."""
    now = db_clock.now()
    with transaction.atomic():
        held = Delivery.objects.filter(pk=delivery_id, state=HELD)
        if not held.update(state=SENDING, held_because="", claimed_at=now):
            return False
        row = Delivery.objects.get(pk=delivery_id)
        lead = remote_id or row.steps.get("lead", "")
        settle([
            Settlement(
                delivery_id,
                now,
                DELIVERED,
                tries=0,
                strikes=0,
                steps={"lead": lead} if lead else {},
                losses=losses_of(row),
                remote_id=lead,
                replayed=Replay.State.FAILED,
                complaint=FOUND,
            )
        ])  # fmt: skip
    return True


def send_again(delivery_id: int) -> bool:
    """A person says that a delivered lead is not in the CRM (``rules.outcomes.reconciling``): it is made
    anew, of the contents that we still have, and looked for first where that can be done. False where it is
    not delivered, or there is nothing left to send."""
    with transaction.atomic():
        rows = Delivery.objects.filter(
            pk=delivery_id, state=DELIVERED, test=False, answer__purged_at=None
        ).select_related("account")
        row = rows.select_for_update(of=("self",)).first()
        if row is None:
            return False
        Outcome.objects.filter(delivery=row.pk).delete()
        Delivery.objects.filter(pk=row.pk).update(
            **released(), **UNSENT, losses=[], look_first=can_look(row.account)
        )
    return True


def due_now(account_id: int, resting: Iterable[int] = ()) -> bool:
    """Does anything wait in this lane that could go at once, by other rules than those ``resting``?"""
    return _due(account_id, db_clock.now(), resting).exists()


def due_up_to(most: int, account_id: int, resting: Iterable[int] = ()) -> int:
    """How many wait that could go at once; no more than ``most`` are counted."""
    return _due(account_id, db_clock.now(), resting)[:most].count()


def _due(account_id: int, now: datetime, resting: Iterable[int]) -> QuerySet[Delivery]:
    due = Delivery.objects.filter(account_id=account_id, state=WAITING, due_at__lte=now)
    return due.exclude(rule__in=resting) if resting else due
