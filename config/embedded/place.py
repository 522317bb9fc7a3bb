"""Where the embedded servers keep their files and how they are reached.

PostgreSQL listens on a unix socket in a folder that only its owner may enter, hence
without a password. Valkey listens on a loopback port with a password, because no unix
socket URL suits both redis-py (`unix://`) and Celery (`redis+socket://`). Port and
password are chosen once and kept, so two checkouts do not meet.
"""

import json
import os
import secrets
import socket
import tempfile
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from urllib.parse import quote

from .account import own_file, own_folder
from .errors import EmbeddedError

NAME = "quiz_crm"
SOCKET = ".s.PGSQL.5432"
SOCKET_PATH_LIMIT = 100  # a socket's path fits into 104 (macOS) or 108 (Linux) bytes


@dataclass(frozen=True)
class Place:
    project: str
    refuge: str  # a short folder everybody can reach, made only when the project's own will not do
    port: int
    password: str

    @property
    def folder(self) -> Path:
        return Path(self.project, ".local", "servers")

    @property
    def data(self) -> Path:
        return self.folder / "postgres"

    @property
    def sockets(self) -> Path:
        """Beside the data, or in the refuge when the checkout's path does not do for a socket.

        It may be too long, or hold a comma, which separates hosts in PostgreSQL's clients.
        """
        usual = self.folder / "run"
        fits = len(os.fsencode(usual / SOCKET)) <= SOCKET_PATH_LIMIT
        return usual if fits and "," not in str(usual) else Path(self.refuge)

    @property
    def database_url(self) -> str:
        # The folder stands in the path: as a host name it would be lowered by the URL parser.
        return f"postgres://{NAME}@/{quote(str(self.sockets))}/{NAME}"

    @property
    def redis_url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def at_another_port(self) -> "Place":
        moved = replace(self, port=free_port())
        keep(moved)
        return moved


def find_place(project: Path) -> Place:
    """The kept place of this checkout; chosen now when there is none."""
    place = read(project) or new_place(project)
    # A folder we may not write to leaves the choice unkept: good enough for commands
    # like `check`, and those that start servers will say what is wrong.
    with suppress(OSError, EmbeddedError):
        keep(place, only_if_new=True)
    return read(project) or place


def read(project: Path) -> Place | None:
    kept = file_of(project)
    try:
        place = Place(**json.loads(kept.read_text()))
    except (OSError, ValueError, TypeError):
        return None
    if place.project == str(project):
        return place
    # The checkout was copied or moved together with its `.local`: the addresses in
    # it are those of the original, whose servers may well be running.
    with suppress(OSError):
        kept.unlink()
    return None


def new_place(project: Path) -> Place:
    refuge = Path(tempfile.gettempdir(), f"quiz-crm-{secrets.token_hex(6)}")
    return Place(str(project), str(refuge), free_port(), secrets.token_hex(16))


def keep(place: Place, *, only_if_new: bool = False) -> None:
    if only_if_new and file_of(place.project).exists():
        return
    own_folder(place.folder)
    draft = place.folder / f"place.{secrets.token_hex(4)}"
    with own_file(draft, "xb") as file:
        file.write(json.dumps(asdict(place), indent=1).encode())
    if only_if_new:
        # Unlike a rename, a link never replaces what another command was quicker to choose.
        with suppress(FileExistsError):
            os.link(draft, file_of(place.project))
        draft.unlink()
    else:
        draft.replace(file_of(place.project))


def file_of(project: Path | str) -> Path:
    return Path(project, ".local", "servers", "place.json")


def free_port() -> int:
    """A port nobody listens at, below those that systems lend to outgoing connections."""
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
