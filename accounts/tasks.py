from functools import partial

from celery import shared_task

from accounts import hooks
from accounts import maintenance as upkeep
from accounts.worker_threads import maintenance


@shared_task(ignore_result=True)
def refresh_due() -> None:
    maintenance.do("refresh_due", upkeep.refresh_due)


@shared_task(ignore_result=True)
def expire_attempts() -> None:
    maintenance.do("expire_attempts", upkeep.expire_attempts)


@shared_task(ignore_result=True)
def subscribe_due() -> None:
    maintenance.do("subscribe_due", hooks.subscribe_due)


@shared_task(ignore_result=True)
def subscribe(account_id: int) -> None:
    maintenance.do(("subscribe", account_id), partial(hooks.subscribe_due, account_id))


@shared_task(ignore_result=True)
def unsubscribe_due() -> None:
    maintenance.do("unsubscribe_due", hooks.unsubscribe_due)
