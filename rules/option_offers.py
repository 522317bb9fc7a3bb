"""What a quiz's options mean in the CRM, and what they may mean by likeness: for REST and the page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connectors.coercion import plain_choice
from rules.mapping import likeness
from rules.mapping.option_map import UNKNOWN, ChoiceField
from rules.mapping.payload import normalised
from rules.mapping.quiz import ANSWERS_READ, all_questions, newest_answers
from rules.mapping.rule_snapshot import RuleSnapshot, read_snapshot
from rules.mapping.values import answers_of
from rules.models import Rule
from rules.observed_options import is_option

Questions = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class QuizText:
    """An option of the quiz: its ``meaning`` and ``option`` (``ChoiceField.meaning``), the ids that may be
    meant with their likeness, the likeliest first, and which one is ``likely``: empty where a person has to
    say. ``seen_at`` is when it was answered last, as far as that is kept."""

    text: str
    meaning: str
    option: str
    likely: str = ""
    offers: tuple[likeness.Offer, ...] = ()
    seen_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class QuestionOptions:
    """A question of the rule that goes into a field with options, which the rule calls ``named``."""

    choice: ChoiceField
    named: str
    title: str
    texts: list[QuizText] = field(default_factory=list)


def options_of(rule: Rule, questions: Questions | None = None) -> list[QuestionOptions]:
    """In the order of the rule. ``questions`` are those of ``all_questions``, read here where they are not
    at hand. A handful of queries; none but the rule's own where it has no such question."""
    snapshot = read_snapshot(rule, rule.account)
    if not snapshot.choice_fields:
        return []
    known = all_questions(rule) if questions is None else questions
    answered = _answered(rule, snapshot)
    found = []
    for (_, question, named), choice in snapshot.choice_fields.items():
        words = known.get(question, {})
        told = [*words.get("options", ()), *choice.offered, *sorted(choice.observed)]
        told += [text for text in answered.get(question, ()) if is_option(text, snapshot.region)]
        texts = [_text(choice, text) for text in _options(choice, told)]
        found.append(QuestionOptions(choice, named, str(words.get("title") or question), texts))
    return found


def _answered(rule: Rule, snapshot: RuleSnapshot) -> dict[str, list[str]]:
    """What the newest answers say, by question: also those that came before the rule."""
    wanted = {choice.question for choice in snapshot.choice_fields.values()}
    found: dict[str, list[str]] = {}
    for payload in newest_answers(rule).values_list("payload", flat=True)[:ANSWERS_READ]:
        for question, (_, value) in answers_of(normalised(payload), snapshot.language).items():
            if question in wanted:
                found.setdefault(question, []).extend((value,) if isinstance(value, str) else value)
    return found


def _options(choice: ChoiceField, told: list[str]) -> Iterator[str]:
    """Each option once, those of the rule's own map first."""
    mapped = [*(one.text for one in choice.said), *(one.text for one in choice.silent), *choice.gone]
    texts = (option for text in told for option, _ in choice.read(text))
    seen: set[str] = set()
    for text in (*mapped, *texts):
        if (plain := plain_choice(text)) not in seen:
            seen.add(plain)
            yield text


def _text(choice: ChoiceField, text: str) -> QuizText:
    meaning, option = choice.meaning(text)
    seen_at = choice.observed.get(text)
    if meaning != UNKNOWN:
        return QuizText(text, meaning, option, seen_at=seen_at)
    likely = likeness.likeliest(text, choice.target.options)
    offers = tuple(likeness.offers(text, choice.target.options))
    return QuizText(text, meaning, option, likely.remote_id if likely else "", offers, seen_at)
