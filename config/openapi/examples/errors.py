"""What is said with each status where an operation shows nothing of its own."""

from __future__ import annotations

from typing import Any

from config.openapi.examples.shown import Bodies

DOCS, REQUEST_ID = "https://quiz.example.com/docs", "5864cd608dff42bf84f5a530e5dad86b"
UNSIGNED = "Authentication credentials were not provided."
NO_ACCOUNT = "Not Found: no account of this CRM is connected"
BIGGEST_BODY = "The body is larger than 256 KiB"


def our(code: str, message: str, field: str = "") -> dict[str, Any]:
    """An error as our own paths tell it."""
    words = {"code": code, "message": message, "field": field, "docs": DOCS, "requestId": REQUEST_ID}
    return {"error": words}


STRINGS: dict[int, Bodies] = {
    400: {"A number that is none": "Bad Request: page must be a whole number, not negative"},
    401: {"No token": UNSIGNED},
    404: {"Nothing is connected": NO_ACCOUNT},
    409: {"There is one": "rules already exist"},
    500: {"Our mistake": "Internal Server Error"},
}
OBJECTS: dict[int, Bodies] = {
    400: {
        "A number that is none": our(
            "invalid", "Bad Request: page must be a whole number, not negative", "page"
        )
    },
    401: {"No token": our("not_authenticated", UNSIGNED)},
    403: {"Not the platform's": our("permission_denied", "The token's scope lacks platform")},
    404: {"Nothing is connected": our("no_account", NO_ACCOUNT)},
    409: {
        "Another body came before": our(
            "answer_changed", "answerID: it came before with another body", "answerID"
        )
    },
    410: {
        "Too late": our(
            "cursor_expired", "Events are kept for 30 days and the cursor is older: begin without it", "after"
        )
    },
    413: {"Too large": our("too_large", BIGGEST_BODY)},
    415: {"Not JSON": our("unsupported_media_type", 'Unsupported media type "text/plain" in request.')},
    429: {"Too fast": our("throttled", "Request was throttled. Expected available in 12 seconds.")},
}
