"""Chooses the script; each has servers, processes and a verdict of its own."""

import os
import sys
from importlib import import_module

import django

from config import embedded

SCRIPTS = ("answers", "tokens", "neighbours", "alone")


def main(arguments: list[str]) -> int:
    """The script's exit status: 0 only if its promise held."""
    name, *rest = arguments or ["answers"]
    if name not in SCRIPTS:
        sys.exit(f"Which one? {' or '.join(SCRIPTS)}")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    with embedded.running():
        django.setup()
        return int(import_module(f"tests.torture.{name}").main(rest) or 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
