"""Background work: each task calls a plain function. Messages carry ids only."""

from functools import partial

from celery import shared_task
from structlog.contextvars import bind_contextvars

from accounts.singletons import one_at_a_time
from accounts.worker_threads import maintenance
from rules import alerts, bulk, figures, incidents, people, provisioning, retention
from rules.delivery import drift, worker
from rules.delivery import sweep as sweeping
from rules.delivery.concurrency import lanes
from rules.outcomes import following, reconcile_nights, reconciling, second_look


@shared_task
def drain(account_id: int) -> None:
    bind_contextvars(account=account_id)
    lanes.run(account_id, worker.drain)


@shared_task
def sweep() -> None:
    sweeping.sweep()


@shared_task
def review() -> None:
    maintenance.do("review", sweeping.review)


@shared_task
def check_lanes() -> None:
    maintenance.do("check_lanes", sweeping.check_lanes)


@shared_task
def purge() -> None:
    maintenance.do("purge", retention.purge)


@shared_task
def erase_due() -> None:
    maintenance.do("erase_due", one_at_a_time(people.erase_due))


@shared_task
def prepare_rule(rule_id: int) -> None:
    bind_contextvars(rule=rule_id)
    maintenance.do(("prepare", rule_id), partial(provisioning.prepare, rule_id))


@shared_task
def prepare_due() -> None:
    maintenance.do("prepare_due", provisioning.prepare_due)


@shared_task
def check_drift() -> None:
    maintenance.do("check_drift", drift.check_due)


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


@shared_task
def look_for_incidents() -> None:
    """Found first, told then: a message that can't be sent keeps nobody from seeing what is open."""
    maintenance.do("incidents", _look_and_tell)


def _look_and_tell() -> None:
    incidents.look()
    alerts.tell()


@shared_task
def send_digest() -> None:
    maintenance.do("digest", alerts.digest)


@shared_task
def run_bulk(run_id: int) -> None:
    bind_contextvars(bulk_run=run_id)
    maintenance.do(("bulk", run_id), partial(bulk.go_on, run_id))


@shared_task
def run_bulk_due() -> None:
    maintenance.do("bulk_due", bulk.go_on_due)


@shared_task
def count_figures() -> None:
    maintenance.do("figures", one_at_a_time(figures.count_due))


@shared_task
def reconcile(run_id: int) -> None:
    bind_contextvars(reconciliation=run_id)
    reconciling.go_on(run_id)


@shared_task
def reconcile_due() -> None:
    reconcile_nights.begin_due()
    reconciling.go_on_due()
