"""What the page of a rule edits with: the CRM's fields and tags, the quiz's questions, and what may go where.

The page gets it as one JSON document (``templates/admin/desk/rule.html``), the script beside it makes
pickers of it (``config/static/desk/rule.js``). Nothing here asks the CRM.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.forms import Textarea
from django.template.loader import render_to_string
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from connectors.draft import Target
from connectors.registry import connector_class
from crm_cache import lookup
from crm_cache.models import Tag
from rules.admin.offers import RECORDS
from rules.admin.rule_existing import existing_editor
from rules.admin.rule_options import options_editor
from rules.admin.rule_routes import routing_of
from rules.mapping.quiz import all_questions
from rules.mapping.rule_snapshot import is_wish, questions_of
from rules.mapping.suggestions import suggested
from rules.models import Rule
from rules.serializers import dialect_of, mapped_records

# The usual parts of a contact form beyond name, phone and e-mail, which find their places by themselves.
CONTACT_PARTS: dict[str, str | Promise] = {
    "city": gettext_lazy("City"),
    "position": gettext_lazy("Position"),
    "messenger": gettext_lazy("Messenger"),
    "birthday": gettext_lazy("Birthday"),
    "address": gettext_lazy("Address"),
    "comment": gettext_lazy("Comment"),
}


class PickerWidget(Textarea):
    """A JSON value that a script shows as pickers. Without a script it is a text box with the JSON in it."""

    template_name = "admin/desk/picker.html"

    def __init__(self, kind: str) -> None:
        super().__init__(attrs={"rows": 10, "class": "desk-json", "spellcheck": "false"})
        self.kind = kind

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        """By the project's templates; forms look for theirs among Django's own."""
        return render_to_string(
            self.template_name, {**self.get_context(name, value, attrs), "kind": self.kind}
        )


def editor_of(rule: Rule, refused: bool = False) -> dict[str, Any]:
    """The document: ``records`` with their fields and tags, ``questions``, ``suggestions``, ``texts``.

    A handful of queries, however many fields there are. ``refused``: the form beside it is one that was not
    saved, with what the person chose.
    """
    can = connector_class(rule.account.crm).can
    fields = lookup.fields(rule.account)
    demanded = lookup.demanded_fields(rule.account)
    tags = list(Tag.objects.filter(account=rule.account, deleted=False).order_by("name"))
    questions = all_questions(rule)
    mapped = mapped_records(rule.account.crm)
    parts = _parts(rule)
    dialect = dialect_of(rule.account.crm)
    return {
        "records": [
            {
                "key": record,
                "title": str(RECORDS.get(record, record)),
                "fields": [_field(one, demanded) for one in fields if one.entity == entity],
                "mapped": record in mapped,
                "contactMap": record == "contact" and record in mapped,
                "tags": [
                    {"id": tag.pk if dialect.tags_by_key else tag.name, "name": tag.name}
                    for tag in tags
                    if tag.entity == entity
                ],
            }
            for record, entity in can.entities.items()
        ],
        "questions": [
            {"id": one, "title": words.get("title") or one, "type": words.get("type", "")}
            for one, words in questions.items()
        ],
        "parts": parts,
        "routing": routing_of(rule, questions, parts),
        "options": options_editor(rule, questions),
        "existing": existing_editor(rule, fields),
        "suggestions": list(_suggestions(rule, questions, fields)),
        "lists": dialect.lists_of_maps,
        "creates": can.creates_fields,
        "wish": 0 if dialect.lists_of_maps else "",
        "tagIds": dialect.tags_by_key,
        "refused": refused,
        "texts": _texts(),
    }


def _field(field: Target, demanded: set[str]) -> dict[str, Any]:
    return {
        "required": field.remote_id in demanded,
        "id": field.remote_id,
        "code": field.code,
        "name": field.name or field.remote_id,
        "type": field.type,
        "options": [option.text for option in field.options][:20],
    }


def _parts(rule: Rule) -> list[dict[str, str]]:
    """Parts of the contact form: the usual ones, those of the quiz, and those that the rule names."""
    form = rule.quiz.get("contact")
    asked = [item for item in form if isinstance(item, dict)] if isinstance(form, list) else []
    parts: dict[str, str] = {key: str(word) for key, word in CONTACT_PARTS.items()}
    parts |= {str(one["key"]): str(one.get("title") or one["key"]) for one in asked if one.get("key")}
    return [
        {"id": key, "title": title} for key, title in ({key: key for key in rule.contact_map} | parts).items()
    ]


def _suggestions(
    rule: Rule, questions: Mapping[str, Mapping[str, Any]], fields: Iterable[Target]
) -> Iterable[dict[str, str]]:
    """For questions that go nowhere yet, into the lead first."""
    can = connector_class(rule.account.crm).can
    used = list(questions_of(rule.fields_rule))
    mapped = {question for _record, question, _field in used}
    filled = {named for _record, _question, named in used if not is_wish(named)}  # by id or by code
    free = {one: words for one, words in questions.items() if one not in mapped}
    for record in mapped_records(rule.account.crm):
        of_record = [field for field in fields if field.entity == can.entities[record]]
        taken = [field.remote_id for field in of_record if filled & {field.remote_id, field.code}]
        for question, field in suggested(free, of_record, taken).items():
            free.pop(question)
            yield {"record": record, "question": question, "field": field.remote_id}


def _texts() -> dict[str, str]:
    return {
        "field": _("Field in the CRM"),
        "source": _("What goes there"),
        "choose_field": _("Choose a field"),
        "choose_source": _("Choose a question"),
        "questions": _("Questions of the quiz"),
        "parts": _("Contact form"),
        "add": _("Add a field"),
        "remove": _("Remove"),
        "make": _("Make a field in the CRM"),
        "unmapped": _("Questions that go into the note alone"),
        "none_unmapped": _("Every known question has a field."),
        "no_questions": _("No answer of this quiz has come yet, so its questions are not known here."),
        "suggest": _("Connect what is alike"),
        "twice": _("This question goes into another field of the record already: here it can go into one."),
        "unfinished": _("Choose both the field and what goes there, or remove the row."),
        "gone": _("not in the CRM any more"),
        "required": _("required"),
        "unfilled": _("The CRM calls these fields required, and nothing goes there:"),
        "unknown": _("a question that no answer has told of"),
        "add_tag": _("Choose tags"),
        "nothing_found": _("Nothing found"),
    }
