"""What workers and beat call; the work is in ``refresh``."""

from __future__ import annotations

from functools import partial

from celery import shared_task
from structlog.contextvars import bind_contextvars

from accounts.worker_threads import sync
from crm_cache import refresh, walks


@shared_task
def sync_account(account_id: int) -> None:
    bind_contextvars(account=account_id)
    sync.do(account_id, partial(refresh.run_waiting, account_id))


@shared_task
def sync_due() -> None:
    refresh.sync_due()


@shared_task
def read_contacts(account_id: int) -> None:
    bind_contextvars(account=account_id)
    sync.do(("contacts", account_id), partial(walks.read, account_id))


@shared_task
def read_contacts_due() -> None:
    walks.read_due()
