"""The first walk of a new account's lists, done once in a process and remembered for all that begin alike.

Every story begins with a connected account whose lists were read, which is most of what it costs. The walk
asks the local CRM for the same rows each time; here they are kept, and written by a statement for each list.
What could make a difference is compared: the CRM's rows, its switches, our account. Where anything differs,
the lists are walked; ``test_listed.py`` holds what is kept against what a walk brings.
"""

from __future__ import annotations

import copyreg
import json
import pickle
import re
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import timedelta
from io import BytesIO
from itertools import count
from typing import Any

from django.conf import settings
from django.db import connection, models, transaction
from django.db.models import DateTimeField, Model

from accounts import db_clock
from accounts.events.models import EventType, NewEvent
from accounts.events.writing import whose
from accounts.models import Account
from connectors.bitrix24 import client as bitrix24_client
from connectors.sandbox.core import Sandbox
from connectors.sandbox.journal import Entry
from crm_cache.models import CrmUser, Field, Pipeline, Step, SyncRun, Tag
from crm_cache.refresh import lists_read, run_waiting

LISTS: tuple[type[Model], ...] = (CrmUser, Pipeline, Step, Field, Tag)
# Of a CRM's account: other secrets and moments each time, which no list shows.
UNLISTED = {"key", "hooks", "events", "installed", "known_apps", "bindings"}
UNLISTED |= {"timeline", "logs_of", "_counters"}
MOMENT = re.compile(rb"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d")
SECRET_FACTS = ("application_token",)
# Python 3.12 warns that counters won't be pickled any more.
WRITTEN = {**copyreg.dispatch_table, count: lambda numbers: (str, (repr(numbers),))}
# Of ours.
OWN = {"id", "facts", "created_at", "connected_at", "state_since", "synced_at", "next_sync_at"}
OWN |= {"reconcile_at", "_state"}


@dataclass(frozen=True)
class Walked:
    """``rows``: of each list and of its runs, as JSON. ``until_next``: when it is walked again."""

    rows: Mapping[type[Model], str]
    learned: Mapping[str, Any]  # facts of the account
    entries: tuple[Entry, ...]
    speeds: Mapping[str, Any]
    until_next: timedelta


_kept: dict[bytes, Walked] = {}


def first_walk(account: Account, box: Sandbox, crm: Any) -> None:
    """Walk the waiting lists of an account that has none yet, or write what such a walk brought before."""
    beginning = beginning_of(account, box, crm)
    if beginning in _kept:
        _write(account, box, _kept[beginning])
        return
    seen = len(box.journal)
    run_waiting(account.pk)
    after = Account.objects.get(pk=account.pk)
    learned = {name: fact for name, fact in after.facts.items() if account.facts.get(name) != fact}
    after.facts = account.facts
    if beginning == beginning_of(after, box, crm):
        _kept[beginning] = _read(after, learned, tuple(box.journal)[seen:])


def beginning_of(account: Account, box: Sandbox, crm: Any) -> bytes:
    """All that decides what a walk brings, so that it can be compared."""
    own = {name: value for name, value in vars(account).items() if name not in OWN}
    theirs = {name: value for name, value in vars(crm).items() if name not in UNLISTED}
    moods = (dict(box.switches), [vars(fault) for fault in box.faults])
    facts = {name: fact for name, fact in account.facts.items() if name not in SECRET_FACTS}
    ours = (settings.CRM_OPTIONS[account.crm], settings.EVENT_DAYS, facts)
    told = BytesIO()
    pickler = pickle.Pickler(told)
    pickler.fast = True  # equal values are written alike, be they one object or several
    pickler.dispatch_table = WRITTEN
    pickler.dump((sorted(own.items()), theirs, moods, ours))
    return MOMENT.sub(b"moment", told.getvalue())


def _read(account: Account, learned: Mapping[str, Any], entries: tuple[Entry, ...]) -> Walked:
    rows = {}
    with connection.cursor() as cursor:
        for model in (*LISTS, SyncRun):
            table = model._meta.db_table
            cursor.execute(
                f"SELECT json_agg(t ORDER BY id)::text FROM {table} t WHERE account_id = %s", [account.pk]
            )
            [[found]] = cursor.fetchall()
            if found:
                rows[model] = found
    assert account.next_sync_at
    until_next = account.next_sync_at - db_clock.now()
    return Walked(rows, learned, entries, deepcopy(bitrix24_client._SPEEDS), until_next)


def _write(account: Account, box: Sandbox, walked: Walked) -> None:
    now = db_clock.now()
    with transaction.atomic():
        SyncRun.objects.filter(account=account).delete()
        for model, rows in walked.rows.items():
            _insert(model, rows, account.pk, now)
        runs = [run for run in json.loads(walked.rows[SyncRun]) if run["state"] == SyncRun.State.DONE]
        if settings.EVENT_DAYS:
            NewEvent.objects.bulk_create(
                NewEvent(
                    owner=account.account_id, type=EventType.SYNC_FINISHED, at=now,
                    data={**whose(account), "list": run["what"], "state": run["state"]},
                )
                for run in runs
            )  # fmt: skip
        changes = {"synced_at": now, "next_sync_at": now + walked.until_next}
        if walked.learned:
            changes["facts"] = {**account.facts, **walked.learned}
        Account.objects.filter(pk=account.pk).update(**changes)
    for entry in walked.entries:
        box.journal.record(replace(entry, at=box.clock.now()))
    bitrix24_client._SPEEDS |= deepcopy(dict(walked.speeds))
    lists_read.send_robust(sender=None, account_id=account.pk)


def _insert(model: type[Model], rows: str, account_id: int, now: Any) -> None:
    """Of this account, with ids of their own, and written now."""
    names, values, given = [], [], []
    for field in model._meta.local_concrete_fields:
        if isinstance(field, models.AutoField):
            continue
        names.append(f'"{field.column}"')
        if field.column == "account_id":
            values.append("%s")
            given.append(account_id)
        elif isinstance(field, DateTimeField):
            values.append(f'CASE WHEN "{field.column}" IS NOT NULL THEN %s::timestamptz END')
            given.append(now)
        else:
            values.append(f'"{field.column}"')
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(names)}) SELECT {', '.join(values)}"
            f" FROM json_populate_recordset(NULL::{table}, %s) ORDER BY id",
            [*given, rows],
        )
