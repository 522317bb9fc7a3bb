"""Sentry, where ``SENTRY_DSN`` is set: what broke and where, never what was in it.

No local variables, bodies, headers, cookies, queries or addresses leave this process, and what does leave is
redacted as log records are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from structlog.contextvars import get_contextvars

from connectors.redact import redact

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint

# What is under way: ids of ours, nobody's words.
TAGS = ("request_id", "task", "task_id", "account", "rule")
KEPT = ("event_id", "level", "logger", "platform", "timestamp", "environment", "server_name", "sdk")


def start(dsn: str, environment: str) -> None:
    """Begin to tell; nothing happens where ``dsn`` is empty."""
    if not dsn:
        return
    # Not before: every process that tells nobody would be the slower to start.
    import sentry_sdk
    from sentry_sdk.integrations.celery import CeleryIntegration
    from sentry_sdk.integrations.django import DjangoIntegration
    from sentry_sdk.integrations.logging import LoggingIntegration

    sentry_sdk.init(
        dsn=dsn,
        environment=environment,
        send_default_pii=False,
        include_local_variables=False,
        include_source_context=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[DjangoIntegration(), CeleryIntegration(), LoggingIntegration(level=None)],
        before_send=told,
    )


def told(event: Event, hint: Hint) -> Event:
    """Of an event only what is named here: a new version of the client may add to it what it likes."""
    found = cast("dict[str, Any]", event)
    kept: dict[str, Any] = {name: found[name] for name in KEPT if name in found}
    kept["tags"] = {name: str(value) for name, value in get_contextvars().items() if name in TAGS}
    if "logentry" in found:
        kept["logentry"] = {"message": redact(str(found["logentry"].get("message", "")))}
    if "transaction" in found:
        kept["transaction"] = redact(str(found["transaction"]))
    if "exception" in found:
        kept["exception"] = {"values": [_exception(one) for one in found["exception"].get("values", ())]}
    return cast("Event", kept)


def _exception(one: dict[str, Any]) -> dict[str, Any]:
    """Its class and where it was raised. Its text may quote an answer, so that stays here, in the log."""
    frames = (one.get("stacktrace") or {}).get("frames", ())
    names = ("filename", "function", "module", "lineno", "in_app")
    where = [{name: frame[name] for name in names if name in frame} for frame in frames]
    return {"type": one.get("type"), "module": one.get("module"), "stacktrace": {"frames": where}}
