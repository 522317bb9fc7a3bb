"""One portal: whose it is, what a delivery needs to know of it, what its owner should mend (1.5)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, timedelta, timezone, tzinfo
from typing import Any
from urllib.parse import urlsplit

from connectors.base import Identity, Remote
from connectors.bitrix24.auth import portal_of
from connectors.bitrix24.client import Command, Outcome, Portal, Reply, allowed
from connectors.bitrix24.errors import NO_SCOPE, BitrixResponses
from connectors.bitrix24.fields import TAGGED, TRACKED
from connectors.bitrix24.options import BitrixOptions
from connectors.draft import Problem
from connectors.errors import NeedsReconnect
from connectors.hosts import HostPolicy, bare_host
from connectors.http import HttpClient
from connectors.messages import message

APP_INFO = "/rest/app.info/"
QUESTIONS = {
    "profile": "profile",
    "user": "user.current",
    "app": "app.info",
    "mode": "crm.settings.mode.get",
    "currency": "crm.currency.base.get",
}
TOLERATED = frozenset({NO_SCOPE})


def ask_portal(portal: Portal) -> dict[str, Reply]:
    """What the portal tells of itself and of the user who connected; what it keeps to itself is left out."""
    commands = [
        Command(method, why=message("the portal's {word}", word=word)) for word, method in QUESTIONS.items()
    ]
    outcomes: list[Outcome] = portal.send(commands)
    return dict(allowed(zip(QUESTIONS, outcomes, strict=True), {"profile"}, TOLERATED))


def ask_vendor(options: BitrixOptions, hosts: HostPolicy, access: str, server: str) -> Mapping[str, Any]:
    """The vendor's own word on whose token this is: it is not for the portal to say (reference 1.5)."""
    host = server if server in options.oauth_hosts else options.oauth_host
    http_client = HttpClient(
        hosts.base_url(host), BitrixResponses(hosts), timeout=(options.connect_timeout, 15.0)
    )
    result = http_client.call("GET", APP_INFO, params={"auth": access})["result"]
    install = result.get("install") if isinstance(result, dict) else None
    return install if isinstance(install, dict) else {}


def read_identity(answers: Mapping[str, Reply], install: Mapping[str, Any], remote: Remote) -> Identity:
    """Raises ``NeedsReconnect`` where the token belongs to another portal than the one we talk to."""
    host = urlsplit(remote.base_url).netloc
    member = str(install.get("member_id") or "")
    told = portal_of(install)
    if not member or (remote.remote_id and member != remote.remote_id) or (told and told != host):
        raise foreign_token()
    me = {**_dict(answers, "profile"), **_dict(answers, "user")}
    name = " ".join(str(me[part]) for part in ("NAME", "LAST_NAME") if me.get(part))
    return Identity(
        remote_id=member,
        name=host,
        host=host,
        user_id=str(me.get("ID") or ""),
        user_name=name,
        user_email=str(me.get("EMAIL") or ""),
        user_role="admin" if is_admin(me) else str(me.get("WORK_POSITION") or ""),
        facts=read_facts(answers, install),
    )


def read_facts(answers: Mapping[str, Reply], install: Mapping[str, Any]) -> dict[str, Any]:
    """``offset`` is a moment of the portal's clock, whose end tells its distance from UTC."""
    app = _dict(answers, "app")
    facts = {
        "mode": _value(answers, "mode"),
        "lang": str(app.get("LANGUAGE_ID") or "").lower(),
        "currency": _value(answers, "currency"),
        "offset": answers["profile"].moment[-6:] if "profile" in answers else "",
        "status": str(install.get("status") or ""),
        "license": str(app.get("LICENSE") or ""),
    }
    return {key: value for key, value in facts.items() if value not in (None, "", [])}


def is_admin(me: Mapping[str, Any]) -> bool:
    return me.get("ADMIN") in (True, "Y", "1", 1) or me.get("IS_ADMIN") in (True, "Y", "1", 1)


def server_of(facts: Mapping[str, Any]) -> str:
    return bare_host(str(facts.get("server_endpoint") or ""))


