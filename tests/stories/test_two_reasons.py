"""Two reasons at once for which answers wait: whichever came first and whichever ends first, all goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any

import pytest

from accounts import db_clock, maintenance, states
from accounts.models import Account, Lane
from accounts.redis_client import redis_client
from crm_cache.refresh import sync_due
from rules import rule_save
from rules.delivery import drift, sweep
from rules.models import Delivery, Rule
from tests.stories.conftest import QUIZ, Shop

PAGE = {"body": "<html>no</html>", "content_type": "text/html"}


@dataclass
class World:
    """A shop, and what can go wrong with it."""

    quiz: Shop
    connect: Callable[[Any], Any]
    passes: Callable[..., None]
    faults: dict[str, int] = field(default_factory=dict)
    step: Any = None
    said: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        place = self.quiz.place()
        self.said = {"pipeline": str(place["PipelineID"]), "step": str(place["StepID"])}

    @property
    def account(self) -> Account:
        return Account.objects.order_by("deleted", "pk").first()

    @property
    def rule(self) -> Rule:
        return Rule.objects.filter(quiz_id=QUIZ).latest("pk")

    def later(self, **time: float) -> None:
        """Time passes, and beat and workers do what is due."""
        self.passes(**time)
        maintenance.refresh_due()
        sync_due()
        drift.check_due()
        self.quiz.work()
        sweep.check_lanes(0)

    def person(self) -> None:
        """Does what the account's page says, as far as the CRM allows it."""
        if self.account.state == Account.State.PAUSED:
            states.resume(self.account)
        elif not self.account.usable:
            self.connect(self.quiz.crm)

    def fault(self, name: str, **options: Any) -> None:
        self.faults[name] = self.quiz.amo.faults.add(times=None, **options).id

    def well(self, name: str) -> None:
        self.quiz.amo.faults.remove(self.faults.pop(name))

    # -- what goes wrong, and its end ----------------------------------------------------------------------

    def begin_pause(self) -> None:
        states.pause(self.account, "a person")

    def end_pause(self) -> None:
        states.resume(self.account)

    def begin_revoked(self) -> None:
        self.quiz.amo.revoke(self.quiz.crm)

    def end_revoked(self) -> None:
        if self.account.state != Account.State.ACTIVE:
            self.connect(self.quiz.crm)

    def begin_disconnected(self) -> None:
        states.disconnect(self.account)

    def end_disconnected(self) -> None:
        self.connect(self.quiz.crm)

    def begin_rule_paused(self) -> None:
        rule_save.pause_rule(self.rule.pk)

    def end_rule_paused(self) -> None:
        rule_save.resume_rule(self.rule.pk)

    def begin_rule_deleted(self) -> None:
        rule_save.delete_rule(self.rule.pk)

    def end_rule_deleted(self) -> None:
        rule_save.create_rule(self.account, QUIZ, self.said)

    def begin_step_gone(self) -> None:
        funnel = next(one for one in self.quiz.crm.pipelines.values() if one.name == "Квизы")
        self.step = next(one for one in funnel.statuses if one.name == "Дозвон")
        funnel.statuses.remove(self.step)

    def end_step_gone(self) -> None:
        funnel = next(one for one in self.quiz.crm.pipelines.values() if one.name == "Квизы")
        funnel.statuses.append(self.step)

    def begin_blocked(self) -> None:
        self.fault("blocked", path="/api/v4/", status=403, **PAGE)

    def end_blocked(self) -> None:
        self.well("blocked")
        self.person()

    def begin_broken(self) -> None:
        self.fault("broken", path="/api/v4/", status=500)

    def end_broken(self) -> None:
        self.well("broken")

    def begin_unpaid(self) -> None:
        self.fault("unpaid", path="/api/v4/", status=402)

    def end_unpaid(self) -> None:
        self.well("unpaid")

    def begin_nonsense(self) -> None:
        body = '{"_embedded": {"users": [1], "pipelines": [{"id": "x", "_embedded": 3}]}}'
        self.fault(
            "nonsense", method="GET", path="/api/v4/", status=200, body=body, content_type="application/json"
        )

    def end_nonsense(self) -> None:
        self.well("nonsense")

    def begin_field(self) -> None:
        """A field is to be made, and can't be."""
        self.fault("field", method="POST", path="custom_fields", status=500)
        quiz = {"questions": [{"id": "1", "title": "Площадь?"}]}
        rule = self.rule
        if not rule.deleted:
            rule_save.change_rule(
                rule.pk, {"fields_rule": {"Lead": [{"QuestionID": {"1": 0}}]}, "quiz": quiz}
            )

    def end_field(self) -> None:
        self.well("field")

    def begin_renamed(self) -> None:
        self.quiz.amo.switches["renamed_host"] = "404"
        self.quiz.amo.rename(self.quiz.crm, "roses")

    def end_renamed(self) -> None:
        """The next renewal of its tokens tells the new address."""

    def begin_unclear(self) -> None:
        self.quiz.amo.faults.add("/leads/complex", "reset_after")

    def end_unclear(self) -> None:
        """It is looked for."""

    def begin_worker_dead(self) -> None:
        """Killed before its first request."""
        waiting = Delivery.objects.filter(state="waiting").values_list("pk", flat=True)[:1]
        now = db_clock.now()
        Delivery.objects.filter(pk__in=waiting).update(state="sending", claimed_at=now)
        Lane.objects.update(lease_until=now, holder="dead")

    def end_worker_dead(self) -> None:
        pass


REASONS = sorted(name.removeprefix("begin_") for name in vars(World) if name.startswith("begin_"))


@pytest.fixture(autouse=True)
def paced(settings: Any) -> Iterator[None]:
    """The stop sign stands where the pace is kept; without a pace there is none."""
    options = replace(settings.CRM_OPTIONS["amocrm"], requests_per_second=1000)
    settings.CRM_OPTIONS = {**settings.CRM_OPTIONS, "amocrm": options}
    yield
    for key in redis_client().scan_iter(f"pace:{settings.REDIS_PREFIX}*"):
        redis_client().delete(key)


@pytest.fixture
def world(quiz: Shop, connect: Any, later: Any) -> World:
    return World(quiz, connect, later)


# Each with each other; in every order they are 364.
PAIRS = [
    (*(pair if number % 4 < 2 else reversed(pair)), number % 2 == 0)
    for number, pair in enumerate(combinations(REASONS, 2))
]


@pytest.mark.parametrize(("first", "second", "first_ends_first"), PAIRS)
def test_all_goes_on(world, first, second, first_ends_first):
    answer = {"answers": [{"questionID": "1", "question": "Площадь?", "answer": "12"}]}
    world.quiz.post(**answer)
    for reason in (first, second):
        getattr(world, f"begin_{reason}")()
        world.quiz.post(**answer)
        world.later(minutes=31)
    for reason in (first, second) if first_ends_first else (second, first):
        getattr(world, f"end_{reason}")()
        world.quiz.post(**answer)
        world.later(minutes=1)
    for _ in range(5):
        world.person()
        world.later(minutes=5)
    found = Delivery.objects.exclude(state="delivered").values_list(
        "state", "held_because", "error", "due_at"
    )
    assert list(found) == []
    assert len(world.quiz.leads) == Delivery.objects.count() >= 2
