"""What the options of a quiz mean in a CRM, on the wire."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from rules.mapping.likeness import LIKELY
from rules.mapping.option_map import GONE, MAPPED, NOTE, SAME, UNKNOWN
from rules.option_offers import QuestionOptions, QuizText
from rules.serializers.dialect import RuleDialect
from rules.serializers.extra_parts import shown_id


class CrmOptionOut(serializers.Serializer[Any]):
    id = serializers.JSONField(help_text="The CRM's id of the option, as `Extra.Options` names it.")
    text = serializers.CharField(help_text="What the CRM calls it.")


class OfferOut(CrmOptionOut):
    likeness = serializers.IntegerField(help_text="How alike the two texts are, in per cent.")


class QuizTextOut(serializers.Serializer[Any]):
    text = serializers.CharField(help_text="The option as the quiz calls it.")
    meaning = serializers.ChoiceField(
        choices=[SAME, MAPPED, NOTE, GONE, UNKNOWN],
        help_text="`same`: an option of the field is called so; `mapped`: `Extra.Options` says which one is "
        "meant; `note`: it says that the text stays in the note; `gone`: the field has no such option any "
        "more; `unknown`: nobody says, and the answer is only in the note.",
    )
    option = serializers.JSONField(allow_null=True, help_text="The id of the option that is meant, or null.")
    likely = serializers.JSONField(
        allow_null=True,
        help_text=f"The option that is at least {LIKELY} % alike, with the same numbers and no word that "
        "turns the meaning round, and ahead of the next one; null where a person has to say. It counts once "
        "it is saved in `Extra.Options`, not before.",
    )
    offers = OfferOut(many=True, help_text="Up to three options that may be meant, the likeliest first.")
    seenAt = serializers.DateTimeField(
        allow_null=True, help_text="When it was answered last, to within a day, as far as that is kept."
    )


class QuestionOptionsOut(serializers.Serializer[Any]):
    """A question of the rule that goes into a field with options."""

    record = serializers.CharField(help_text="lead, contact, company ..., as in `FieldsRule`.")
    question = serializers.CharField(help_text="The question's id.")
    title = serializers.CharField(help_text="What is asked, or the id where nobody told.")
    field = serializers.JSONField(help_text="The field as the rule names it.")
    name = serializers.CharField(help_text="What the CRM calls the field.")
    options = CrmOptionOut(many=True, help_text="The options that the CRM has.")
    texts = QuizTextOut(many=True, help_text="The options of the quiz, as far as they are known.")


class RuleOptionsOut(serializers.Serializer[Any]):
    """Options of a quiz and of its CRM side by side."""

    items = QuestionOptionsOut(many=True, help_text="In the order of the rule.")


def write_question(one: QuestionOptions, dialect: RuleDialect) -> dict[str, Any]:
    return {
        "record": one.choice.entity,
        "question": one.choice.question,
        "title": one.title,
        "field": shown_id(one.named, dialect),
        "name": one.choice.target.name,
        "options": [
            {"id": shown_id(option.remote_id, dialect), "text": option.text}
            for option in one.choice.target.options
        ],
        "texts": [_write_text(text, dialect) for text in one.texts],
    }


def _write_text(one: QuizText, dialect: RuleDialect) -> dict[str, Any]:
    return {
        "text": one.text,
        "meaning": one.meaning,
        "option": shown_id(one.option, dialect) if one.option else None,
        "likely": shown_id(one.likely, dialect) if one.likely else None,
        "offers": [
            {"id": shown_id(option.remote_id, dialect), "text": option.text, "likeness": alike}
            for option, alike in one.offers
        ],
        "seenAt": one.seen_at,
    }
