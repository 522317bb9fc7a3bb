"""Chooses the script, and has PostgreSQL and Valkey answering for it."""

import os
import sys
from importlib import import_module

import django

from config import embedded

SCRIPTS = ("idle", "backlog", "bitrix24", "people", "intake", "lists", "drain", "scale", "all")


def main(arguments: list[str]) -> None:
    name, *rest = arguments or ["idle"]
    if name not in SCRIPTS:
        sys.exit(f"Which one? {' or '.join(SCRIPTS)}")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    with embedded.running():
        django.setup()
        import_module(f"tests.benchmarks.{name}").main(rest)


if __name__ == "__main__":
    main(sys.argv[1:])
