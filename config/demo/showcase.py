"""One of each state to look at in the admin: a month of leads that were won and lost, deliveries held for
each reason, a rule that drifted, a lane that rests, incidents, a bulk run.

Rows as they would be after a month, written beside those of the demo's own answers; nothing of it is sent,
and no lead of it is in a local CRM. Run as a process of the demo's own, on its database.
"""

from __future__ import annotations

import random
import sys
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

import django

if __name__ == "__main__":
    django.setup()

from django.contrib.auth.models import User
from django.utils import timezone

from accounts import history, states
from accounts.models import Account, Lane, Token
from config.demo.answers import UTM
from config.openapi.quiz import QUIZ_ID, answer, person
from connectors.messages import message
from crm_cache.models import CrmUser, Step
from rules import figures, incidents
from rules.delivery import holds
from rules.delivery.drift import MISPLACED
from rules.delivery.settlement import REMEDIES
from rules.delivery.worker import SEND_ANYWAY
from rules.mapping.checks import problems_of
from rules.mapping.payload import digest
from rules.mapping.rule_snapshot import read_snapshot
from rules.models import Answer, Attempt, BulkRun, Delivery, Incident, Outcome, Rule

DAYS, A_DAY = 30, 5  # answers of the month
PAUSED_QUIZ, DELETED_QUIZ, DRIFTED_QUIZ, BROKEN_QUIZ = 4202, 4203, 4204, 4205
NO_SUCH_STEP = "999999"
OTHER_CUSTOMER = "demo-customer-2"
NAMES = ("Анна Белова", "Сергей Орлов", "Марина Ким", "Павел Зайцев", "Ольга Соколова", "Игорь Титов")
SOURCES = ("yandex", "yandex", "vk", "google", "")
REPAIRS = ("Косметический", "Капитальный", "Капитальный", "Дизайнерский")
STYLES = ("Сканди", "Лофт", "Классика")
Held = Delivery.Held
LOOK = message("Look in the CRM whether the lead is there.")
STALE = message(
    "Try it again if the lead is still wanted; if it is in the CRM already, mark it as delivered."
)
CONNECTED = "Подключено на странице согласия"
SILENT = "CRM не ответила за 30 с"
GONE = "CRM: значение «999999999999» не подходит полю «Бюджет»"
# Reasons that are a delivery's own: what was said, and what to do where that is not said of every such one.
OWN = {
    Held.REFUSED: (GONE, ""),
    Held.GAVE_UP: ("CRM: 503 Service Unavailable", ""),
    Held.LOOK_FIRST: (SILENT, LOOK),
    Held.STALE: ("", STALE),
    Held.FIX_RULE: ("", ""),
    Held.ERASED: (message("The person asked to be forgotten"), message("Nothing is left to be sent.")),
    Held.CANCELLED: (holds.CANCELLED.error, holds.CANCELLED.remedy),
    Held.LEFT_OUT: ("Условие правила: площадь меньше 30", SEND_ANYWAY),
    Held.RULE_PAUSED: (holds.RULE_PAUSED.error, holds.RULE_PAUSED.remedy),
    Held.RULE_DELETED: (holds.RULE_DELETED.error, holds.RULE_DELETED.remedy),
}
TRIED: dict[str, str] = {
    Held.LOOK_FIRST: "look_first",
    Held.FIX_RULE: "edit_rule",
    Held.RECONNECT: "reconnect",
}


