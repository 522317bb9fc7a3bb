"""What an answer is counted by when its body is gone, read of the body while it is there.

Nothing of it may say who it was: of a page its address without what follows ``?``, of marks the three that
name an advertisement, of answers only what was chosen of what the quiz offers. What looks like a way to reach
somebody is left out of all of them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from rules.mapping.payload import normalised
from rules.mapping.quiz import by_id, told_by
from rules.mapping.values import answers_of, utm_of
from rules.models import Answer, AnswerTraits, Rule

LONGEST, LONGEST_OPTION = 200, 80
MOST_QUESTIONS, MOST_OPTIONS = 50, 30  # of one answer
ANOTHER = "\t"  # something was typed where options are offered; no text begins like that
# Words in a question's type that say that something is chosen.
CHOICE = re.compile(r"select|choice|radio|checkbox|variant|option|dropdown|image|card", re.I)
REACHES = re.compile(r"\S@\S|\+\d[\d\s()-]{8,}")  # an e-mail, a phone
REACHES_IN_OPTION = re.compile(r"\S@\S|\+?\d[\d\s()-]{9,}")
COLUMNS = ("revision", "source", "medium", "campaign", "page", "options")
Quiz = Mapping[str, Mapping[str, Any]]  # what is known of questions, by their ids


def keep(answers: Collection[int]) -> None:
    """Read the traits of those that have none yet, or had another body when they were read."""
    known = AnswerTraits.objects.filter(answer__in=answers).values_list("answer_id", "revision")
    revisions = dict(known)
    bodies = Answer.objects.filter(pk__in=answers, purged_at=None, test=False).values_list(
        "pk", "revision", "account_id", "quiz_id"
    )
    stale = {row[0]: row for row in bodies if revisions.get(row[0]) != row[1]}
    if not stale:
        return
    payloads = Answer.objects.filter(pk__in=stale, purged_at=None).values_list("pk", "revision", "payload")
    quizzes = _quizzes({(owner, quiz) for _, _, owner, quiz in stale.values()})
    rows = [
        AnswerTraits(answer_id=pk, revision=revision, **traits_of(payload, quizzes.get(stale[pk][2:], {})))
        for pk, revision, payload in payloads
    ]
    AnswerTraits.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["answer"], update_fields=COLUMNS
    )


def traits_of(payload: Mapping[str, Any], quiz: Quiz) -> dict[str, Any]:
    """The columns of ``AnswerTraits`` but for whose they are. Pure."""
    seen = normalised(payload)
    marks = utm_of(seen)
    return {
        **{name: _mark(marks.get(f"utm_{name}", "")) for name in ("source", "medium", "campaign")},
        "page": page_of(seen.get("page", "")),
        "options": options_of(seen, quiz),
    }


def page_of(address: str) -> str:
    """``shop.example/quiz``: host and path. Empty where there is none."""
    plain = re.split(r"[?#]", address, maxsplit=1)[0]
    try:
        parts = urlsplit(plain if "//" in plain else f"//{plain}")
        host = parts.hostname or ""
    except ValueError:  # a bracket that opens an IPv6 address and closes none
        return ""
    path = "" if REACHES.search(parts.path) else parts.path.rstrip("/")
    return _plain(host + path)


def options_of(seen: Mapping[str, Any], quiz: Quiz) -> dict[str, list[str]]:
    """``{question: [title, option, ...]}`` of a normalised body, of questions that offer something."""
    said, found = told_by(seen), {}
    for question, (title, value) in answers_of(seen).items():
        known = {**said.get(question, {}), **quiz.get(question, {})}
        offered = {one.casefold(): one for one in known.get("options", ())}
        if not offered and not CHOICE.search(known.get("type", "")):
            continue
        texts = [value] if isinstance(value, str) else value
        chosen = dict.fromkeys(_chosen(text, offered) for text in texts)
        words = _plain(known.get("title") or title) or question
        found[_plain(question)] = [words, *list(chosen)[:MOST_OPTIONS]]
        if len(found) == MOST_QUESTIONS:
            break
    return found


def _chosen(text: str, offered: Mapping[str, str]) -> str:
    if offered:
        return _plain(offered.get(text.strip().casefold(), ANOTHER), LONGEST_OPTION)
    typed = len(text) > LONGEST_OPTION or REACHES_IN_OPTION.search(text)
    return ANOTHER if typed else _plain(text)


def _mark(text: str) -> str:
    return "" if REACHES.search(text) else _plain(text)


def _plain(text: str, most: int = LONGEST) -> str:
    """As a column and JSON of the database take it."""
    return text if text == ANOTHER else text.replace("\0", "").strip()[:most]


def _quizzes(wanted: Iterable[tuple[str, int]]) -> Mapping[tuple[str, int], Quiz]:
    """By quiz account and quiz: what their rules were told of the questions."""
    wanted = set(wanted)
    found: dict[tuple[str, int], dict[str, Mapping[str, Any]]] = defaultdict(dict)
    quizzes = {quiz for _, quiz in wanted}
    rows = Rule.objects.filter(quiz_id__in=quizzes, deleted=False).exclude(quiz={}).order_by("pk")
    for owner, quiz, said in rows.values_list("account__account_id", "quiz_id", "quiz"):
        if (owner, quiz) in wanted:
            found[owner, quiz].update(by_id(said))
    return found