def foreign_token() -> NeedsReconnect:
    return NeedsReconnect(
        message("The token belongs to another Bitrix24 than the one it is used at"),
        code="foreign_token",
        remedy=message("Connect Bitrix24 again."),
    )


def _value(answers: Mapping[str, Reply], word: str) -> Any:
    value = answers[word].value if word in answers else None
    return value if isinstance(value, (str, int)) else None


def _dict(answers: Mapping[str, Reply], word: str) -> dict[str, Any]:
    value = answers[word].value if word in answers else None
    return value if isinstance(value, dict) else {}


# -- what a delivery reads of ``Remote.facts`` -----------------------------------------------------------

SIMPLE = 2  # crm.settings.mode.get: a portal without leads (reference 4.7)
OFFSET = re.compile(r"([+-])(\d{2}):?(\d{2})$")


@dataclass(frozen=True, slots=True)
class Facts:
    """``tag_fields`` and ``tracking_fields``: our own field of a record type (CRM_DEAL), where it has one."""

    rest_path: str = "/rest"
    zone: tzinfo = UTC
    currency: str = ""
    simple: bool = False
    tag_fields: Mapping[str, str] = field(default_factory=dict)
    tracking_fields: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, facts: Mapping[str, Any]) -> Facts:
        return cls(
            rest_path="/" + str(facts.get("rest_path") or "rest").strip("/"),
            zone=zone_of(str(facts.get("offset") or "")),
            currency=str(facts.get("currency") or ""),
            simple=str(facts.get("mode") or "") == str(SIMPLE),
            tag_fields=_names(facts.get("tag_fields")),
            tracking_fields=_names(facts.get("tracking_fields")),
        )


def _names(known: Any) -> Mapping[str, str]:
    return known if isinstance(known, Mapping) else {}


def zone_of(moment: str) -> tzinfo:
    """The offset at the end of a moment, ``+03:00``, as a zone."""
    found = OFFSET.search(moment)
    if not found:
        return UTC
    minutes = int(found[2]) * 60 + int(found[3])
    return timezone(timedelta(minutes=minutes if found[1] == "+" else -minutes))


# -- is the portal fit for deliveries? ------------------------------------------------------------------

USER_SCOPES = frozenset({"user", "user_basic", "user_brief"})


def problems_of(
    answers: Mapping[str, Reply], scopes: Outcome, facts: Facts, held: Sequence[str]
) -> tuple[Problem, ...]:
    return (*_rights(answers), *_scopes(scopes), *_fields(facts), *_budget(held))


def _rights(answers: Mapping[str, Reply]) -> Iterator[Problem]:
    me = answers["profile"].value
    if not (isinstance(me, dict) and is_admin(me)):
        words = message(
            "The connection isn't an administrator's: fields can't be made, and lists may be shorter."
        )
        yield Problem("not_admin", words)


def _scopes(scopes: Outcome) -> Iterator[Problem]:
    """What an answer to ``scope`` lacks; no answer proves nothing."""
    granted = set(scopes.value) if isinstance(scopes, Reply) and isinstance(scopes.value, list) else None
    if granted is None:
        return
    if "crm" not in granted:
        yield Problem("no_scope", message("The application lacks the right “crm”: nothing can be delivered."))
    if not USER_SCOPES & granted:
        yield Problem("no_scope", message("The application lacks the right “user”: users can't be read."))


def _fields(facts: Facts) -> Iterator[Problem]:
    if missing := [entity for entity in TAGGED if entity not in facts.tag_fields]:
        names = ", ".join(missing)
        yield Problem(
            "no_tag_field",
            message("There is no field for tags on {names}: tags go into the comment.", names=names),
        )
    if missing := [entity for entity in TRACKED if entity not in facts.tracking_fields]:
        words = message(
            "There is no field for analytics on {names}: client ids go into the comment.",
            names=", ".join(missing),
        )
        yield Problem("no_tracking_field", words)


def _budget(held: Sequence[str]) -> Iterator[Problem]:
    if held:
        names = ", ".join(held)
        yield Problem(
            "operating_limit",
            message("The portal's time budget for {names} is nearly used up: we wait.", names=names),
        )
