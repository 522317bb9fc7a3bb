"""A flower shop with a quiz, connected to amoCRM: what the delivery stories begin with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from accounts import db_clock
from accounts.models import Account
from accounts.redis_client import redis_client
from connectors.sandbox.amocrm import Account as AmoAccount
from connectors.sandbox.amocrm import AmoSandbox
from crm_cache.models import SyncRun
from crm_cache.refresh import run_waiting
from crm_cache.runs import ask_for
from rules import provisioning
from rules.delivery import sweep, worker
from rules.models import Delivery, Rule
from rules.serializers.answers import MOST_ANSWERS
from tests.stories.listed import first_walk

QUIZ = 42


def work() -> None:
    """What workers and beat do until nothing is due: lists that are asked for, and deliveries."""
    for _ in range(50):
        provisioning.prepare_due()
        sweep.review()
        waiting = SyncRun.objects.filter(state="waiting", account__state=Account.State.ACTIVE)
        unread = set(waiting.values_list("account", flat=True))
        for account_id in unread:
            run_waiting(account_id)
        lanes = sweep.lanes_with_work()
        for lane in lanes:
            worker.drain(lane)
        if not (lanes or unread):
            return
    raise AssertionError("the lanes never came to rest")


@dataclass
class Shop:
    """The shop's side and our side of one connected account."""

    amo: AmoSandbox
    crm: AmoAccount
    api: Client
    numbers: Any = field(default_factory=lambda: count(1))

    @property
    def account(self) -> Account:
        return Account.objects.get(account_id="shop", deleted=False)

    @property
    def leads(self) -> list[dict[str, Any]]:
        """What the CRM holds of this account, as its page shows it."""
        return [row for row in self.amo.ledger() if row["account_id"] == self.crm.id]

    @property
    def rule(self) -> Rule:
        return Rule.objects.get(account=self.account, quiz_id=QUIZ, deleted=False)

    def place(self, pipeline: str = "Квизы", step: str = "Дозвон") -> dict[str, int]:
        """A pipeline and a step of it, as a rule names them."""
        funnel = next(p for p in self.crm.pipelines.values() if p.name == pipeline)
        return {"PipelineID": funnel.id, "StepID": next(s.id for s in funnel.statuses if s.name == step)}

    def field_id(self, name: str, entity: str = "leads") -> int:
        return self.crm.fields[entity].named(name).id

    def save_rule(self, **body: Any) -> Any:
        return self.api.post(f"/rules/{QUIZ}", body or self.place(), content_type="application/json")

    def change_rule(self, **body: Any) -> Any:
        return self.api.patch(f"/rules/{QUIZ}", body, content_type="application/json")

    def sync(self) -> None:
        ask_for(self.account)
        run_waiting(self.account.pk)

    def read_lists(self) -> None:
        """For the first time."""
        ask_for(self.account)
        first_walk(self.account, self.amo, self.crm)

    def answer(self, answer_id: str = "", **body: Any) -> dict[str, Any]:
        """Of somebody new, unless ``contact`` says who."""
        number = next(self.numbers)
        contact = {"name": f"Анна {number}", "phone": f"+7999{number:07d}"}
        return {"quizID": QUIZ, "answerID": answer_id or f"k-{number}", "contact": contact, **body}

    def post(self, answer_id: str = "", **body: Any) -> Any:
        return self.api.post("/answers", self.answer(answer_id, **body), content_type="application/json")

    def post_many(self, count: int) -> None:
        """So many answers, in as few requests as the API takes them in."""
        answers = [self.answer() for _ in range(count)]
        for first in range(0, count, MOST_ANSWERS):
            some = answers[first : first + MOST_ANSWERS]
            reply = self.api.post("/answers", some, content_type="application/json")
            assert reply.status_code == 202, reply.content

    def work(self) -> None:
        work()

    @property
    def delivery(self) -> Delivery:
        return Delivery.objects.get()


@pytest.fixture
def shop(
    transactional_db: None,
    amo: AmoSandbox,
    flower_shop: AmoAccount,
    connect: Any,
    caller: Callable[..., Client],
) -> Shop:
    """Connected and synced; wake-ups go nowhere, ``work()`` is the worker."""
    for key in redis_client().scan_iter(f"{settings.REDIS_PREFIX}wake:*"):
        redis_client().delete(key)
    assert connect(flower_shop).json() == "Success"
    shop = Shop(amo, flower_shop, caller("shop"))
    shop.read_lists()
    return shop


@pytest.fixture
def quiz(shop: Shop) -> Shop:
    """The shop with a rule for its quiz."""
    assert shop.save_rule().status_code == 200
    provisioning.prepare_due()
    return shop


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch, amo: AmoSandbox) -> Callable[..., None]:
    """Time passes, for us and for the CRM: ``later(minutes=1)``."""
    return passing(monkeypatch, amo)


def passing(monkeypatch: pytest.MonkeyPatch, box: Any) -> Callable[..., None]:
    """Moves our clock, the database's and a local CRM's."""
    clocks, passed = {clock: clock.now for clock in (timezone, db_clock)}, timedelta()

    def later(**time: float) -> None:
        nonlocal passed
        passed += timedelta(**time)
        box.clock.advance(timedelta(**time).total_seconds())

    for clock, real in clocks.items():
        monkeypatch.setattr(clock, "now", lambda real=real: real() + passed)
    return later


@pytest.fixture
def returned(
    amo: AmoSandbox, flower_shop: AmoAccount, caller: Callable[..., Client], queued: Any, db: None
) -> str:
    """Where amoCRM sends the browser of somebody who pressed "Connect" and "Allow"."""
    return amo.consent(caller().post("/account").json()["link"], flower_shop)


# ---- A dentist's portal in the local Bitrix24 ----------------------------------------------------------
from tests.bitrix import b24, connect_portal, dentist  # noqa: E402, F401
from tests.stories.clinic import clinic, later_there  # noqa: E402, F401
from tests.stories.florist import envy, florist, later_at_envybox, newcomer  # noqa: E402, F401

# ---- What became of a lead --------------------------------------------------------------------------------
from tests.stories.followed import crm, delivered  # noqa: E402, F401

# ---- Other people's code: a client generated out of our document -----------------------------------------
from tests.stories.generated import client_of, generated  # noqa: E402, F401

# ---- Owners of accounts of each CRM ----------------------------------------------------------------------
from tests.stories.owners import owner, owner_of  # noqa: E402, F401

# ---- All contacts of a CRM -------------------------------------------------------------------------------
from tests.stories.walked import people, walked  # noqa: E402, F401

# ---- A window company's solOS ----------------------------------------------------------------------------
from tests.stories.windows import later_at_solos, sol_box, stranger, windows  # noqa: E402, F401
