"""The production image: the part of the repository that gets into it needs nothing of the rest."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CODE = """
import importlib, pkgutil, sys
import django
django.setup()
for top in ("accounts", "config", "connectors", "crm_cache", "rules"):
    package = importlib.import_module(top)
    for found in pkgutil.walk_packages(package.__path__, f"{top}."):
        importlib.import_module(found.name)
print([name for name in sys.modules if name.startswith(("connectors.sandbox", "config.demo"))])
"""


def ignored() -> list[str]:
    """The paths that .dockerignore takes out of what it has let in."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    return [line for line in lines if line and line[0] not in "#!*"]


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """The files of the image, as the Dockerfile copies them."""
    for name in re.findall(r"^COPY (\S+) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, tmp_path / name)
    for name in ignored():
        left = tmp_path / name
        shutil.rmtree(left) if left.is_dir() else left.unlink(missing_ok=True)
    return tmp_path


def test_all_of_it_can_be_imported_without_the_local_crms_and_the_demo(image: Path) -> None:
    assert not (image / "connectors/sandbox").exists()
    assert not (image / "config/demo").exists()
    variables = {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": "postgres://nobody@127.0.0.1:1/nothing",
        "REDIS_URL": "redis://127.0.0.1:1/0",
    }
    done = subprocess.run(
        [sys.executable, "-c", CODE],
        cwd=image,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
    assert done.stdout.split() == ["[]"]
