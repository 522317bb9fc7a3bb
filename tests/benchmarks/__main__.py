"""Chooses the script, and has PostgreSQL and Valkey answering for it.

``BENCH_FIGURES`` names a file for what was measured, as JSON: how ``all --before`` reads another commit's.
"""

import json
import os
import sys
from importlib import import_module
from pathlib import Path

import django

from config import embedded

SCRIPTS = ("idle", "backlog", "bitrix24", "people", "intake", "lists", "drain", "scale", "bulk", "all")


def main(arguments: list[str]) -> None:
    name, *rest = arguments or ["idle"]
    if name not in SCRIPTS:
        sys.exit(f"Which one? {' or '.join(SCRIPTS)}")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    with embedded.running():
        django.setup()
        figures = import_module(f"tests.benchmarks.{name}").main(rest)
        if place := os.environ.get("BENCH_FIGURES"):
            Path(place).write_text(json.dumps(figures))


if __name__ == "__main__":
    main(sys.argv[1:])
