"""The tests' database: copied from one that is migrated already, and emptied after each test that commits.

One process migrates a database, and all copy it, in later runs too, until a migration is added or changed.
Django empties a database by truncating all tables, which makes files anew for each of them and of their
indexes, and writes the permissions of all models again: most of the time of a test that commits little. Here
rows are deleted where there are any.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from itertools import count
from pathlib import Path

import django
from django.apps import apps
from django.core.management import call_command
from django.db import connections
from django.db.backends.postgresql.base import DatabaseWrapper
from django.db.backends.utils import CursorWrapper
from django.test import TransactionTestCase

from config import staff

TEMPLATE = "test_quiz_crm_template_"
KEPT_TEMPLATES = 4
numbers = count(1)
prepared: set[str] = set()  # databases that have the function
LOCK = 4201  # among the advisory locks of the server
# The same for all tests: what migrations wrote of the models and of themselves, and the groups of staff,
# which take longer to make than most tests last. A test that changes groups must roll back.
KEPT = (
    *("django_migrations", "django_content_type", "auth_permission"),
    *("auth_group", "auth_group_permissions"),
)
LARGE = 1 << 20  # bytes, deleted rows included, from which a table is quicker made anew
TABLES = """
SELECT relname FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> ALL (%s)
"""
# Its plans are kept by each connection: most of emptying is finding out what there is to delete. Large tables
# come first, because checks that are pending forbid to truncate.
EMPTYING = "tests_empty_all_tables"
FUNCTION = """
CREATE OR REPLACE FUNCTION {name}() RETURNS void LANGUAGE plpgsql AS $emptying$
BEGIN
{truncating}
{deleting}
END $emptying$
"""
TRUNCATING = """IF pg_relation_size('{table}') > {large} AND EXISTS (SELECT FROM {table}) THEN
    TRUNCATE {table} CASCADE; END IF;"""
DELETING = "IF EXISTS (SELECT FROM {table}) THEN DELETE FROM {table}; END IF;"


# -- copied ------------------------------------------------------------------------------------------------


def migrated(connection: DatabaseWrapper) -> str:
    """The name of a database with all migrations and the groups of staff; made where it is missing."""
    name = TEMPLATE + fingerprint()
    with connection._nodb_cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])  # until this connection ends
        cursor.execute("SELECT FROM pg_database WHERE datname = %s", [name])
        if not cursor.rowcount:
            unfinished = f"{name}_{os.getpid()}"
            cursor.execute(f"CREATE DATABASE {unfinished}")
            with instead(connection, unfinished):
                call_command("migrate", verbosity=0, interactive=False)
                staff.make_groups()
            cursor.execute(f"ALTER DATABASE {unfinished} RENAME TO {name}")
            _drop_old(cursor)
    return name


def _drop_old(cursor: CursorWrapper) -> None:
    """Of former migrations some stay: other branches may use the same server."""
    newest = "SELECT datname FROM pg_database WHERE datname LIKE %s ORDER BY oid DESC OFFSET %s"
    cursor.execute(newest, [f"{TEMPLATE}%", KEPT_TEMPLATES])
    for (name,) in cursor.fetchall():
        cursor.execute(f"DROP DATABASE {name}")


def fingerprint() -> str:
    """Of all migrations and groups of staff as they are now."""
    found = sha256(django.__version__.encode() + Path(staff.__file__).read_bytes())
    for config in sorted(apps.get_app_configs(), key=lambda config: config.label):
        for path in sorted(Path(config.path, "migrations").glob("*.py")):
            found.update(f"{config.label} {path.name}".encode() + path.read_bytes())
    return found.hexdigest()[:16]


@contextmanager
def made(connection: DatabaseWrapper, template: str = "template1") -> Iterator[str]:
    """A further database, for tests of migrations: its name."""
    name = f"{connection.settings_dict['NAME']}_{next(numbers)}"
    with connection._nodb_cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield name
    finally:
        with connection._nodb_cursor() as cursor:
            cursor.execute(f"DROP DATABASE {name}")


@contextmanager
def instead(connection: DatabaseWrapper, name: str) -> Iterator[None]:
    """This database on the connection."""
    _close(connection)
    usual, connection.settings_dict["NAME"] = connection.settings_dict["NAME"], name
    try:
        yield
    finally:
        _close(connection)
        connection.settings_dict["NAME"] = usual


def _close(connection: DatabaseWrapper) -> None:
    connection.close()
    connection.close_pool()


# -- emptied -----------------------------------------------------------------------------------------------


def empty_quickly() -> None:
    """For all tests that commit; the others roll back."""
    TransactionTestCase._fixture_teardown = _empty_databases


def _empty_databases(case: TransactionTestCase) -> None:
    for name in case._databases_names(include_mirrors=False):
        empty(connections[name])


def empty(connection: DatabaseWrapper) -> None:
    """In one transaction, at whose end foreign keys are checked: the tables' order does not matter."""
    with connection.cursor() as cursor:
        if (name := connection.settings_dict["NAME"]) not in prepared:
            _prepare(connection, cursor)
            prepared.add(name)
        cursor.execute(f"SELECT {EMPTYING}()")


def _prepare(connection: DatabaseWrapper, cursor: CursorWrapper) -> None:
    cursor.execute(TABLES, [list(KEPT)])
    tables = [connection.ops.quote_name(name) for (name,) in cursor.fetchall()]
    cursor.execute(
        FUNCTION.format(
            name=EMPTYING,
            truncating="\n".join(TRUNCATING.format(table=table, large=LARGE) for table in tables),
            deleting="\n".join(DELETING.format(table=table) for table in tables),
        )
    )
