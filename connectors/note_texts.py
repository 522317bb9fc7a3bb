"""What people read in their CRM, in their language: names, and why an answer is in the note alone. Pure.

Reasons are messages (``connectors.messages``), English in the API and translated where a note is written. A
connector composes the section of what found no place with ``lost(losses, draft.language)``, the same one for
all CRMs, and puts it under ``draft.note``. What a CRM itself says about a value is passed on in its words.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

from connectors.draft import NOTE, FieldChange, UnplacedValue
from connectors.messages import message, translate

HEADING = message("Could not be put into fields:")
COMPLETED = message("The answer was completed:")
REPLAYED = message("The lead was brought up to date by version {number} of the rule:")
NAMES = {
    "quiz": message("Quiz"),
    "result": message("Result"),
    "name": message("Name"),
    "phone": message("Phone"),
    "email": message("E-mail"),
    "im": message("Messenger"),
    "company": message("Company"),
    "city": message("City"),
    "price": message("Price"),
    "tags": message("Tags"),
    "task": message("Task"),
    "title": message("Title"),
    "opportunity": message("Sum"),
    "step": message("Step"),
    "performer": message("Responsible"),
    "contact": message("Contact"),
    "note": message("Note"),
    "openLead": message("Open lead"),
    "analytics": message("Analytics"),
    "page": message("Page"),
    "referrer": message("Came from"),
    "quizID": message("Quiz id"),
    "answerID": message("Answer id"),
    "questionID": message("Question ids"),
}
MORE_LONGEST = 120  # characters that the word of what had no room takes, with its number


def lost(losses: Iterable[UnplacedValue], language: str) -> str:
    """The answers that are nowhere but in the note, each once with the reason; empty where there are none."""
    lines = dict.fromkeys(
        f"- {name_of(loss.question, language)}: {loss.value.strip()} ({translate(loss.reason, language)})"
        for loss in losses
    )
    return "\n".join((translate(HEADING, language), *lines)) if lines else ""


def completed(language: str) -> str:
    """The heading of a note about a later body."""
    return translate(COMPLETED, language)


def replayed(number: int, changes: Iterable[FieldChange], language: str) -> str:
    """The note of a replay: what it changes, from what to what. What is left alone is among the losses."""
    heading = message(REPLAYED.text, number=number)
    lines = (_change(one, language) for one in changes if not one.kept)
    return "\n".join((translate(heading, language), *lines))


def _change(one: FieldChange, language: str) -> str:
    if one.what == NOTE:
        return one.after
    return f"- {name_of(one.what, language)}: {one.before or '—'} → {one.after}"


def parts(text: str, longest: int, most: int, language: str) -> list[str]:
    """The text in pieces of at most ``longest`` characters, cut between lines where that can be.

    At most ``most`` pieces: the last one says for how many characters there was no room. An empty text has
    no pieces.
    """
    pieces = list(_pieces(text, longest))
    if len(pieces) <= most:
        return pieces
    room = longest - MORE_LONGEST
    kept = pieces[most - 1][:room].rstrip()
    left = sum(map(len, pieces[most - 1 :])) - len(kept)
    more = message(
        "… ({left} more characters had no room, the whole answer is in the quiz service)", left=left
    )
    return [*pieces[: most - 1], f"{kept}\n{translate(more, language)}"]


def _pieces(text: str, longest: int) -> Iterator[str]:
    while len(text) > longest:
        end = text.rfind("\n", 0, longest + 1)
        end = end if end > 0 else longest
        yield text[:end]
        text = text[end:].removeprefix("\n")
    if text:
        yield text


def name_of(key: str, language: str) -> str:
    """Our word for a part of the answer; a question is called as it was asked."""
    return _known_name(key, language) if key in NAMES else key


@lru_cache(maxsize=256)
def _known_name(key: str, language: str) -> str:
    return translate(NAMES[key], language)
