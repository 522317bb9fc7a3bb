"""Browsers get pages that say what to do, programs JSON; wrong passwords lock out one person alone."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from django.test import Client
from django.urls import reverse

from tests.admin.conftest import viewer

__all__ = ["viewer"]
LOGIN = reverse("admin:login")
RUSSIAN = {"Accept": "text/html,*/*;q=0.8", "Accept-Language": "ru"}


def test_a_browser_at_the_root_comes_to_the_admin_a_program_finds_nothing(
    browser: Client, client: Client
) -> None:
    answer = browser.get("/")
    assert (answer.status_code, answer["Location"]) == (302, reverse("admin:index"))
    assert (client.get("/").status_code, client.get("/").json()) == (404, "Not Found")


@pytest.mark.parametrize("path", ["/nowhere", "/admin/nowhere"])
def test_a_page_that_is_not_there_says_so_in_the_readers_language(viewer: Client, path: str) -> None:
    for language, words in (("ru", "Такой страницы нет"), ("en", "There is no such page")):
        answer = viewer.get(path, headers={**RUSSIAN, "Accept-Language": language})
        html = answer.content.decode()
        assert (answer.status_code, words in html, f'lang="{language}"' in html) == (404, True, True)
        nonce = html.partition('nonce="')[2].partition('"')[0]
        assert nonce
        assert f"style-src 'nonce-{nonce}'" in answer["Content-Security-Policy"]
    assert viewer.get(path).json() == "Not Found"
    # A customer who comes back from a consent page has no log-in to be led to.
    assert (reverse("admin:index") in html) == path.startswith("/admin/")


def test_a_form_sent_after_the_end_of_a_session_is_told_to_be_lost(viewer: Client) -> None:
    viewer.logout()
    path = reverse("admin:rules_delivery_changelist")
    viewer.post(path, headers=RUSSIAN)
    told = "ничего не сохранено"
    assert told in viewer.get(LOGIN, headers=RUSSIAN).content.decode()
    viewer.get(path, headers=RUSSIAN)
    assert told not in viewer.get(LOGIN, headers=RUSSIAN).content.decode()


def test_a_page_that_is_asked_for_by_the_wrong_method_says_so(viewer: Client) -> None:
    path = reverse("admin:logout")
    answer = viewer.get(path, headers=RUSSIAN)
    assert (answer.status_code, answer["Allow"]) == (405, "POST, OPTIONS")
    assert "Так эта страница не открывается" in answer.content.decode()
    assert viewer.get(path).json() == "Method Not Allowed"


def test_what_is_forbidden_says_so(viewer: Client) -> None:
    path = reverse("admin:auth_user_changelist")
    assert "На это нет прав" in viewer.get(path, headers=RUSSIAN).content.decode()
    assert (viewer.get(path).status_code, viewer.get(path).json()) == (403, "Forbidden")
    strict = Client(enforce_csrf_checks=True, headers=RUSSIAN)
    answer = strict.post(LOGIN, {"username": "x", "password": "y"})
    assert (answer.status_code, "Форма устарела" in answer.content.decode()) == (403, True)


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [(RuntimeError, 500, "У нас что-то сломалось"), (OperationalError, 503, "База данных недоступна")],
)
def test_our_own_troubles_are_told_without_details(
    viewer: Client, monkeypatch: Any, error: type[Exception], status: int, words: str
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise error("secret words")

    monkeypatch.setattr("rules.admin.reports.show", fail)
    viewer.raise_request_exception = False
    answer = viewer.get(reverse("admin:rules_outcome_reports"), headers=RUSSIAN)
    html = answer.content.decode()
    assert (answer.status_code, words in html, "secret" in html) == (status, True, False)


@pytest.mark.django_db
def test_wrong_passwords_lock_a_name_at_an_address_and_nobody_else(settings: Any) -> None:
    settings.AXES_FAILURE_LIMIT = 3
    for name in ("anna", "boris"):
        User.objects.create_superuser(name, password="right-horse-battery")

    def log_in(name: str, password: str, address: str = "10.0.0.1") -> Any:
        return Client(headers=RUSSIAN, REMOTE_ADDR=address).post(
            LOGIN, {"username": name, "password": password}
        )

    tries = [log_in("anna", "wrong") for _ in range(3)]
    assert [one.status_code for one in tries] == [200, 200, 429]
    assert "Попробуйте через 15 минут" in tries[-1].content.decode()
    assert int(tries[-1]["Retry-After"]) == 15 * 60
    assert log_in("anna", "right-horse-battery").status_code == 429
    assert log_in("boris", "right-horse-battery").status_code == 302  # at the same address
    assert log_in("anna", "right-horse-battery", "10.0.0.2").status_code == 302  # elsewhere
