"""Styles and scripts are served whether they were collected or not, and nobody is warned for nothing."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from config.statics import StaticFiles

pytestmark = pytest.mark.django_db  # closing a response looks after connections that earlier tests left


def not_found(request: HttpRequest) -> HttpResponse:
    return HttpResponse(status=404)


@pytest.fixture
def collected(settings: Any, tmp_path: Path) -> Path:
    settings.STATIC_ROOT = tmp_path / "static"
    return tmp_path / "static"


def served(path: str) -> int:
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        middleware = StaticFiles(not_found)
    response: Any = middleware(RequestFactory().get(path))
    response.close()
    return int(response.status_code)


def test_what_the_apps_bring_is_served_before_anything_was_collected(collected: Path) -> None:
    assert served("/static/admin/css/base.css") == 200
    assert served("/static/mine.css") == 404
    assert not collected.exists()


def test_what_was_collected_is_served(collected: Path) -> None:
    collected.mkdir()
    (collected / "mine.css").write_text("p {}")
    assert served("/static/mine.css") == 200
