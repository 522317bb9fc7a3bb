"""Where a run takes place: a database, a folder, ports and secrets of its own.

The database is made at the start and dropped at the end, as the sandboxes begin empty each time too. Only a
database that carries our comment is ever dropped.
"""

from __future__ import annotations

import base64
import fcntl
import os
import secrets
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import redis
from django.conf import settings
from psycopg import sql

from config import embedded
from config.demo.errors import DemoFailed
from config.embedded.account import own_file, own_folder
from connectors.sandbox import SANDBOXES, sandbox_class

COMMENT = "Made by the demo, dropped when it ends"
EMPTY = "template0"  # the database that PostgreSQL has for copies without anything in them
FIRST_PORT, PORTS = 8000, 50
HOSTS = tuple(f"127.0.0.{number}" for number in range(1, 9))  # all of them are this machine (on Linux)
CONTROL_PORT = settings.SANDBOX_PORTS[0]
RESERVING = 20_000  # from a port to the one that reserves it
_reserved: dict[int, socket.socket] = {}


@dataclass(frozen=True)
class Environment:
    """One run's place. ``sandbox_host`` is the address at which the local CRMs answer."""

    name: str
    folder: Path
    port: int
    sandbox_host: str
    database_url: str
    redis_url: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def control_url(self) -> str:
        return f"http://{self.sandbox_host}:{CONTROL_PORT}"

    @property
    def redirect_url(self) -> str:
        return f"{self.url}/webhook/create"

    @property
    def redis_prefix(self) -> str:
        return f"quiz-crm-{self.name}:"

    def variables(self, crms: Mapping[str, str]) -> dict[str, str]:
        """What the processes read: whatever we were started with, except that nothing of it may matter."""
        return {
            **os.environ,
            **PLAIN,
            "SECRET_KEY": secrets.token_urlsafe(48),
            # As `manage.py issue_token` signs in this checkout; the run is open to this machine alone.
            "JWT_KEY": settings.JWT_KEY or secrets.token_urlsafe(48),
            "JWT_ACCOUNT_CLAIM": settings.JWT_ACCOUNT_CLAIM,
            **crms,
            "ENCRYPTION_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.redis_url,
            "REDIS_PREFIX": self.redis_prefix,
            "PUBLIC_URL": self.url,
            "SANDBOX": "true",
            "SANDBOX_HOST": self.sandbox_host,
        }


PLAIN = {
    "DEBUG": "false",
    "ALLOWED_HOSTS": "127.0.0.1,localhost",
    "JWT_ALGORITHMS": "HS256",
    **dict.fromkeys(
        ("JWT_JWKS_URL", "JWT_ISSUER", "JWT_AUDIENCE", "RETURN_URLS", "CSRF_TRUSTED_ORIGINS"), ""
    ),
    "SSL_REDIRECT": "false",
    "BEHIND_PROXY": "false",
    "HSTS_SECONDS": "0",
    "LOG_FORMAT": "plain",
    "PYTHONUNBUFFERED": "1",
}


@contextmanager
def an_environment(name: str, template: str = EMPTY) -> Iterator[Environment]:
    """A place for the block, its database a copy of ``template``. Raises ``DemoFailed`` where somebody is on
    it, or nothing can be had."""
    folder = settings.BASE_DIR / ".local" / name
    with alone(folder) as lock:
        database, redis_server = urls()
        environment = Environment(
            name, folder, free_port(), free_host(), with_suffix(database, name), redis_server
        )
        lock.truncate(0)
        lock.write(environment.url.encode())
        lock.flush()
        with database_of(name, template), redis_of(environment):
            yield environment


@contextmanager
def alone(folder: Path) -> Iterator[IO[bytes]]:
    """One run of a name at a time; the lock goes with the process, however it ends."""
    try:
        own_folder(folder)
        lock = own_file(folder / "lock", "ab")
    except OSError as exc:
        words = f"Can't write to {folder} ({exc.strerror}): remove it, or run as the user who owns it."
        raise DemoFailed(words) from exc
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            where = Path(lock.name).read_text()
            raise DemoFailed(
                f"It runs already, at {where or 'a port still to be chosen'}: stop that one first."
            ) from exc
        yield lock


# -- ports -----------------------------------------------------------------------------------------------


