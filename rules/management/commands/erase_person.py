from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from rules import people


class Command(BaseCommand):
    help = "Forget a person, by phone, e-mail or the id of an answer; says what is erased and what stays."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--phone", default="")
        parser.add_argument("--email", default="")
        parser.add_argument("--answer", default="", help="the quiz service's id of an answer")
        parser.add_argument("--account", default="", help="only in this quiz account")

    def handle(self, *args: Any, phone: str, email: str, answer: str, account: str, **options: Any) -> None:
        try:
            person = people.who(phone, email, answer, account)
        except ValueError as exc:
            raise CommandError(str(exc)) from exc
        erasure = people.erase(person, "command")
        self.stdout.write(f"Answers erased: {erasure.answers}")
        if waiting := people.in_flight(erasure):
            self.stdout.write(f"Being sent, erased by itself after that: {waiting}")
        self.stdout.write("Erased:\n  " + "\n  ".join(people.ERASED))
        self.stdout.write("Kept:\n  " + "\n  ".join(people.KEPT))
