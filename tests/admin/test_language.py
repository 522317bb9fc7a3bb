"""Which language whom is spoken to in: staff in theirs, programs in English."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets
from django.forms.forms import BaseForm
from django.test import Client
from django.urls import reverse
from django.utils import translation

from accounts.message_fields import MessageField
from accounts.texts import in_seconds, money
from crm_cache.models import SyncRun

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


def test_titles_are_russian_sentences_and_names_of_crms_stay_as_they_are(superuser, shop):
    run = SyncRun.objects.get()
    titles = {
        reverse("admin:auth_user_add"): "Пользователь: добавление",
        reverse("admin:crm_cache_syncrun_change", args=[run.pk]): "чтение списка «теги»",
    }
    for url, title in titles.items():
        page = superuser.get(url, headers=RUSSIAN_BROWSER).content.decode()
        [said] = re.findall(r"<title>\s*(.*?) \|", page)
        assert said == title
    hint = superuser.get(reverse("admin:accounts_account_connect"), {"crm": "bitrix24"}).content.decode()
    assert "such as name.bitrix24.ru or name.bitrix24.by or name.bitrix24.kz." in hint


def test_no_field_of_a_form_is_called_by_its_name_in_the_code():
    """Every form of ours says what its fields are called, by lazy texts; ``test_catalogues`` reads those."""
    nameless = [
        f"{form.__module__}.{form.__name__}.{name}"
        for form in forms_below(BaseForm)
        if form.__module__.split(".")[0] in ("accounts", "config", "rules", "crm_cache")
        for name, field in form.declared_fields.items()
        if not field.label and not field.widget.is_hidden
    ]
    assert nameless == []


def test_what_is_kept_as_a_message_is_said_in_the_readers_language():
    """A column of messages as it is would be shown in English: a method says it."""
    bare = {}
    for model, page in admin.site._registry.items():
        kept = {one.name for one in model._meta.fields if isinstance(one, MessageField)}
        shown = {*page.list_display, *flatten_fieldsets(page.fieldsets or ())}
        if kept and not (page.fieldsets or page.drawn or page.list_display_links is None):
            shown |= kept
        if kept & shown:
            bare[model._meta.label] = kept & shown
    assert bare == {}


def forms_below(form):
    for inner in form.__subclasses__():
        yield inner
        yield from forms_below(inner)


def test_numbers_and_money_are_written_as_the_language_writes_them():
    told = {"ru": ("0,4 с", "-1\u00a0012,50\u00a0₽"), "en": ("0.4 s", "-1\u00a0012.50\u00a0₽")}
    for language, words in told.items():
        with translation.override(language):
            assert (in_seconds(0.42), money(Decimal("-1012.5"), "RUB")) == words
            assert money(Decimal(54000), "RUB") == "54\u00a0000\u00a0₽"
