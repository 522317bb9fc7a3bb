"""Taking answers in: stored once for ever, one delivery per live rule, lanes asked for on commit."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from accounts.api_errors import Conflict
from accounts.models import Account
from rules import revisions
from rules.book import region_of
from rules.models import Answer, Delivery, Rule
from rules.person import contact_keys
from rules.wake import wake_lanes

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


def accept_answers(account_id: str, payloads: Sequence[Mapping[str, Any]]) -> list[Taken]:
    """Store answers and plan their deliveries in one transaction; a repeat changes nothing.

    ``payloads`` are validated bodies (``AnswerIn``). Raises ``Conflict`` where a complete answer comes again
    with another body; then nothing of the call is stored.
    """
    with transaction.atomic():
        taken = _store(account_id, payloads)
        planned = _plan([item.answer for item in taken if item.is_new])
        lanes = {delivery.account_id for delivery in planned}
        transaction.on_commit(lambda: wake_lanes(lanes))
        fresh = {item.answer.pk for item in taken if item.is_new}
        known = _deliveries_of([item.answer for item in taken if item.answer.pk not in fresh])
    mine = _by_answer([*planned, *known])
    return [replace(item, deliveries=tuple(mine.get(item.answer.pk, ()))) for item in taken]


def plan_deliveries(answers: Sequence[Answer]) -> list[Delivery]:
    """Deliveries by today's rules for answers taken earlier, where they have none in that account yet."""
    with transaction.atomic():
        known = {(row.answer_id, row.account_id) for row in _deliveries_of(answers)}
        planned = [row for account in _by_owner(answers) for row in _plan(account, known)]
        lanes = {delivery.account_id for delivery in planned}
        transaction.on_commit(lambda: wake_lanes(lanes))
    return planned


def digest(payload: Mapping[str, Any]) -> str:
    """The fingerprint that tells a repeat from another body under the same id."""
    said = {key: value for key, value in payload.items() if key != "complete"}
    text = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def new_uid() -> str:
    """Our mark in the CRM: letters and digits only, so that no search splits it (``qz7f3a91c2k4mp``)."""
    return "qz" + base64.b32encode(secrets.token_bytes(10)).decode().lower()


def _store(account_id: str, payloads: Sequence[Mapping[str, Any]]) -> list[Taken]:
    """The answers as they are stored now, aligned with ``payloads``; one may stand there twice."""
    sent = [_Sent(payload["quizID"], payload["answerID"], payload, digest(payload)) for payload in payloads]
    new = _insert(account_id, {one.key: one for one in reversed(sent)})
    stored = new | _known(account_id, {one.key for one in sent} - new.keys())
    revisions.lock(answer for key, answer in stored.items() if not answer.complete and key not in new)
    taken = []
    for one in sent:
        answer, is_new = stored[one.key], new.pop(one.key, None) is not None
        change = revisions.Change.UNCHANGED if is_new else revisions.revise(answer, one.payload, one.mark)
        if change == revisions.Change.CONFLICT:
            raise _other_body(one)
        taken.append(Taken(answer, is_new, revised=change == revisions.Change.REVISED))
    return taken


def _insert(account_id: str, bodies: Mapping[Key, _Sent]) -> dict[Key, Answer]:
    """Those that nobody has stored before. In one order for everybody, so that no two calls wait for
    each other's answers."""
    now = timezone.now()
    rows = [
        {
            "quiz": key[0],
            "answer": key[1],
            "payload": bodies[key].payload,
            "mark": bodies[key].mark,
            "complete": revisions.is_complete(bodies[key].payload),
        }
        for key in sorted(bodies)
    ]
    with connection.cursor() as cursor:
        cursor.execute(INSERT_ANSWERS, [account_id, now, json.dumps(rows)])
        made = {(quiz, answer): pk for pk, quiz, answer in cursor.fetchall()}
    return {
        key: Answer(
            pk,
            account_id,
            one.quiz_id,
            one.answer_id,
            one.payload,
            one.mark,
            now,
            complete=revisions.is_complete(one.payload),
        )
        for key, pk in made.items()
        if (one := bodies[key])
    }


INSERT_ANSWERS = """
INSERT INTO rules_answer (account_id, quiz_id, answer_id, payload, digest, created_at, complete)
SELECT %s, quiz, answer, payload, mark, %s, complete
FROM jsonb_to_recordset(%s::jsonb) AS t(quiz bigint, answer text, payload jsonb, mark text, complete boolean)
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


def _plan(answers: Sequence[Answer], known: Collection[tuple[int, int]] = ()) -> list[Delivery]:
    """One delivery per live rule of each answer's quiz; the answers are of one quiz account."""
    if not answers:
        return []
    rules = _live_rules(answers[0].account_id, {answer.quiz_id for answer in answers})
    return Delivery.objects.bulk_create(
        _delivery(answer, rule)
        for answer in answers
        for rule in rules
        if rule.quiz_id == answer.quiz_id and (answer.pk, rule.account_id) not in known
    )


def _live_rules(account_id: str, quiz_ids: Iterable[int]) -> list[Rule]:
    """With what a delivery wants of its rule and account, and no more: both rows are wide."""
    with connection.cursor() as cursor:
        cursor.execute(LIVE_RULES, [account_id, list(quiz_ids)])
        return [
            Rule(pk=pk, quiz_id=quiz, account=Account(pk=account, crm=crm, country=country))
            for pk, quiz, account, crm, country in cursor.fetchall()
        ]


LIVE_RULES = """
SELECT r.id, r.quiz_id, a.id, a.crm, a.country
FROM rules_rule r JOIN accounts_account a ON a.id = r.account_id
WHERE a.account_id = %s AND r.quiz_id = ANY(%s) AND NOT r.deleted AND NOT a.deleted
ORDER BY a.id
"""


def _delivery(answer: Answer, rule: Rule) -> Delivery:
    return Delivery(
        answer=answer,
        rule=rule,
        account=rule.account,
        owner=answer.account_id,
        quiz_id=answer.quiz_id,
        uid=new_uid(),
        revision=answer.revision,
        contact_keys=contact_keys(answer.payload.get("contact") or {}, region_of(rule.account)),
    )


def _deliveries_of(answers: Sequence[Answer]) -> list[Delivery]:
    if not answers:
        return []
    return list(Delivery.objects.filter(answer__in=answers).select_related("account").order_by("pk"))


def _by_answer(deliveries: Iterable[Delivery]) -> dict[int, list[Delivery]]:
    found: dict[int, list[Delivery]] = {}
    for delivery in deliveries:
        found.setdefault(delivery.answer_id, []).append(delivery)
    return found


def _by_owner(answers: Sequence[Answer]) -> Iterator[list[Answer]]:
    in_order = sorted(answers, key=lambda answer: answer.account_id)
    for _, group in groupby(in_order, key=lambda answer: answer.account_id):
        yield list(group)
