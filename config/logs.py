"""Log records: keys come from the code alone, and a text can't forge a key or a line. Redacted.

Code above the connectors logs by structlog (``log.info("tokens renewed", account=7)``), connectors and
packages by the standard library; both become the same records. What ``structlog.contextvars`` has bound (the
request or the task, the account) stands in every record that is made meanwhile.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog
from structlog.typing import EventDict, Processor

from config.environment import Environment
from connectors.redact import redact

FORMATS = ("plain", "json")
OURS = ("time", "level", "logger")  # no secret is ever in them
FIRST_KEYS = (*OURS, "message")
# Django adds the request to its records; its address is in the message.
UNWANTED = ("request", "server_time", "stack")
BREAKS_LINES = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
NEEDS_QUOTES = re.compile(r"[\s=\"'\\]")
NEEDS_QUOTES_AS_MESSAGE = re.compile(r"[=\"\\]")


def log_format(env: Environment) -> str:
    """``LOG_FORMAT``; lines for people where the project runs its own servers."""
    return env.choice("LOG_FORMAT", "json" if env.str("DATABASE_URL", "") else "plain", FORMATS)


def configure() -> None:
    """Let structlog's loggers make records of the standard library, with their keys in ``extra``."""
    structlog.configure(
        processors=[structlog.stdlib.render_to_log_args_and_kwargs],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def formatter(shape: str) -> logging.Formatter:
    """A formatter for every record, whoever made it; ``shape`` is one of ``FORMATS``."""
    before: list[Processor] = [
        structlog.stdlib.ExtraAdder(),
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
    ]
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=before,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            arranged,
            as_json if shape == "json" else as_line,
        ],
    )


def arranged(logger: Any, method: str, event: EventDict) -> EventDict:
    """The same keys in the same order everywhere, and no secret in any value."""
    event["message"] = event.pop("event")
    if trace := event.pop("exception", None):
        event["trace"] = trace
    for name in UNWANTED:
        event.pop(name, None)
    begin = {name: event.pop(name) for name in OURS if name in event}
    names = ["message", *(name for name in event if name != "message")]
    return {**begin, **{name: _harmless(event[name]) for name in names}}


def _harmless(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return redact(value if isinstance(value, str) else str(value))


def as_json(logger: Any, method: str, event: MutableMapping[str, Any]) -> str:
    """One JSON object on one line."""
    return _on_one_line(json.dumps(event, ensure_ascii=False))


def as_line(logger: Any, method: str, event: MutableMapping[str, Any]) -> str:
    """``time LEVEL logger message key=value ...``; a trace follows, each of its lines behind a bar."""
    trace = str(event.pop("trace", ""))
    time, level, name, message = (str(event.pop(key, "")) for key in FIRST_KEYS)
    words = [time, level.upper(), name, _quoted(message, NEEDS_QUOTES_AS_MESSAGE), *_pairs(event)]
    return "\n".join([" ".join(words), *(f"  | {_on_one_line(line)}" for line in trace.splitlines())])


def _pairs(event: Mapping[str, Any]) -> list[str]:
    return [f"{key}={_quoted(str(value), NEEDS_QUOTES)}" for key, value in event.items()]


def _quoted(text: str, signs: re.Pattern[str]) -> str:
    """The text, in quotes where it could be taken for something else or would not end on this line."""
    if text and not signs.search(text) and not BREAKS_LINES.search(text):
        return text
    return _on_one_line(json.dumps(text, ensure_ascii=False))


def _on_one_line(text: str) -> str:
    return BREAKS_LINES.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
