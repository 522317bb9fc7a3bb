"""What to change in a payload when amoCRM names what it dislikes (reference 6.4, 8.7 to 8.11).

Nothing of a refused request was stored, so the repaired one is sent again as if for the first time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeVar

from connectors.amocrm.client import Item
from connectors.amocrm.errors import ValidationIssue
from connectors.amocrm.records import FieldEntry, Record
from connectors.draft import EXTERNAL_ID_FIELD_GONE, Problem, UnplacedValue
from connectors.errors import ConnectorError, Refused, RuleNeedsFixing
from connectors.messages import message

FIELD_GONE = message(
    "The field for external ids was deleted in amoCRM. It is made again; until then leads "
    "carry their ids in their names."
)

NESTED = re.compile(r"_embedded\.(contacts|companies)\.0\.?")
VALUE = re.compile(r"custom_fields_values\.(\d+)(?:\.|$)(.*)")
TAG = re.compile(r"(?:_embedded\.tags|tags_to_add)\.(\d+)(?:\.|$)")
Fix = Callable[[], None]
Thing = TypeVar("Thing")


def repair(item: Item, issues: Iterable[ValidationIssue], record: Record | None = None) -> None:
    """Change what is named, or settle the draft with an error.

    Places are found before anything moves, since the indexes speak of the request as it was sent.
    ``record`` is given where the request held one record, else the path tells.
    """
    try:
        for fix in [_fix(item, issue, record) for issue in issues]:
            fix()
    except ConnectorError as error:
        item.fail(error)


def _fix(item: Item, issue: ValidationIssue, record: Record | None) -> Fix:
    path = issue.path
    if record is None:
        nested = NESTED.match(path)
        record = item.payload.record(nested[1]) if nested else item.payload.lead
        if nested and nested[1] == "contacts" and item.payload.contact_id:
            return partial(_let_go, item)
        path = path[nested.end() :] if nested else path
    if record is None:
        raise _refused(issue)
    if value := VALUE.match(path):
        entry = _at(record.entries, int(value[1]), issue)
        return partial(_drop_value, item, record, entry, value[2], issue)
    if tag := TAG.match(path):
        return partial(_rename_tag, item, record, _at(record.tags, int(tag[1]), issue).name)
    return _attribute_fix(item, record, path.partition(".")[0], issue)


def _attribute_fix(item: Item, record: Record, name: str, issue: ValidationIssue) -> Fix:
    if name not in record.attributes:
        raise _refused(issue)
    if name == "responsible_user_id":
        return partial(_drop_performer, item, record)
    if name in PLACES and record is item.payload.lead:
        raise _place_gone(name, str(record.attributes[name]), issue)
    if name == "price":
        return partial(_drop_price, item, record, issue)
    raise _refused(issue)


def _at(things: list[Thing], index: int, issue: ValidationIssue) -> Thing:
    if index >= len(things):
        raise _refused(issue)
    return things[index]


def _let_go(item: Item) -> None:
    """The contact is gone or merged: the delivery looks for the person again."""
    item.refused_contacts.add(item.payload.contact_id)
    item.payload.contact_id = ""
    item.journal |= {"contact": "", "found": ""}


def _drop_performer(item: Item, record: Record) -> None:
    """Inactive and deleted people can't be responsible (issues 26, 220)."""
    record.attributes.pop("responsible_user_id", None)
    item.payload.without_performer()
    item.warn(
        "dead_performer",
        message(
            "The responsible person {performer} is no longer active in amoCRM; amoCRM's default applies.",
            performer=item.draft.placement.performer,
        ),
        "performer",
    )


def _drop_price(item: Item, record: Record, issue: ValidationIssue) -> None:
    record.attributes.pop("price", None)
    item.lose(UnplacedValue("price", item.draft.price, issue.detail or issue.code, "leads"))


def _drop_value(item: Item, record: Record, entry: FieldEntry, what: str, issue: ValidationIssue) -> None:
    if entry not in record.entries:  # named twice in one refusal
        return
    record.entries.remove(entry)
    if entry.kind == "external_id":
        item.payload.put_uid_into_name(item.uid)
        item.warn(EXTERNAL_ID_FIELD_GONE, FIELD_GONE)
        return
    gone = what in ("field_id", "field_code", "")
    code, reason = ("field_gone", message("the field is gone")) if gone else ("value_refused", issue.detail)
    item.lose(entry.loss(record.entity, reason or issue.code))
    item.journal["dropped"] = ",".join(
        filter(None, (item.journal.get("dropped"), f"{record.entity}:{entry.key}"))
    )
    if entry.kind == "answer":
        item.warn(
            code,
            message("amoCRM does not take “{question}”: {reason}.", question=entry.question, reason=reason),
            f"{record.entity}:{entry.key}",
        )


def _rename_tag(item: Item, record: Record, name: str) -> None:
    """An id may be gone while the name still works; a name that is refused is left out."""
    by_id = next(
        (t for t in record.tags if t.name == name and t.remote_id and name not in record.by_name), None
    )
    if by_id:
        record.by_name.add(name)
        return
    record.tags = [tag for tag in record.tags if tag.name != name]
    item.warn("tag_refused", message("amoCRM does not take the tag “{name}”.", name=name), "tags")


PLACES = {
    "status_id": ("step_gone", "step", message("The step")),
    "pipeline_id": ("pipeline_gone", "pipeline", message("The pipeline")),
}


def _place_gone(name: str, remote_id: str, issue: ValidationIssue) -> RuleNeedsFixing:
    code, where, what = PLACES[name]
    words = message(
        "{what} {remote_id} can't be used in amoCRM ({what2}).",
        what=what,
        remote_id=remote_id,
        what2=issue.detail or issue.code,
    )
    return RuleNeedsFixing(
        words,
        code=code,
        remedy=message("Choose another one in the rule."),
        problem=Problem(code, words, where),
    )


def _refused(issue: ValidationIssue) -> Refused:
    return Refused(
        message("amoCRM refuses the lead: {words}", words=issue.words), code=issue.code or "validation"
    )
