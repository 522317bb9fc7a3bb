"""Who runs: the local CRMs, then web, worker and beat, as in production but on this machine."""

from __future__ import annotations

from contextlib import suppress

from config import serving
from config.demo.children import Child, Children
from config.demo.environment import CONTROL_PORT, Environment
from config.demo.http import ask

START_SECONDS = 180
QUIZ_ACCOUNT = "1001"


def start_sandboxes(environment: Environment, children: Children) -> Child:
    options = (
        "--host",
        environment.sandbox_host,
        "--port",
        str(CONTROL_PORT),
        "--redirect",
        environment.redirect_url,
    )
    return children.start("sandbox", "manage.py", "run_sandbox", *options)


def start_web(environment: Environment, children: Children) -> Child:
    return children.start("web", *serving.web(f"127.0.0.1:{environment.port}"))


def start_worker(children: Children) -> Child:
    return children.start("worker", *serving.worker())


def start_beat(environment: Environment, children: Children) -> Child:
    return children.start("beat", *serving.beat(environment.folder / "beat"))


def start_all(environment: Environment, children: Children) -> Child:
    """Everything, on a database with its tables; the worker. ``wait_for_all`` says when it can be used."""
    start_sandboxes(environment, children)
    children.run("migrate", "manage.py", "migrate", "--noinput", "--verbosity=0")
    start_web(environment, children)
    worker = start_worker(children)
    start_beat(environment, children)
    return worker


def make_token(children: Children) -> str:
    """What the quiz service proves itself with."""
    return children.run("token", "manage.py", "issue_token", QUIZ_ACCOUNT).split()[-1]


def wait_for_all(environment: Environment, children: Children, worker: Child) -> None:
    wait_for_sandboxes(environment, children)
    wait_for_web(environment, children)
    wait_for_worker(worker, children)


def wait_for_sandboxes(environment: Environment, children: Children) -> None:
    where = f"{environment.control_url}/_sandbox"
    children.wait(lambda: answers(where), START_SECONDS, "the local CRMs to answer")


def wait_for_web(environment: Environment, children: Children) -> None:
    children.wait(lambda: answers(f"{environment.url}/readyz"), START_SECONDS, "the web server to be ready")


def wait_for_worker(worker: Child, children: Children) -> None:
    children.wait(lambda: " ready." in worker.log.read_text(), START_SECONDS, "the worker to be ready")


def answers(url: str) -> bool:
    with suppress(OSError):
        return ask("GET", url).status == 200
    return False
