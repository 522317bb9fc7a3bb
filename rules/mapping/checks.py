"""What is wrong with a rule today. Pure: a rule's snapshot in, problems out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from connectors.base import Named
from connectors.draft import Problem
from connectors.messages import message
from rules.mapping.option_checks import OPTION_CODES, option_problems
from rules.mapping.rule_snapshot import RuleSnapshot, Seen, is_wish

GONE = {"pipelines": "pipeline_gone", "steps": "step_gone"}
BLOCKING = frozenset({*GONE.values(), "step_missing_pipeline"})
CODES = BLOCKING | {
    "entry_gone",
    "performer_gone",
    "entity_unknown",
    "field_wanted",
    "field_gone",
    "tag_gone",
    "two_questions_one_field",
    *OPTION_CODES,
}


def problems_of(snapshot: RuleSnapshot) -> tuple[Problem, ...]:
    """All problems, those that stop deliveries first; of a route those that the rule has not without it."""
    own = [*_placement(snapshot), *_performer(snapshot), *_tags(snapshot), *_task(snapshot)]
    found = [*own, *_people(snapshot), *_fields(snapshot), *_texts(snapshot), *_crowded(snapshot)]
    found += option_problems(snapshot)
    found += _written(snapshot)
    for route in snapshot.routes:
        its = [*_placement(route.rule), *_performer(route.rule), *_tags(route.rule), *_task(route.rule)]
        found += [_within(route.rule, problem) for problem in its if problem not in own]
    return tuple(sorted(found, key=lambda problem: problem.code not in BLOCKING))


def blocking_problem(snapshot: RuleSnapshot) -> Problem | None:
    """The problem for which a lead can't be sent at all, or None; of the rule's own way, or of a route's."""
    found = next((problem for problem in _placement(snapshot) if problem.code in BLOCKING), None)
    return _within(snapshot, found) if found else None


def delivers(snapshot: RuleSnapshot) -> bool:
    """Can leads be sent by the rule, or by one of its routes at least?"""
    ways = (snapshot, *(route.rule for route in snapshot.routes))
    return any(blocking_problem(way) is None for way in ways)


def _within(snapshot: RuleSnapshot, problem: Problem) -> Problem:
    """The problem with the place of its route."""
    return replace(problem, field=f"{snapshot.at}{problem.field}") if snapshot.at else problem


def _placement(snapshot: RuleSnapshot) -> Iterator[Problem]:
    """Of a pipeline that is gone nothing else need be said."""
    lost = [(one, seen) for one, seen in snapshot.named if not (seen and seen.alive)]
    if pipelines := [(one, seen) for one, seen in lost if one.what == "pipelines"]:
        lost = [(one, seen) for one, seen in lost if not one.vital] + pipelines
    elif snapshot.step and not snapshot.pipeline:
        yield Problem(
            "step_missing_pipeline",
            message("A step without its pipeline; choose the pipeline too."),
            "PipelineID",
        )
        return
    yield from (_lost(one, seen) for one, seen in lost)


def _lost(one: Named, seen: Seen | None) -> Problem:
    place = (
        message("the CRM")
        if one.what == "pipelines"
        else message("pipeline {pipeline}", pipeline=one.pipeline)
        if one.pipeline
        else one.entity
    )
    code = GONE[one.what] if one.vital else "entry_gone"
    return Problem(
        code,
        message(
            "{word} {remote_id}{name} is not in {place}; choose another one.",
            word=one.word,
            remote_id=one.remote_id,
            name=_in_quotes(seen),
            place=place,
        ),
        one.field,
    )


def _performer(snapshot: RuleSnapshot) -> Iterator[Problem]:
    if snapshot.performer and not snapshot.has_alive(snapshot.performer):
        words = message(
            "User {performer}{name} can't be responsible any more; leads arrive without one.",
            performer=snapshot.performer,
            name=_in_quotes(snapshot.seen_performer),
        )
        yield Problem("performer_gone", words, "PerformerID")


