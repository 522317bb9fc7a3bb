"""PostgreSQL and Valkey out of pip wheels, for whoever has not set DATABASE_URL and REDIS_URL.

They live under `.local/servers/`, are shared by all commands of this checkout and
stop with the last of them. With both variables set nothing here does anything.

    settings_urls()     where they are (or will be); starts nothing
    running()           a `with` block inside which they answer
    bring_back()        inside it: those that died answer again
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import environ

from .errors import EmbeddedError

__all__ = ["EmbeddedError", "bring_back", "missing", "running", "settings_urls"]

PROJECT = Path(__file__).resolve().parents[2]
VARIABLES = ("DATABASE_URL", "REDIS_URL")


def missing() -> set[str]:
    """The variables that are unset or empty, also in `.env`: what we have to provide ourselves."""
    if (PROJECT / ".env").exists():
        environ.Env.read_env(PROJECT / ".env")
    return {name for name in VARIABLES if not os.environ.get(name)}


def settings_urls() -> tuple[str, str]:
    """DATABASE_URL and REDIS_URL of the embedded servers, the same on every call.

    Two empty strings when the environment names both servers, as it does in production:
    then there are none of ours, and no folder for them is made.
    """
    if not missing():
        return "", ""
    from .place import find_place

    place = find_place(PROJECT)
    return place.database_url, place.redis_url


@contextmanager
def running() -> Iterator[None]:
    """Have PostgreSQL and Valkey answering inside the block, unless the environment names others.

    Call it before the settings are loaded: should Valkey's port be taken by a stranger,
    it moves to another one, and `settings_urls()` says so only afterwards.
    """
    needed = missing()
    if not needed:
        yield
        return
    # Imported late: settings import this package for the URLs only, and on any system.
    from .share import Share

    share = Share(PROJECT)
    share.join(needed)
    try:
        yield
    finally:
        share.leave()


def bring_back() -> list[str]:
    """Start again whatever of the servers does not answer any more; their names.

    For a command inside `running()` that outlives them. Afterwards `settings_urls()` may say another port.
    Raises `EmbeddedError` where a server can't be had.
    """
    needed = missing()
    if not needed:
        return []
    from .share import revive

    return revive(PROJECT, needed)
