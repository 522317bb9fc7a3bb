"""The Celery app and the beat timetable (static: nothing of it lives in a database)."""

import os
from typing import Any

from celery import Celery
from celery.signals import task_postrun, task_prerun
from structlog.contextvars import bind_contextvars, clear_contextvars

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("quiz_crm")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["accounts", "crm_cache", "rules"])
app.conf.beat_schedule = {
    "refresh tokens that are due": {"task": "accounts.tasks.refresh_due", "schedule": 60.0},
    "forget connections nobody finished": {"task": "accounts.tasks.expire_attempts", "schedule": 3600.0},
    "ask CRMs to tell of changes": {"task": "accounts.tasks.subscribe_due", "schedule": 60.0},
    "ask CRMs to tell no more": {"task": "accounts.tasks.unsubscribe_due", "schedule": 60.0},
    "sync lists that are due": {"task": "crm_cache.tasks.sync_due", "schedule": 30.0},
    "wake lanes with due deliveries": {"task": "rules.tasks.sweep", "schedule": 5.0},
    "prepare rules that wait": {"task": "rules.tasks.prepare_due", "schedule": 30.0},
    "read again what rules name": {"task": "rules.tasks.check_drift", "schedule": 60.0},
    "look what became of leads": {"task": "rules.tasks.follow_due", "schedule": 60.0},
    "purge payloads past their retention": {"task": "rules.tasks.purge", "schedule": 3600.0},
}


@task_prerun.connect
def name_the_task(task_id: str, task: Any, **_: Any) -> None:
    """Every log record made by a task says which one it was."""
    clear_contextvars()
    bind_contextvars(task=task.name, task_id=task_id)


@task_postrun.connect
def forget_the_task(**_: Any) -> None:
    clear_contextvars()
