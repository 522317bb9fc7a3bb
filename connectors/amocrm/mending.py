"""What to change in a parcel when amoCRM names what it dislikes (reference 6.4, 8.7 to 8.11).

Nothing of a refused request was stored, so the mended one is sent again as if for the first time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeVar

from connectors.amocrm.errors import Ailment
from connectors.amocrm.sheets import FieldEntry, Sheet
from connectors.amocrm.work import Work
from connectors.draft import Problem, UnplacedValue
from connectors.errors import ConnectorError, Refused, RuleNeedsFixing

NESTED = re.compile(r"_embedded\.(contacts|companies)\.0\.?")
VALUE = re.compile(r"custom_fields_values\.(\d+)(?:\.|$)(.*)")
TAG = re.compile(r"(?:_embedded\.tags|tags_to_add)\.(\d+)(?:\.|$)")
Cure = Callable[[], None]
Thing = TypeVar("Thing")


def mend(work: Work, ailments: Iterable[Ailment], sheet: Sheet | None = None) -> None:
    """Change what is named, or settle the draft with an error.

    Places are found before anything moves, since the indexes speak of the request as it was sent.
    ``sheet`` is given where the request held one card, else the path tells.
    """
    try:
        for cure in [_cure(work, ailment, sheet) for ailment in ailments]:
            cure()
    except ConnectorError as error:
        work.fail(error)


def _cure(work: Work, ailment: Ailment, sheet: Sheet | None) -> Cure:
    path = ailment.path
    if sheet is None:
        nested = NESTED.match(path)
        sheet = work.parcel.sheet(nested[1]) if nested else work.parcel.lead
        if nested and nested[1] == "contacts" and work.parcel.contact_id:
            return partial(_let_go, work)
        path = path[nested.end() :] if nested else path
    if sheet is None:
        raise _refused(ailment)
    if value := VALUE.match(path):
        piece = _at(sheet.pieces, int(value[1]), ailment)
        return partial(_drop_value, work, sheet, piece, value[2], ailment)
    if tag := TAG.match(path):
        return partial(_rename_tag, work, sheet, _at(sheet.tags, int(tag[1]), ailment).name)
    return _head_cure(work, sheet, path.partition(".")[0], ailment)


def _head_cure(work: Work, sheet: Sheet, head: str, ailment: Ailment) -> Cure:
    if head == "responsible_user_id" and head in sheet.head:
        return partial(_drop_performer, work)
    if head in PLACES and sheet is work.parcel.lead and head in sheet.head:
        raise _place_gone(head, str(sheet.head[head]), ailment)
    if head == "price" and head in sheet.head:
        return partial(_drop_price, work, ailment)
    raise _refused(ailment)


def _at(things: list[Thing], index: int, ailment: Ailment) -> Thing:
    if index >= len(things):
        raise _refused(ailment)
    return things[index]


def _let_go(work: Work) -> None:
    """The contact is gone or merged: the delivery looks for the person again."""
    work.refused_contacts.add(work.parcel.contact_id)
    work.parcel.contact_id = ""
    work.journal |= {"contact": "", "found": ""}


def _drop_performer(work: Work) -> None:
    """Inactive and deleted people can't be responsible (issues 26, 220)."""
    work.parcel.without_performer()
    work.warn(
        "dead_performer",
        f"The responsible person {work.draft.placement.performer} is no longer active in amoCRM; "
        "amoCRM's default applies.",
        "performer",
    )


def _drop_price(work: Work, ailment: Ailment) -> None:
    work.parcel.lead.head.pop("price", None)
    work.lose(UnplacedValue("price", work.draft.price, ailment.detail or ailment.code, "leads"))


def _drop_value(work: Work, sheet: Sheet, piece: FieldEntry, what: str, ailment: Ailment) -> None:
    if piece not in sheet.pieces:  # named twice in one refusal
        return
    sheet.pieces.remove(piece)
    if piece.kind == "mark":
        work.parcel.name_the_mark(work.uid)
        work.warn(
            "mark_field_gone", "Our field for marks is gone from amoCRM; the mark is in the lead's name."
        )
        return
    gone = what in ("field_id", "field_code", "")
    code, reason = ("field_gone", "the field is gone") if gone else ("value_refused", ailment.detail)
    work.lose(piece.loss(sheet.entity, reason or ailment.code))
    work.journal["dropped"] = ",".join(
        filter(None, (work.journal.get("dropped"), f"{sheet.entity}:{piece.key}"))
    )
    if piece.kind == "answer":
        work.warn(code, f"amoCRM does not take “{piece.question}”: {reason}.", f"{sheet.entity}:{piece.key}")


def _rename_tag(work: Work, sheet: Sheet, name: str) -> None:
    """An id may be gone while the name still works; a name that is refused is left out."""
    by_id = next(
        (t for t in sheet.tags if t.name == name and t.remote_id and name not in sheet.by_name), None
    )
    if by_id:
        sheet.by_name.add(name)
        return
    sheet.tags = [tag for tag in sheet.tags if tag.name != name]
    work.warn("tag_refused", f"amoCRM does not take the tag “{name}”.", "tags")


PLACES = {
    "status_id": ("step_gone", "step", "The step"),
    "pipeline_id": ("pipeline_gone", "pipeline", "The pipeline"),
}


def _place_gone(head: str, remote_id: str, ailment: Ailment) -> RuleNeedsFixing:
    code, where, what = PLACES[head]
    message = f"{what} {remote_id} can't be used in amoCRM ({ailment.detail or ailment.code})."
    return RuleNeedsFixing(
        message,
        code=code,
        remedy="Choose another one in the rule.",
        problem=Problem(code, message, where),
    )


def _refused(ailment: Ailment) -> Refused:
    return Refused(f"amoCRM refuses the lead: {ailment.words}", code=ailment.code or "validation")
