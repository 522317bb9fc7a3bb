"""Who runs the servers: ourselves, or an unprivileged user id when we are root.

PostgreSQL refuses to run as root. No user is created for it: the servers get the user
id of whoever owns the checkout, or that of "nobody", and own only their folder.
"""

import os
import pwd
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from .errors import INSTEAD, EmbeddedError

NOBODY = 65534


@dataclass(frozen=True)
class Account:
    """`uid` is None when the servers simply run as the current user."""

    uid: int | None = None
    gid: int | None = None

    def run(self, command: Sequence[str], **options: Any) -> subprocess.CompletedProcess[str]:
        with understandable(self, command[0]):
            return subprocess.run(  # noqa: S603
                command, capture_output=True, text=True, check=False, **self.options(), **options
            )

    def start(self, command: Sequence[str], **options: Any) -> "subprocess.Popen[bytes]":
        """Start a server apart from our terminal, so that Ctrl-C reaches us and not it."""
        with understandable(self, command[0]):
            return subprocess.Popen(  # noqa: S603
                command, start_new_session=True, **self.options(), **options
            )

    def options(self) -> dict[str, Any]:
        # "/" because the server's user may not be allowed into our working folder.
        common: dict[str, Any] = {"cwd": "/", "umask": 0o077}
        if self.uid is None:
            return common
        return common | {"user": self.uid, "group": self.gid, "extra_groups": []}


def server_account(project: Path) -> Account:
    """The account that owns this checkout's servers and their data."""
    if os.geteuid() != 0:
        return Account()
    for path in (project / ".local" / "servers" / "postgres", project):
        if path.exists() and (owner := path.stat()).st_uid != 0 and is_listed(owner.st_uid):
            return Account(owner.st_uid, owner.st_gid)
    return Account(NOBODY, NOBODY)


def is_listed(uid: int) -> bool:
    """Whether the system knows the user id by a name; `initdb` refuses to work for others."""
    try:
        return bool(pwd.getpwuid(uid))
    except KeyError:
        return False


def own_folder(folder: Path) -> None:
    """Make the servers' folder; in a user's checkout it is the user's, even when root makes it."""
    folder.parent.mkdir(mode=0o755, exist_ok=True)
    folder.mkdir(mode=0o711, exist_ok=True)
    for path in (folder.parent, folder):
        give_to_owner(path, folder.parents[1])


def own_file(path: Path, mode: str) -> IO[bytes]:
    """Open a file of ours, private, never through a link that somebody put in its place."""
    file = open(path, mode, opener=private)  # noqa: SIM115 - the caller closes it
    give_to_owner(path, path.parents[2])
    return file


def private(name: str, flags: int) -> int:
    return os.open(name, flags | os.O_NOFOLLOW, 0o600)


def give_to_owner(path: Path, checkout: Path) -> None:
    owner = checkout.stat()
    if os.geteuid() == 0 and owner.st_uid != 0:
        give(path, Account(owner.st_uid, owner.st_gid))


def give(path: Path, account: Account) -> None:
    """Let the account own the path; nothing to do when we and it are one."""
    if account.uid is None or account.gid is None or path.lstat().st_uid == account.uid:
        return
    with understandable(account, path):
        os.chown(path, account.uid, account.gid, follow_symlinks=False)


@contextmanager
def understandable(account: Account, what: object) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        who = f"user id {account.uid}" if account.uid is not None else "this user"
        raise EmbeddedError(
            f"Cannot let {who} use {what} ({exc.strerror}): "
            f"run the command as an ordinary user who owns the checkout, {INSTEAD}."
        ) from exc
