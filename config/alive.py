"""Is a container's process well? ``python -m config.alive web|worker|beat`` ends with 0 or 1 and a sentence.

The web server is asked ``/readyz``. Worker and beat serve nobody, so they touch a file: the worker with each
heartbeat to its broker, beat with each message that it sends (every 5 seconds, 30 while no worker takes any).
"""

from __future__ import annotations

import http.client
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from celery.signals import before_task_publish, heartbeat_sent

from config.environment import dotenv

PORT = 8000
SECONDS = 60.0  # after so long without a sign the process isn't well


def sign_of(name: str) -> Path:
    """The file that the process of this container touches."""
    return Path(tempfile.gettempdir()) / f"quiz-crm-{name}-{os.getuid()}"


def watch_worker(**_: Any) -> None:
    """Called when a worker is ready; from then on its heartbeats are signs."""
    heartbeat_sent.connect(lambda **_: sign_of("worker").touch(), weak=False)
    sign_of("worker").touch()


def watch_beat(**_: Any) -> None:
    """Called when beat begins; from then on its messages are signs."""
    before_task_publish.connect(lambda **_: sign_of("beat").touch(), weak=False)


def problem_of(name: str, port: int = PORT) -> str:
    """Why the process isn't well; empty where it is."""
    return _problem_of_web(port) if name == "web" else _problem_of_sign(sign_of(name))


def _problem_of_sign(sign: Path) -> str:
    try:
        # One of the future is older than it says: the clock was set back since.
        age = abs(time.time() - sign.stat().st_mtime)
    except OSError:
        return "no sign yet"
    return f"no sign for {age:.0f} s" if age > SECONDS else ""


def _problem_of_web(port: int) -> str:
    """Asked as our proxy asks: by a name that is allowed, over what was https."""
    hosts = dotenv().list("ALLOWED_HOSTS", default=["localhost"])
    host = "localhost" if hosts[0] == "*" else hosts[0].removeprefix(".")
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=4)
    try:
        connection.request("GET", "/readyz", headers={"Host": host, "X-Forwarded-Proto": "https"})
        answer = connection.getresponse()
        told = answer.read(500).decode(errors="replace")
    except OSError as exc:
        return str(exc)
    finally:
        connection.close()
    return "" if answer.status == 200 else f"{answer.status} {told}"


def main(arguments: list[str]) -> None:
    if arguments not in (["web"], ["worker"], ["beat"]):
        sys.exit("python -m config.alive web|worker|beat")
    sys.exit(problem_of(arguments[0]) or 0)


if __name__ == "__main__":
    main(sys.argv[1:])
