"""The web server's own records. An address may carry a secret or a person: queries and referrers stay out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from gunicorn.glogging import Logger

from config.environment import dotenv
from config.logs import formatter, log_format
from config.request_id import HEADER


class AccessLog(Logger):
    """As ``config.gunicorn`` names it."""

    def setup(self, cfg: Any) -> None:
        """Its complaints quote the request that they are about."""
        super().setup(cfg)
        shape = log_format(dotenv())
        for handler in (*self.error_log.handlers, *self.access_log.handlers):
            handler.setFormatter(formatter(shape))

    def access(self, resp: Any, req: Any, environ: dict[str, Any], request_time: timedelta) -> None:
        """One record an answer: what was asked, how it ended, seconds, bytes, and the request's id."""
        if not self.access_log_enabled:
            return
        known = {
            "method": environ.get("REQUEST_METHOD", ""),
            "path": environ.get("RAW_URI", "").partition("?")[0],
            "status": int(str(resp.status).split(" ", 1)[0]),
            "seconds": round(request_time.total_seconds(), 3),
            "bytes": getattr(resp, "sent", 0) or 0,
            "visitor": environ.get("REMOTE_ADDR", ""),
        }
        for name, value in resp.headers:
            if name.lower() == HEADER.lower():
                known["request_id"] = value
        self.access_log.info("answered", extra=known)
