"""Who starts the servers, who stops them, and what survives a kill -9."""

import os
import signal
import subprocess
import time

import pytest

from .conftest import COMMAND

# What a command does that was told to look after its servers, twice.
AGAIN = """sys.stdin.readline()
        print(*embedded.bring_back())
        from config.embedded import place, postgres, valkey
        import psycopg
        here = place.read(embedded.PROJECT)
        with psycopg.connect(host=str(here.sockets), user="quiz_crm", dbname="quiz_crm") as connection:
            found = connection.execute("SELECT name FROM answers").fetchone()
        print(postgres.answers(here), valkey.answers(here), found)
        print(*embedded.bring_back())"""


def test_the_first_command_starts_both_servers_and_the_last_one_stops_them(make_checkout):
    shop = make_checkout()
    command = shop.run()
    assert shop.servers_answer == (True, True)

    command.finish()
    assert shop.servers_answer == (False, False)
    assert shop.postmaster is None


def test_what_was_written_is_there_at_the_next_start(shop):
    command = shop.run()
    shop.sql("CREATE TABLE answers AS SELECT 'Anna' AS name")
    command.finish()

    shop.run()
    assert shop.sql("SELECT name FROM answers") == [("Anna",)]


def test_data_is_synced_to_disk_and_letters_have_two_cases(shop):
    shop.run()
    assert shop.sql("SELECT current_setting('fsync'), upper('ёж')") == [("on", "ЁЖ")]


def test_two_commands_at_once_share_the_servers(make_checkout):
    shop = make_checkout()
    first, second = shop.command(), shop.command()
    first.started()
    second.started()
    server = shop.postmaster

    first.finish()
    assert (shop.postmaster, shop.servers_answer) == (server, (True, True))
    second.finish()
    assert shop.servers_answer == (False, False)


def test_a_command_inside_a_command_changes_nothing(shop):
    outer = shop.run()
    server = shop.postmaster
    shop.run().finish()
    assert shop.postmaster == server
    outer.finish()


def test_a_forked_child_does_not_stop_the_servers(shop):
    fork = "import os\n" + COMMAND.replace(
        "        sys.stdin", "        os.fork() or sys.exit()\n        sys.stdin"
    )
    shop.command(fork).started()
    time.sleep(0.3)
    assert shop.servers_answer == (True, True)


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_command_ended_by_a_signal_stops_the_servers(shop, ending):
    # Python handles a signal between two steps of its own: one that comes just before it begins to wait for
    # input would stay unnoticed until a second one, and that may come while the servers are being stopped.
    waits = COMMAND.replace("sys.stdin.readline()", "while not select([sys.stdin], [], [], 0.1)[0]: pass")
    command = shop.command(f"from select import select\n{waits}").started()
    command.send_signal(ending)
    assert command.wait(120) == -ending
    assert shop.servers_answer == (False, False)


def test_servers_left_by_a_killed_command_are_found_and_stopped(shop):
    command = shop.run()
    server = shop.postmaster
    command.kill()
    command.wait()

    again = shop.run()
    assert shop.postmaster == server
    again.finish()
    assert shop.servers_answer == (False, False)


@pytest.mark.parametrize("parent_lives", [True, False], ids=["leaving a zombie", "and its command"])
def test_killed_servers_are_replaced(shop, parent_lives):
    command = shop.run()
    shop.sql("CREATE TABLE answers AS SELECT 'Anna' AS name")
    killed = shop.postmaster
    if not parent_lives:
        command.kill()
        command.wait()
    os.kill(shop.valkey, signal.SIGKILL)
    os.kill(killed, signal.SIGKILL)

    again = shop.run()
    assert shop.postmaster != killed
    assert shop.servers_answer == (True, True)
    assert shop.sql("SELECT name FROM answers") == [("Anna",)]
    again.finish()


def test_a_command_brings_back_what_died_under_it(shop):
    command = shop.command(COMMAND.replace("sys.stdin.readline()", AGAIN)).started()
    shop.sql("CREATE TABLE answers AS SELECT 'Anna' AS name")
    os.kill(shop.valkey, signal.SIGKILL)
    os.kill(shop.postmaster, signal.SIGKILL)
    wait_until(lambda: shop.postmaster is None)

    said, _ = command.communicate("\n", timeout=120)
    assert said.splitlines() == ["PostgreSQL Valkey", "True True ('Anna',)", "", "stopped"]


def test_a_killed_server_whose_pid_a_stranger_got_is_replaced(shop):
    command = shop.run()
    command.kill()
    command.wait()
    os.kill(shop.postmaster, signal.SIGKILL)
    wait_until(lambda: shop.postmaster is None)

    with server_user_sleeps(shop) as stranger:
        for pid_file in (shop.place.data / "postmaster.pid", shop.place.sockets / ".s.PGSQL.5432.lock"):
            _, *rest = pid_file.read_text().splitlines(keepends=True)
            pid_file.write_text("".join([f"{stranger.pid}\n", *rest]))
        shop.run().finish()
        assert stranger.poll() is None
        stranger.kill()


def test_a_half_made_data_folder_is_made_anew(make_checkout):
    shop = make_checkout()
    draft = shop.path / ".local" / "servers" / "postgres.new"
    draft.mkdir(parents=True)
    (draft / "PG_VERSION").write_text("18\n")

    shop.run()
    assert shop.servers_answer == (True, True)


def test_nobody_is_left_waiting_when_the_servers_cannot_start(shop):
    shop.run().finish()
    (shop.place.data / "PG_VERSION").write_text("9.6\n")

    command = shop.command()
    _, complaint = command.communicate(timeout=120)
    assert command.returncode == 1
    assert complaint.count("\n") == 1
    assert "database files are incompatible with server" in complaint
    assert "set DATABASE_URL" in complaint


def server_user_sleeps(shop) -> subprocess.Popen:
    """A process of the very user that runs the server: the pid file's worst case."""
    owner = shop.place.data.stat()
    who = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []} if os.geteuid() == 0 else {}
    return subprocess.Popen(["sleep", "60"], cwd="/", **who)


def wait_until(done) -> None:
    until = time.monotonic() + 60
    while not done():
        assert time.monotonic() < until, "it did not happen within a minute"
        time.sleep(0.02)
