"""A headless Chromium at the other end of a pipe: it opens pages, runs a line, tells of complaints."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import IO, Any

BINARY = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run")
PATIENCE = 30.0
COMPLAINTS = {"Log.entryAdded", "Runtime.exceptionThrown", "Network.loadingFailed"}


class Chromium:
    """One window. ``complaints``: what a policy refused, errors, whatever could not be loaded."""

    def __init__(self, profile: Path) -> None:
        (their_in, ours_out), (ours_in, their_out) = os.pipe(), os.pipe()
        pipes = f'exec "$0" "$@" 3<&{their_in} 4>&{their_out} 2>/dev/null'
        flags = (*FLAGS, "--remote-debugging-pipe", f"--user-data-dir={profile}", "about:blank")
        command = ["bash", "-c", pipes, str(BINARY), *flags]
        self.process = subprocess.Popen(command, pass_fds=(their_in, their_out))
        os.close(their_in)
        os.close(their_out)
        self.out: IO[bytes] = os.fdopen(ours_out, "wb", buffering=0)
        self.fd, self.rest, self.numbers = ours_in, b"", count(1)
        self.complaints: list[str] = []
        self.page = self.at_rest = self.session = ""
        self._open_window()

    def close(self) -> None:
        self.out.close()
        self.process.terminate()
        self.process.wait(PATIENCE)
        os.close(self.fd)

    def go(self, url: str) -> None:
        """Open a page and wait until it has loaded all it wants."""
        self.page = self.call("Page.navigate", url=url)["loaderId"]
        self._wait(lambda: self.at_rest == self.page)

    def press(self, line: str) -> None:
        """Run a line that leads to another page, and wait for that one."""
        self.run(line)
        self._wait(lambda: self.at_rest != self.page)
        self.page = self.at_rest

    def run(self, line: str) -> Any:
        """The value of an expression in the page."""
        answer = self.call("Runtime.evaluate", expression=line, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        number = next(self.numbers)
        message = {"id": number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        self.out.write(json.dumps(message).encode() + b"\0")
        while True:
            heard = self._hear()
            if heard.get("id") == number:
                assert "error" not in heard, heard
                return dict(heard["result"])

    def _open_window(self) -> None:
        window = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=window, flatten=True)["sessionId"]
        for domain in ("Page", "Log", "Runtime", "Network"):
            self.call(f"{domain}.enable")
        self.call("Page.setLifecycleEventsEnabled", enabled=True)

    def _wait(self, arrived: Callable[[], bool]) -> None:
        until = time.monotonic() + PATIENCE
        while not arrived():
            assert time.monotonic() < until, "the page never came to rest"
            self._hear()
        self.run("1")  # what was said before this answer is heard now

    def _hear(self) -> dict[str, Any]:
        while b"\0" not in self.rest:
            got = os.read(self.fd, 1 << 16)
            assert got, "Chromium has gone"
            self.rest += got
        line, _, self.rest = self.rest.partition(b"\0")
        heard: dict[str, Any] = json.loads(line)
        self._note(heard.get("method", ""), heard.get("params", {}))
        return heard

    def _note(self, event: str, params: dict[str, Any]) -> None:
        if event == "Page.lifecycleEvent" and params["name"] == "networkIdle":
            self.at_rest = params["loaderId"]
        if event in COMPLAINTS and not params.get("canceled"):
            said = params.get("entry", {}).get("text") or json.dumps(params)[:500]
            self.complaints.append(said)
