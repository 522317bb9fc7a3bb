"""Log records: no secret in them, no key or line that a text made up, and what they belong to."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import StringIO
from types import SimpleNamespace
from typing import Any

import pytest
import structlog
from django.test import Client
from gunicorn.config import Config
from hypothesis import given
from hypothesis import strategies as st
from structlog.contextvars import bound_contextvars, clear_contextvars

from config.access_log import AccessLog
from config.celery import app
from config.logs import FORMATS, formatter

SECRET = "s3cr3t-value-of-somebody"


@pytest.fixture(autouse=True)
def nothing_under_way() -> None:
    """What an earlier test's request has bound in this thread."""
    clear_contextvars()


@pytest.fixture
def written() -> Iterator[Callable[..., Any]]:
    """``written("json")`` is all that was logged since; every record goes through our formatter."""
    streams = {shape: StringIO() for shape in FORMATS}
    handlers = []
    for shape, stream in streams.items():
        handler = logging.StreamHandler(stream)
        handler.setFormatter(formatter(shape))
        handlers.append(handler)
        logging.getLogger().addHandler(handler)
    yield lambda shape: streams[shape].getvalue()
    for handler in handlers:
        logging.getLogger().removeHandler(handler)


def record(said: str, **keys: Any) -> logging.LogRecord:
    made = logging.LogRecord("x", logging.INFO, "x.py", 1, "%s", (said,), None)
    made.__dict__.update(keys)
    return made


def broken(words: str) -> logging.LogRecord:
    made = record("broke")
    try:
        raise ValueError(words)
    except ValueError:
        made.exc_info = sys.exc_info()
    return made


@pytest.mark.parametrize("shape", FORMATS)
@pytest.mark.parametrize(
    "said", [f"GET /x?code={SECRET}&state={SECRET}", f"Bearer {SECRET}", f"Not Found: /hooks/7/{SECRET}"]
)
def test_a_record_is_redacted(shape: str, said: str) -> None:
    assert SECRET not in formatter(shape).format(record(said))
    assert SECRET not in formatter(shape).format(record("said", error=said))
    assert SECRET not in formatter(shape).format(record("said", error=ValueError(said)))


@pytest.mark.parametrize("shape", FORMATS)
def test_a_trace_is_redacted(shape: str) -> None:
    line = formatter(shape).format(broken(f"Bearer {SECRET}"))
    assert "ValueError" in line
    assert SECRET not in line


HOSTILE = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(
    ["x\n2026-01-01T00:00:00Z ERROR y forged=1", 'x" account=7 y="', "\u2028account=7", "\r\x1b[2J\x85"]
)


@given(HOSTILE, HOSTILE)
def test_a_text_forges_neither_key_nor_line(said: str, value: str) -> None:
    told = record(said, error=value, account=3)
    line = formatter("json").format(told)
    assert len(line.splitlines()) == 1
    assert set(json.loads(line)) == {"time", "level", "logger", "message", "error", "account"}
    assert json.loads(line)["account"] == 3

    line = formatter("plain").format(told)
    assert len(line.splitlines()) == 1
    assert keys_of(line) == ["error", "account"]


def keys_of(line: str) -> list[str]:
    """The keys of a plain line, read as it is meant to be read: what stands in quotes is a value."""
    bare, quoted, escaped = "", False, False
    for sign in line:
        if quoted:
            quoted, escaped = escaped or sign != '"', sign == "\\" and not escaped
        elif sign == '"':
            quoted = True
        else:
            bare += sign
    return [word.split("=")[0] for word in bare.split(" ") if "=" in word]


def test_a_trace_can_not_pass_for_a_record() -> None:
    first, *others = formatter("plain").format(broken("x\n2026-01-01T00:00:00Z ERROR y forged")).splitlines()
    assert first.endswith("broke")
    assert others
    assert all(line.startswith("  | ") for line in others)


