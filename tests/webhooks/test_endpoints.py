"""What an endpoint may be called and may say."""

from __future__ import annotations

import pytest

from accounts.events.models import WebhookEndpoint

pytestmark = pytest.mark.django_db
JSON = {"content_type": "application/json"}


@pytest.mark.parametrize(
    "url",
    [
        "http://quiz.example.com/hooks", "ftp://quiz.example.com/", "https://", "quiz.example.com", "",
        "https://localhost/", "https://127.0.0.1/", "https://10.0.0.8:8443/x", "https://[::1]/",
        "https://[::ffff:10.0.0.1]/", "https://169.254.169.254/latest", "https://user:pw@quiz.example.com/",
        "https://quiz.example.com/#x", "https://quiz.example.com:x/", "https://quiz.example.com/a b",
        "http://127.0.0.1:1/", "https://quiz.example.com/" + "x" * 500,
    ],
)  # fmt: skip
def test_addresses_that_are_never_posted_to(platform, url):
    answer = platform.post("/webhook-endpoints", {"url": url}, **JSON)
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, "url")
    assert not WebhookEndpoint.objects.exists()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "url"),
        ({"url": "https://quiz.example.com/", "types": ["lead.won"]}, "types.0"),
        ({"url": "https://quiz.example.com/", "types": "all"}, "types"),
        ({"url": "https://quiz.example.com/", "enabled": "maybe"}, "enabled"),
        ({"url": "https://quiz.example.com/", "accountID": "x" * 201}, "accountID"),
    ],
)
def test_bodies_are_judged_by_field(platform, body, field):
    answer = platform.post("/webhook-endpoints", body, **JSON)
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, field)
