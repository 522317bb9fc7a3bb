"""Background work: each task calls a plain function. Messages carry ids only."""

from celery import shared_task

from accounts.singletons import one_at_a_time
from accounts.worker_threads import maintenance, task_for, task_of
from rules import alerts, bulk, figures, incidents, people, provisioning, retention
from rules.delivery import drift, worker
from rules.delivery import sweep as sweeping
from rules.delivery.concurrency import lanes
from rules.outcomes import following, reconciling, second_look

drain = task_for("rules.tasks.drain", "account", lambda account_id: lanes.run(account_id, worker.drain))
follow = task_for("rules.tasks.follow", "account", following.follow)
hint_new = task_for("rules.tasks.hint_new", "account", following.hint_new)
look_again = task_for("rules.tasks.look_again", "account", second_look.look_again)
reconcile = task_for("rules.tasks.reconcile", "reconciliation", reconciling.go_on)
prepare_rule = task_for("rules.tasks.prepare_rule", "rule", provisioning.prepare, maintenance)
run_bulk = task_for("rules.tasks.run_bulk", "bulk_run", bulk.go_on, maintenance)

# -- what beat asks for --------------------------------------------------------------------------------------

sweep = shared_task(sweeping.sweep, name="rules.tasks.sweep")
follow_due = shared_task(following.follow_due, name="rules.tasks.follow_due")
look_again_due = shared_task(second_look.look_again_due, name="rules.tasks.look_again_due")

review = task_of("rules.tasks.review", sweeping.review)
check_lanes = task_of("rules.tasks.check_lanes", sweeping.check_lanes)
purge = task_of("rules.tasks.purge", retention.purge)
erase_due = task_of("rules.tasks.erase_due", one_at_a_time(people.erase_due))
prepare_due = task_of("rules.tasks.prepare_due", provisioning.prepare_due)
check_drift = task_of("rules.tasks.check_drift", drift.check_due)
send_digest = task_of("rules.tasks.send_digest", alerts.digest)
run_bulk_due = task_of("rules.tasks.run_bulk_due", bulk.go_on_due)
count_figures = task_of("rules.tasks.count_figures", one_at_a_time(figures.count_due))


def _look_and_tell() -> None:
    """Found first, told then: a message that can't be sent keeps nobody from seeing what is open."""
    incidents.look()
    alerts.tell()


look_for_incidents = task_of("rules.tasks.look_for_incidents", _look_and_tell)


@shared_task
def reconcile_due() -> None:
    reconciling.begin_due()
    reconciling.go_on_due()
