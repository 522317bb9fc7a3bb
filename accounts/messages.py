"""What a person reads when connecting fails: what happened, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from connectors.messages import Message, message, translate


class Sentence(NamedTuple):
    happened: str
    remedy: str


AGAIN = message("Close this window and press “Connect” once more.")
# Both may name the ``{crm}``, and accounts that the error names.
SENTENCES: dict[str, tuple[Message, Message]] = {
    "missing_state": (message("The address has no state, so we can't tell whose connection this is."), AGAIN),
    "forged_state": (message("The state in the address was not issued by us."), AGAIN),
    "expired_state": (message("This connection was begun too long ago."), AGAIN),
    "unknown_state": (message("We no longer know of this connection."), AGAIN),
    "used_state": (
        message("This address was opened before and works only once."),
        message("If the account is not connected yet, close this window and press “Connect” once more."),
    ),
    "account_gone": (message("The account was disconnected or replaced in the meantime."), AGAIN),
    "another_account": (
        message(
            "You chose the {crm} account “{chosen}”, but “{connected}” is connected. Nothing was changed."
        ),
        message(
            "To go on with “{connected}”, press “Connect” once more and choose it. To use “{chosen}” instead,"
            " disconnect “{connected}” first."
        ),
    ),
    "denied": (message("Access to {crm} was not granted, so nothing was connected."), AGAIN),
    "refused": (message("{crm} could not be connected."), AGAIN),
    "busy": (message("{crm} does not answer just now."), message("Reload this page in a minute.")),
    "lost": (message("{crm} stopped answering before the connection was complete."), AGAIN),
    "ours": (
        message("The connection to {crm} is not set up correctly on our side."),
        message("The operator has to check the settings; please try again later."),
    ),
    "return_url": (
        message("The return address is not on the list of allowed ones."),
        message("Use one that is listed."),
    ),
}


def sentence(code: str, crm: str, language: str = "en", names: Mapping[str, str] | None = None) -> Sentence:
    """What to say of ``code``; English where the language is none of ours."""
    known = {"crm": crm, **(names or {})}
    return Sentence(*(translate(message(words.text, **known), language) for words in SENTENCES[code]))
