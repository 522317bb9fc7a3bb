"""The bridge: real connectors talk to sandboxes inside the test's own process. No database, no sleeping."""

from __future__ import annotations

import re

import requests
import responses

from connectors.sandbox.core import Dropped, Sandbox, TimedOut


def serve(mocked: responses.RequestsMock, box: Sandbox, pattern: str) -> None:
    """Let a sandbox answer for every address that fits ``pattern``."""

    def reply(request: requests.PreparedRequest) -> tuple[int, dict[str, str], bytes]:
        body = request.body.encode() if isinstance(request.body, str) else request.body
        try:
            answer = box.handle(str(request.method), str(request.url), dict(request.headers), body)
        except TimedOut as exc:
            raise requests.ReadTimeout(str(exc)) from exc
        except Dropped as exc:
            raise requests.ConnectionError(str(exc)) from exc
        return answer.status, dict(answer.headers), answer.body

    for method in ("GET", "POST", "PATCH", "PUT", "DELETE"):
        mocked.add_callback(method, re.compile(pattern), callback=reply, content_type=None)
