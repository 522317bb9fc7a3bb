"""Where a secret could come out: every place in which this service leaves words, read to the last one."""

from __future__ import annotations

import base64
import gc
import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import quote

from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import ObjectDoesNotExist
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.redis_client import redis_client
from accounts.secrets import SecretField
from tests.hostile.routes import rest_routes
from tests.hostile.tenants import ids_of

OURS = ("accounts", "config", "connectors", "crm_cache", "rules")
FEW = 3
Words = Iterator[tuple[str, str]]  # a place, and what it says


class Log(logging.Handler):
    """Every record of every logger at DEBUG, as it was said: nothing is redacted here."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        trace = logging.Formatter().formatException(record.exc_info) if record.exc_info else ""
        self.lines.append(f"{record.name} {record.getMessage()} {record.__dict__} {trace}")


def database() -> Words:
    """Every column of every table but the encrypted ones."""
    sealed = {
        (model._meta.db_table, field.column)
        for model in apps.get_models()
        for field in model._meta.local_fields
        if isinstance(field, SecretField)
    }
    for table in connection.introspection.table_names():
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            names = [column.name for column in cursor.description]
            for row in cursor.fetchall():
                for name, value in zip(names, row, strict=True):
                    if (table, name) not in sealed and isinstance(value, (str, list, dict, bytes)):
                        yield f"database {table}.{name}", json.dumps(value, ensure_ascii=False, default=str)


def redis() -> Words:
    """Keys and values, whatever they are."""
    server = redis_client()
    for key in server.scan_iter(f"*{settings.REDIS_PREFIX}*"):
        yield "redis", f"{key!r} {_value(server, key)!r}"


def _value(server: Any, key: bytes) -> Any:
    ways = {b"string": "get", b"hash": "hgetall", b"set": "smembers"}
    ranges = {b"list": "lrange", b"zset": "zrange"}
    kind = server.type(key)
    return getattr(server, ranges[kind])(key, 0, -1) if kind in ranges else getattr(server, ways[kind])(key)


def desk(superuser: Client) -> Words:
    """Every list of the admin, every row's page, and what comes with it."""
    yield "admin index", superuser.get(reverse("admin:index")).content.decode()
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        yield f"{name} list", superuser.get(reverse(f"{name}_changelist")).content.decode()
        rows = model._default_manager.all()
        for row in rows if len(rows) <= FEW else rows[:1]:
            for page in ("change", "history"):
                answer = superuser.get(reverse(f"{name}_{page}", args=[row.pk]))
                yield f"{name} {page}", answer.content.decode()


def api(client: Client) -> Words:
    """Everything that can be read over REST."""
    for route in rest_routes():
        if "get" not in route.methods:
            continue
        for found in ids_of(next(iter(route.ids))) if route.ids else [None]:
            answer = client.get(route.url(**dict.fromkeys(route.ids, found)))
            yield f"api {route}", f"{answer.content.decode()} {answer.headers}"


def objects() -> Words:
    """How the living objects of our classes show themselves in a debugger or a traceback."""
    for one in gc.get_objects():
        kind = type(one)
        top = kind.__module__.split(".")[0] if isinstance(kind.__module__, str) else ""
        if top in OURS and not kind.__module__.startswith("connectors.sandbox"):
            with suppress(ObjectDoesNotExist):  # a row of an earlier test, which names others
                yield f"repr of {kind.__qualname__}", repr(one)


def leaks(words: Iterable[tuple[str, str]], secrets: Mapping[str, str]) -> set[tuple[str, str]]:
    """(place, which secret) for whatever was said somewhere; also encoded as addresses and headers do."""
    forms = {form: name for text, name in secrets.items() for form in _forms(text)}
    return {(place, name) for place, said in words for form, name in forms.items() if form in said}


def _forms(secret: str) -> set[str]:
    return {
        secret,
        quote(secret, safe=""),
        json.dumps(secret)[1:-1],
        base64.b64encode(secret.encode()).decode().rstrip("="),
    }
