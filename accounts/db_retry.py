"""A database that is away for a moment: what a CRM has just told us must not be lost with it.

Without this, a lead that arrived would end unclear, and be looked up, or wait for a person to look.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connection

PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0)  # seconds; a PostgreSQL that crashed has replayed its log by then
Done = TypeVar("Done")


def patiently(act: Callable[[], Done]) -> Done:
    """Do what may be done twice, outside any transaction. Raises the last error of the database."""
    for pause in PAUSES:
        try:
            return act()
        except (OperationalError, InterfaceError):
            connection.close()
            time.sleep(pause)
    return act()
