from celery import shared_task

from accounts import hooks, maintenance


@shared_task(ignore_result=True)
def refresh_due() -> None:
    maintenance.refresh_due()


@shared_task(ignore_result=True)
def expire_attempts() -> None:
    maintenance.expire_attempts()


@shared_task(ignore_result=True)
def subscribe_due() -> None:
    hooks.subscribe_due()


@shared_task(ignore_result=True)
def subscribe(account_id: int) -> None:
    hooks.subscribe_due(account_id)


@shared_task(ignore_result=True)
def unsubscribe_due() -> None:
    hooks.unsubscribe_due()
