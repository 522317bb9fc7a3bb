"""What is wrong with a rule's options today, those of the quiz and those of the CRM. Pure.

Each problem names its field as ``rules.problems`` does for a value that was not placed there: it is told in
that one's place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from connectors.draft import Problem
from connectors.messages import joined, message
from rules.mapping.likeness import likeliest
from rules.mapping.option_map import ChoiceField
from rules.mapping.rule_snapshot import RuleSnapshot

GONE, UNMAPPED, LIKELY, UNUSED = "option_gone", "option_unmapped", "option_likely", "option_unused"
OPTION_CODES = frozenset({GONE, UNMAPPED, LIKELY, UNUSED})
MOST_NAMED = 5


def option_problems(snapshot: RuleSnapshot) -> Iterator[Problem]:
    by_field: dict[tuple[str, str], list[ChoiceField]] = {}
    for choice in snapshot.choice_fields.values():
        by_field.setdefault((choice.target.entity, choice.target.remote_id), []).append(choice)
    for (entity, remote_id), choices in by_field.items():
        for code, words in _told(choices):
            yield Problem(code, words, f"{entity}.{remote_id}")
    yield from _unused(snapshot)


def _told(choices: Sequence[ChoiceField]) -> Iterator[tuple[str, str]]:
    """(code, sentence) of one field, whatever the questions that go into it."""
    name = choices[0].target.name
    if gone := {text: one for choice in choices for text, one in choice.gone.items()}:
        yield (
            GONE,
            message(
                "Field «{field}» has no option {ids} any more, which {texts} meant; choose another one.",
                field=name,
                ids=", ".join(dict.fromkeys(gone.values())),
                texts=_listed(gone),
            ),
        )
    unmapped = dict.fromkeys(text for choice in choices for text in choice.unmapped())
    meant = {text: likeliest(text, choices[0].target.options) for text in unmapped}
    if likely := [f"«{text}» — «{one.text}»" for text, one in meant.items() if one]:
        yield (
            LIKELY,
            message(
                "Field «{field}» may have options of the quiz by another name: {pairs}. Say on the rule's "
                "page, or in Extra.Options, whether they are meant; till then they are in the note.",
                field=name,
                pairs=_few(likely),
            ),
        )
    if strange := [text for text, one in meant.items() if one is None]:
        yield (
            UNMAPPED,
            message(
                "Field «{field}» has no option called {texts}: it is only in the note. Say on the rule's "
                "page, or in Extra.Options, which one is meant.",
                field=name,
                texts=_listed(strange),
            ),
        )


def _unused(snapshot: RuleSnapshot) -> Iterator[Problem]:
    used = {(one.entity, one.question, one.target.remote_id) for one in snapshot.choice_fields.values()}
    for number, said in enumerate(snapshot.option_maps):
        target = snapshot.fields.get((snapshot.entities.get(said["record"], ""), said["field"]))
        if target is None or (said["record"], said["question"], target.remote_id) not in used:
            yield Problem(
                UNUSED,
                message(
                    "What options of question {question} mean in field {field} is said for nothing: the rule "
                    "puts no such answer there, or the field has no options.",
                    question=said["question"],
                    field=target.name if target else said["field"],
                ),
                f"Extra.Options[{number}]",
            )


def _listed(texts: Iterable[str]) -> str:
    return _few([f"«{text}»" for text in texts])


def _few(words: Sequence[str]) -> str:
    if len(words) <= MOST_NAMED:
        return ", ".join(words)
    return joined(
        " ", ", ".join(words[:MOST_NAMED]), message("and {count} more", count=len(words) - MOST_NAMED)
    )
