"""A worker whose machine's clock is wrong: `python -m tests.torture.skewed SECONDS celery-arguments...`.

What Django calls now is so many seconds off; intervals, and what Redis and PostgreSQL call now, are right.
"""

from __future__ import annotations

import sys
from datetime import datetime, timedelta

from django.utils import timezone

SECONDS = 31.0  # more than a lane's lease


def skew(seconds: float) -> None:
    right = timezone.now

    def now() -> datetime:
        return right() + timedelta(seconds=seconds)

    timezone.now = now


if __name__ == "__main__":
    skew(float(sys.argv[1]))
    from celery.__main__ import main

    sys.argv = ["celery", *sys.argv[2:]]
    main()
