import atexit
import gc
import os
import sys
from collections import OrderedDict
from contextlib import ExitStack
from typing import Any

import pytest
from django.db import connections

from config import embedded

# ---- The servers of the test session --------------------------------------------------
# pytest-django has read the settings by now; they hold the addresses at which the
# embedded servers answer from here on. Nothing is started when the environment names
# servers. Keep this block first: what is imported below may ask for the database.
_addresses = embedded.settings_urls() if embedded.missing() else None
_servers = ExitStack()
atexit.register(_servers.close)
try:
    _servers.enter_context(embedded.running())
except embedded.EmbeddedError as exc:
    pytest.exit(str(exc), returncode=3)
if _addresses and embedded.settings_urls() != _addresses:
    pytest.exit("Somebody took the port of the embedded Valkey; it has moved, run pytest again.", 3)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Before the workers of this session are started, if there are to be any."""
    if session.config.getoption("numprocesses", None) and not sys.dont_write_bytecode:
        write_compiled(session.config)


# Files that last long, by the seconds they took on a busy machine with two cores. A worker takes a file as a
# whole: one that began last would end alone.
LONGEST = {
    "tests/torture/test_short.py": 240,
    "tests/demo/test_demo.py": 190,
    "tests/contract/test_hostile.py": 120,
    "tests/embedded/test_places.py": 105,
    "tests/hostile/test_no_database.py": 85,
    "tests/embedded/test_sharing.py": 60,
    "tests/hostile/test_browser.py": 60,
    "tests/browser/test_accessible.py": 55,
    "tests/stories/test_goes_on.py": 55,
    "tests/stories/test_two_reasons.py": 50,
    "tests/torture/test_tokens.py": 50,
    "tests/hostile/test_bodies.py": 50,
    "tests/browser/test_keys.py": 45,
    "tests/browser/test_narrow.py": 40,
    "tests/browser/test_rule_page.py": 35,
    "tests/rules/test_one_row_migration.py": 30,
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first: whole runs of the service wait most of the time, and others fill the cores."""
    items.sort(key=lambda item: -LONGEST.get(item.nodeid.partition("::")[0], 0))


def pytest_collection_finish() -> None:
    """What is loaded by now stays: looking through it for garbage again and again takes much of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


from config.statics import StaticFiles  # noqa: E402
from rules.delivery import queueing  # noqa: E402
from tests import database as tests_database  # noqa: E402
from tests.compiled import write_compiled  # noqa: E402

tests_database.empty_quickly()


def list_statics_once() -> None:
    """Each client of a test makes the whole chain of middleware; the first one alone looks up what the apps
    bring."""
    look_up, known = StaticFiles.add_files_from_finders, {}

    def add_files_from_finders(self: StaticFiles) -> None:
        collected, self.files = self.files, {}
        if (settings := (self.static_prefix, self.max_age)) not in known:
            look_up(self)
            known[settings] = self.files
        self.files = {**collected, **known[settings]}

    StaticFiles.add_files_from_finders = add_files_from_finders


list_statics_once()


# ---- Fixtures -------------------------------------------------------------------------


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, django_db_blocker: Any
) -> None:
    """A database for this very run, so that two runs at once don't drop each other's. Nobody misses its last
    commits if the machine dies, so none waits for the disk."""
    database = connections["default"].settings_dict
    usual = database["OPTIONS"]
    database["OPTIONS"] = {**usual, "options": f"{usual['options']} -c synchronous_commit=off"}
    with django_db_blocker.unblock():
        template = tests_database.migrated(connections["default"])
    database["TEST"] |= {"NAME": f"test_quiz_crm_{os.getpid()}", "TEMPLATE": template}


@pytest.fixture(autouse=True)
def no_quick_repeats(monkeypatch: pytest.MonkeyPatch) -> None:
    """One fault is one failure, and no test sleeps; what repeats do has tests of its own."""
    monkeypatch.setattr("connectors.http.QUICK_REPEATS", ())


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lane is asked for at once, however shortly after each other answers come; the pause has its test."""
    monkeypatch.setattr("rules.intake.wake_soon", queueing.wake_lanes)


