"""Everything with moderate sizes, one after the other, and the lines of docs/benchmarks.md's table."""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser
from importlib import import_module

from tests.benchmarks.ground import Figures, machine, say

SIZES: tuple[tuple[str, ...], ...] = (
    ("intake", "--rounds", "5", "--seconds", "4"),
    ("drain", "--leads", "400", "--rounds", "5"),
    ("idle", "--answers", "40"),
    ("backlog", "--answers", "500"),
    ("bitrix24", "--answers", "1000", "--one-by-one", "15"),
    ("lists",),
)


def main(arguments: list[str]) -> Figures:
    """A script that fails is told of at the end, with exit status 1; the others run."""
    parser = ArgumentParser(description="Every benchmark, one table.")
    parser.add_argument("--but", nargs="*", default=[], help="scripts to leave out")
    left_out = parser.parse_args(arguments).but
    begun, figures, failed = time.monotonic(), Figures(), []
    for name, *sizes in SIZES:
        if name not in left_out:
            try:
                figures += run(name, sizes)
            except Exception as error:
                failed.append(f"{name} failed: {type(error).__name__}: {error}")
                say(failed[-1])
    lines = "\n".join(f"| {what} | {how_much} |" for what, how_much in figures)
    say(f"\nFor docs/benchmarks.md, {machine()}, {(time.monotonic() - begun) / 60:.0f} minutes:\n\n{lines}")
    if failed:
        sys.exit("\n".join(failed))
    return figures


def run(name: str, sizes: list[str]) -> Figures:
    begun = time.monotonic()
    try:
        return list(import_module(f"tests.benchmarks.{name}").main(sizes))
    except SystemExit as end:  # how the ground tells that it can't be had; a signal ends everything
        if isinstance(end.code, str):
            raise RuntimeError(end.code) from end
        raise
    finally:
        say(f"\n{name} took {time.monotonic() - begun:.0f} s\n{'=' * 110}\n")
