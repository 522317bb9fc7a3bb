"""Which rules an answer goes by, and how its deliveries begin: when it comes (``rules.intake``), or later."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import groupby

import msgspec
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet

from accounts import db_clock
from accounts.models import Account, Lane
from connectors.messages import from_column
from rules.delivery import holds
from rules.delivery.queueing import wake_lanes
from rules.mapping.person import KeysByRegion
from rules.models import Answer, Delivery, Rule

AT_ONCE = 500
MOST_BACKFILLED = 5000  # answers of one call
# The accounts of a quiz account, each with its rules of some quizzes. A disconnected account's rules wait for
# it, unless another one was connected in its place since. Rules and accounts are wide: no more of them is
# read than deliveries begin with. A statement says where it has ``owner`` and ``quizzes`` from.
PLAN = """
SELECT a.id, a.crm, a.country, a.state, a.state_reason, a.deleted, l.rests_until, r.id AS rule, r.quiz_id,
    r.paused_at
FROM accounts_account a
LEFT JOIN accounts_lane l ON l.account_id = a.id
LEFT JOIN rules_rule r ON r.account_id = a.id AND r.quiz_id = ANY({quizzes}) AND NOT r.deleted
WHERE a.account_id = {owner} AND (NOT a.deleted OR (r.id IS NOT NULL AND NOT EXISTS (
    SELECT FROM accounts_account o
    WHERE o.account_id = a.account_id AND o.crm = a.crm AND o.connected_at > a.connected_at)))
"""
PLAN_AS_TEXT = (
    f"SELECT coalesce(jsonb_agg(to_jsonb(p) ORDER BY p.id, p.rule), '[]')::text AS text FROM ({PLAN}) p"  # noqa: S608 - our own words
)
READ_PLAN = PLAN_AS_TEXT.format(owner="%(owner)s", quizzes="%(quizzes)s::bigint[]")


@dataclass(frozen=True, slots=True)
class Plan:
    """``PLAN`` as the database said it (``text``): the live rules by quiz, each with its account and lane,
    and the accounts that are connected, whether or not they have a rule."""

    text: str = ""
    rules: dict[int, list[Rule]] = field(default_factory=dict)
    connected: list[Account] = field(default_factory=list)


class _Row(msgspec.Struct):
    id: int
    crm: str
    country: str
    state: str
    state_reason: str
    deleted: bool
    rests_until: datetime | None
    rule: int | None
    quiz_id: int | None
    paused_at: datetime | None


_read_rows = msgspec.json.Decoder(list[_Row]).decode


def plan_of(text: str) -> Plan:
    """What ``PLAN_AS_TEXT`` said."""
    plan = Plan(text)
    accounts: dict[int, Account] = {}
    for row in _read_rows(text):
        account = accounts.get(row.id)
        if account is None:
            account = accounts[row.id] = Account(
                id=row.id,
                crm=row.crm,
                country=row.country,
                state=row.state,
                state_reason=from_column(row.state_reason),
                deleted=row.deleted,
            )
            account.lane = Lane(account=account, rests_until=row.rests_until)
            if not account.deleted and account.state != Account.State.CONNECTING:
                plan.connected.append(account)
        if row.rule is not None and row.quiz_id is not None:
            rule = Rule(pk=row.rule, quiz_id=row.quiz_id, paused_at=row.paused_at, account=account)
            plan.rules.setdefault(row.quiz_id, []).append(rule)
    return plan


def read_plan(owner: str, quizzes: Iterable[int]) -> Plan:
    """The plan as it is now."""
    with connection.cursor() as cursor:
        cursor.execute(READ_PLAN, {"owner": owner, "quizzes": list(quizzes)})
        return plan_of(cursor.fetchone()[0])


def begun(answer: Answer, rule: Rule) -> Delivery:
    """An answer's delivery by a rule, not stored: waiting, or held at once where the account can't be used or
    the rule is paused. Its person (``contact_keys``) is yet to be read."""
    hold, now = holds.hold_of(rule.account) or holds.hold_of_rule(rule), db_clock.now()
    return Delivery(
        **(holds.held_by(hold) if hold else {}),
        answer=answer,
        rule=rule,
        account=rule.account,
        owner=answer.account_id,
        quiz_id=answer.quiz_id,
        uid=new_uid(),
        created_at=now,
        due_at=now,
        revision=answer.revision,
    )


def without(accounts: Iterable[Account], deliveries: Iterable[Delivery]) -> list[Account]:
    """Of each CRM that gets nothing by these deliveries, the account."""
    served = {row.account.crm for row in deliveries}
    return [account for account in accounts if account.crm not in served]


def new_uid() -> str:
    """An external id for a CRM: letters and digits only, so that no search splits it (``qz7f3a91c2k4m``)."""
    return "qz" + secrets.token_bytes(16).translate(LETTERS).decode()


LETTERS = b"abcdefghijklmnopqrstuvwxyz234567" * 8  # one for each byte, all as often


def wake(planned: Iterable[Delivery]) -> None:
    """On commit, the lanes of what may go."""
    transaction.on_commit(partial(wake_lanes, lanes_of(planned)))


def lanes_of(planned: Iterable[Delivery]) -> frozenset[int]:
    """Of what may go."""
    return frozenset(row.account_id for row in planned if row.state == Delivery.State.WAITING)


# -- answers that are stored already -------------------------------------------------------------------------


def plan_deliveries(answers: QuerySet[Answer], rule: Rule | None = None) -> list[Delivery]:
    """Deliveries for answers taken earlier, where they have none in that account yet: by today's rules, or by
    ``rule`` alone. The answers are locked, so that two calls plan none twice; the purged are left, and tests,
    which have theirs."""
    with transaction.atomic():
        kept = answers.filter(purged_at=None, test=False).order_by("pk")
        locked = list(kept.select_for_update(of=("self",)))
        known = set(Delivery.objects.filter(answer__in=locked).values_list("answer_id", "account_id"))
        planned = [row for mine in _by_owner(locked) for row in _plan(mine, known, rule)]
        wake(planned)
    return planned


def unplanned(rule: Rule, since: datetime | None = None, until: datetime | None = None) -> QuerySet[Answer]:
    """Answers of the rule's quiz that have no delivery in its account, purged ones among them."""
    there = Delivery.objects.filter(answer=OuterRef("pk"), account=rule.account)
    rows = Answer.objects.filter(account_id=rule.account.account_id, quiz_id=rule.quiz_id, test=False)
    rows = rows.filter(created_at__gte=since) if since else rows
    rows = rows.filter(created_at__lt=until) if until else rows
    return rows.exclude(Exists(there))


