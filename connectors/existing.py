"""A contact or company that the CRM had before: what a rule writes into it, and what was there.

What is about to be written is noted in the journal first (``STEP``), with what it replaces. A later try
therefore neither takes our own value for what was there before, nor writes what people have changed since.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from connectors.changes import EDITED, Change, decide, same_value
from connectors.delivery import WorkItem
from connectors.draft import FILL, LEAVE, OVERWRITE, UnplacedValue, WriteMode
from connectors.errors import Refused
from connectors.messages import message

STEP = "existing"  # of the journal: what was written, and what was there before; personal data
LEFT = message("the rule leaves it as it is where the CRM has the person already")
OTHER_VALUE = message("the CRM has another value there, which is left as it is")


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


class KnownRecord:
    """A record that was there, while it is decided what is written into it: one call for each value.

    ``word`` is ours for its kind, ``entity`` the CRM's. What differs is told (``WorkItem.tell``), what stays
    in the note is lost; ``note`` puts the rest into the journal.
    """

    def __init__(self, item: WorkItem, word: str, entity: str) -> None:
        self.item, self.word, self.entity = item, word, entity
        self.mode, self.remote_id = item.draft.existing[word], item.journal[word]
        self.before = noted(item.journal, word, self.remote_id)
        self.fresh: list[Written] = []

    def adds(self, code: str, there: Sequence[str], lacking: Sequence[str]) -> bool:
        """Are these phones, e-mails or messengers added? Of those that are not, messengers are told."""
        if not lacking:
            return False
        if self.mode.adds(code, not there):
            self._write(code, code, there, there, *lacking, added=True)
            self.item.tell(code.lower(), there, ", ".join(lacking), self.entity)
            return True
        if code == "IM":
            self.item.lose(*(UnplacedValue("im", one, OTHER_VALUE, self.entity) for one in lacking))
        return False

    def renames(self, field: str, there: Any, name: str, formers: Sequence[Any]) -> bool:
        """Is its own name written?"""
        change, _ = verdict(self.mode.of(WriteMode.NAME), there, name, self.before.get(field), formers)
        if change is Change.WRITE:
            self._write(field, WriteMode.NAME, there, texts_of(there), name)
            self.item.tell(WriteMode.NAME, there, name, self.entity)
        return change is Change.WRITE

    def takes(
        self,
        *keys: str,
        question: str,
        text: str,
        there: Any,
        new: Any,
        formers: Sequence[Any] = (),
        same: Callable[[Any, Any], bool] = same_value,
        shown: tuple[str, ...] | None = None,
    ) -> bool:
        """Is an answer written into a field?

        ``keys`` are what the CRM calls the field, its id first, and last what stands in requests; ``formers``
        what earlier bodies had for it. ``shown`` is ``there`` for people, where it does not say so itself.
        """
        change, why = verdict(self.mode.of(*keys), there, new, self.before.get(keys[-1]), formers, same)
        if change is Change.SKIP:
            return False
        targets = (v.target for v in self.item.draft.values if v.target.entity == self.entity)
        target = next((one for one in targets if {one.remote_id, one.code} & {*filter(None, keys)}), None)
        if shown is None:
            options = {option.remote_id: option.text for option in target.options} if target else {}
            shown = tuple(options.get(one, one) for one in texts_of(there))
        if change is Change.WRITE:
            self._write(keys[-1], target.name if target else question, there, shown, text)
        else:
            self.item.lose(UnplacedValue(question, text, why, self.entity))
        self.item.tell(question, shown, text, self.entity, keys[0], why)
        return change is Change.WRITE

    def note(self) -> None:
        """To be recorded before anything is written."""
        note_written(self.item.journal, self.fresh)

    def _write(
        self, field: str, name: str, former: Any, before: Iterable[str], *now: str, added: bool = False
    ) -> None:
        record = (self.word, self.remote_id)
        self.fresh.append(Written(*record, field, name, former, tuple(before), now, added))


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


def unread(refusal: Refused) -> str:
    """Why nothing is written into a record that the CRM does not show."""
    return message("what the CRM has there could not be read ({said})", said=refusal.message)


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
