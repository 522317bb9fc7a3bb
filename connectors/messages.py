"""What is said to people and kept: a text with what differs in it, read later in the reader's language. Pure.

``message("shortened to {length} characters", length=255)`` is a string, the English one: the REST API,
logs and comparisons take it as it is. It also remembers its text and parameters: ``stored`` writes them down,
``loaded`` reads them back, ``translate`` says them in Russian. The English text is the code by which the
catalogue (``locale/ru/LC_MESSAGES/connectors.po``) finds the Russian one: a stored message is readable
whatever becomes of the catalogue. Parameters may be messages themselves. Plain strings pass through all of
this: a CRM's own words, what a person wrote, and rows from before messages were kept.
"""

from __future__ import annotations

import gettext
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

RU, EN = "ru", "en"
LANGUAGES = (RU, EN)
DOMAIN = "connectors"
GAP = re.compile(r"\{\{|\}\}|\{(?P<name>\w+)\}")
INNER_QUOTES = str.maketrans("«»", "„“")  # of a name that stands in quotes itself: «ООО „Ромашка“»
LOCALE = Path(__file__).parent / "locale"
TEXT, PARAMS = "text", "params"
PART = "part"  # of a joined message: ``part0``, ``part1`` ...


class Message(str):
    """The English text. ``text`` is what the catalogue knows, with ``{names}`` for the ``params``."""

    __slots__ = ("params", "text")
    text: str
    params: Mapping[str, Any]

    def __new__(cls, text: str, params: Mapping[str, Any]) -> Message:
        self = super().__new__(cls, filled(text, params))
        self.text, self.params = text, params
        return self

    def __str__(self) -> str:
        """Itself, so that an exception's text is still a message."""
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.text, dict(self.params))

    def __deepcopy__(self, memo: Any) -> Message:
        return self

    def with_each(self, change: Callable[[str], str]) -> Message:
        """The same with each parameter changed, for what redacts or cleans: our own words need neither."""
        return Message(self.text, {name: apply(change, value) for name, value in self.params.items()})


def message(text: str, /, **params: Any) -> Message:
    """``text`` is English and stands in the catalogue; numbers stay numbers, anything else becomes a text."""
    return Message(text, {name: _parameter(value) for name, value in params.items()})


def filled(text: str, params: Mapping[str, Any]) -> str:
    """The text with its gaps filled; ``{{`` is a bracket.

    A gap is a name and nothing else: texts come back from the database, where ``str.format`` would do more.
    """
    return GAP.sub(lambda found: _gap(found, params), text)


def _gap(found: re.Match[str], params: Mapping[str, Any]) -> str:
    name = found["name"]
    if name is None:
        return found[0][0]
    value = str.__str__(str(params.get(name, found[0])))
    return value.translate(INNER_QUOTES) if found.string[: found.start()].endswith("«") else value


def _parameter(value: Any) -> str | int | float:
    return value if isinstance(value, (str, int, float)) else str(value)


def apply(change: Callable[[str], str], value: Any) -> Any:
    """``change`` of a text; of a message that of its parameters. Numbers stay as they are."""
    if isinstance(value, Message):
        return value.with_each(change)
    return change(value) if isinstance(value, str) else value


def joined(between: str, *texts: str) -> str:
    """The texts that are not empty, one after another."""
    said = [text for text in texts if text]
    if not any(isinstance(text, Message) for text in said):
        return between.join(said)
    if len(said) == 1:
        return said[0]
    params = {f"{PART}{number}": text for number, text in enumerate(said)}
    gap = between.replace("{", "{{").replace("}", "}}")
    return Message(gap.join(f"{{{name}}}" for name in params), params)


def day(on: date) -> Message:
    """A day within a message: ``2026-03-07`` in the API and the logs, ``07.03.2026`` in Russian."""
    return message("{year}-{month}-{day}", year=f"{on:%Y}", month=f"{on:%m}", day=f"{on:%d}")


def minute(at: datetime) -> str:
    """A moment within a message, in UTC: ``2026-03-07 12:00``, ``07.03.2026 12:00``."""
    there = at.astimezone(UTC)
    return joined(" ", day(there), f"{there:%H:%M}")


def aside(text: str, words: str) -> str:
    """``text (words)``: what the CRM says to it, if it says anything."""
    return Message("{said} ({words})", {"said": text, "words": words}) if words else text


def last_part(text: str) -> str:
    """The last of the texts that were joined: what a person needs of ``Bad Request: key: it is missing``."""
    return parts_of(text)[-1]


def parts_of(text: str) -> list[str]:
    """The texts that were joined; of any other that alone."""
    params = text.params if isinstance(text, Message) else {}
    return list(params.values()) if params and all(name.startswith(PART) for name in params) else [text]


def sentences(*texts: str) -> str:
    """Each with a full stop, one after another."""
    return joined(" ", *(_ended(text) for text in texts if text))


def _ended(text: str) -> str:
    if text.endswith((".", "!", "?", "…")):
        return text
    return Message("{sentence}.", {"sentence": text}) if isinstance(text, Message) else f"{text}."


def translate(text: str, language: str) -> str:
    """The text in ``language``; as it is where the catalogue lacks it.

    A plain string is looked up as it is: a message without parameters needs no more to be known again.
    """
    if not isinstance(text, Message):
        return _catalogue(language).gettext(text) if text else ""
    said = {
        name: translate(value, language) if isinstance(value, Message) else value
        for name, value in text.params.items()
    }
    return filled(_catalogue(language).gettext(text.text), said)


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    return gettext.translation(DOMAIN, LOCALE, [language], fallback=True)


def stored(value: Any) -> Any:
    """The same value for JSON: each message in it as ``{"text": ..., "params": {...}}``."""
    if isinstance(value, Message):
        return {TEXT: value.text, PARAMS: stored(value.params)}
    if isinstance(value, Mapping):
        return {key: stored(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [stored(inner) for inner in value]
    return value


def loaded(value: Any) -> Any:
    """What ``stored`` made, as it was; anything else as it is."""
    if isinstance(value, dict):
        inner = {key: loaded(one) for key, one in value.items()}
        return _message(inner) or inner
    return [loaded(one) for one in value] if isinstance(value, list) else value


def _message(value: dict[str, Any]) -> Message | None:
    if (
        value.keys() != {TEXT, PARAMS}
        or not isinstance(value[TEXT], str)
        or not isinstance(value[PARAMS], dict)
    ):
        return None
    return Message(value[TEXT], value[PARAMS])


START = f'{{"{TEXT}": "'


def to_column(text: str) -> str:
    """A message for a column of texts; a plain text as it is."""
    return json.dumps(stored(text), ensure_ascii=False) if isinstance(text, Message) else text


def from_column(text: str) -> str:
    """What ``to_column`` made, as it was."""
    if not text.startswith(START):
        return text
    try:
        found = loaded(json.loads(text))
    except ValueError:
        return text
    return found if isinstance(found, Message) else text