def backfill(rule: Rule, rows: QuerySet[Answer]) -> int:
    """Make deliveries for the kept answers of ``unplanned``, the oldest first, at most ``MOST_BACKFILLED``;
    how many. A call that breaks off may be repeated."""
    keys = rows.filter(purged_at=None).order_by("pk").values_list("pk", flat=True)
    return plan_in_turns(list(keys[:MOST_BACKFILLED]), rule)


def plan_in_turns(answers: Sequence[int], rule: Rule | None = None) -> int:
    """``plan_deliveries`` for many, each portion in a transaction of its own; how many were planned."""
    portions = (answers[start : start + AT_ONCE] for start in range(0, len(answers), AT_ONCE))
    return sum(len(plan_deliveries(Answer.objects.filter(pk__in=some), rule)) for some in portions)


def _plan(answers: Sequence[Answer], known: Collection[tuple[int, int]], rule: Rule | None) -> list[Delivery]:
    """One delivery per live rule of each answer's quiz, or by ``rule``; the answers have one owner. Their own
    ``contact_keys`` may be by another region than today's, so each person is read anew."""
    quizzes = {answer.quiz_id for answer in answers}
    rules = {rule.quiz_id: [rule]} if rule else read_plan(answers[0].account_id, quizzes).rules
    rows: list[Delivery] = []
    for answer in answers:
        people = KeysByRegion(answer.payload)
        for one in rules.get(answer.quiz_id, []):
            if (answer.pk, one.account_id) not in known:
                row = begun(answer, one)
                row.contact_keys = people.of(one.account.phone_region)
                rows.append(row)
    return Delivery.objects.bulk_create(rows)


def _by_owner(answers: Sequence[Answer]) -> Iterator[list[Answer]]:
    in_order = sorted(answers, key=lambda answer: answer.account_id)
    for _, group in groupby(in_order, key=lambda answer: answer.account_id):
        yield list(group)
