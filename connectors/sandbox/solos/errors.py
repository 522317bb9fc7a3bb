"""How it says no. No error body is documented: the key is a switch, the text is ours."""

from __future__ import annotations

from typing import Any

from connectors.sandbox.core import Reply


class Refused(Exception):
    """A status and a sentence."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status, self.text = status, text

    def reply(self, key: str) -> Reply:
        said: Any = [self.text] if key == "errors" else self.text
        return Reply.json(self.status, {key: said})


def wrong(text: str) -> Refused:
    return Refused(400, text)


def not_found(text: str) -> Refused:
    return Refused(404, text)
