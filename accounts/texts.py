"""What pages say, in the reader's language. What is kept is a message (``connectors.messages``)."""

from __future__ import annotations

from typing import Any

from django.utils.translation import get_language, gettext, ngettext

from connectors.messages import Message, translate


def say(text: str, /, **params: Any) -> str:
    """A text of the catalogue with its ``{gaps}`` filled, for pages alone: nothing translated is kept."""
    return gettext(text).format(**_shown(params))


def say_many(one: str, many: str, count: int, /, **params: Any) -> str:
    """A text that counts: ``{count}`` is filled, with its thousands apart."""
    return ngettext(one, many, count).format(count=spaced(count), **_shown(params))


def said(text: Any) -> str:
    """A kept message in the reader's language; what is none as it is."""
    return translate(text, get_language() or "") if isinstance(text, str) else ""


def spaced(count: int) -> str:
    """``20 127``."""
    return f"{count:,}".replace(",", " ")


def _shown(params: dict[str, Any]) -> dict[str, Any]:
    return {name: said(value) if isinstance(value, Message) else value for name, value in params.items()}
