"""The last touch to the OpenAPI document: hooks of drf-spectacular (``POSTPROCESSING_HOOKS``)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from django.conf import settings
from rest_framework.renderers import JSONRenderer

from config.openapi.about import about
from config.openapi.examples import errors, examples
from config.openapi.examples.shown import Bodies
from config.openapi.quiz import QUIZ_ID

# What each tag is about. Generated clients make a module of each, so none is renamed.
TAGS = {
    "deliveries": "Answers come in here; what becomes of them, and of the leads, is read here.",
    "accounts": "The quiz account's CRM accounts over all CRMs, and what waits for whom.",
    "events": "What happened to answers and accounts, in order: a feed behind a cursor, and webhooks.",
    "people": "One person's data, given out or forgotten. For the quiz platform's own tokens.",
    "main": "amoCRM as its contract has it: account, lists, and the rules of quizzes.",
    "Account": "Connecting, showing and disconnecting the account of each other CRM.",
    "Rules": "How the answers of a quiz become leads: one rule per quiz and CRM.",
    "Users": "Who can be responsible for a lead, as each CRM told last.",
    "Pipelines": "Where leads go, as each CRM told last.",
    "Steps": "Steps of pipelines, and entries of other directories that rules name.",
    "Fields": "Custom fields that answers can go into.",
    "Tags": "Tags that the CRM knows.",
    "Webhook": "For the CRMs' servers and the browsers that they send back; not for clients.",
}
NULL = {"type": "object", "nullable": True, "enum": [None]}
Operation = dict[str, Any]


def complete(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """What it is, servers, tags, security and examples.

    The document that a service serves names its own address; the one in a file names none, so that it is
    the same wherever it was written.
    """
    result["info"] |= {"description": about(), "contact": {"name": "Whoever runs this service"}}
    here = {"url": settings.PUBLIC_URL, "description": "This service"}
    anywhere = {"url": "/", "description": "The service that serves this document"}
    result["servers"] = [here if request else anywhere]
    operations = [one for path in result["paths"].values() for one in path.values()]
    used = {tag for one in operations for tag in one["tags"]}
    result["tags"] = [{"name": tag, "description": said} for tag, said in TAGS.items() if tag in used]
    for operation in operations:
        operation.setdefault("security", [])  # said aloud: whoever calls this has no token
        operation["description"] = _for_readers(operation["description"])
    for part in _parts(result):
        _mend_nullable(part)
    _put_examples(operations)
    return result


def _for_readers(docstring: str) -> str:
    """A view's own words in Markdown, without what points at our decisions."""
    return re.sub(r" \(D\d+\)", "", docstring).replace("``", "`")


def _parts(part: Any) -> Iterator[dict[str, Any]]:
    if isinstance(part, dict):
        yield part
        for one in part.values():
            yield from _parts(one)
    elif isinstance(part, list):
        for one in part:
            yield from _parts(one)


def _mend_nullable(part: dict[str, Any]) -> None:
    """``nullable`` counts only beside a ``type`` (OpenAPI 3.0.3). What refers to a component is that, or
    null; a schema without any type takes null as it is."""
    if part.get("nullable") is True and "type" not in part:
        del part["nullable"]
        if "allOf" in part:
            part["oneOf"] = [*part.pop("allOf"), NULL]


def _put_examples(operations: list[Operation]) -> None:
    shown = examples()
    for operation in operations:
        for parameter in operation.get("parameters", ()):
            if parameter["name"] == "quizID" and parameter["in"] == "path":
                parameter["example"] = QUIZ_ID
        own = shown.get(operation["operationId"])
        for media in operation.get("requestBody", {}).get("content", {}).values():
            _show(media, own.request if own else {})
        for status, response in operation["responses"].items():
            for kind, media in response.get("content", {}).items():
                said = own.responses.get(int(status)) if own else None
                said = own.files if own and kind != "application/json" else said
                _show(media, said or _general(int(status), media["schema"]))


def _general(status: int, schema: Mapping[str, Any]) -> Bodies:
    """What every operation says with an error of this status and shape."""
    if status < 400:
        return {}
    if schema.get("type") == "string":
        return errors.STRINGS.get(status, {})
    return errors.OBJECTS.get(status, {}) if schema.get("$ref", "").endswith("/OurError") else {}


def _show(media: dict[str, Any], bodies: Bodies) -> None:
    if bodies:
        media["examples"] = {
            key(words): {"summary": words, "value": plain(body)} for words, body in bodies.items()
        }


def key(words: str) -> str:
    """What an example is called: the same words in a request and in the response that it gets."""
    return re.sub(r"\W+", "_", words.lower()).strip("_")


def plain(body: Any) -> Any:
    """As it goes over the wire: moments are texts."""
    return json.loads(JSONRenderer().render(body))
