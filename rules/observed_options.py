"""What was answered to questions that go into fields with options: the options of a quiz, where nobody tells
them. Kept narrow: those questions alone, short texts, no contacts, so many of a question, as long as the
newest answer that brought one is kept.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from django.db import connection

from accounts import db_clock
from connectors.contact import emails_in, phones_in
from rules.mapping.option_map import LONGEST_OPTION, MOST_OBSERVED
from rules.mapping.payload import normalised
from rules.mapping.rule_snapshot import RuleSnapshot
from rules.mapping.values import answers_of
from rules.models import QuizOption, Rule

log = structlog.stdlib.get_logger(__name__)
FRESH = timedelta(days=1)  # how long a text's last answer counts as its newest
Noted = set[tuple[int, str, str]]  # (rule, question, text) of which nothing new need be told


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer on its way by a rule."""

    answer_id: int
    rule: RuleSnapshot
    payload: Mapping[str, Any]


def observe(answers: Iterable[Answered], noted: Noted) -> set[int]:
    """Remember what is new in these answers; ids of the rules that have no option for some of it.

    Nothing is asked or written where nothing is new. ``noted`` is the caller's memory over its batches.
    """
    found: dict[tuple[int, str, str], int] = {}
    strange: dict[tuple[int, str, str], int] = {}
    for one in answers:
        if not one.rule.choice_fields:
            continue
        for question, option, is_known in _safely_told(one):
            key = (one.rule.rule_id, question, option)
            if key not in noted:
                found[key] = one.answer_id
                if not is_known:
                    strange[key] = one.rule.rule_id
    if not found:
        return set()
    new = _write(found)
    noted |= found.keys()
    return {rule_id for key, rule_id in strange.items() if key in new}


def _safely_told(one: Answered) -> list[tuple[str, str, bool]]:
    """An answer that breaks our own code holds back no other."""
    try:
        return list(_told(one))
    except Exception:
        log.exception("the options of an answer can't be read", answer=one.answer_id)
        return []


def _told(one: Answered) -> Iterator[tuple[str, str, bool]]:
    """(question, option, does its field know it) of what is to be written."""
    asked = normalised({"answers": one.payload.get("answers")})  # of the body nothing else is looked at
    answers, stale = answers_of(asked, one.rule.language), db_clock.now() - FRESH
    for choice in one.rule.choice_fields.values():
        _, value = answers.get(choice.question, ("", ()))
        for text in (value,) if isinstance(value, str) else value:
            if text in choice.observed and choice.observed[text] > stale:
                continue
            for option, is_known in choice.read(text):
                seen = choice.observed.get(option)
                has_room = seen or len(choice.observed) < MOST_OBSERVED
                if has_room and not (seen and seen > stale) and is_option(option, one.rule.region):
                    yield choice.question, option, is_known


def is_option(text: str, region: str) -> bool:
    """May it be an option, and no story and nobody's contact?"""
    return 0 < len(text) <= LONGEST_OPTION and not emails_in(text) and not phones_in(text, region)


# A question that is full takes no more, and what it has goes on.
WRITE = f"""
INSERT INTO rules_quizoption (rule_id, question, text, answer_id, first_seen, last_seen)
SELECT v.rule, v.question, v.text, v.answer, %s, %s
FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::bigint[]) AS v(rule, question, text, answer)
WHERE (SELECT count(*) FROM rules_quizoption o WHERE o.rule_id = v.rule AND o.question = v.question)
    < {MOST_OBSERVED}
OR EXISTS (SELECT FROM rules_quizoption o
    WHERE o.rule_id = v.rule AND o.question = v.question AND o.text = v.text)
ORDER BY v.rule, v.question, v.text
ON CONFLICT (rule_id, question, text) DO UPDATE
SET last_seen = excluded.last_seen, answer_id = excluded.answer_id
RETURNING rule_id, question, text, first_seen = last_seen
"""  # noqa: S608 - a number of our own


def _write(found: Mapping[tuple[int, str, str], int]) -> set[tuple[int, str, str]]:
    """Those that were not there before. One statement."""
    now, keys = db_clock.now(), list(found)
    columns = [list(column) for column in zip(*keys, strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(WRITE, [now, now, *columns, [found[key] for key in keys]])
        return {(rule, question, text) for rule, question, text, is_new in cursor.fetchall() if is_new}


def forget(answers: Collection[int]) -> None:
    """What these answers brought, and no newer one did; their rules' problems are found anew."""
    rows = QuizOption.objects.filter(answer__in=answers)
    rules = set(rows.values_list("rule_id", flat=True))
    rows.delete()
    look_at_rules(rules)


def look_at_rules(rules: Collection[int]) -> None:
    """Have the problems of these rules found anew, by beat."""
    if rules:
        Rule.objects.filter(pk__in=rules, deleted=False).update(recheck_at=db_clock.now())
