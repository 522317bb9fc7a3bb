"""PostgreSQL and Valkey that may be crashed: a pair of our own, unless the environment names others.

Servers of the environment are somebody's: there a crash becomes the end of all our connections, and a flush
the loss of our own keys.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import redis
from psycopg import sql

from config.embedded import postgres, share, valkey
from config.embedded.account import own_folder, server_account
from config.embedded.place import Place, find_place
from config.embedded.programs import find_programs
from config.environment import Environment

PAUSE = 0.02
GONE_SECONDS = 20.0


@dataclass
class Servers:
    """Where the run's database and Redis are. ``place`` is None where both are the environment's."""

    database_url: str
    redis_url: str
    place: Place | None
    project: Path

    def crash_postgres(self) -> None:
        """Immediate mode: no checkpoint, no farewell; back after its log was replayed."""
        if self.place is None:
            self._cut_connections()
            return
        pid = postgres.live_pid(self.place)
        if pid is not None:
            os.kill(pid, signal.SIGQUIT)
            wait_until(lambda: postgres.live_pid(self.place) != pid, "PostgreSQL to go")  # type: ignore[arg-type]
        account = server_account(self.project)
        postgres.start(self.place, account, find_programs(account, Path(self.place.refuge)))

    def _cut_connections(self) -> None:
        with connected(self.database_url) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    def flush_redis(self, prefix: str) -> None:
        with redis.Redis.from_url(self.redis_url) as server:
            if self.place is not None:
                server.flushall()
                return
            for key in server.scan_iter(f"*{prefix}*", count=1000):
                server.delete(key)

    def stop_redis(self) -> None:
        """Gone with all it knew; ``start_redis`` brings an empty one back."""
        if self.place is not None:
            with suppress(redis.RedisError), redis.Redis.from_url(self.redis_url) as server:
                server.shutdown(nosave=True)
            wait_until(lambda: not valkey.answers(self.place), "Valkey to go")  # type: ignore[arg-type]

    def start_redis(self) -> None:
        if self.place is not None and not valkey.answers(self.place):
            account = server_account(self.project)
            process = valkey.launch(self.place, account, find_programs(account, Path(self.place.refuge)))
            if not valkey.wait(self.place, process):
                raise RuntimeError(f"Valkey did not come back to port {self.place.port}.")


@contextmanager
def the_servers(folder: Path, name: str) -> Iterator[Servers]:
    """Both answering, with a new, empty database for the block."""
    servers = given(folder) or own(folder)
    try:
        make_database(servers.database_url, name)
        servers.database_url = with_path(servers.database_url, name)
        yield servers
    finally:
        if servers.place is not None:
            share.stop_all(servers.place)
        else:
            drop_database(with_path(servers.database_url, "postgres"), name)


def given(folder: Path) -> Servers | None:
    """Only with both variables: half a pair of somebody's is of no use to us."""
    named = [os.environ.get(name, "") for name in ("DATABASE_URL", "REDIS_URL")]
    return Servers(named[0], named[1], None, folder) if all(named) else None


def own(folder: Path) -> Servers:
    (folder / ".local").mkdir(parents=True, exist_ok=True)
    place = find_place(folder)
    own_folder(place.folder)
    account = server_account(folder)
    programs = find_programs(account, Path(place.refuge))
    if not postgres.answers(place):
        postgres.start(place, account, programs)
    if not valkey.answers(place):
        valkey.start(place, account, programs)
    place = find_place(folder)  # Valkey may have moved to another port
    return Servers(place.database_url, place.redis_url, place, folder)


def make_database(url: str, name: str) -> None:
    drop_database(url, name)
    with connected(url) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))


def drop_database(url: str, name: str) -> None:
    with connected(url) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def connected(url: str, **options: Any) -> psycopg.Connection:
    """A connection to an address as the settings read it: libpq would take a socket's folder otherwise."""
    read = Environment().db_url_config(url)
    keys = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD", "dbname": "NAME"}
    chosen = {key: str(read[name]) for key, name in keys.items() if read.get(name)}
    return psycopg.connect(**{**read.get("OPTIONS", {}), **chosen, "autocommit": True, **options})


def with_path(url: str, name: str) -> str:
    parts = urlsplit(url)
    folder, _, _ = parts.path.rpartition("/")
    return urlunsplit(parts._replace(path=f"{folder}/{name}"))


def with_query(url: str, **values: str) -> str:
    """The address with options of libpq, such as ``application_name``."""
    return f"{url}?{'&'.join(f'{key}={value}' for key, value in values.items())}"


def wait_until(ready: Any, what: str, seconds: float = GONE_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise RuntimeError(f"Waited {seconds:.0f} seconds for {what}, in vain.")
        time.sleep(PAUSE)
