"""Background work: each task calls a plain function. Messages carry ids only."""

from functools import partial

from celery import shared_task
from structlog.contextvars import bind_contextvars

from accounts.singletons import one_at_a_time
from accounts.worker_threads import maintenance, task_of
from rules import alerts, bulk, figures, incidents, people, provisioning, retention
from rules.delivery import drift, worker
from rules.delivery import sweep as sweeping
from rules.delivery.concurrency import lanes
from rules.outcomes import following, reconciling, second_look

review = task_of("rules.tasks.review", sweeping.review)
check_lanes = task_of("rules.tasks.check_lanes", sweeping.check_lanes)
purge = task_of("rules.tasks.purge", retention.purge)
erase_due = task_of("rules.tasks.erase_due", one_at_a_time(people.erase_due))
prepare_due = task_of("rules.tasks.prepare_due", provisioning.prepare_due)
check_drift = task_of("rules.tasks.check_drift", drift.check_due)
send_digest = task_of("rules.tasks.send_digest", alerts.digest)
run_bulk_due = task_of("rules.tasks.run_bulk_due", bulk.go_on_due)
count_figures = task_of("rules.tasks.count_figures", one_at_a_time(figures.count_due))


@shared_task
def drain(account_id: int) -> None:
    bind_contextvars(account=account_id)
    lanes.run(account_id, worker.drain)


@shared_task
def sweep() -> None:
    sweeping.sweep()


@shared_task
def prepare_rule(rule_id: int) -> None:
    bind_contextvars(rule=rule_id)
    maintenance.do(("prepare", rule_id), partial(provisioning.prepare, rule_id))


@shared_task
def follow(account_id: int) -> None:
    bind_contextvars(account=account_id)
    following.follow(account_id)


@shared_task
def look_again(account_id: int) -> None:
    bind_contextvars(account=account_id)
    second_look.look_again(account_id)


@shared_task
def look_again_due() -> None:
    second_look.look_again_due()


@shared_task
def hint_new(account_id: int) -> None:
    bind_contextvars(account=account_id)
    following.hint_new(account_id)


@shared_task
def follow_due() -> None:
    following.follow_due()


def _look_and_tell() -> None:
    """Found first, told then: a message that can't be sent keeps nobody from seeing what is open."""
    incidents.look()
    alerts.tell()


look_for_incidents = task_of("rules.tasks.look_for_incidents", _look_and_tell)


@shared_task
def run_bulk(run_id: int) -> None:
    bind_contextvars(bulk_run=run_id)
    maintenance.do(("bulk", run_id), partial(bulk.go_on, run_id))


@shared_task
def reconcile(run_id: int) -> None:
    bind_contextvars(reconciliation=run_id)
    reconciling.go_on(run_id)


@shared_task
def reconcile_due() -> None:
    reconciling.begin_due()
    reconciling.go_on_due()