class Showcase:
    """``owner`` is the quiz account whose CRMs the demo has connected, each with a rule."""

    def __init__(self, owner: str) -> None:
        self.chance = random.Random(4201)  # noqa: S311 - the same month every time
        self.now = timezone.now()
        self.rules = list(
            Rule.objects.filter(account__account_id=owner, deleted=False)
            .select_related("account")
            .order_by("pk")
        )
        self.made = 0

    def fill(self) -> None:
        self.month()
        self.own_holds()
        self.away()
        self.resting_lane()
        self.drifted_rule()
        self.past()
        for ago in range(DAYS + 1):
            figures.count(timezone.localdate(self.now) - timedelta(days=ago))
        incidents.look()

    # -- answers and deliveries ------------------------------------------------------------------------------

    def month(self) -> None:
        """Each answer is a lead in every CRM; the older it is, the likelier it is won or lost."""
        people = {rule.account_id: self._people(rule.account) for rule in self.rules}
        steps = {rule.account_id: Step.objects.filter(account=rule.account).first() for rule in self.rules}
        spread = [
            timedelta(days=number / A_DAY, hours=1 + 4 * self.chance.random())
            for number in reversed(range(DAYS * A_DAY))  # the oldest first, as they would have come
        ]
        answers = Answer.objects.bulk_create(self.answer(self.now - ago) for ago in spread)
        took = [
            (asked, rule, self.chance.lognormvariate(0.3, 0.9)) for asked in answers for rule in self.rules
        ]
        rows = [
            self.delivery(
                asked, rule, asked.created_at, state="delivered", attempts_made=1,
                delivered_at=asked.created_at + timedelta(seconds=seconds),
            )
            for asked, rule, seconds in took
        ]  # fmt: skip
        Delivery.objects.bulk_create(rows)
        Attempt.objects.bulk_create(one for row in rows for one in self._tries(row))
        Outcome.objects.bulk_create(
            self._outcome(row, people[row.account_id], steps[row.account_id]) for row in rows
        )

    def answer(self, came: datetime, quiz: int = QUIZ_ID, owner: str = "") -> Answer:
        self.made += 1
        chance, name = self.chance, self.chance.choice(NAMES)
        source = chance.choice(SOURCES)
        more = {"utm": {**UTM, "utm_source": source}} if source else {}
        body = answer(
            self.made, person(name, f"+7916{9000000 + self.made}"), more=more,
            repair=chance.choice(REPAIRS), style=chance.choice(STYLES), area=chance.randint(30, 120),
        )  # fmt: skip
        body |= {"answerID": f"month-{self.made:03d}", "quizID": quiz}
        owner = owner or self.rules[0].account.account_id
        return Answer(
            account_id=owner, quiz_id=quiz, answer_id=body["answerID"], payload=body, digest=digest(body),
            created_at=came, contact_keys=[f"phone:{body['contact']['phone']}"],
        )  # fmt: skip

    def delivery(self, asked: Answer, rule: Rule, came: datetime, **columns: Any) -> Delivery:
        columns.setdefault("remote_id", f"{rule.pk}{asked.pk:06d}" if columns["state"] == "delivered" else "")
        return Delivery(
            answer=asked, rule=rule, account=rule.account, owner=asked.account_id, quiz_id=asked.quiz_id,
            uid=f"month-{asked.pk}-{rule.pk}", created_at=came, contact_keys=asked.contact_keys, **columns,
        )  # fmt: skip

    def _tries(self, row: Delivery) -> list[Attempt]:
        """One try of twenty failed before."""
        there, took = row.delivered_at or self.now, self.chance.random()
        done = Attempt(delivery=row, number=1, started_at=there, seconds=took, outcome="delivered")
        if self.chance.random() > 0.05:
            return [done]
        done.number = 2
        failed = Attempt(
            delivery=row, number=1, started_at=there - timedelta(seconds=5), outcome="wait",
            message="CRM: 503 Service Unavailable",
        )  # fmt: skip
        return [failed, done]

    def _outcome(self, row: Delivery, people: list[CrmUser], step: Step | None) -> Outcome:
        there = row.delivered_at or self.now
        age = (self.now - there) / timedelta(days=DAYS)
        luck = self.chance.random()
        won, lost = luck < 0.35 * age, luck > 1 - 0.4 * age
        who = self.chance.choice(people) if people else None
        return Outcome(
            delivery=row, account=row.account, owner=row.owner, quiz_id=row.quiz_id, record_id=row.remote_id,
            status="won" if won else "lost" if lost else "open", created_at=there, seen_at=self.now,
            closed_at=there + timedelta(days=3) if won or lost else None, step=step.remote_id if step else "",
            step_name=step.name if step else "", performer=who.remote_id if who else "",
            performer_name=who.name if who else "", amount=self.chance.randint(20, 300) * 1000,
            currency="RUB",
        )  # fmt: skip

    @staticmethod
    def _people(account: Account) -> list[CrmUser]:
        return list(CrmUser.objects.filter(account=account, deleted=False).order_by("pk")[:4])

    # -- what waits for somebody -----------------------------------------------------------------------------

    def own_holds(self) -> None:
        """Every reason that is the delivery's or its rule's own, over all CRMs."""
        for number, (because, (error, remedy)) in enumerate(OWN.items()):
            rule = self.rules[number % len(self.rules)]
            if because == Held.RULE_PAUSED:
                rule = self.other_rule(rule, PAUSED_QUIZ, paused_at=self.now)
            if because == Held.RULE_DELETED:
                rule = self.other_rule(rule, DELETED_QUIZ, deleted=True)
            if because == Held.FIX_RULE:
                rule, error = self.broken_rule(rule)
            came = self.now - timedelta(hours=2 + number)
            remedy = remedy or REMEDIES.get(because, "")
            self.hold(rule, came, because, error, remedy, look_first=because == Held.LOOK_FIRST)

    def hold(self, rule: Rule, came: datetime, because: str, error: str, remedy: str, **more: Any) -> None:
        asked = self.answer(came, rule.quiz_id, rule.account.account_id)
        asked.save()
        row = self.delivery(
            asked, rule, came, state="held", held_because=because, error_code=because, error=error,
            remedy=remedy, attempts_made=1, first_failed_at=came, **more,
        )  # fmt: skip
        row.save()
        outcome = TRIED.get(because, "give_up")
        Attempt.objects.create(delivery=row, number=1, started_at=came, outcome=outcome, message=error)

    def other_rule(self, like: Rule, quiz: int, **columns: Any) -> Rule:
        columns.setdefault("step", like.step)
        return Rule.objects.create(
            account=like.account, quiz_id=quiz, performer=like.performer, pipeline=like.pipeline,
            prepared_at=self.now, quiz={"title": "Подбор кухни"}, **columns,
        )  # fmt: skip

    def broken_rule(self, like: Rule) -> tuple[Rule, str]:
        """One that names a step of no list, and what is wrong, in words: what waits for a rule that works is
        sent once lists are read."""
        rule = self.other_rule(like, BROKEN_QUIZ, step=NO_SUCH_STEP)
        found = problems_of(read_snapshot(rule, rule.account))
        rule.problems = [asdict(problem) for problem in found]
        rule.save()
        return rule, found[0].message

    def away(self) -> None:
        """A second customer, whose accounts stand still: each for another reason."""
        ends = (
            (Account.State.NEEDS_RECONNECT, "CRM: токен отозван", history.SERVICE),
            (Account.State.PAUSED, "Клиент переносит воронки", history.Actor(history.By.STAFF, "demo")),
            (Account.State.DISCONNECTED, "Клиент ушёл в отпуск", history.OWNER),
        )
        for number, (state, reason, actor) in enumerate(ends):
            like = self.rules[number % len(self.rules)]
            account = self.second_account(like.account)
            history.note(account, Account.State.CONNECTING, Account.State.ACTIVE, CONNECTED, history.OWNER)
            history.note(account, Account.State.ACTIVE, state, reason, actor)
            account.state, account.state_reason = state, reason
            account.deleted = state == Account.State.DISCONNECTED
            account.state_since = self.now - timedelta(hours=5)
            account.save()
            rule = self.like(like, account)
            if hold := holds.hold_of(account):
                for hours in (1, 2, 4):
                    came = self.now - timedelta(hours=hours)
                    self.hold(rule, came, hold.because, hold.error, hold.remedy)

    def second_account(self, like: Account) -> Account:
        return Account.objects.create(
            account_id=OTHER_CUSTOMER, crm=like.crm, remote_id=f"{like.remote_id}2", host=like.host,
            name="Кухни «Уют»", connected_at=self.now - timedelta(days=20), user_name="Елена Громова",
        )  # fmt: skip

    def like(self, rule: Rule, account: Account) -> Rule:
        return Rule.objects.create(
            account=account, quiz_id=QUIZ_ID, performer=rule.performer, pipeline=rule.pipeline,
            step=rule.step, fields_rule=rule.fields_rule, prepared_at=self.now,
        )  # fmt: skip

    def resting_lane(self) -> None:
        """The same account of the last CRM, connected by a second customer: it was silent for hours, and is
        tried again in some more."""
        like = self.rules[-1]
        account = self.second_account(like.account)
        token = Token.objects.get(account=like.account)
        Token.objects.create(account=account, access=token.access, refresh=token.refresh)
        account.remote_id = like.account.remote_id
        account.facts = like.account.facts
        account.save()
        states.activate(account, CONNECTED, history.OWNER)
        rule = self.like(like, account)
        for hours in (1, 2, 3):
            came = self.now - timedelta(hours=hours)
            asked = self.answer(came, QUIZ_ID, OTHER_CUSTOMER)
            asked.save()
            row = self.delivery(
                asked, rule, came, state="waiting", due_at=self.now, attempts_made=4, strikes=4,
                first_failed_at=came, error=SILENT, error_code="silent",
            )  # fmt: skip
            row.save()
            Attempt.objects.bulk_create(
                Attempt(
                    delivery=row, number=number, started_at=came + timedelta(minutes=2**number), seconds=30,
                    outcome="wait", message=SILENT,
                )
                for number in range(1, row.attempts_made + 1)
            )  # fmt: skip
        Lane.objects.filter(account=account).update(
            failures=6, rests_until=self.now + timedelta(hours=6), next_due=self.now
        )

    # -- what happened ---------------------------------------------------------------------------------------

    def drifted_rule(self) -> None:
        told = message(
            "Leads meant for {what} {wanted} arrive with {got}: it may be gone in the CRM, or something there"
            " moves them.",
            what=message("step"),
            wanted="«Новая заявка»",
            got="«Неразобранное»",
        )
        problem = {"code": MISPLACED, "message": told, "field": "StepID"}
        self.other_rule(self.rules[0], DRIFTED_QUIZ, problems=[problem])

    def past(self) -> None:
        """An incident that is over, and what somebody did about it."""
        opened = self.now - timedelta(days=2)
        Incident.objects.create(
            kind=Incident.Kind.UNREACHABLE, account=self.rules[0].account, deliveries=37, opened_at=opened,
            seen_at=opened, solved_at=opened + timedelta(minutes=40), reason="CRM: 503 Service Unavailable",
        )  # fmt: skip
        person = User.objects.filter(is_superuser=True).first()
        done = opened + timedelta(minutes=41)
        BulkRun.objects.create(
            action=BulkRun.Action.RETRY, query="state__exact=held&held_because__exact=gave_up", person=person,
            who=person.get_username() if person else "demo", planned=37, newest=1, reached=1, moved=36,
            left_alone=1, asked_at=done, began_at=done, ended_at=done + timedelta(seconds=4),
        )  # fmt: skip


if __name__ == "__main__":
    Showcase(sys.argv[1]).fill()
