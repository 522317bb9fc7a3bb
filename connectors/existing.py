"""A contact or company that the CRM had before: what a rule has written into it, and what was there. Pure.

What is about to be written is noted in the journal first (``STEP``), with what it replaces. A later try
therefore neither takes our own value for what was there before, nor writes what people have changed since.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from connectors.changes import EDITED, Change, decide, same_value
from connectors.draft import FILL, LEAVE, OVERWRITE
from connectors.messages import message

STEP = "existing"  # of the journal: what was written, and what was there before; personal data
LEFT = message("the rule leaves it as it is where the CRM has the person already")
OTHER_VALUE = message("the CRM has another value there, which is left as it is")
UNREAD = message("what the CRM has there could not be read ({said})")


@dataclass(frozen=True, slots=True)
class Written:
    """A value that was written, or was about to be.

    ``word`` is ours for the kind of record, ``record`` its remote id, ``field`` the CRM's name of the field,
    ``name`` what people call it. ``former`` is what the CRM had there, as it said it; ``before`` and ``now``
    are texts for people. Where values were added, ``now`` has those alone.
    """

    word: str
    record: str
    field: str
    name: str
    former: Any
    before: tuple[str, ...]
    now: tuple[str, ...]
    added: bool = False


def read_written(journal: Mapping[str, str]) -> tuple[Written, ...]:
    """What the journal has of it, the first one first; nothing where it has none."""
    try:
        rows = json.loads(journal.get(STEP) or "[]")
        return tuple(Written(**row | {key: tuple(row[key]) for key in ("before", "now")}) for row in rows)
    except (ValueError, TypeError, KeyError):
        return ()


def note_written(journal: dict[str, str], fresh: Iterable[Written]) -> None:
    """Put it into the journal. Of a field that is there already the first value counts as the former one."""
    known = {_key(one): one for one in read_written(journal)}
    for one in fresh:
        if first := known.get(_key(one)):
            now = tuple(dict.fromkeys((*first.now, *one.now))) if one.added else one.now
            one = replace(one, former=first.former, before=first.before, now=now)
        known[_key(one)] = one
    if known:
        journal[STEP] = _dumped(known.values())


def take_back(journal: dict[str, str], word: str, fields: Iterable[str]) -> None:
    """The CRM refused these."""
    refused = set(fields)
    kept = [one for one in read_written(journal) if one.word != word or one.field not in refused]
    if STEP in journal:
        journal[STEP] = _dumped(kept) if kept else ""


def noted(journal: Mapping[str, str], word: str, record: str) -> dict[str, Written]:
    """By field, what is written down of this record."""
    return {one.field: one for one in read_written(journal) if (one.word, one.record) == (word, record)}


def verdict(
    mode: str,
    current: Any,
    new: Any,
    before: Written | None = None,
    formers: Sequence[Any] = (),
    same: Callable[[Any, Any], bool] = same_value,
) -> tuple[Change, str]:
    """What to do with one value, and why not where people's is kept.

    ``current`` is the CRM's value, ``new`` the answer's, ``before`` what an earlier try, or an earlier body's
    delivery, noted of this field, ``formers`` the values of earlier bodies.
    """
    if same(current, new):
        return Change.SKIP, ""
    if before is not None:
        ours = same(current, before.former) or decide(current, new, formers, same) is Change.WRITE
        return (Change.WRITE, "") if ours else (Change.KEPT, EDITED)
    if mode == OVERWRITE or (mode == FILL and is_empty(current)):
        return Change.WRITE, ""
    return Change.KEPT, LEFT if mode == LEAVE else OTHER_VALUE


def is_empty(current: Any) -> bool:
    return current is None or current is False or (isinstance(current, (str, Sequence)) and not current)


def texts_of(value: Any) -> tuple[str, ...]:
    """A value of a CRM for people."""
    if isinstance(value, (list, tuple)):
        return tuple(text for one in value for text in texts_of(one))
    if isinstance(value, Mapping):
        return texts_of(value.get("value", value.get("VALUE")))
    text = "" if value is None or value is False else str(value).strip()
    return (text,) if text else ()


def _key(one: Written) -> tuple[str, str, str]:
    return one.word, one.record, one.field


def _dumped(written: Iterable[Written]) -> str:
    return json.dumps([asdict(one) for one in written], ensure_ascii=False, default=str)
