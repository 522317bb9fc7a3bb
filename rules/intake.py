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
from rules.book import region_of
from rules.models import Answer, Delivery, Rule
from rules.person import contact_keys
from rules.wake import wake_lanes


@dataclass(frozen=True, slots=True)
class Taken:
    """An answer as it is stored now, with its deliveries; ``is_new`` is false for a repeat."""

    answer: Answer
    is_new: bool
    deliveries: tuple[Delivery, ...] = ()


def accept_answers(account_id: str, payloads: Sequence[Mapping[str, Any]]) -> list[Taken]:
    """Store answers and plan their deliveries in one transaction; a repeat changes nothing.

    ``payloads`` are validated bodies (``AnswerIn``). Raises ``Conflict`` where an answer id comes again with
    another body; then nothing of the call is stored.
    """
    with transaction.atomic():
        taken = [_store(account_id, payload) for payload in payloads]
        planned = _plan([item.answer for item in taken if item.is_new])
        lanes = {delivery.account_id for delivery in planned}
        transaction.on_commit(lambda: wake_lanes(lanes))
        known = _deliveries_of([item.answer for item in taken if not item.is_new])
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
    text = json.dumps(payload, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def new_uid() -> str:
    """Our mark in the CRM: letters and digits only, so that no search splits it (``qz7f3a91c2k4mp``)."""
    return "qz" + base64.b32encode(secrets.token_bytes(10)).decode().lower()


def _store(account_id: str, payload: Mapping[str, Any]) -> Taken:
    quiz_id, answer_id, mark = payload["quizID"], payload["answerID"], digest(payload)
    created_at = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO rules_answer (account_id, quiz_id, answer_id, payload, digest, created_at)
            VALUES (%s, %s, %s, %s::jsonb, %s, %s)
            ON CONFLICT (account_id, quiz_id, answer_id) DO NOTHING RETURNING id
            """,
            [account_id, quiz_id, answer_id, json.dumps(payload), mark, created_at],
        )
        row = cursor.fetchone()
    if row:
        return Taken(Answer(row[0], account_id, quiz_id, answer_id, payload, mark, created_at), is_new=True)
    answer = Answer.objects.get(account_id=account_id, quiz_id=quiz_id, answer_id=answer_id)
    if answer.digest != mark:
        raise Conflict(
            f"answerID {answer_id!r} of quiz {quiz_id} came before with another body; use a new id",
            code="answer_changed",
            field="answerID",
        )
    return Taken(answer, is_new=False)


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
    return list(
        Rule.objects.filter(
            deleted=False, quiz_id__in=quiz_ids, account__account_id=account_id, account__deleted=False
        ).select_related("account")
    )


def _delivery(answer: Answer, rule: Rule) -> Delivery:
    return Delivery(
        answer=answer,
        rule=rule,
        account=rule.account,
        owner=answer.account_id,
        quiz_id=answer.quiz_id,
        uid=new_uid(),
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
