"""Log lines carry no secret, in whichever form they are written."""

from __future__ import annotations

import logging
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.config import Config

from config.access_log import AccessLog
from config.logs import JsonLines, PlainLines

SECRET = "s3cr3t-value-of-somebody"


@pytest.mark.parametrize("form", [JsonLines(), PlainLines("{message}", style="{")])
@pytest.mark.parametrize(
    "said", [f"GET /x?code={SECRET}&state={SECRET}", f"Bearer {SECRET}", f"Not Found: /hooks/7/{SECRET}"]
)
def test_a_line_is_redacted(form: logging.Formatter, said: str) -> None:
    record = logging.LogRecord("x", logging.INFO, "x.py", 1, "%s", (said,), None)
    assert SECRET not in form.format(record)


@pytest.mark.parametrize(
    "asked",
    [
        f"/webhook/create?code={SECRET}&state={SECRET}",
        f"/hooks/7/{SECRET}",
        f"/hooks/7/{SECRET}/?access_token={SECRET}",
    ],
)
def test_the_web_servers_line_names_no_secret_of_the_address(asked: str) -> None:
    path, _, query = asked.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "GET", "RAW_URI": asked, "PATH_INFO": path, "QUERY_STRING": query,
        "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_REFERER": f"https://quiz.example{asked}",
    }  # fmt: skip
    log = AccessLog(Config())
    answer = SimpleNamespace(status="200 OK", sent=2, headers=[])
    found = log.atoms(answer, SimpleNamespace(headers=[]), environ, timedelta(seconds=1))
    line = log.cfg.access_log_format % log.atoms_wrapper_class(found)
    assert SECRET not in line
    assert path.split("/")[1] in line


@pytest.mark.parametrize("quoted", [f"GET /hooks/7/{SECRET} x", f"/webhook/create?code={SECRET}"])
def test_the_web_servers_complaints_name_no_secret_either(
    quoted: str, capsys: pytest.CaptureFixture[str]
) -> None:
    AccessLog(Config()).warning("Invalid request from ip=%s: %s", "192.0.2.1", quoted)
    told = capsys.readouterr().err
    assert "Invalid request from ip=192.0.2.1" in told
    assert SECRET not in told
