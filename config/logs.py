"""Log lines, for people and for machines."""

from __future__ import annotations

import json
import logging
import re

from connectors.redact import redact

PAIR = re.compile(r"(?<!\w)(\w+)=(\S+)")


class PlainLines(logging.Formatter):
    """A line for people. Redacted."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


class JsonLines(logging.Formatter):
    """One JSON object a line; ``key=value`` pairs of the message become keys of their own. Redacted."""

    def format(self, record: logging.LogRecord) -> str:
        message = redact(record.getMessage())
        line = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname,
            "logger": record.name,
            "message": message,
            **dict(PAIR.findall(message)),
        }
        if record.exc_info:
            line["trace"] = redact(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)
