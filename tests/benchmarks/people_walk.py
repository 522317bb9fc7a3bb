"""Walk the run's contacts to the end, and print a line of JSON: seconds, keys, bytes of their table."""

from __future__ import annotations

import json
import time

import django

django.setup()

from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from accounts.models import Account  # noqa: E402
from config.demo.processes import QUIZ_ACCOUNT  # noqa: E402
from crm_cache import directory, walks  # noqa: E402
from crm_cache.models import ContactDirectory, DirectoryKey  # noqa: E402


def main() -> None:
    account = Account.objects.get(account_id=QUIZ_ACCOUNT)
    directory.begin(account)
    begun = time.perf_counter()
    while not ContactDirectory.objects.filter(complete=True).exists():
        ContactDirectory.objects.update(due_at=timezone.now())
        walks.read(account.pk)
    seconds = time.perf_counter() - begun
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_total_relation_size('crm_cache_directorykey')")
        (size,) = cursor.fetchone()
    print(json.dumps([seconds, DirectoryKey.objects.count(), size]))


if __name__ == "__main__":
    main()
