"""What conditions and templates of a rule may ask of an answer, by dotted names. Pure.

``answer.<questionID>``, ``contact.<part>`` (name, phone, email, company, city, or a key of the quiz's form),
``utm.<mark>`` (``utm.source`` or ``utm.utm_source``), and the single ones of ``SINGLE``. A name for which
this answer has nothing has no texts; only a name that no answer can have is an error of the rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

from connectors.coercion import leaves
from connectors.contact import EMAIL, NAME, PHONE, full_name, part_of, texts_of
from connectors.draft import Person
from connectors.messages import RU
from rules.mapping.note import answer_text
from rules.mapping.payload import normalised
from rules.mapping.person import read_person, text_of

ANSWER, CONTACT, UTM = "answer", "contact", "utm"
GROUPS = (ANSWER, CONTACT, UTM)
SUM, HOUR, WEEKDAY = "sum", "hour", "weekday"
SINGLE = (SUM, HOUR, WEEKDAY, "page", "referrer", "result")
LONGEST_NAME = 200
USUAL_MARKS = ("source", "medium", "campaign", "content", "term")
Answered = tuple[str, str | tuple[str, ...]]  # as it was asked, and the answer


def is_name(name: str) -> bool:
    """Can an answer have a value of this name?"""
    group, dot, own = name.partition(".")
    return len(name) <= LONGEST_NAME and (
        name in SINGLE if not dot else group in GROUPS and own.strip() != ""
    )


class AnswerValues:
    """The values of one answer that came at ``at``, a moment in the account's own time zone.

    ``hour`` is 0 to 23, ``weekday`` 1 (Monday) to 7, both by ``at``. Phones and e-mails are as the lead has
    them; where none can be read, as they were typed.
    """

    def __init__(self, payload: Mapping[str, Any], at: datetime, region: str, language: str = RU) -> None:
        self.seen = normalised(payload)
        self.at = at
        self.region = region
        self.language = language

    def texts(self, name: str) -> tuple[str, ...]:
        """All values under a name of ``is_name``, without blanks around them; none where there are none."""
        group, dot, own = name.partition(".")
        if not dot:
            return self._single(name)
        if group == ANSWER:
            _, value = self.answers.get(own, ("", ()))
            return (value,) if isinstance(value, str) else value
        if group == UTM:
            return tuple(filter(None, (self.marks.get(full_mark(own), ""),)))
        return tuple(filter(None, self._contact(own)))

    @cached_property
    def answers(self) -> dict[str, Answered]:
        return answers_of(self.seen, self.language)

    @cached_property
    def marks(self) -> dict[str, str]:
        return utm_of(self.seen)

    @property
    def price(self) -> str:
        """What the lead is worth, as it was said."""
        return ", ".join(answer_text(leaf, self.language) for leaf in leaves(self.seen.get("price")))

    @cached_property
    def _person(self) -> Person:
        return read_person(self.seen.get("contact") or {}, self.region)[0]

    def _contact(self, name: str) -> tuple[str, ...]:
        contact, part = self.seen.get("contact") or {}, part_of(name)
        if not part:
            known = {str(key).strip().casefold(): value for key, value in contact.items()}
            return (", ".join(texts_of(known.get(name.strip().casefold()))),)
        reach = {PHONE: "phones", EMAIL: "emails"}.get(part)
        if reach and (read := getattr(self._person, reach)):
            return tuple(read)
        return (full_name(contact) if part == NAME else text_of(contact, part),)

    def _single(self, name: str) -> tuple[str, ...]:
        if name == HOUR:
            return (str(self.at.hour),)
        if name == WEEKDAY:
            return (str(self.at.isoweekday()),)
        text = self.price if name == SUM else answer_text(self.seen.get(name), self.language)
        return (text,) if text else ()


def answers_of(payload: Mapping[str, Any], language: str = RU) -> dict[str, Answered]:
    """By question id, of a normalised body; the answers of a question that comes twice add up."""
    found: dict[str, Answered] = {}
    for item in payload.get("answers", []):
        value = _plain(item.get("answer"), language)
        if not value:
            continue
        question = item["questionID"]
        words, before = found.get(question, (item.get("question") or question, ()))
        found[question] = (words, (*_several(before), *_several(value)) if before else value)
    return found


def utm_of(payload: Mapping[str, Any]) -> dict[str, str]:
    """The marks of a normalised body by lower-cased names, the usual five under their full ones."""
    found: dict[str, str] = {}
    for key, value in (payload.get("utm") or {}).items():
        if text := answer_text(value):
            found.setdefault(full_mark(str(key)), text)
    return found


def full_mark(name: str) -> str:
    """``source`` and ``UTM_Source`` are ``utm_source``; other than the usual five get no prefix from us."""
    plain = name.strip().lower()
    return f"utm_{plain}" if plain in USUAL_MARKS else plain


def _several(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else (value,)


def _plain(value: Any, language: str) -> str | tuple[str, ...]:
    """The texts of an answer; a single one that came alone is no list."""
    texts = tuple(filter(None, (answer_text(leaf, language) for leaf in leaves(value))))
    return texts if len(texts) > 1 or isinstance(value, list) else "".join(texts)
