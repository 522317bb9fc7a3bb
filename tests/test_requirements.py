"""The lock files say what ``requirements.txt`` and ``tests/requirements.txt`` say, each file by its hash."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PINNED = re.compile(r"([A-Za-z0-9._-]+)(?:\[[\w,-]+\])?==([^\s;]+)")
PAIRS = (("requirements.txt", "requirements.lock"), ("tests/requirements.txt", "tests/requirements.lock"))


def pinned(name: str) -> dict[str, set[str]]:
    """Versions by package; a lock may have several, for different systems and Pythons."""
    found: dict[str, set[str]] = {}
    for line in (ROOT / name).read_text().splitlines():
        if match := PINNED.match(line):
            found.setdefault(re.sub(r"[-_.]+", "-", match[1]).lower(), set()).add(match[2])
    return found


@pytest.mark.parametrize(("asked", "locked"), PAIRS)
def test_what_is_asked_for_is_locked(asked: str, locked: str) -> None:
    wanted, there = pinned(asked), pinned(locked)
    assert wanted
    assert {name: there.get(name) for name in wanted} == wanted, "run: make lock"


@pytest.mark.parametrize(("asked", "locked"), PAIRS)
def test_every_locked_package_has_hashes_and_no_address(asked: str, locked: str) -> None:
    text = (ROOT / locked).read_text()
    blocks = re.findall(r"^[A-Za-z][^\n]*(?:\n +[^\n]*)*", text, re.MULTILINE)
    assert len(blocks) >= len(pinned(locked))
    assert [block.split()[0] for block in blocks if "--hash=sha256:" not in block] == []
    assert re.search(r"://|--index|--find-links|/(?:tmp|opt|home|root)/", text) is None


def test_tests_run_on_what_the_service_runs_on() -> None:
    ours, theirs = pinned("requirements.lock"), pinned("tests/requirements.lock")
    assert {name: theirs.get(name) for name in ours} == ours


def test_the_image_has_the_python_that_is_tested() -> None:
    (image,) = re.findall(r"^FROM python:(3\.\d+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    tested = re.findall(r"python(3\.\d+)", (ROOT / ".ci/run").read_text())
    assert {"3.11", image} <= set(tested)
