"""The pace of a batch as long as its worker holds the lane, and the word before what can't be repeated."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import datetime
from functools import partial

from django.db import DatabaseError, connection

from accounts.database import patiently
from connectors.errors import TryLater
from connectors.limiter import RateLimiter, WrappedRateLimiter
from connectors.messages import message
from rules.delivery import outbox
from rules.delivery.lane import LaneLease


class LeasedRateLimiter(WrappedRateLimiter):
    """The connector's pace for one batch, closed once the lane is lost: a worker that was frozen past its
    lease must not send what another one has taken over since."""

    def __init__(self, limiter: RateLimiter, lane: LaneLease, claims: Mapping[int, datetime | None]) -> None:
        super().__init__(limiter)
        self.lane = lane
        self.claims = claims
        self._writes = threading.Lock()
        self._begun = False

    def wait(self) -> None:
        super().wait()
        if not self.lane.alive:
            raise lane_lost()

    def about_to_write(self) -> None:
        """Write it down before the first request that can't be repeated; each later one finds it written."""
        with self._writes:
            if self._begun:
                return
            try:
                self._begun = patiently(partial(outbox.begin_writing, self.claims))
            except DatabaseError as error:
                raise TryLater(message("The database is away"), code="database_away") from error
            finally:
                connection.close()  # this thread goes back to waiting for the CRM
        if not self._begun:
            raise lane_lost()


def lane_lost() -> TryLater:
    return TryLater(message("This worker's lease on the lane ran out"), code="lane_lost")
