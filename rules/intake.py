"""Taking answers in: one statement stores what is new, with a delivery for each live rule."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from threading import Lock
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from accounts import database, db_clock
from accounts.models import Account
from accounts.rest.errors import Conflict
from accounts.together import Together
from connectors.messages import to_column
from rules.delivery import revisions
from rules.delivery.queueing import wake_soon
from rules.mapping.payload import digest, is_complete
from rules.mapping.person import KeysByRegion
from rules.models import Answer, Delivery
from rules.planning import PLAN_AS_TEXT, Plan, begun, lanes_of, new_uid, plan_of, without

Key = tuple[int, str]  # quiz, the quiz service's own id of the answer
Found = dict[int, "New | Known | Conflict"]  # by the places of the bodies
MOST_PLANS = 4096


@dataclass(frozen=True, slots=True, eq=False)
class Beginning:
    """How new answers of a quiz begin, all alike: an answer and its deliveries that were not stored, whose
    ids, times, bodies and people are to be filled in."""

    answer: Answer
    deliveries: Sequence[Delivery]
    others: Sequence[Account]  # connected, and none of these deliveries goes there
    columns: Sequence[tuple[str, dict[str, Any]]]  # of each delivery: its region, and what is alike in all
    lanes: frozenset[int]  # of what may go
    until: datetime | None  # when the first of these lanes that rest is to go on; then they begin anew


@dataclass(frozen=True, slots=True)
class New:
    """An answer that was stored just now. ``deliveries``: their ids, one for each of the beginning's."""

    pk: int
    answer_id: str
    payload: Mapping[str, Any]
    beginning: Beginning
    deliveries: Sequence[int]
    created_at: datetime  # when its deliveries were due, too


@dataclass(frozen=True, slots=True)
class Known:
    """An answer that was stored before, as it is now; ``revised``: it was incomplete and this body took the
    former one's place."""

    answer: Answer
    deliveries: Sequence[Delivery]
    others: Sequence[Account]
    revised: bool = False


@dataclass(frozen=True, slots=True)
class _Sent:
    """A body as it came, the number of its place, its fingerprint, and who sent it."""

    place: int
    quiz_id: int
    answer_id: str
    payload: Mapping[str, Any]
    mark: str
    people: KeysByRegion

    @property
    def key(self) -> Key:
        return self.quiz_id, self.answer_id


def accept_answers(account_id: str, payloads: Sequence[Mapping[str, Any]]) -> list[New | Known | Conflict]:
    """Store answers with their deliveries; a repeat changes nothing.

    ``payloads`` are bodies whose ids were read (``AnswerIn``). Aligned with them: what is stored, or a
    ``Conflict`` where a complete answer comes again with another body, which is not stored. What is new is
    committed before anything else is looked at: a call that breaks off finds it as a repeat the next time.
    """
    sent = [
        _Sent(place, payload["quizID"], payload["answerID"], payload, digest(payload), KeysByRegion(payload))
        for place, payload in enumerate(payloads)
    ]
    if not sent:
        return []
    mine = _Wanted(account_id, {one.key: one for one in reversed(sent)})
    if connection.in_atomic_block:  # what others are told must be committed
        _store([mine])
    else:
        together.do(mine)
    if again := [one for one in sent if one.place not in mine.found]:
        mine.found |= _take_again(account_id, again, mine.plan)
    return [mine.found[one.place] for one in sent]


# -- what is new ---------------------------------------------------------------------------------------------


@dataclass(slots=True, eq=False)
class _Wanted:
    """What one call wants stored: each body once. ``_store`` fills in by which plan and what was new, by the
    bodies' places."""

    owner: str
    bodies: Mapping[Key, _Sent]
    quizzes: frozenset[int] = field(init=False)
    plan: Plan = field(init=False)
    found: Found = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.quizzes = frozenset(quiz for quiz, _ in self.bodies)


