#!/usr/bin/env python
"""Django's command line, with PostgreSQL and Valkey at hand.

Every command runs inside `embedded.running()`, which starts whatever DATABASE_URL and
REDIS_URL do not name, except the commands below: they look at code and files only
(makemigrations asks the database what it has seen). A command started by another one,
such as a reloaded web server, joins the servers that run.
"""

import base64
import os
import sys
from contextlib import nullcontext

from django.core.exceptions import ImproperlyConfigured

from config import embedded
from config.environment import dotenv
from config.serving import SECRETS

WITHOUT_SERVERS = {
    *("check", "collectstatic", "spectacular", "run_sandbox"),
    *("help", "version", "diffsettings", "compilemessages", "makemessages", "startapp"),
}


def main(arguments: list[str]) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        if arguments[1:2] == ["demo"]:
            lend_secrets()
        # Before Django reads the settings, because these ask where the servers are.
        with embedded.running() if needs_servers(arguments) else nullcontext():
            from django.core.management import execute_from_command_line

            execute_from_command_line(arguments)
    except (embedded.EmbeddedError, ImproperlyConfigured) as exc:
        sys.exit(str(exc))


def lend_secrets() -> None:
    """The demo's processes get secrets of their own; with DATABASE_URL the command wants to see some, too.

    Those that are there stay, so that the demo takes the tokens which ``issue_token`` makes with them.
    """
    dotenv()
    for name in SECRETS if os.environ.get("DATABASE_URL") else ():
        os.environ[name] = os.environ.get(name) or base64.urlsafe_b64encode(os.urandom(32)).decode()


def needs_servers(arguments: list[str]) -> bool:
    command, *options = arguments[1:] or ["help"]
    return not (command.startswith("-") or command in WITHOUT_SERVERS or {"-h", "--help"} & set(options))


if __name__ == "__main__":
    main(sys.argv)
