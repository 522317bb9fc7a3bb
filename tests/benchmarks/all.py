"""Everything with moderate sizes, one after the other, and the lines of docs/benchmarks.md's table.

``--before COMMIT`` measures that commit, too, part by part beside this one: in a work tree and on servers of
its own, with these very scripts where they fit it, else with its own. What neither can measure is a dash.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory

from django.conf import settings

from tests.benchmarks.ground import Figures, machine, say

SIZES: tuple[tuple[str, ...], ...] = (
    ("intake", "--rounds", "5", "--seconds", "4"),
    ("drain", "--leads", "400", "--rounds", "5"),
    ("idle", "--answers", "40"),
    ("backlog", "--answers", "500"),
    ("bitrix24", "--answers", "1000", "--one-by-one", "15"),
    ("lists",),
)
SCRIPTS, TODAYS, ITS_OWN = Path("tests", "benchmarks"), "today's", "its own"


def main(arguments: list[str]) -> Figures:
    """A script that fails is told of at the end, with exit status 1; the others run."""
    parser = ArgumentParser(description="Every benchmark, one table.")
    parser.add_argument("--but", nargs="*", default=[], help="scripts to leave out")
    parser.add_argument("--before", default="", help="a commit that is measured beside this one")
    chosen = parser.parse_args(arguments)
    begun, figures, failed = time.monotonic(), Figures(), []
    earlier: dict[str, str] = {}
    with TemporaryDirectory() as folder, work_tree(chosen.before, Path(folder)) as tree:
        for name, *sizes in SIZES:
            if name not in chosen.but:
                try:
                    earlier |= run_before(tree, name, sizes) if tree else {}
                    figures += run(name, sizes)
                except Exception as error:
                    failed.append(f"{name} failed: {type(error).__name__}: {error}")
                    say(failed[-1])
    minutes = (time.monotonic() - begun) / 60
    say(f"\nFor docs/benchmarks.md, {machine()}, {minutes:.0f} minutes:\n\n{table(figures, earlier)}")
    if failed:
        sys.exit("\n".join(failed))
    return figures


def table(figures: Figures, earlier: dict[str, str]) -> str:
    """The lines of what was measured; with a column of what it was before, where that was measured."""
    if not earlier:
        return "\n".join(f"| {what} | {how_much} |" for what, how_much in figures)
    return "\n".join(f"| {what} | {earlier.get(what, '-')} | {how_much} |" for what, how_much in figures)


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


# -- another commit -----------------------------------------------------------------------------------------


@contextmanager
def work_tree(commit: str, folder: Path) -> Iterator[Path | None]:
    """The commit's files; None without a commit."""
    if not commit:
        yield None
        return
    tree, git = folder / "before", ("git", "-C", str(settings.BASE_DIR), "worktree")
    subprocess.run([*git, "add", "--detach", str(tree), commit], check=True, capture_output=True)
    try:
        yield tree
    finally:
        subprocess.run([*git, "remove", "--force", str(tree)], check=True, capture_output=True)


def run_before(tree: Path, name: str, sizes: list[str]) -> dict[str, str]:
    """What a part measured there; nothing where it failed, which is told."""
    place = tree / "figures.json"
    environment = {**os.environ, "BENCH_FIGURES": str(place)}
    command = [sys.executable, "-m", "tests.benchmarks", name, *sizes]
    for scripts, told in (TODAYS, ""), (ITS_OWN, " (by that commit's own script)"):
        say(f"\n{name}, before{told}:")
        take_scripts(tree, scripts)
        if subprocess.run(command, cwd=tree, env=environment, check=False).returncode == 0:
            return {what: how_much + told for what, how_much in json.loads(place.read_text())}
    say(f"{name} can't be measured at that commit")
    return {}


def take_scripts(tree: Path, scripts: str) -> None:
    """Which benchmarks the work tree has; what writes their figures down is today's."""
    folder = tree / SCRIPTS
    shutil.rmtree(folder)
    if scripts == TODAYS:
        shutil.copytree(settings.BASE_DIR / SCRIPTS, folder)
        return
    subprocess.run(["git", "-C", str(tree), "checkout", "--", str(SCRIPTS)], check=True, capture_output=True)
    shutil.copy(settings.BASE_DIR / SCRIPTS / "__main__.py", folder)