# The plans stand in the statement that plans by them, so that no rule is missed that was saved before, and
# are compared with those that the deliveries were written by: what goes by one that has changed isn't stored.
STORE = f"""
WITH asked AS MATERIALIZED (
    SELECT t.*, ({PLAN_AS_TEXT.format(owner="t.owner", quizzes="t.quizzes")}) AS text
    FROM jsonb_to_recordset(%(asked)s::jsonb) AS t(nr int, owner text, quizzes bigint[], plan text)
),
sent AS MATERIALIZED (
    SELECT * FROM jsonb_to_recordset(%(sent)s::jsonb) AS t(nr int, asked int, owner text, quiz bigint,
        answer text, payload jsonb, mark text, complete boolean, people text[], deliveries jsonb)
    WHERE asked <> ALL (ARRAY(SELECT nr FROM asked WHERE text <> plan))
),
made AS (
    INSERT INTO rules_answer
        (account_id, quiz_id, answer_id, payload, digest, created_at, complete, contact_keys)
    SELECT owner, quiz, answer, payload, mark, %(now)s, complete, people FROM sent ORDER BY nr
    ON CONFLICT (account_id, quiz_id, answer_id) DO NOTHING RETURNING id, account_id, quiz_id, answer_id
),
planned AS (
    INSERT INTO rules_delivery
        (answer_id, rule_id, account_id, owner, quiz_id, uid, state, held_because, error_code, error, remedy,
        contact_keys, due_at, created_at, updated_at, attempts_made, strikes, look_first, steps, losses,
        remote_id, remote_link)
    SELECT made.id, d.rule, d.account, sent.owner, made.quiz_id, d.uid, d.state, d.because, d.code, d.error,
        d.remedy, d.keys, d.due, d.due, %(now)s, 0, 0, false, '{{}}', '[]', '', ''
    FROM made JOIN sent
        ON sent.owner = made.account_id AND sent.quiz = made.quiz_id AND sent.answer = made.answer_id
    CROSS JOIN LATERAL jsonb_to_recordset(sent.deliveries) AS d(rule bigint, account bigint, uid text,
        state text, because text, code text, error text, remedy text, keys text[], due timestamptz)
    ORDER BY made.id, d.account
    RETURNING id, answer_id, account_id
)
SELECT made.account_id, made.quiz_id, made.answer_id, made.id, planned.account_id, planned.id, NULL AS plan
FROM made LEFT JOIN planned ON planned.answer_id = made.id
UNION ALL
SELECT NULL, nr, NULL, NULL, NULL, NULL, text FROM asked WHERE text <> plan
"""  # noqa: S608 - our own words


def _store(wanted: Sequence[_Wanted]) -> None:
    """Those that nobody has stored before. In one order for everybody, so that no two statements wait for
    each other's answers; of two bodies under one id the first counts."""
    now = db_clock.now()  # of no machine: looks in a CRM go back to the moment when the answer came
    bodies: dict[tuple[str, Key], tuple[int, _Sent]] = {}
    for number, one in enumerate(wanted):
        for key, body in one.bodies.items():
            bodies.setdefault((one.owner, key), (number, body))
    lanes, left = set[int](), list(range(len(wanted)))
    while left:
        known = {number: plans.of(wanted[number].owner, wanted[number].quizzes) for number in left}
        asked = [
            {"nr": nr, "owner": wanted[nr].owner, "quizzes": list(wanted[nr].quizzes), "plan": it.plan.text}
            for nr, it in known.items()
        ]
        begin = {
            place: (number, body, known[number].beginning(body.quiz_id, now))
            for place, (number, body) in sorted(bodies.items())
            if number in known and known[number].plan.text
        }
        sent = [_row(nr, owner, *one, now) for nr, ((owner, _), one) in enumerate(begin.items())]
        values = {"asked": database.document(asked), "sent": database.document(sent), "now": now}
        left, made = [], dict[tuple[str, Key], tuple[int, dict[int, int]]]()
        for owner, quiz, answer, pk, account, delivery, plan in database.run(STORE, values):
            if plan is None:
                made.setdefault((owner, (quiz, answer)), (pk, {}))[1][account] = delivery
            else:
                left.append(quiz)
                plans.keep(wanted[quiz].owner, wanted[quiz].quizzes, plan_of(plan))
        for number, remembered in known.items():
            wanted[number].plan = remembered.plan
        for place, (pk, deliveries) in made.items():
            number, body, beginning = begin[place]
            ids = [deliveries[row.account_id] for row in beginning.deliveries]
            new = New(pk, body.answer_id, body.payload, beginning, ids, now)
            wanted[number].found[body.place] = new
            lanes |= beginning.lanes
    transaction.on_commit(partial(wake_soon, lanes))


def _connect() -> None:
    connection.ensure_connection()


together = Together(_store, most=100, begin=_connect)


def _row(nr: int, owner: str, asked: int, body: _Sent, beginning: Beginning, now: datetime) -> dict[str, Any]:
    """What ``STORE`` reads of a body."""
    return {
        "nr": nr,
        "asked": asked,
        "owner": owner,
        "quiz": body.quiz_id,
        "answer": body.answer_id,
        "payload": body.payload,
        "mark": body.mark,
        "complete": is_complete(body.payload),
        "people": body.people.of(settings.PHONE_REGION),
        "deliveries": [
            {**alike, "uid": new_uid(), "keys": body.people.of(region), "due": now}
            for region, alike in beginning.columns
        ],
    }


