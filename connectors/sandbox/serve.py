"""Starting the sandboxes for people and workers: used by `manage.py run_sandbox` and `-m`."""

from __future__ import annotations

import argparse
import gc
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from connectors.sandbox.server import CONTROL_PORT, Hub

DEMO = "demo7"
SELDOM = 1_000_000  # looks at new objects between two at all of them


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=CONTROL_PORT, help="control port (default: %(default)s)")
    parser.add_argument("--tls", metavar="FOLDER", help="answer https too; ca.pem is written there")
    parser.add_argument(
        "--seed", type=int, default=1, metavar="N", help="demo accounts a CRM (default: %(default)s)"
    )
    parser.add_argument("--redirect", metavar="URL", help="where consent pages send the browser back to")


def build(options: dict[str, Any]) -> Hub:
    """Ready to serve: seeded, with the real limits on wherever a sandbox knows them."""
    hub = Hub(host=options["host"], port=options["port"])
    if options.get("tls"):
        from connectors.sandbox.tls import server_context  # it needs trustme, of tests/requirements.txt

        names = [options["host"], "localhost", *(n for s in hub.sandboxes.values() for n in s.tls_names)]
        hub.tls = server_context(Path(options["tls"]), names)
    for sandbox in hub.sandboxes.values():
        if "limits" in sandbox.switches:
            sandbox.switches["limits"] = True
        integration = getattr(sandbox, "integration", None)
        if integration and options.get("redirect"):
            integration.redirect_uri = options["redirect"]
        for index in range(options["seed"]):
            hub.add_account(sandbox, DEMO if index == 0 else f"demo{7 + index}")
    return hub


def run(options: dict[str, Any], say: Callable[[str], object]) -> None:
    """Serves until Ctrl-C or SIGTERM.

    A look for cycles among all records of a long run would stop everything for a third of a second: requests
    that came one after the other would be counted in the same moment, and one of them refused.
    """
    gc.set_threshold(*gc.get_threshold()[:2], SELDOM)
    hub = build(options)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: hub.stop())
    say(f"sandboxes: {hub.url(hub.control_port)}")
    for row in hub.addresses():
        say(f"{row['title']}: {row['www']}")
        for name, url in row["accounts"]:
            say(f"  {name}: {url}")
    hub.serve()
