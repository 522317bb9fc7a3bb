"""The peer of the intake: Django without anything, and a view that INSERTs the body as one row.

It shares the service's server, database and pool; `gunicorn tests.benchmarks.bare` serves it.
"""

import json

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path

from config.settings import DATABASES, SECRET_KEY


def insert(request: HttpRequest) -> HttpResponse:
    payload = json.loads(request.body)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO bare_row (payload, created_at) VALUES (%s::jsonb, now()) RETURNING id",
            [json.dumps(payload)],
        )
        [number] = cursor.fetchone()
    body = json.dumps({"id": number}).encode()
    return HttpResponse(body, "application/json", 202, headers={"Content-Length": str(len(body))})


urlpatterns = [path("answers", insert)]

settings.configure(
    DATABASES=DATABASES, SECRET_KEY=SECRET_KEY, ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], USE_TZ=True
)
django.setup(set_prefix=False)
application = WSGIHandler()
