"""The web server's own lines. An address may carry a secret: an OAuth code, a hook's own name."""

from __future__ import annotations

from typing import Any

from gunicorn.glogging import Logger

from config.logs import PlainLines
from connectors.redact import redact

ADDRESSES = ("r", "U", "q", "f")  # the request line, its path, its query, and where the browser came from


class AccessLog(Logger):
    """As ``config.gunicorn`` names it."""

    def setup(self, cfg: Any) -> None:
        """Its complaints quote the request that they are about."""
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(PlainLines(self.error_fmt, self.datefmt))

    def atoms(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        found: dict[str, Any] = super().atoms(*args, **kwargs)
        return found | {name: redact(found[name] or "") for name in ADDRESSES}
