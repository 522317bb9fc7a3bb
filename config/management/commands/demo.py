"""`manage.py demo`: the whole service with local CRMs, used from outside as a quiz service uses it."""

from __future__ import annotations

import secrets
import sys
import time
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.demo import report
from config.demo.children import Children
from config.demo.environment import EMPTY, Environment, an_environment
from config.demo.errors import DemoFailed
from config.demo.processes import QUIZ_ACCOUNT, start_all, superuser, wait_for_all
from config.demo.run import Run
from config.demo.scenario import Scenario, scenarios, variables_of
from config.demo.service import QuizService
from config.demo.verify import Verification
from config.endings import Ended, listen_for_endings

LOGIN = "demo"
GROUPS = ("make_staff_groups", "--verbosity=0")


class Command(BaseCommand):
    help = "Runs everything with local CRMs, posts answers and shows the leads they became. Ctrl-C ends it."
    requires_system_checks = ()
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--exit", action="store_true", help="stop after the table; 0 only if all is well")
        parser.add_argument(
            "--name", default="demo", help="of its database and folder (default: %(default)s)"
        )
        parser.add_argument("--template", default=EMPTY, help="the database to copy (default: an empty one)")

    def handle(self, *args: Any, **options: Any) -> None:
        self.begun = time.monotonic()
        listen_for_endings()
        try:
            with an_environment(options["name"], options["template"]) as environment:
                self.run_on(environment, stay=not options["exit"])
        except DemoFailed as exc:
            raise CommandError(str(exc)) from exc
        except Ended as end:
            self.say("Stopped.")
            sys.exit(end.status)

    def run_on(self, environment: Environment, stay: bool) -> None:
        crms = scenarios()
        with Children(environment.folder, settings.BASE_DIR, variables_of(environment, crms)) as children:
            self.say("Starting the local CRMs, web, worker and beat ...")
            login = (LOGIN, secrets.token_urlsafe(9))
            worker, token = start_all(environment, children, superuser(children, *login), GROUPS)
            wait_for_all(environment, children, worker)
            run = Run(environment, children, QuizService(environment.url, token), crms, self.say)
            verifications = run.play()
            self.show(verifications)
            run.sell(verifications)
            children.run("showcase", "-m", "config.demo.showcase", QUIZ_ACCOUNT)
            self.say("A month of leads, and one of each state, are there to look at in the admin")
            if stay:
                self.stay(environment, children, crms, login, token)

    def show(self, verifications: Sequence[Verification]) -> None:
        """The table; what is wrong ends the demo. Raises ``DemoFailed``."""
        self.stdout.write(f"\n{report.arrivals_table(verifications)}\n")
        for sentence in report.odd_ones(verifications):
            self.stdout.write(sentence)
        if complaints := [
            sentence for verification in verifications for sentence in verification.complaints()
        ]:
            raise DemoFailed("\n".join(complaints))
        leads = sum(len(verification.arrivals) for verification in verifications)
        self.say(f"All {leads} leads are there exactly once, each with its contact")

    def stay(
        self,
        environment: Environment,
        children: Children,
        crms: Sequence[Scenario],
        login: tuple[str, str],
        token: str,
    ) -> None:
        """Serve until somebody ends it."""
        self.stdout.write(report.hints(environment, crms, login, token))
        self.say("Serving until Ctrl-C")
        try:
            children.wait(lambda: False, float("inf"), "")
        except Ended as end:
            end.status = 0  # that is how a demo which has shown everything is meant to end
            raise

    def say(self, sentence: str) -> None:
        self.stdout.write(f"[{time.monotonic() - self.begun:5.1f} s] {sentence}")
        self.stdout.flush()
