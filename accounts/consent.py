"""The OAuth ``state``: issued with a link, claimed once when the browser comes back.

It is signed and dated, carries what D4 lists, and means nothing to anybody else. Our row keeps its hash
only. The first return with a genuine state uses it up, whatever comes of it; the one exception is a CRM
that did not answer before anything was exchanged (``release``).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from collections.abc import Mapping
from typing import NamedTuple

from django.conf import settings
from django.core import signing

from accounts import db_clock
from accounts.crm_settings import label_of
from accounts.models import Account, ConnectAttempt
from connectors.messages import Message, message, sentences, translate

SALT = "accounts.consent"
INTERRUPTED, CONNECTED = "interrupted", "connected"


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
    "away": (message("Our database does not answer just now."), message("Reload this page in a minute.")),
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


class ConnectError(Exception):
    """Why an account was not connected. ``code`` is ours (``SENTENCES``), ``detail`` says more: a message of
    ours, or the CRM's own words. ``names`` are those that the sentence mentions beside the CRM's.

    ``connected`` is the kind of CRM that an earlier return with the same state has connected, ``back`` the
    address that the browser was to go on to.
    """

    connected = back = ""

    def __init__(
        self, code: str, crm: str = "", detail: str = "", names: Mapping[str, str] | None = None
    ) -> None:
        self.code, self.detail = code, detail
        self.crm, self.names = crm or "CRM", dict(names or {})
        super().__init__(self.said())

    def sentence(self, language: str = "en") -> Sentence:
        """What happened and what to do."""
        return sentence(self.code, self.crm, language, self.names)

    def said(self, language: str = "en") -> str:
        """All of it in one text."""
        words = self.sentence(language)
        return sentences(words.happened, translate(self.detail, language), words.remedy)


def issue(account: Account, portal: str, return_url: str) -> str:
    """A fresh state for one way to the consent page and back."""
    body = [account.crm, account.pk, secrets.token_urlsafe(24), portal, return_url]
    signed = signing.dumps(body, salt=SALT)
    state = base64.urlsafe_b64encode(signed.encode()).rstrip(b"=").decode()
    ConnectAttempt.objects.create(
        account=account,
        state_hash=_hash(state),
        portal=portal,
        return_url=return_url,
        expires_at=db_clock.now() + settings.CONNECT_TTL,
    )
    return state


def claim(query: Mapping[str, str]) -> ConnectAttempt:
    """The attempt that this return belongs to, used up. Raises ``ConnectError``, every fault in its words."""
    state = query.get("state", "")
    crm = label_of(_read(state))
    attempt = ConnectAttempt.objects.select_related("account").filter(state_hash=_hash(state)).first()
    if attempt is None:
        raise ConnectError("unknown_state", crm)
    now = db_clock.now()
    if attempt.expires_at <= now:
        raise ConnectError("expired_state", crm)
    unused = ConnectAttempt.objects.filter(pk=attempt.pk, used_at=None)
    if not unused.update(used_at=now, outcome=INTERRUPTED):
        used = ConnectError("used_state", crm)
        used.back = attempt.return_url
        if attempt.outcome == CONNECTED and not attempt.account.deleted:
            used.connected = attempt.account.crm
        raise used
    return attempt


def release(attempt: ConnectAttempt) -> None:
    """Nothing was exchanged: the same address may be opened again."""
    ConnectAttempt.objects.filter(pk=attempt.pk).update(used_at=None)


def close(attempt: ConnectAttempt, outcome: str) -> None:
    """Note what came of an attempt."""
    text = outcome.replace("\x00", "")[:200]
    ConnectAttempt.objects.filter(pk=attempt.pk).update(outcome=text)


def _read(state: str) -> str:
    """The kind of CRM that a genuine, timely state names."""
    if not state:
        raise ConnectError("missing_state")
    try:
        signed = base64.b64decode(state + "=" * (-len(state) % 4), altchars=b"-_", validate=True).decode()
        kind, *_ = signing.loads(signed, salt=SALT, max_age=settings.CONNECT_TTL)
        label_of(kind)
    except signing.SignatureExpired as exc:
        raise ConnectError("expired_state") from exc
    except (signing.BadSignature, binascii.Error, ValueError, KeyError) as exc:
        raise ConnectError("forged_state") from exc
    return str(kind)


def _hash(state: str) -> str:
    return hashlib.sha256(state.encode(errors="replace")).hexdigest()
