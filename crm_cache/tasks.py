"""What workers and beat call; the work is in ``refresh`` and ``walks``."""

from celery import shared_task

from accounts.worker_threads import sync, task_for
from crm_cache import refresh, walks

sync_account = task_for("crm_cache.tasks.sync_account", "account", refresh.run_waiting, sync)
read_contacts = task_for("crm_cache.tasks.read_contacts", "account", walks.read, sync)
sync_due = shared_task(refresh.sync_due, name="crm_cache.tasks.sync_due")
read_contacts_due = shared_task(walks.read_due, name="crm_cache.tasks.read_contacts_due")
