"""Who runs: the local CRMs, then web, worker and beat, as in production but on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from config import serving
from config.demo.children import Child, Children
from config.demo.commands import in_a_row
from config.demo.environment import CONTROL_PORT, Environment
from config.demo.http import ask

START_SECONDS = 180
QUIZ_ACCOUNT = "1001"
MIGRATE = ("migrate", "--noinput", "--verbosity=0")


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


def start_all(environment: Environment, children: Children, *commands: Sequence[str]) -> tuple[Child, str]:
    """Everything, on a database that is ready (``prepare``): the worker, and the quiz service's token.
    ``wait_for_all`` says when it can be used."""
    start_sandboxes(environment, children)
    token = prepare(children, *commands)
    start_web(environment, children)
    worker = start_worker(children)
    start_beat(environment, children)
    return worker, token


def prepare(children: Children, *commands: Sequence[str]) -> str:
    """Make the tables and run further commands of ``manage.py``; the quiz service's token."""
    line = in_a_row(MIGRATE, *commands, ("issue_token", QUIZ_ACCOUNT))
    return children.run("prepare", *line).split()[-1]


def superuser(children: Children, name: str, password: str) -> Sequence[str]:
    """The command that makes one."""
    children.env = {**children.env, "DJANGO_SUPERUSER_PASSWORD": password}
    who = (f"--username={name}", "--email=staff@quiz.example")
    return ("createsuperuser", "--noinput", "--verbosity=0", *who)


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
