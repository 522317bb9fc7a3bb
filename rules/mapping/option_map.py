"""Which option of a CRM's field an option of the quiz means: what the rule says, or the same words. Pure.

    {"record": "lead", "field": "5000", "question": "when", "map": {"Прямо сейчас": "901", "Не знаю": None}}

Connectors find options by their words (``connectors.coercion.choices``): here the rule's words for an option
are put in front of the CRM's own. ``None`` means that the text stays in the note alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from connectors.coercion import CHOICES_BETWEEN, choices, plain_choice
from connectors.draft import FieldValue, Option, Target

MOST_OBSERVED = 200  # texts of one question that are remembered
LONGEST_OPTION = 200  # what is longer is a story, no option
SAME, MAPPED, NOTE, GONE, UNKNOWN = "same", "mapped", "note", "gone", "unknown"  # what a text means
Key = tuple[str, str, str]  # our entity word, question id, field as the rule has it
Observed = Mapping[str, Mapping[str, datetime]]  # by question: when each text was last answered


@dataclass(frozen=True, slots=True)
class ChoiceField:
    """A question of a rule that goes into a field with options.

    ``target`` is the field as the CRM has it, ``asked`` the same with the rule's words for its options in
    front, ``silent`` is what stays in the note alone; ``gone`` are texts whose option the field lacks today,
    with its id. ``offered`` are the quiz's own options as far as its configuration tells, ``observed`` what
    was answered.
    """

    entity: str
    question: str
    target: Target
    asked: Target
    silent: tuple[Option, ...] = ()
    gone: Mapping[str, str] = field(default_factory=dict)
    offered: tuple[str, ...] = ()
    observed: Mapping[str, datetime] = field(default_factory=dict)

    def filled(self, value: FieldValue) -> FieldValue | None:
        """The value with the rule's words for the options; None where all of it stays in the note."""
        if not self.silent:
            return replace(value, target=self.asked)
        texts = tuple(left for text in value.texts for left in self._left(text))
        if not texts:
            return None
        single = isinstance(value.value, str) and len(texts) == 1
        return replace(value, target=self.asked, value=texts[0] if single else texts)

    @property
    def known(self) -> tuple[Option, ...]:
        """All that an answer may say; what stays in the note has no id."""
        return (*self.silent, *self.asked.options)

    def _left(self, text: str) -> tuple[str, ...]:
        """A text without the parts of it that stay in the note."""
        if not CHOICES_BETWEEN.search(text):
            plain = plain_choice(text)
            return () if any(plain_choice(one.text) == plain for one in self.silent) else (text,)
        found = choices([text], self.known).value or ()
        if all(option.remote_id for option in found):
            return (text,)
        return tuple(option.text for option in found if option.remote_id)

    @property
    def said(self) -> tuple[Option, ...]:
        """The rule's words for options of the field."""
        return self.asked.options[: len(self.asked.options) - len(self.target.options)]

    def read(self, text: str) -> tuple[tuple[str, bool], ...]:
        """(option, is it known) for what one answered text says: one or, where it lists several, each of
        them. A text of which no part is known is one option."""
        found = choices([text], self.known).value or ()
        if found:
            return tuple((one.text if len(found) > 1 else text, True) for one in found)
        parts = [part.strip() for part in CHOICES_BETWEEN.split(text)[::2] if part.strip()]
        read = tuple((part, bool(choices([part], self.known).value)) for part in parts)
        return read if any(is_known for _, is_known in read) else ((text, False),)

    def meaning(self, text: str) -> tuple[str, str]:
        """(``SAME``, ``MAPPED``, ``NOTE``, ``GONE`` or ``UNKNOWN``, the option's id) of one of the quiz's
        options."""
        plain = plain_choice(text)
        for gone, remote_id in self.gone.items():
            if plain_choice(gone) == plain:
                return GONE, remote_id
        for words, meant in ((self.silent, NOTE), (self.said, MAPPED), (self.target.options, SAME)):
            if found := choices([text], words).value:
                return meant, found[0].remote_id
        return UNKNOWN, ""

    def unmapped(self) -> list[str]:
        """Options of the quiz that neither are the field's nor said to be; those that lost theirs are told
        apart (``gone``)."""
        told = {plain_choice(text) for text in self.gone}
        found: dict[str, str] = {}
        for text in (*self.offered, *sorted(self.observed)):
            for option, is_known in self.read(text):
                if not is_known and (plain := plain_choice(option)) not in told:
                    found.setdefault(plain, option)
        return list(found.values())

    def named(self, remote_id: str) -> str:
        """What the CRM calls an option; its id where it has none of it."""
        return next((one.text for one in self.target.options if one.remote_id == remote_id), remote_id)


def read_choice_fields(
    questions: Iterable[Key],
    target_of: Callable[[str, str], Target | None],
    said: Sequence[Mapping[str, Any]],
    quiz: Mapping[str, Mapping[str, Any]],
    observed: Observed,
) -> dict[Key, ChoiceField]:
    """The rule's questions that go into fields with options. ``target_of`` gives such a field by our entity
    word and the id or code that the rule has, None for one that takes no options; ``quiz`` is what its
    configuration says of its questions (``rules.mapping.quiz.by_id``)."""
    maps = {
        (one["record"], one["question"], target.remote_id): one["map"]
        for one in said
        if (target := target_of(one["record"], one["field"]))
    }
    found: dict[Key, ChoiceField] = {}
    for entity, question, named in questions:
        if (target := target_of(entity, named)) and len(question) <= LONGEST_OPTION:
            meant = maps.get((entity, question, target.remote_id), {})
            texts = quiz.get(question, {}).get("options", ())
            offered = tuple(text for text in texts if len(text) <= LONGEST_OPTION)
            found[entity, question, named] = _field(
                entity, question, target, meant, offered, observed.get(question, {})
            )
    return found


def _field(
    entity: str,
    question: str,
    target: Target,
    meant: Mapping[str, str | None],
    offered: tuple[str, ...],
    observed: Mapping[str, datetime],
) -> ChoiceField:
    alive = {option.remote_id: option for option in target.options}
    own = tuple(replace(alive[one], text=text) for text, one in meant.items() if one in alive)
    return ChoiceField(
        entity,
        question,
        target,
        asked=replace(target, options=(*own, *target.options)) if own else target,
        silent=tuple(Option("", text) for text, one in meant.items() if one is None),
        gone={text: one for text, one in meant.items() if one is not None and one not in alive},
        offered=offered,
        observed=observed,
    )


def chosen_words(value: FieldValue) -> str:
    """``Прямо сейчас → Срочно``: an answer, and the CRM's words for the options that it means, where those
    are others. The rule's words come first among a target's options, the CRM's last."""
    found = choices(value.texts, value.target.options).value or ()
    names = {option.remote_id: option.text for option in value.target.options}
    words = ", ".join(names[option.remote_id] for option in found)
    return f"{value.text} → {words}" if words and words != value.text else value.text
