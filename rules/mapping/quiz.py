"""The quiz's own words: what its questions are called, of which type they are, what may be chosen.

A rule may come with the quiz's configuration; else the quiz platform is asked for it where
``QUIZ_CONFIG_URL`` says how, and else the answers tell. What one source lacks the next one adds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.core.cache import cache
from django.db.models import QuerySet

from connectors.errors import ConnectorError, Refused, TryLater
from connectors.http import Answer as Reply
from connectors.http import HttpClient
from connectors.ssrf_guard import vet
from rules.mapping.payload import normalised
from rules.models import Answer, Rule

log = structlog.stdlib.get_logger(__name__)
ANSWERS_READ = 20
KEPT, KEPT_NOTHING = 600, 60  # seconds that a configuration, or its absence, is remembered
Question = Mapping[str, Any]


def questions(rule: Rule, wanted: Iterable[str]) -> dict[str, dict[str, Any]]:
    """``{question id: {"title", "type", "options"}}`` as far as known; the rule's own words count first.

    The platform is asked only where the rule doesn't say what ``wanted`` are called.
    """
    sent = by_id(rule.quiz)
    if all(_title(sent.get(question, {})) for question in wanted):
        return sent
    return all_questions(rule)


def all_questions(rule: Rule) -> dict[str, dict[str, Any]]:
    """The same for every question that the rule, the quiz platform or the newest answers tell of."""
    known: dict[str, dict[str, Any]] = {}
    for source in (*_told_by_answers(rule), by_id(configuration(rule.quiz_id)), by_id(rule.quiz)):
        for question, words in source.items():
            known[question] = {**known.get(question, {}), **words}
    return known


def told_by(payload: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What one answer tells of its quiz's questions."""
    items = normalised(payload).get("answers", [])
    return {item["questionID"]: _said({**item, "title": item.get("question")}) for item in items}


def configuration(quiz_id: int) -> Mapping[str, Any]:
    """What the quiz platform says of a quiz; empty where it isn't asked, or has nothing to say."""
    if not settings.QUIZ_CONFIG_URL:
        return {}
    key = f"quiz-config:{quiz_id}"
    known = cache.get(key)
    if known is None:
        known = _read(settings.QUIZ_CONFIG_URL.replace("{quizID}", str(quiz_id)))
        cache.set(key, known, KEPT if known else KEPT_NOTHING)
    return dict(known)


def _read(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    base = f"{parts.scheme}://{parts.netloc}"
    vet(base)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    try:
        said = HttpClient(base, PlatformResponses(), timeout=(3.0, 5.0)).call("GET", path)
    except ConnectorError as error:
        log.info("the quiz configuration can't be read", error=error.message, code=error.code)
        return {}
    return said if isinstance(said, dict) else {}


class PlatformResponses:
    """The quiz platform's answers: a success, or none."""

    def is_expired(self, answer: Reply) -> bool:
        return False

    def failure(self, answer: Reply, safe: bool) -> ConnectorError | None:
        if answer.ok:
            return None
        kind = TryLater if answer.status >= 500 else Refused
        return kind(f"The quiz platform answered {answer.status}", code=f"http_{answer.status}")


def newest_answers(rule: Rule) -> QuerySet[Answer]:
    """The kept answers of the rule's quiz, the newest first."""
    mine = Answer.objects.filter(account_id=rule.account.account_id, quiz_id=rule.quiz_id)
    return mine.filter(purged_at=None, test=False).order_by("-id")


def _told_by_answers(rule: Rule) -> list[dict[str, dict[str, Any]]]:
    """What each of the newest answers tells; a later one comes later, and counts."""
    payloads = newest_answers(rule).values_list("payload", flat=True)[:ANSWERS_READ]
    return [told_by(payload) for payload in reversed(payloads)]


def by_id(config: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What a quiz's configuration says of its questions."""
    listed = config.get("questions")
    rows = listed if isinstance(listed, list) else []
    return {str(row.get("id")): _said(row) for row in rows if isinstance(row, dict)}


def _said(row: Question) -> dict[str, Any]:
    """The words that are there at all, texts without their margins."""
    said = {
        "title": _title(row),
        "type": str(row.get("type") or "").strip(),
        "options": _options(row.get("options")),
    }
    return {name: value for name, value in said.items() if value}


def _title(row: Question) -> str:
    return " ".join(str(row.get("title") or "").split())


def _options(listed: Any) -> list[str]:
    found = listed if isinstance(listed, list) else []
    texts = (str(one.get("title") or "" if isinstance(one, dict) else one).strip() for one in found)
    return list(filter(None, texts))
