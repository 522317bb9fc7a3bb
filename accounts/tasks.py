from accounts import checkups, hooks, maintenance, worker_threads
from accounts.events import feed, sending
from accounts.singletons import one_at_a_time
from accounts.worker_threads import task_for, task_of

refresh_due = task_of("accounts.tasks.refresh_due", maintenance.refresh_due)
expire_attempts = task_of("accounts.tasks.expire_attempts", maintenance.expire_attempts)
subscribe_due = task_of("accounts.tasks.subscribe_due", hooks.subscribe_due)
unsubscribe_due = task_of("accounts.tasks.unsubscribe_due", hooks.unsubscribe_due)
purge_events = task_of("accounts.tasks.purge_events", one_at_a_time(feed.purge))
check_due = task_of("accounts.tasks.check_due", one_at_a_time(checkups.ask_due))
dispatch_events = task_of(
    "accounts.tasks.dispatch_events", one_at_a_time(sending.dispatch), worker_threads.events
)
subscribe = task_for("accounts.tasks.subscribe", "account", hooks.subscribe_due, worker_threads.maintenance)
send_webhooks = task_for("accounts.tasks.send_webhooks", "endpoint", sending.send, worker_threads.events)
