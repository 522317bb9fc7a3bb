"""Which language whom is spoken to in: staff in theirs, programs in English."""

from __future__ import annotations

import pytest
from django.test import Client

RUSSIAN_BROWSER = {"Accept-Language": "ru-RU,ru;q=0.9,en;q=0.8"}


def language_of(client: Client, **headers: str) -> str:
    page = client.get("/admin/", headers=headers)
    assert page["Content-Language"] in page.content.decode().split("<html lang=", 1)[1][:6]
    return page["Content-Language"]


@pytest.mark.parametrize(
    ("installed", "asked", "spoken"),
    [
        ("ru", "", "ru"),
        ("ru", "de-DE,de;q=0.9", "ru"),
        ("ru", "en-US,en;q=0.9", "en"),
        ("en", "", "en"),
        ("en", "de,ru;q=0.8,en;q=0.7", "ru"),
    ],
)
def test_the_browser_decides_and_then_the_installation(viewer, settings, installed, asked, spoken):
    settings.PAGE_LANGUAGE = installed
    assert language_of(viewer, **{"Accept-Language": asked}) == spoken


def test_a_switch_goes_before_the_browser(viewer):
    assert language_of(viewer, **RUSSIAN_BROWSER) == "ru"
    switched = viewer.post("/admin/language", {"language": "en", "next": "/admin/"})
    assert (switched.status_code, switched["Location"]) == (302, "/admin/")
    assert language_of(viewer, **RUSSIAN_BROWSER) == "en"


def test_the_switch_is_on_the_page(viewer):
    page = viewer.get("/admin/").content.decode()
    assert 'action="/admin/language"' in page
    assert "Русский" in page


def test_the_switch_leads_to_no_other_site(viewer):
    switched = viewer.post("/admin/language", {"language": "ru", "next": "https://evil.example/"})
    assert switched["Location"] == "/"


@pytest.mark.parametrize("path", ["/amocrm/account", "/rules/1", "/nowhere", "/answers"])
def test_programs_read_english_whatever_they_accept(caller, settings, db, path):
    settings.PAGE_LANGUAGE = "ru"
    for method in ("get", "post"):
        named = {"X-Request-Id": "one-of-them"}
        plain, asked = (
            getattr(caller("shop"), method)(path, data={}, content_type="application/json", headers=headers)
            for headers in (named, {**named, **RUSSIAN_BROWSER})
        )
        assert (plain.status_code, plain.content) == (asked.status_code, asked.content)
        assert plain.content.isascii()


def test_a_page_leaves_no_language_behind(viewer, caller):
    viewer.get("/admin/", headers=RUSSIAN_BROWSER)
    assert caller("shop").post("/answers", {}, content_type="application/json").content.isascii()