def test_keys_are_those_of_the_code_and_of_what_is_under_way(written: Callable[..., str]) -> None:
    with bound_contextvars(task_id="t-1", account=5):
        structlog.stdlib.get_logger("accounts.x").warning("tokens renewed", crm="amocrm")
        logging.getLogger("connectors.x").warning("late", extra={"limiter": "amocrm:7"})
    ours, theirs = (json.loads(line) for line in written("json").splitlines())
    assert ours["message"] == "tokens renewed"
    assert (ours["task_id"], ours["account"], ours["crm"]) == ("t-1", 5, "amocrm")
    assert (theirs["task_id"], theirs["account"], theirs["limiter"]) == ("t-1", 5, "amocrm:7")
    assert "WARNING accounts.x tokens renewed crm=amocrm" in written("plain")


def test_a_request_has_a_name_in_its_records_and_its_answer(
    written: Callable[..., str], client: Client
) -> None:
    answer = client.get("/nowhere", headers={"X-Request-Id": "quiz-7.a_b"})
    assert answer.headers["X-Request-Id"] == "quiz-7.a_b"
    lines = [json.loads(line) for line in written("json").splitlines()]
    assert {line["request_id"] for line in lines} == {"quiz-7.a_b"}
    assert "request" not in lines[0]


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "ü", 'x"y'])
def test_a_request_that_brings_no_good_name_gets_one(client: Client, given: str) -> None:
    answer = client.get("/healthz", headers={"X-Request-Id": given} if given else {})
    assert len(answer.headers["X-Request-Id"]) == 32
    assert answer.headers["X-Request-Id"] != client.get("/healthz").headers["X-Request-Id"]


def test_a_task_has_its_name_in_its_records(written: Callable[..., str]) -> None:
    @app.task(name="tests.say")
    def say() -> None:
        logging.getLogger("rules.x").warning("said")

    say.apply(task_id="t-9")
    logging.getLogger("rules.x").warning("later")
    said, later = (json.loads(line) for line in written("json").splitlines())
    assert (said["task"], said["task_id"]) == ("tests.say", "t-9")
    assert "task_id" not in later


def answered(asked: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    path, _, query = asked.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "GET", "RAW_URI": asked, "PATH_INFO": path, "QUERY_STRING": query,
        "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "192.0.2.1",
        "HTTP_REFERER": f"https://quiz.example{asked}",
    }  # fmt: skip
    config = Config()
    config.set("accesslog", "-")
    log = AccessLog(config)
    answer = SimpleNamespace(status="200 OK", sent=2, headers=[("x-request-id", "r-1")])
    log.access(answer, SimpleNamespace(headers=[]), environ, timedelta(milliseconds=1500))
    read: dict[str, Any] = json.loads(capsys.readouterr().out)
    return read


@pytest.mark.parametrize(
    "asked",
    [
        f"/webhook/create?code={SECRET}&state={SECRET}",
        f"/hooks/7/{SECRET}",
        f"/hooks/7/{SECRET}/?access_token={SECRET}",
        f"/deliveries?phone={SECRET}",
    ],
)
def test_the_web_servers_record_names_no_secret_of_the_address(
    asked: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOG_FORMAT", "json")
    line = answered(asked, capsys)
    assert SECRET not in json.dumps(line)
    assert line["path"].startswith(f"/{asked.split('/')[1].split('?')[0]}")
    assert (line["status"], line["seconds"], line["request_id"]) == (200, 1.5, "r-1")


@pytest.mark.parametrize("quoted", [f"GET /hooks/7/{SECRET} x", f"/webhook/create?code={SECRET}"])
def test_the_web_servers_complaints_name_no_secret_either(
    quoted: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOG_FORMAT", "json")
    AccessLog(Config()).warning("Invalid request from ip=%s: %s", "192.0.2.1", quoted)
    told = capsys.readouterr().err
    assert json.loads(told)["message"].startswith("Invalid request from ip=192.0.2.1")
    assert SECRET not in told
