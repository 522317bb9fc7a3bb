from functools import partial

from celery import shared_task

from accounts import checkups, hooks, maintenance, worker_threads
from accounts.events import feed, sending
from accounts.singletons import one_at_a_time


@shared_task(ignore_result=True)
def refresh_due() -> None:
    worker_threads.maintenance.do("refresh_due", maintenance.refresh_due)


@shared_task(ignore_result=True)
def expire_attempts() -> None:
    worker_threads.maintenance.do("expire_attempts", maintenance.expire_attempts)


@shared_task(ignore_result=True)
def subscribe_due() -> None:
    worker_threads.maintenance.do("subscribe_due", hooks.subscribe_due)


@shared_task(ignore_result=True)
def subscribe(account_id: int) -> None:
    worker_threads.maintenance.do(("subscribe", account_id), partial(hooks.subscribe_due, account_id))


@shared_task(ignore_result=True)
def unsubscribe_due() -> None:
    worker_threads.maintenance.do("unsubscribe_due", hooks.unsubscribe_due)


@shared_task(ignore_result=True)
def purge_events() -> None:
    worker_threads.maintenance.do("purge_events", one_at_a_time(feed.purge))


@shared_task(ignore_result=True)
def check_due() -> None:
    worker_threads.maintenance.do("check_due", one_at_a_time(checkups.ask_due))


@shared_task(ignore_result=True)
def dispatch_events() -> None:
    worker_threads.events.do("dispatch", one_at_a_time(sending.dispatch))


@shared_task(ignore_result=True)
def send_webhooks(endpoint_id: int) -> None:
    worker_threads.events.do(("webhooks", endpoint_id), partial(sending.send, endpoint_id))
