"""Staff at work in a real browser: Debian's Chromium, driven by Playwright, at the pages of the live server.

Without a Chromium these tests are skipped. Each page that a test looked at is kept as a picture under
``.local/screenshots``.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from tests.admin.conftest import operator, rule, shop, superuser, viewer, woken

__all__ = ["operator", "rule", "shop", "superuser", "viewer", "woken"]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PICTURES = Path(settings.BASE_DIR) / ".local" / "screenshots"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
PATIENCE = 60_000  # milliseconds; a busy machine is slow, a page that never comes is a failure


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if not CHROMIUM:
        for item in items:
            if item.path.parent.name == "browser":
                item.add_marker(pytest.mark.skip(reason="there is no Chromium on this machine"))


def picture(page: Any, name: str) -> None:
    """Keep how the page looks now."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}.png", full_page=True)


@pytest.fixture(scope="package")
def chromium() -> Iterator[Any]:
    """Ended with this package: Playwright's loop runs in this thread, where no other test could run one."""
    from playwright.sync_api import sync_playwright

    # Django would take every query for one out of a coroutine.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def sit_down(chromium: Any, live_server: Any, request: pytest.FixtureRequest) -> Iterator[Callable[..., Any]]:
    """``sit_down(client)``: a window in which the client's person is logged in. At the end of the test it
    must have had nothing to complain of: no script error, nothing that a policy refused."""
    contexts: list[Any] = []
    complaints: list[str] = []

    def sit_down(client: Client, width: int = 1440, height: int = 1000, locale: str = "ru-RU") -> Any:
        context = chromium.new_context(
            base_url=str(live_server), viewport={"width": width, "height": height}, locale=locale
        )
        context.set_default_timeout(PATIENCE)
        cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
        context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": str(live_server)}]
        )
        page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        contexts.append(context)
        return page

    yield sit_down
    name = re.sub(r"\W+", "-", request.node.name).strip("-")
    for number, context in enumerate(contexts, 1):
        for page in context.pages:
            picture(page, f"{name}-{number}")
        context.close()
    assert complaints == []
