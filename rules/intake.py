"""Taking answers in: stored once for ever, one delivery per live rule, lanes asked for on commit."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from accounts import db_clock
from accounts.models import Account, Lane
from accounts.rest.errors import Conflict
from connectors.messages import from_column
from rules.delivery import holds, revisions
from rules.delivery.queueing import wake_lanes
from rules.mapping.payload import digest, is_complete, normalised
from rules.mapping.person import contact_keys, keys_of
from rules.mapping.rule_snapshot import region_of
from rules.models import Answer, Delivery, Rule

AT_ONCE = 500
MOST_BACKFILLED = 5000  # answers of one call
Key = tuple[int, str]  # quiz, the quiz service's own id of the answer


@dataclass(frozen=True, slots=True)
class Taken:
    """An answer as it is stored now, with its deliveries; ``is_new`` is false for a repeat.

    ``revised``: it was incomplete and this body took the former one's place."""

    answer: Answer
    is_new: bool
    revised: bool = False
    deliveries: tuple[Delivery, ...] = ()


@dataclass(frozen=True, slots=True)
class _Sent:
    """A body as it came, with its fingerprint."""

    quiz_id: int
    answer_id: str
    payload: Mapping[str, Any]
    mark: str

    @property
    def key(self) -> Key:
        return self.quiz_id, self.answer_id


def accept_answers(account_id: str, payloads: Sequence[Mapping[str, Any]]) -> list[Taken | Conflict]:
    """Store answers and plan their deliveries in one transaction; a repeat changes nothing.

    ``payloads`` are bodies whose ids were read (``AnswerIn``). Aligned with them: what is stored, or a
    ``Conflict`` where a complete answer comes again with another body, which is not stored.
    """
    with transaction.atomic():
        taken = _store(account_id, payloads)
        stored = [item for item in taken if isinstance(item, Taken)]
        planned = _plan([item.answer for item in stored if item.is_new], inserted=True)
        _wake(planned)
        fresh = {item.answer.pk for item in stored if item.is_new}
        known = _deliveries_of([item.answer for item in stored if item.answer.pk not in fresh])
    mine = _by_answer([*planned, *known])
    return [
        replace(item, deliveries=tuple(mine.get(item.answer.pk, ()))) if isinstance(item, Taken) else item
        for item in taken
    ]


def plan_deliveries(answers: QuerySet[Answer], rule: Rule | None = None) -> list[Delivery]:
    """Deliveries for answers taken earlier, where they have none in that account yet: by today's rules, or by
    ``rule`` alone. The answers are locked, so that two calls plan none twice; the purged are left."""
    with transaction.atomic():
        kept = answers.filter(purged_at=None).order_by("pk")
        locked = list(kept.select_for_update(of=("self",)))
        known = {(row.answer_id, row.account_id) for row in _deliveries_of(locked)}
        planned = [row for mine in _by_owner(locked) for row in _plan(mine, known, rule)]
        _wake(planned)
    return planned


def unplanned(rule: Rule, since: datetime | None = None, until: datetime | None = None) -> QuerySet[Answer]:
    """Answers of the rule's quiz that have no delivery in its account, purged ones among them."""
    there = Delivery.objects.filter(answer=OuterRef("pk"), account=rule.account)
    rows = Answer.objects.filter(account_id=rule.account.account_id, quiz_id=rule.quiz_id)
    rows = rows.filter(created_at__gte=since) if since else rows
    rows = rows.filter(created_at__lt=until) if until else rows
    return rows.exclude(Exists(there))


def backfill(rule: Rule, rows: QuerySet[Answer]) -> int:
    """Make deliveries for the kept answers of ``unplanned``, the oldest first, at most ``MOST_BACKFILLED``;
    how many. Each portion is a transaction of its own: a call that breaks off may be repeated."""
    keys = list(rows.filter(purged_at=None).order_by("pk").values_list("pk", flat=True)[:MOST_BACKFILLED])
    portions = (keys[start : start + AT_ONCE] for start in range(0, len(keys), AT_ONCE))
    return sum(len(plan_deliveries(Answer.objects.filter(pk__in=some), rule)) for some in portions)


