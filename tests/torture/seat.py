"""A seat: one process that does what a worker does when its account's pair has expired, round after round.

Preloaded by the fork server, so that fifty of them, and the next one in a killed one's place, cost little.
"""

from __future__ import annotations

import os
from multiprocessing.connection import Connection

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.db import connection  # noqa: E402

from accounts.access import connector_for  # noqa: E402
from accounts.models import live_accounts  # noqa: E402
from connectors.errors import ConnectorError, NeedsReconnect, TryLater  # noqa: E402

SIGNED_IN, LATER, REFUSED = "signed in", "later", "refused"


def name_of(pid: int) -> str:
    """How PostgreSQL calls this process's connections."""
    return f"seat-{pid}"


def sit(pipe: Connection) -> None:
    """Until the other end closes: a message begins a round, the outcome goes back."""
    os.environ["PGAPPNAME"] = name_of(os.getpid())
    while True:
        try:
            pipe.recv()
        except EOFError:
            return
        pipe.send(sign_in())


def sign_in() -> str:
    """Ask the CRM who we are: refused with the expired pair, renewed, asked again. The outcome in a word."""
    try:
        connector_for(live_accounts().get()).identify()
    except TryLater:
        return LATER
    except NeedsReconnect:
        return REFUSED
    except ConnectorError as error:
        return f"{type(error).__name__}: {error.message}"
    except Exception as error:
        return f"our own {type(error).__name__}: {error}"
    finally:
        connection.close()
    return SIGNED_IN
