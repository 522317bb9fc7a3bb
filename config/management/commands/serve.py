"""`manage.py serve`: a small installation in one command, with PostgreSQL and Valkey if none are named."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from config import serving
from config.embedded.account import own_folder
from config.endings import Ended, listen_for_endings
from config.serving import CannotServe, Servers, Service, Supervisor


class Command(BaseCommand):
    help = "Runs the whole service (web, worker, beat) until Ctrl-C; what dies is started again."
    requires_system_checks = ()
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        where, size = "HOST:PORT of the web server", "leads are sent by so many threads"
        parser.add_argument("--bind", default="127.0.0.1:8000", help=f"{where} (default: %(default)s)")
        parser.add_argument("--threads", type=int, default=16, help=f"{size} (default: %(default)s)")

    def handle(self, *args: Any, **options: Any) -> None:
        listen_for_endings()
        try:
            self.serve(options["bind"], options["threads"])
        except CannotServe as exc:
            raise CommandError(str(exc)) from exc
        except Ended:
            self.say("Stopped")  # that is how a service is meant to end

    def serve(self, bind: str, threads: int) -> None:
        if warning := serving.check_secrets(bind, settings.PUBLIC_URL):
            self.say(warning)
        serving.wait_for_port(bind)
        self.migrate()
        with Supervisor(services(bind, threads), settings.BASE_DIR, self.say) as supervisor:
            supervisor.mend = Servers(self.say).mend
            self.say(f"Serving at http://{bind} until Ctrl-C")
            supervisor.run()

    def migrate(self) -> None:
        """In processes of their own: ours has neither threads nor connections when it starts others."""
        for command in (["migrate", "--noinput", "--verbosity=0"], ["make_staff_groups", "--verbosity=0"]):
            line = [sys.executable, "manage.py", *command]
            if subprocess.run(line, cwd=settings.BASE_DIR, check=False).returncode:  # noqa: S603 - our own
                raise CannotServe("The database could not be brought up to date; the reason stands above.")

    def say(self, sentence: str) -> None:
        self.stderr.write(f"serve: {sentence}")


def services(bind: str, threads: int) -> list[Service]:
    folder = settings.BASE_DIR / ".local" / "serve"
    own_folder(folder)
    return [
        Service("web", serving.web(bind)),
        Service("worker", serving.worker(threads)),
        Service("beat", serving.beat(folder / "beat")),
    ]