def new_uid() -> str:
    """Our mark in the CRM: letters and digits only, so that no search splits it (``qz7f3a91c2k4mp``)."""
    return "qz" + base64.b32encode(secrets.token_bytes(10)).decode().lower()


def _wake(planned: Iterable[Delivery]) -> None:
    """On commit, the lanes of what may go."""
    lanes = {row.account_id for row in planned if row.state == Delivery.State.WAITING}
    transaction.on_commit(lambda: wake_lanes(lanes))


def _store(account_id: str, payloads: Sequence[Mapping[str, Any]]) -> list[Taken | Conflict]:
    """The answers as they are stored now, aligned with ``payloads``; one may stand there twice."""
    sent = [_Sent(payload["quizID"], payload["answerID"], payload, digest(payload)) for payload in payloads]
    new = _insert(account_id, {one.key: one for one in reversed(sent)})
    stored = new | _known(account_id, {one.key for one in sent} - new.keys())
    revisions.lock(answer for key, answer in stored.items() if not answer.complete and key not in new)
    return [_taken(one, stored[one.key], is_new=new.pop(one.key, None) is not None) for one in sent]


def _taken(one: _Sent, answer: Answer, *, is_new: bool) -> Taken | Conflict:
    change = revisions.Change.UNCHANGED if is_new else revisions.revise(answer, one.payload, one.mark)
    if change == revisions.Change.CONFLICT:
        return _other_body(one)
    return Taken(answer, is_new, revised=change == revisions.Change.REVISED)


def _insert(account_id: str, bodies: Mapping[Key, _Sent]) -> dict[Key, Answer]:
    """Those that nobody has stored before. In one order for everybody, so that no two calls wait for
    each other's answers."""
    now = timezone.now()
    people = {key: keys_of(one.payload) for key, one in bodies.items()}
    rows = [
        {
            "quiz": key[0],
            "answer": key[1],
            "payload": bodies[key].payload,
            "mark": bodies[key].mark,
            "complete": is_complete(bodies[key].payload),
            "people": people[key],
        }
        for key in sorted(bodies)
    ]
    with connection.cursor() as cursor:
        cursor.execute(INSERT_ANSWERS, [account_id, now, json.dumps(rows)])
        made = {(quiz, answer): pk for pk, quiz, answer in cursor.fetchall()}
    return {
        key: Answer(
            pk=pk,
            account_id=account_id,
            quiz_id=one.quiz_id,
            answer_id=one.answer_id,
            payload=one.payload,
            digest=one.mark,
            created_at=now,
            complete=is_complete(one.payload),
            contact_keys=people[key],
        )
        for key, pk in made.items()
        if (one := bodies[key])
    }


INSERT_ANSWERS = """
INSERT INTO rules_answer
    (account_id, quiz_id, answer_id, payload, digest, created_at, complete, contact_keys)
SELECT %s, quiz, answer, payload, mark, %s, complete, ARRAY(SELECT jsonb_array_elements_text(people))
FROM jsonb_to_recordset(%s::jsonb) AS t(quiz bigint, answer text, payload jsonb, mark text, complete boolean,
    people jsonb)
ON CONFLICT (account_id, quiz_id, answer_id) DO NOTHING RETURNING id, quiz_id, answer_id
"""


def _known(account_id: str, keys: Collection[Key]) -> dict[Key, Answer]:
    if not keys:
        return {}
    quizzes, ids = {quiz for quiz, _ in keys}, {answer for _, answer in keys}
    rows = Answer.objects.filter(account_id=account_id, quiz_id__in=quizzes, answer_id__in=ids)
    return {(row.quiz_id, row.answer_id): row for row in rows}


def _other_body(one: _Sent) -> Conflict:
    return Conflict(
        f"answerID {one.answer_id!r} of quiz {one.quiz_id} came before with another body and was complete; "
        "nothing is changed. A body that will be followed by more says complete: false",
        code="answer_changed",
        field="answerID",
    )