def _beginning(owner: str, quiz: int, plan: Plan, now: datetime) -> Beginning:
    answer = Answer(account_id=owner, quiz_id=quiz, payload={}, created_at=now)
    deliveries = [begun(answer, rule) for rule in plan.rules.get(quiz, ())]
    for number, row in enumerate(deliveries):
        row.pk = number  # until the database has given them theirs, they are told apart by it
        row.updated_at = now
    rests = [row.account.lane.rests_until for row in deliveries]
    return Beginning(
        answer,
        deliveries,
        others=without(plan.connected, deliveries),
        columns=[_columns(row) for row in deliveries],
        lanes=lanes_of(deliveries),
        until=min((end for end in rests if end and end > now), default=None),
    )


def _columns(row: Delivery) -> tuple[str, dict[str, Any]]:
    """The region of a delivery's account, and what is alike in all deliveries that begin as ``row`` does."""
    return row.account.phone_region, {
        "rule": row.rule_id,
        "account": row.account_id,
        "state": row.state,
        "because": row.held_because,
        "code": row.error_code,
        "error": to_column(row.error),
        "remedy": to_column(row.remedy),
    }


@dataclass(frozen=True, slots=True)
class _Remembered:
    """A quiz account's plan, and how answers begin by it."""

    owner: str
    plan: Plan = field(default_factory=Plan)
    beginnings: dict[int, Beginning] = field(default_factory=dict)

    def beginning(self, quiz: int, now: datetime) -> Beginning:
        known = self.beginnings.get(quiz)
        if known is None or (known.until and known.until <= now):
            known = self.beginnings[quiz] = _beginning(self.owner, quiz, self.plan, now)
        return known


class _Plans:
    """The plans that answers went by last. What is stale in them costs a second statement, no answer."""

    def __init__(self) -> None:
        self.known: OrderedDict[tuple[str, frozenset[int]], _Remembered] = OrderedDict()
        self.lock = Lock()

    def of(self, owner: str, quizzes: frozenset[int]) -> _Remembered:
        with self.lock:
            remembered = self.known.get((owner, quizzes))
            if remembered is None:
                return _Remembered(owner)
            self.known.move_to_end((owner, quizzes))
            return remembered

    def keep(self, owner: str, quizzes: frozenset[int], plan: Plan) -> None:
        with self.lock:
            self.known[owner, quizzes] = _Remembered(owner, plan)
            if len(self.known) > MOST_PLANS:
                self.known.popitem(last=False)


plans = _Plans()


# -- what came before ----------------------------------------------------------------------------------------


def _take_again(owner: str, again: Sequence[_Sent], plan: Plan) -> Found:
    """Bodies whose answers are stored already, in the order in which they came; by their places."""
    with transaction.atomic():
        stored = _known(owner, {one.key for one in again})
        revisions.lock(answer for answer in stored.values() if not answer.complete)
        changes = {one.place: revisions.revise(stored[one.key], one.payload, one.mark) for one in again}
        made = (
            Delivery.objects.filter(answer__in=stored.values()).select_related("account__lane").order_by("pk")
        )
        deliveries: dict[int, list[Delivery]] = {}
        for row in made:
            deliveries.setdefault(row.answer_id, []).append(row)
    found: Found = {}
    for one in again:
        if changes[one.place] == revisions.Change.CONFLICT:
            found[one.place] = _other_body(one)
            continue
        answer = stored[one.key]
        mine = deliveries.get(answer.pk, [])
        revised = changes[one.place] == revisions.Change.REVISED
        found[one.place] = Known(answer, mine, without(plan.connected, mine), revised)
    return found


def _known(owner: str, keys: Collection[Key]) -> dict[Key, Answer]:
    quizzes, ids = {quiz for quiz, _ in keys}, {answer for _, answer in keys}
    rows = Answer.objects.filter(account_id=owner, quiz_id__in=quizzes, answer_id__in=ids)
    return {(row.quiz_id, row.answer_id): row for row in rows}


def _other_body(one: _Sent) -> Conflict:
    return Conflict(
        f"answerID {one.answer_id!r} of quiz {one.quiz_id} came before with another body and was complete; "
        "nothing is changed. A body that will be followed by more says complete: false",
        code="answer_changed",
        field="answerID",
    )
