"""The part of a worker that listens to the broker, and outlives it when it is restarted."""

from __future__ import annotations

import structlog
from celery.worker.consumer import Consumer as CeleryConsumer

log = structlog.stdlib.get_logger(__name__)


class Consumer(CeleryConsumer):
    def on_connection_error_after_connected(self, exc: Exception) -> None:
        """Close the lost connection; the next one is made behind this.

        Closing gives back what was taken and not begun. Where the connection forgot its address before that,
        Kombu 5 raises ``AttributeError``, and Celery would end the whole worker. Nothing is lost with it:
        messages only wake, and the rows that they speak of are found by beat.
        """
        try:
            super().on_connection_error_after_connected(exc)
        except AttributeError as error:
            log.warning("the lost connection was not closed in order", error=str(error))
