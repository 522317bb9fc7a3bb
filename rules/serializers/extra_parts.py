"""The readers of ``Extra``, shared by its parts: each takes what was sent and its place below ``Extra``.

What would have to be altered to mean anything is refused with its place, by ``Malformed``; only blanks
around a text are dropped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from connectors.messages import message
from rules.mapping.conditions import Malformed, unknown_key
from rules.serializers.dialect import RuleDialect

LONGEST_ID = 100
LONGEST_SHOWN = 200  # characters of a key of the caller's own that its place repeats
MOST_SPANS = 20
NEGATIVE = re.compile(r"-\s*\d")
NUMBER = re.compile(r"0|[1-9][0-9]*")


def below(at: str, key: str) -> str:
    """The place of what has this key."""
    return f"{at}.{key[:LONGEST_SHOWN]}".strip(".")


def known(sent: Any, at: str, names: tuple[str, ...]) -> dict[str, Any]:
    """The object's keys as they are documented, whatever their case."""
    if not isinstance(sent, Mapping):
        raise Malformed(at, message("an object is needed, with keys out of {names}", names=", ".join(names)))
    spelled = {name.casefold(): name for name in names}
    read: dict[str, Any] = {}
    for key, value in sent.items():
        name = spelled.get(str(key).casefold())
        if name is None:
            raise Malformed(below(at, str(key)), unknown_key(str(key), names))
        if name in read:
            raise Malformed(below(at, str(key)), message("this key comes twice, but for case"))
        read[name] = value
    return read


def listed(sent: Any, at: str, most: int) -> list[Any]:
    """A list of at most ``most``; null is none."""
    if sent is None:
        return []
    if not isinstance(sent, list) or len(sent) > most:
        raise Malformed(at, message("a list of at most {most} is needed", most=most))
    return sent


def by_text(
    sent: Any, at: str, most: int, longest: int, same: Callable[[str], str] = str
) -> Iterator[tuple[str, str, Any]]:
    """(text, its place, what it stands for) of an object whose keys are the caller's own. ``same`` makes
    those alike of which only one may be there."""
    if not isinstance(sent, Mapping) or not 1 <= len(sent) <= most:
        raise Malformed(at, message("an object of 1 to {most} keys is needed", most=most))
    alike: set[str] = set()
    for key, value in sent.items():
        text = str(key).strip()
        if not text or len(text) > longest:
            words = message("a text of at most {most} characters is needed", most=longest)
            raise Malformed(below(at, str(key)), words)
        if same(text) in alike:
            raise Malformed(below(at, text), message("this text comes twice, but for case or typography"))
        alike.add(same(text))
        yield text, below(at, text), value


def id_text(sent: Any, at: str, needed: str, *, signed: bool = False) -> str:
    """An id or code that came as a number or a text; ``needed`` is said where it is none. ``signed``: it may
    begin with a minus, as what a quiz or an option is called."""
    text = "" if isinstance(sent, bool) or not isinstance(sent, (int, str)) else str(sent).strip()
    if not text or len(text) > LONGEST_ID or (NEGATIVE.match(text) and not signed):
        raise Malformed(at, needed)
    return text


def absent(sent: Any, zero: bool = True) -> bool:
    """Does it say nothing: missing, null, empty, or 0 where ``zero`` is no id?"""
    if sent is not None and (isinstance(sent, bool) or not isinstance(sent, (int, str))):
        return False
    text = "" if sent is None else str(sent).strip()
    return text == "" or (zero and text == "0")


def nobody(sent: Any, dialect: RuleDialect) -> bool:
    """Contracts with numbers say 0 for it; elsewhere that may be somebody's id."""
    return absent(sent, zero=dialect.lists_of_maps)


def person_named(sent: Any, at: str, dialect: RuleDialect) -> str:
    needed = message("a user of the CRM is needed, by id")
    if nobody(sent, dialect):
        raise Malformed(at, needed)
    return id_text(sent, at, needed)


def field_named(sent: Any, at: str) -> str:
    """A field that the CRM has; none that is to be made."""
    needed = message("a field is needed, by its id or code")
    if absent(sent):
        raise Malformed(at, needed)
    return id_text(sent, at, needed)


def whole(sent: Any, at: str, most: int) -> int:
    """A number of 1 to ``most``."""
    if type(sent) is not int or not 1 <= sent <= most:
        raise Malformed(at, message("a whole number of 1 to {most} is needed", most=most))
    return sent


def one_of(sent: Any, at: str, words: Collection[str]) -> str:
    if not isinstance(sent, str) or sent not in words:
        raise Malformed(at, message("one of {names} is needed", names=", ".join(words)))
    return sent


def record_of(sent: Any, at: str, records: Collection[str]) -> str:
    """A kind of record by our word, whatever its case."""
    return one_of(sent.lower() if isinstance(sent, str) else sent, at, sorted(records))


def flag(sent: Any, at: str) -> bool:
    """Null is false."""
    if sent is not None and not isinstance(sent, bool):
        raise Malformed(at, message("true or false is needed"))
    return sent is True


def spans(
    sent: Any, at: str, keys: tuple[str, ...], read: Callable[[Mapping[str, Any], str], object]
) -> list[dict[str, Any]]:
    """Shifts or absences as they are stored, each checked by ``read``."""
    rows = []
    for number, row in enumerate(listed(sent, at, MOST_SPANS)):
        rows.append(known(row, f"{at}[{number}]", keys))
        read(rows[-1], f"{at}[{number}]")
    return rows


def shown_id(remote_id: str, dialect: RuleDialect) -> int | str:
    """In the type that this contract uses for ids of the CRM."""
    return int(remote_id) if dialect.lists_of_maps and NUMBER.fullmatch(remote_id) else remote_id