@pytest.fixture(autouse=True)
def a_new_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a process remembers of CRMs and of the broker it learns anew in each test."""
    monkeypatch.setattr("connectors.amocrm.contacts._HEARD", {})
    monkeypatch.setattr("connectors.bitrix24.client._SPEEDS", {})
    monkeypatch.setattr("connectors.bitrix24.phones._SEEN", {})
    monkeypatch.setattr("rules.delivery.concurrency.silences._met", {})
    monkeypatch.setattr("rules.delivery.concurrency.resting._until", {})
    monkeypatch.setattr("rules.delivery.concurrency.lanes._habits", OrderedDict())
    monkeypatch.setattr("accounts.task_queue.broker.rests_until", 0.0)


# ---- The cast: quiz accounts that call us, and the local amoCRM behind its real names ----
import re  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable, Iterator  # noqa: E402
from dataclasses import replace  # noqa: E402
from urllib.parse import urlsplit  # noqa: E402

import celery  # noqa: E402
import jwt  # noqa: E402
import requests  # noqa: E402
import responses  # noqa: E402
from django.test import Client  # noqa: E402

from connectors.sandbox.amocrm import Account as AmoAccount  # noqa: E402
from connectors.sandbox.amocrm import AmoSandbox  # noqa: E402
from connectors.sandbox.core import Dropped, Sandbox, TimedOut  # noqa: E402

REDIRECT = "http://testserver/webhook/create"


def speak_to(box: Sandbox, mock: responses.RequestsMock, hosts: str) -> None:
    """`requests` to the hosts that the pattern matches end in the sandbox."""

    def answer(request: requests.PreparedRequest) -> tuple[int, dict[str, str], bytes]:
        try:
            reply = box.handle(request.method, request.url, dict(request.headers), request.body)
        except TimedOut as lost:
            raise requests.ReadTimeout(str(lost)) from lost
        except Dropped as lost:
            raise requests.ConnectionError(str(lost)) from lost
        return reply.status, dict(reply.headers), reply.body

    for method in ("GET", "POST", "PATCH", "PUT", "DELETE"):
        mock.add_callback(method, re.compile(hosts), callback=answer, content_type=None)


@pytest.fixture
def amo(settings: Any) -> Iterator[AmoSandbox]:
    """amoCRM, with our integration in it. Nobody waits for its limits."""
    box = AmoSandbox(redirect_uri=REDIRECT, courier=lambda *_: 200)
    ours = {"client_id": box.integration.client_id, "client_secret": box.integration.client_secret}
    options = replace(settings.CRM_OPTIONS["amocrm"], redirect_uri=REDIRECT, requests_per_second=0, **ours)
    settings.CRM_OPTIONS = {**settings.CRM_OPTIONS, "amocrm": options}
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        speak_to(box, mock, r"https://[\w-]+\.(amocrm\.ru|amocrm\.com|kommo\.com)/")
        yield box


@pytest.fixture
def flower_shop(amo: AmoSandbox) -> AmoAccount:
    """An amoCRM account; its owner is the quiz account "shop"."""
    return amo.add_account("flowers")


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[Any]]]:
    """The messages that would have gone to the workers."""
    messages: list[tuple[str, list[Any]]] = []

    def keep(self: Any, name: str, args: Any = None, *rest: Any, **options: Any) -> None:
        messages.append((name, list(args or [])))

    monkeypatch.setattr(celery.Celery, "send_task", keep)
    return messages


@pytest.fixture
def caller(settings: Any) -> Callable[..., Client]:
    """A client of our REST API on behalf of a quiz account: ``caller("shop").get("/account")``."""

    def caller(account_id: str = "shop") -> Client:
        claims = {settings.JWT_ACCOUNT_CLAIM: account_id, "exp": time.time() + 10 * 365 * 86_400}
        token = jwt.encode(claims, settings.JWT_KEY, algorithm="HS256")
        return Client(headers={"Authorization": f"Bearer {token}"})

    return caller


@pytest.fixture
def browser() -> Client:
    """A person's browser: no token, wants HTML."""
    return Client(headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})


@pytest.fixture
def connect(
    amo: AmoSandbox, caller: Callable[..., Client], queued: list[Any], db: None
) -> Callable[..., Any]:
    """The whole way: ``POST /account``, consent in amoCRM, back to us. Returns our answer to the browser."""

    def connect(crm_account: AmoAccount, account_id: str = "shop", **consent: Any) -> Any:
        link = caller(account_id).post("/account").json()["link"]
        back = urlsplit(amo.consent(link, crm_account, **consent))
        return Client().get(f"{back.path}?{back.query}")

    return connect