def free_port() -> int:
    """The usual port, or the next one that nobody has or is about to take."""
    for port in range(FIRST_PORT, FIRST_PORT + PORTS):
        if is_free("127.0.0.1", port) and reserve("127.0.0.1", port):
            return port
    raise DemoFailed(f"Ports {FIRST_PORT} to {FIRST_PORT + PORTS - 1} are all taken: free one of them.")


def free_host() -> str:
    """The local CRMs' ports are fixed, so where they are taken another loopback address has to do."""
    for host in HOSTS:
        if all(is_free(host, port) for port in crm_ports()) and reserve(host, CONTROL_PORT):
            return host
    ports = ", ".join(map(str, crm_ports()))
    raise DemoFailed(f"The local CRMs need the ports {ports}, and some are taken: end what uses them.")


def crm_ports() -> list[int]:
    """The control port, and for each local CRM its consent page and its first account."""
    bases = [sandbox_class(kind).base_port for kind in SANDBOXES]
    return [CONTROL_PORT, *(port for base in bases for port in (base, base + 1))]


def reserve(host: str, port: int) -> bool:
    """Ours until this process ends or reserves it anew: a port is taken only seconds later, by a child, and
    another run that begins meanwhile must not choose the same. A second port far away says so."""
    if held := _reserved.pop(port, None):
        held.close()
    with suppress(OSError):
        _reserved[port] = socket.create_server((host, port + RESERVING))
        return True
    return False


def is_free(host: str, port: int) -> bool:
    with suppress(OSError), socket.create_server((host, port)):
        return True
    return False


# -- servers -----------------------------------------------------------------------------------------------


def urls() -> tuple[str, str]:
    """Where PostgreSQL and Redis answer: the environment's, or the embedded ones."""
    ours = embedded.settings_urls()
    return os.environ.get("DATABASE_URL") or ours[0], os.environ.get("REDIS_URL") or ours[1]


def with_suffix(url: str, name: str) -> str:
    """The address of the run's own database on the same server."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"{parts.path}_{name}"))


@contextmanager
def database_of(name: str, template: str = EMPTY) -> Iterator[None]:
    """A new database for the block, a copy of ``template``."""
    usual = settings.DATABASES["default"]
    ours = f"{usual['NAME']}_{name}"
    try:
        drop_database(usual, ours)
        execute(usual, "CREATE DATABASE {} TEMPLATE {}", ours, template)
        execute(usual, "COMMENT ON DATABASE {} IS " + f"'{COMMENT}'", ours)
    except psycopg.Error as exc:
        raise DemoFailed(f"Can't make the database {ours}: {str(exc).strip()}") from exc
    try:
        yield
    finally:
        drop_database(usual, ours)


def drop_database(usual: Mapping[str, Any], name: str) -> None:
    """Raises ``DemoFailed`` for a database that isn't ours."""
    with connected(usual) as connection:
        found = connection.execute(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", [name]
        ).fetchone()
    if found and found[0] != COMMENT:
        raise DemoFailed(f"There is a database {name} that we have not made: rename it, or drop it yourself.")
    if found:
        execute(usual, "DROP DATABASE {} WITH (FORCE)", name)


def execute(usual: Mapping[str, Any], statement: str, *names: str) -> None:
    with connected(usual) as connection:
        connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def connected(usual: Mapping[str, Any]) -> psycopg.Connection:
    """Beside Django's pool: a pool has threads, and processes are to be started without any."""
    keys = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD", "dbname": "NAME"}
    chosen = {key: str(usual[name]) for key, name in keys.items() if usual.get(name)}
    options = {key: value for key, value in usual.get("OPTIONS", {}).items() if key != "pool"}
    return psycopg.connect(**{**options, **chosen, "autocommit": True})


@contextmanager
def redis_of(environment: Environment) -> Iterator[None]:
    """Messages and flags of an earlier run name rows that are no more."""
    forget_messages(environment)
    try:
        yield
    finally:
        forget_messages(environment)


def forget_messages(environment: Environment) -> None:
    try:
        with redis.Redis.from_url(environment.redis_url, socket_connect_timeout=5) as server:
            for pattern in (f"{environment.redis_prefix}*", f"pace:{environment.redis_prefix}*"):
                for key in server.scan_iter(pattern, count=1000):
                    server.delete(key)
    except redis.RedisError as exc:
        raise DemoFailed(f"Redis does not answer: {exc}") from exc
