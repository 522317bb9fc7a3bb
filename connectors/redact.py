"""Secrets out of whatever a person or a log may see."""

from __future__ import annotations

import json
import re
from typing import Any

NAMES = (
    r"access_token|refresh_token|client_secret|client_id|application_token|auth|api_key|code|state|"
    r"authorization|x-refresh-token|x-crypto-token|x-crypto-secret|password|secret|token|signature"
)
IN_QUERY = re.compile(rf"(?i)(?<![\w-])({NAMES})=([^&\s\"']+)")
IN_JSON = re.compile(rf"(?i)(\\?\"(?:{NAMES})\\?\"\s*:\s*)\\?\"(?:[^\"\\]|\\.)*\"")
IN_HEADER = re.compile(r"(?i)\b(bearer)\s+[\w.~+/=-]+")
LIMIT = 4000


def redact(text: str) -> str:
    """The text without anything that looks like a secret, wherever it stands."""
    text = IN_QUERY.sub(r"\1=***", text)
    text = IN_JSON.sub(r'\1"***"', text)
    return IN_HEADER.sub(r"\1 ***", text)


def excerpt(body: Any, limit: int = LIMIT) -> str:
    """A body as a person may read it: text, redacted, cut with a mark where it was longer."""
    if body is None:
        return ""
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False, default=str)
    text = redact(text)
    return text if len(text) <= limit else f"{text[:limit]} … ({len(text)} characters)"
