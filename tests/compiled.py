"""Compiled files of the service and of its tests, written once and by all cores.

In a fresh clone every worker of a test session would otherwise compile everything, and rewrite the asserts of
all tests, at the same moment as the others.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Sequence
from compileall import compile_file
from contextlib import suppress
from fnmatch import fnmatch
from pathlib import Path

import pytest
from _pytest.assertion import rewrite

PROJECT = Path(__file__).resolve().parents[1]
PACKAGES = ("accounts", "config", "connectors", "crm_cache", "rules", "tests")


def write_compiled(config: pytest.Config) -> None:
    """Of whatever has changed since it was last written."""
    files = [file for package in PACKAGES for file in (PROJECT / package).rglob("*.py")]
    cores = os.cpu_count() or 1
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_write, args=(files[core::cores], config)) for core in range(cores)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()


def _write(files: Sequence[Path], config: pytest.Config) -> None:
    patterns = ["conftest.py", *config.getini("python_files")]
    for file in files:
        if not any(fnmatch(file.name, pattern) for pattern in patterns):
            compile_file(file, quiet=2)
            continue
        with suppress(SyntaxError):  # told by whoever imports it
            _rewrite(file, config)


def _rewrite(file: Path, config: pytest.Config) -> None:
    """As pytest does at an import; it has no function for it that may be called from outside."""
    pyc = rewrite.get_cache_dir(file) / f"{file.stem}{rewrite.PYC_TAIL}"
    if rewrite._read_pyc(file, pyc) is None:
        pyc.parent.mkdir(exist_ok=True)
        told, code = rewrite._rewrite_test(file, config)
        rewrite._write_pyc(config.stash[rewrite.assertstate_key], code, told, pyc)
