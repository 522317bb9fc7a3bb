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

from django.conf import settings
from django.core import signing

from accounts import db_clock
from accounts.crm_settings import label_of
from accounts.messages import Sentence, sentence
from accounts.models import Account, ConnectAttempt

SALT = "accounts.consent"
INTERRUPTED = "interrupted"


class ConnectError(Exception):
    """Why an account was not connected. ``code`` is ours (``sentences``), ``detail`` the CRM's words.

    ``names`` are those that the sentence mentions beside the CRM's.
    """

    def __init__(
        self, code: str, crm: str = "", detail: str = "", names: Mapping[str, str] | None = None
    ) -> None:
        self.code, self.detail = code, detail.strip()
        self.crm, self.names = crm or "CRM", dict(names or {})
        super().__init__(self.said())

    def sentence(self, language: str = "en") -> Sentence:
        """What happened and what to do."""
        return sentence(self.code, self.crm, language, self.names)

    def said(self, language: str = "en") -> str:
        """All of it in one text."""
        words = self.sentence(language)
        detail = f"{self.detail.rstrip('.')}." if self.detail else ""
        return " ".join(part for part in (words.happened, detail, words.remedy) if part)


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
        raise ConnectError("used_state", crm)
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
