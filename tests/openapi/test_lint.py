"""The OpenAPI linters where they can't be had: one line says so, and nothing fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.openapi import lint


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where programs are found: nothing yet."""
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.setenv("PATH", f"{programs}")
    return programs


def program(path: Path, name: str, script: str) -> None:
    (path / name).write_text(f"#!/bin/sh\n{script}\n")
    (path / name).chmod(0o755)


def judged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    status = lint.main(tmp_path / "openapi.yaml", tmp_path)
    said = capsys.readouterr()
    return status, said.out + said.err


def test_without_node(path, tmp_path, capsys):
    assert judged(tmp_path, capsys) == (0, "OpenAPI linters skipped: no Node here\n")


def test_with_a_node_that_is_too_old(path, tmp_path, capsys):
    program(path, "node", "echo v18.20.1")
    program(path, "npm", "exit 1")
    assert judged(tmp_path, capsys) == (0, "OpenAPI linters skipped: Node 20 is needed, here is v18.20.1\n")


@pytest.mark.parametrize(
    ("code", "status", "says"),
    [
        ("ENOTFOUND", 0, "OpenAPI linters skipped: they can't be installed (ENOTFOUND)\n"),
        ("EINTEGRITY", 1, "npm error code EINTEGRITY\n\n"),
    ],
)
def test_with_nothing_to_install_them_from(path, tmp_path, capsys, code, status, says):
    program(path, "node", "echo v22.1.0")
    program(path, "npm", f"echo npm error code {code} >&2; exit 1")
    assert judged(tmp_path, capsys) == (status, says)


def test_what_they_find_fails(path, tmp_path, capsys):
    program(path, "node", "echo v22.1.0")
    tools = tmp_path / "openapi-linters/node_modules/.bin"
    program(path, "npm", f"/bin/mkdir -p {tools}; /bin/cp {path}/redocly {tools}")
    program(path, "redocly", "echo operation-summary; exit 1")
    assert judged(tmp_path, capsys) == (1, "operation-summary\n\n")


def test_the_lock_file_names_no_registry():
    lines = (lint.HERE / "package-lock.json").read_text().splitlines()
    assert [line for line in lines if "://" in line or '"resolved"' in line] == []
