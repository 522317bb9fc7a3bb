"""What is wrong with a rule today. Pure: a book in, problems out."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.draft import Problem
from rules.book import Book

BLOCKING = frozenset({"pipeline_gone", "step_gone", "step_missing_pipeline"})
CODES = BLOCKING | {"performer_gone", "entity_unknown", "field_wanted", "field_gone", "tag_gone"}


def problems_of(book: Book) -> tuple[Problem, ...]:
    """All problems, those that stop deliveries first."""
    found = [*_placement(book), *_performer(book), *_fields(book), *_tags(book)]
    return tuple(sorted(found, key=lambda problem: problem.code not in BLOCKING))


def blocking_problem(book: Book) -> Problem | None:
    """The problem for which a lead can't be sent at all, or None."""
    return next((problem for problem in _placement(book) if problem.code in BLOCKING), None)


def _placement(book: Book) -> Iterator[Problem]:
    if book.pipeline and not (book.seen_pipeline and book.seen_pipeline.alive):
        name = f" «{book.seen_pipeline.name}»" if book.seen_pipeline else ""
        yield Problem(
            "pipeline_gone",
            f"Pipeline {book.pipeline}{name} is not in the CRM; choose another one.",
            "PipelineID",
        )
    elif book.step and not book.pipeline:
        yield Problem(
            "step_missing_pipeline", "A step without its pipeline; choose the pipeline too.", "PipelineID"
        )
    elif book.step and not (book.seen_step and book.seen_step.alive):
        name = f" «{book.seen_step.name}»" if book.seen_step else ""
        yield Problem(
            "step_gone",
            f"Step {book.step}{name} is not in pipeline {book.pipeline}; choose another one.",
            "StepID",
        )


def _performer(book: Book) -> Iterator[Problem]:
    if book.performer and not (book.seen_performer and book.seen_performer.alive):
        name = f" «{book.seen_performer.name}»" if book.seen_performer else ""
        yield Problem(
            "performer_gone",
            f"User {book.performer}{name} can't be responsible any more; leads arrive without one.",
            "PerformerID",
        )


def _fields(book: Book) -> Iterator[Problem]:
    for entity, question, remote_id in book.questions:
        kind = book.entities.get(entity)
        if kind is None:
            yield Problem("entity_unknown", f"This CRM has no fields of «{entity}».", f"FieldsRule.{entity}")
        elif remote_id == "0":
            yield Problem("field_wanted", f"The field for question {question} is still to be made.", question)
        elif (kind, remote_id) not in book.fields:
            yield Problem(
                "field_gone",
                f"Field {remote_id} for question {question} is not in the CRM; its answers go into the note.",
                f"FieldsRule.{entity}",
            )


def _tags(book: Book) -> Iterator[Problem]:
    for entity, item in book.tags_to_add:
        if isinstance(item, int) and item not in book.tags:
            yield Problem(
                "tag_gone", f"Tag {item} is not in the CRM any more; it is left out.", f"TagsToAdd.{entity}"
            )
