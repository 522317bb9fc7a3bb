"""What every answer tells a browser, whichever part of the service it comes from."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client, override_settings
from django.urls import path

from config import urls
from tests.hostile.routes import Route, routes

pytestmark = pytest.mark.django_db
STRICTEST = {"default-src 'none'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"}
BROWSER = {"Accept": "text/html"}


def policy_of(answer: Any) -> set[str]:
    return set(answer["Content-Security-Policy"].split("; "))


def assert_guarded(answer: Any) -> None:
    """What no answer may lack."""
    assert {"default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"} <= policy_of(answer)
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] in {"same-origin", "no-referrer"}
    assert answer["Cross-Origin-Opener-Policy"] in {"same-origin", "unsafe-none"}
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "camera=()" in answer["Permissions-Policy"]


@pytest.mark.parametrize("route", routes(), ids=str)
def test_every_route_answers_with_the_headers(route: Route, caller: Any) -> None:
    for client in (Client(), caller("shop")):
        answer = client.get(route.url(**dict.fromkeys(route.ids, "1")))
        assert_guarded(answer)
        assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize("address", ["/account", "/answers/1", "/healthz", "/schema", "/nowhere"])
def test_what_is_no_page_may_load_nothing(address: str, caller: Any) -> None:
    for client in (Client(), caller("shop")):
        assert policy_of(client.get(address)) == STRICTEST


def boom(request: Any) -> Any:
    raise RuntimeError("our own bug")


BROKEN = [path("boom", boom), *urls.urlpatterns]


class Broken:
    """The URL conf with a bug in it."""

    urlpatterns = BROKEN
    handler400, handler404, handler500 = urls.handler400, urls.handler404, urls.handler500


@pytest.mark.parametrize(
    ("address", "host", "status", "said"),
    [
        ("/nowhere", "localhost", 404, "Not Found"),
        ("/healthz", "evil.example", 400, "Bad Request"),
        ("/boom", "localhost", 500, "Internal Server Error"),
    ],
)
def test_errors_have_the_headers_too(address: str, host: str, status: int, said: str) -> None:
    with override_settings(ROOT_URLCONF=Broken, ALLOWED_HOSTS=["localhost"]):
        client = Client(raise_request_exception=False)
        answer: Any = client.get(address, headers={"Host": host})
        page: Any = client.get(address, headers={"Host": host, **BROWSER})
    assert (answer.status_code, answer.json()) == (status, said)
    assert policy_of(answer) == STRICTEST
    assert (page.status_code, page["Content-Type"]) == (status, "text/html; charset=utf-8")
    assert may_only_style_itself(page)
    for one in (answer, page):
        assert_guarded(one)
        assert one["Cache-Control"] == "no-store"


def may_only_style_itself(page: Any) -> bool:
    (style,) = policy_of(page) - STRICTEST
    return style.startswith("style-src 'nonce-") and policy_of(page) > STRICTEST


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"body": "{"},
        {"body": "", "headers": {"Authorization": ""}},
        {"secure": True},
        {"headers": {"Host": "evil.example"}},
        {"bug": True},
        {"bug": True, "headers": BROWSER},
    ],
    ids=str,
)
def test_a_post_past_the_middleware_has_the_same_headers(
    sent: dict[str, Any], caller: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SECURE_HSTS_SECONDS = 60
    if sent.get("bug"):
        monkeypatch.setattr("rules.views.answers.ANSWER.run_validation", boom)

    def headers(**more: str) -> dict[str, str]:
        client = caller("shop")
        client.raise_request_exception = False
        body = sent.get("body", {"quizID": 1, "answerID": "k"})
        told = sent.get("headers", {}) | more
        secure = sent.get("secure", False)
        answer = client.post("/answers", body, "application/json", headers=told, secure=secure)
        assert_guarded(answer)
        named = {name: re.sub("nonce-[^']+", "nonce", value) for name, value in answer.items()}
        assert named.pop("X-Request-Id")
        named.pop("RateLimit-Remaining", None)
        named.pop("RateLimit-Reset", None)
        named.pop("Content-Length" if answer.status_code in (200, 202) else "", None)  # ids and times
        return named | {"status": str(answer.status_code // 100)}

    assert headers() == headers(Origin="https://elsewhere.example")


def test_a_redirect_to_https_has_them(settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    answer = Client().get("/healthz")
    assert answer.status_code == 301
    assert_guarded(answer)


def test_a_file_has_them_and_may_be_kept() -> None:
    answer = Client().get("/static/desk/desk.css")
    assert answer.status_code == 200
    assert_guarded(answer)
    assert policy_of(answer) == STRICTEST
    assert "no-store" not in answer["Cache-Control"]
    answer.close()


@pytest.fixture
def superuser() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root"), "django.contrib.auth.backends.ModelBackend")
    return client


@pytest.mark.parametrize("address", ["/admin/login/", "/admin/", "/admin/rules/delivery/"])
def test_a_page_of_the_admin_runs_our_scripts_alone(address: str, superuser: Client) -> None:
    answer = (Client() if "login" in address else superuser).get(address)
    assert answer.status_code == 200
    assert_guarded(answer)
    assert {"script-src 'self' 'unsafe-eval'", "form-action 'self'", "connect-src 'self'"} <= policy_of(
        answer
    )
    assert "no-store" in answer["Cache-Control"]
    assert answer["Referrer-Policy"] == "same-origin"  # without a referrer a browser's forms are refused


def test_an_error_page_of_the_admin_is_no_page_of_it(superuser: Client) -> None:
    assert may_only_style_itself(superuser.get("/admin/nowhere/", headers=BROWSER))


def test_the_documents_page_has_no_line_of_script_or_style_of_its_own() -> None:
    answer = Client().get("/docs", headers=BROWSER)
    page = answer.content.decode()
    assert {"script-src 'self'", "style-src 'self'", "img-src 'self' data:"} <= policy_of(answer)
    assert "<style" not in page
    assert not re.findall(r"<script(?![^>]*\ssrc=)", page)
    script = re.search(r'src="(/docs\?[^"]+)"', page)
    assert script
    body = Client().get(script[1].replace("&amp;", "&"))
    assert body["Content-Type"].startswith("application/javascript")
    assert policy_of(body) == STRICTEST
    assert '"validatorUrl": null' in body.content.decode()


@pytest.mark.parametrize(("address", "status"), [("/connected/amocrm", 200), ("/webhook/create", 400)])
def test_the_pages_after_consent_run_what_their_nonce_names(address: str, status: int) -> None:
    answers = [Client().get(address, headers=BROWSER) for _ in range(2)]
    for answer in answers:
        assert answer.status_code == status
        assert_guarded(answer)
        nonce = re.search(r"script-src 'nonce-([\w-]{20,})'", answer["Content-Security-Policy"])
        assert nonce
        assert f'nonce="{nonce[1]}"' in answer.content.decode()
        assert (answer["Referrer-Policy"], answer["Cache-Control"]) == ("no-referrer", "no-store")
    assert policy_of(answers[0]) != policy_of(answers[1])
