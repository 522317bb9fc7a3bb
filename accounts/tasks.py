from celery import shared_task

from accounts import upkeep


@shared_task(ignore_result=True)
def refresh_due() -> None:
    upkeep.refresh_due()


@shared_task(ignore_result=True)
def expire_attempts() -> None:
    upkeep.expire_attempts()
