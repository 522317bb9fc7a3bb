"""Redocly and Spectral over the OpenAPI document: ``python -m tests.openapi.lint DOCUMENT``.

Both are Node programs, installed from the lock file beside this one into the virtual environment, each file
checked by its hash. Where there is no Node, or nowhere to install them from, one line says so and nothing
fails.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
WANTED = ("package.json", "package-lock.json")
OLDEST_NODE = 20
SECONDS = 300
# npm's words for a lock file that doesn't fit, and for a package that is not the one of the lock file.
OUR_FAULT = {"EUSAGE", "EINTEGRITY", "EJSONPARSE"}
QUIET = {
    "REDOCLY_TELEMETRY": "off",
    "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true",
    "npm_config_update_notifier": "false",
}


class Skipped(Exception):
    """Nothing can be judged here; the sentence says why."""


class Failed(Exception):
    """What the linters, or npm, say."""


def main(document: Path, venv: Path = Path(sys.prefix)) -> int:
    try:
        programs = installed(venv / "openapi-linters")
        judge([programs / "redocly", "lint", "--config", HERE / "redocly.yaml", document])
        judge(
            [
                programs / "spectral",
                "lint",
                "--ruleset",
                HERE / "spectral.yaml",
                "--fail-severity=hint",
                document,
            ]
        )
    except Skipped as why:
        print(f"OpenAPI linters skipped: {why}")
    except Failed as said:
        print(said, file=sys.stderr)
        return 1
    return 0


def installed(place: Path) -> Path:
    """Where the programs are, installed unless they are there in the versions that the lock file names."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not (node and npm):
        raise Skipped("no Node here")
    version = run([node, "--version"]).stdout
    if int((re.match(r"v(\d+)", version) or ["", "0"])[1]) < OLDEST_NODE:
        raise Skipped(f"Node {OLDEST_NODE} is needed, here is {version.strip()}")
    digest = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in WANTED)).hexdigest()
    programs, stamp = place / "node_modules" / ".bin", place / "installed"
    if not stamp.exists() or stamp.read_text() != digest:
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        for name in WANTED:
            shutil.copy(HERE / name, place)
        install(npm, place)
        stamp.write_text(digest)
    return programs


def install(npm: str, place: Path) -> None:
    options = ("--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--fetch-retries=1")
    done = run([npm, "ci", *options, "--prefix", place])
    if done.returncode:
        code = (re.search(r"npm (?:error|ERR!) code (\w+)", done.stderr) or ["", "no reason"])[1]
        if code in OUR_FAULT:
            raise Failed(done.stderr)
        raise Skipped(f"they can't be installed ({code})")


def judge(command: list[str | Path]) -> None:
    done = run(command)
    if done.returncode:
        raise Failed(done.stdout + done.stderr)


def run(command: list[str | Path]) -> subprocess.CompletedProcess[str]:
    """Raises ``Skipped`` for what takes too long: a registry that is silent."""
    try:
        return subprocess.run(
            command, capture_output=True, text=True, timeout=SECONDS, check=False, env={**os.environ, **QUIET}
        )
    except subprocess.TimeoutExpired as exc:
        raise Skipped(f"{Path(command[0]).name} took longer than {SECONDS} seconds") from exc


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