def _task(snapshot: RuleSnapshot) -> Iterator[Problem]:
    performer = snapshot.follow_up.performer if snapshot.follow_up else ""
    if performer and not snapshot.has_alive(performer):
        words = message(
            "User {performer}{name} can't have tasks any more; whoever looks after the lead has them.",
            performer=performer,
            name=_in_quotes(snapshot.seen_people.get(performer)),
        )
        yield Problem(
            "performer_gone", words, "Task.PerformerID" if snapshot.at else "Extra.Task.PerformerID"
        )


def _people(snapshot: RuleSnapshot) -> Iterator[Problem]:
    for performer in sorted(snapshot.responsible.everybody()):
        if not snapshot.has_alive(performer):
            words = message(
                "User {performer}{name} can't be responsible any more; others have the turns.",
                performer=performer,
                name=_in_quotes(snapshot.seen_people.get(performer)),
            )
            yield Problem("performer_gone", words, f"Extra.Responsible.{performer}")


def _in_quotes(seen: Seen | None) -> str:
    """The name that was seen last, as it follows an id."""
    return f" «{seen.name}»" if seen else ""


def _fields(snapshot: RuleSnapshot) -> Iterator[Problem]:
    for entity, question, remote_id in snapshot.questions:
        kind = snapshot.entities.get(entity)
        if kind is None:
            yield Problem(
                "entity_unknown",
                message("This CRM has no fields of «{entity}».", entity=entity),
                f"FieldsRule.{entity}",
            )
        elif is_wish(remote_id):
            yield Problem(
                "field_wanted",
                message(
                    "The field for question {question} is still to be made; it needs the question's "
                    "title, which the first answer tells at the latest.",
                    question=question,
                ),
                question,
            )
        elif (kind, remote_id) not in snapshot.fields:
            yield Problem(
                "field_gone",
                message(
                    "Field {remote_id} for question {question} is not in the CRM; its answers go into the "
                    "note.",
                    remote_id=remote_id,
                    question=question,
                ),
                f"FieldsRule.{entity}",
            )


def _texts(snapshot: RuleSnapshot) -> Iterator[Problem]:
    for number, (entity, remote_id, _) in enumerate(snapshot.texts.values):
        if (snapshot.entities.get(entity, ""), remote_id) not in snapshot.fields:
            yield Problem(
                "field_gone",
                message(
                    "Field {remote_id} is not in the CRM; its text goes into the note.", remote_id=remote_id
                ),
                f"Extra.Values[{number}].Field",
            )


def _written(snapshot: RuleSnapshot) -> Iterator[Problem]:
    """Fields of records that are there, for which the rule has a mode of their own."""
    for record, key in snapshot.written_fields:
        if (snapshot.entities.get(record, ""), key) not in snapshot.fields:
            yield Problem(
                "field_gone",
                message("Field {remote_id} is not in the CRM; nothing is written into it.", remote_id=key),
                f"Extra.Existing.{record.capitalize()}.Fields.{key}",
            )


def _crowded(snapshot: RuleSnapshot) -> Iterator[Problem]:
    """Fields that several questions are meant for and that can't hold more than one answer."""
    meant: dict[tuple[str, str], dict[str, str]] = {}
    for entity, question, remote_id in snapshot.questions:
        target = snapshot.fields.get((snapshot.entities.get(entity, ""), remote_id))
        if target and not snapshot.holds_several(target):
            meant.setdefault((target.entity, target.remote_id), {})[question] = entity
    for (_, remote_id), asked in meant.items():
        if len(asked) > 1:
            yield Problem(
                "two_questions_one_field",
                message(
                    "Questions {names} go into field {remote_id}, which holds one answer; give each a "
                    "field of its own, or one that takes text.",
                    names=", ".join(asked),
                    remote_id=remote_id,
                ),
                f"FieldsRule.{next(iter(asked.values()))}",
            )


def _tags(snapshot: RuleSnapshot) -> Iterator[Problem]:
    for entity, item in snapshot.tags_to_add:
        if isinstance(item, int) and item not in snapshot.tags:
            yield Problem(
                "tag_gone",
                message("Tag {item} is not in the CRM any more; it is left out.", item=item),
                f"TagsToAdd.{entity}",
            )
