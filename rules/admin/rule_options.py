"""Options of a quiz on a rule's page: what each means in the CRM, and what is offered by likeness."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from accounts.texts import say
from connectors.registry import connector_class
from crm_cache import lookup
from rules.mapping.likeness import LIKELY
from rules.models import Rule
from rules.option_offers import options_of
from rules.serializers import dialect_of
from rules.serializers.options import write_question


def options_editor(rule: Rule, questions: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """As over REST, with the page's words."""
    dialect = dialect_of(rule.account.crm)
    found = [write_question(one, dialect) for one in options_of(rule, questions)]
    for text in (text for one in found for text in one["texts"]):
        del text["seenAt"]
    return {"questions": found, "texts": _texts()}


def told_options(rule: Rule, extra: Mapping[str, Any]) -> dict[str, str]:
    """By question and field: what its options mean, in words."""
    said = extra.get("options", ())
    if not said:
        return {}
    entities = connector_class(rule.account.crm).can.entities
    fields = lookup.by_key(lookup.fields(rule.account))
    told: dict[str, str] = {}
    for one in said:
        target = fields.get((entities.get(one["record"], ""), one["field"]))
        names = {option.remote_id: option.text for option in target.options} if target else {}
        what = say(
            "Options of question {question} in «{field}»",
            question=one["question"],
            field=target.name if target else one["field"],
        )
        told[what] = "; ".join(
            f"«{text}» → {_('only in the note') if option is None else names.get(option, option)}"
            for text, option in one["map"].items()
        )
    return told


def _texts() -> dict[str, str]:
    return {
        "options": _("Options of the quiz and of the CRM"),
        "options_help": say(
            "What is called alike finds its option by itself. Of the others say which option is meant; what "
            "is {likely} % alike, with the same numbers, is chosen already and counts once you save. What "
            "nobody chose stays in the note and is told as a loss.",
            likely=LIKELY,
        ),
        "no_options": _(
            "No question goes into a field with options. Save the fields first: then their options are here."
        ),
        "no_texts": _("No option of this question is known yet: the first answers tell them."),
        "offered_count": _("Chosen by likeness, look whether it is right: 0"),
        "offered": _("chosen by likeness, saved with the page"),
        "alike": _("Called alike"),
        "by_words": _("the option that is called so"),
        "choose_option": _("Choose an option"),
        "note_only": _("only in the note"),
        "gone": _("not in the CRM any more"),
        "unused": _("Said for nothing, the rule puts no such answer there"),
        "remove": _("Remove"),
    }