def _plan(
    answers: Sequence[Answer],
    known: Collection[tuple[int, int]] = (),
    rule: Rule | None = None,
    *,
    inserted: bool = False,
) -> list[Delivery]:
    """One delivery per live rule of each answer's quiz, or by ``rule``; the answers have one owner.

    ``inserted``: this call stored them, so their ``contact_keys`` are by today's ``PHONE_REGION``. Those of
    an older row may be by another one."""
    if not answers:
        return []
    quizzes = {answer.quiz_id for answer in answers}
    rules = [rule] if rule else live_rules(answers[0].account_id, quizzes)
    # Reading phones and e-mails is the dearest step without the database, so each region's are read once.
    people = {(row.pk, settings.PHONE_REGION): row.contact_keys for row in answers} if inserted else {}
    return Delivery.objects.bulk_create(
        _delivery(answer, rule, people)
        for answer in answers
        for rule in rules
        if rule.quiz_id == answer.quiz_id and (answer.pk, rule.account_id) not in known
    )


def live_rules(account_id: str, quiz_ids: Iterable[int]) -> list[Rule]:
    """With what a delivery wants of its rule and account, and no more: both rows are wide."""
    with connection.cursor() as cursor:
        cursor.execute(LIVE_RULES, [account_id, list(quiz_ids)])
        found = cursor.fetchall()
    rules = []
    for pk, quiz, paused_at, rests_until, *columns in found:
        account = Account(**dict(zip(OF_ACCOUNT, columns, strict=True)))
        account.state_reason = from_column(account.state_reason)  # as the field reads it
        account.lane = Lane(account=account, rests_until=rests_until)
        rules.append(Rule(pk=pk, quiz_id=quiz, paused_at=paused_at, account=account))
    return rules


# A disconnected account's rules wait for it, unless another one was connected in its place since.
OF_ACCOUNT = ("id", "crm", "country", "state", "state_reason", "deleted")
LIVE_RULES = f"""
SELECT r.id, r.quiz_id, r.paused_at, l.rests_until, {", ".join(f"a.{name}" for name in OF_ACCOUNT)}
FROM rules_rule r JOIN accounts_account a ON a.id = r.account_id
LEFT JOIN accounts_lane l ON l.account_id = a.id
WHERE a.account_id = %s AND r.quiz_id = ANY(%s) AND NOT r.deleted AND NOT (a.deleted AND EXISTS (
    SELECT FROM accounts_account o
    WHERE o.account_id = a.account_id AND o.crm = a.crm
    AND o.connected_at > a.connected_at))
ORDER BY a.id
"""  # noqa: S608 - names of our own


def _delivery(answer: Answer, rule: Rule, people: dict[tuple[int, str], list[str]]) -> Delivery:
    """Held at once where its account can't be used or its rule is paused. ``people`` are contact keys by
    answer and region; missing ones are added."""
    hold, now = holds.hold_of(rule.account) or holds.hold_of_rule(rule), db_clock.now()
    place = answer.pk, region_of(rule.account)
    if place not in people:
        people[place] = contact_keys(normalised(answer.payload).get("contact", {}), place[1])
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
        contact_keys=people[place],
    )


def _deliveries_of(answers: Sequence[Answer]) -> list[Delivery]:
    if not answers:
        return []
    return list(Delivery.objects.filter(answer__in=answers).select_related("account__lane").order_by("pk"))


def _by_answer(deliveries: Iterable[Delivery]) -> dict[int, list[Delivery]]:
    found: dict[int, list[Delivery]] = {}
    for delivery in deliveries:
        found.setdefault(delivery.answer_id, []).append(delivery)
    return found


def _by_owner(answers: Sequence[Answer]) -> Iterator[list[Answer]]:
    in_order = sorted(answers, key=lambda answer: answer.account_id)
    for _, group in groupby(in_order, key=lambda answer: answer.account_id):
        yield list(group)
