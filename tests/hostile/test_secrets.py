"""A whole life with each CRM, and no secret of it anywhere: the CRMs' own books say what to look for."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from accounts import maintenance
from accounts.access import connector_for
from accounts.crm_settings import options_for, sign_in_for
from accounts.models import Account, Hook, InstallKey, Token
from accounts.redis_client import redis_client
from connectors.registry import connector_class
from rules.models import Delivery, Reconciliation
from tests.hostile import ears
from tests.hostile.ears import Log, leaks
from tests.stories.conftest import *  # noqa: F403 - the shops of all four CRMs

SHOPS = {"amocrm": "quiz", "bitrix24": "clinic", "envybox": "florist", "solos": "windows"}


@dataclass
class Purse:
    """All secrets that were ever good: of the CRM's book, of ours, and those that we are run with."""

    secrets: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, *texts: str) -> None:
        self.secrets |= {text: name for text in texts if text}

    def look(self, box: Any, crm: Any) -> None:
        """Take down what is good now; called before each change."""
        if snapshot := getattr(box, "tokens", None):
            self.add("code", *snapshot.codes)
            self.add("access token", *snapshot.by_access)
            self.add("refresh token", *snapshot.by_refresh)
        for app in (getattr(box, name, None) for name in ("integration", "app")):
            self.add("client secret", getattr(app, "client_secret", ""))
        installs = getattr(crm, "installed", {})
        for one in installs.values() if isinstance(installs, dict) else ():
            self.add("secret of notices", one.application_token)
        self.add("key", *(getattr(crm, name, "") for name in ("key", "token", "secret")))
        for row in Token.objects.all():
            self.add("stored token", row.access, row.refresh)
        self.add("secret of notices", *(row.secret for row in InstallKey.objects.all()))
        self.add("secret of a hook", *(row.secret for row in Hook.objects.all()))

    def take_ours(self, bearer: str) -> None:
        self.add("bearer", bearer.removeprefix("Bearer "))
        self.add("our keys", settings.SECRET_KEY, settings.JWT_KEY, *settings.ENCRYPTION_KEYS)


@pytest.fixture(autouse=True)
def log() -> Iterator[Log]:
    """Begins before anything is connected."""
    ear, root = Log(), logging.getLogger()
    levels = {name: logging.getLogger(name).level for name in ("", "urllib3", "axes", "django", "celery")}
    for name in levels:
        logging.getLogger(name).setLevel(logging.DEBUG)
    # It has a traceback for every variable that a page does not know, and shows names alone.
    logging.getLogger("django.template").setLevel(logging.INFO)
    root.addHandler(ear)
    yield ear
    root.removeHandler(ear)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


@pytest.fixture(autouse=True)
def heard(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """All our answers, to whomever. The way to a consent page does carry its state: that is its use."""
    answers: list[tuple[str, str]] = []
    real = Client.request

    def request(self: Client, **asked: Any) -> Any:
        answer = real(self, **asked)
        where = f"answer to {asked.get('REQUEST_METHOD')} {asked.get('PATH_INFO')}"
        answers.append((where, f"{answer.content.decode()} {answer.headers}"))
        return answer

    monkeypatch.setattr(Client, "request", request)
    return answers


@pytest.fixture(autouse=True)
def states(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The OAuth states that were issued."""
    from accounts import consent

    issued: list[str] = []
    real = consent.issue
    monkeypatch.setattr(consent, "issue", lambda *what: issued.append(real(*what)) or issued[-1])
    return issued


@pytest.fixture(params=SHOPS.values(), ids=list(SHOPS))
def life(
    request: Any, log: Log, heard: list[Any], states: list[str], queued: list[Any]
) -> tuple[Any, Purse, Callable[[], Any]]:
    """The shop of one CRM after everything that can happen, its secrets, and all words that were left."""
    shop, purse = request.getfixturevalue(request.param), Purse()
    purse.look(shop.amo, shop.crm)
    live(shop, purse)
    purse.add("state", *states)
    purse.take_ours(str(shop.api.defaults["HTTP_AUTHORIZATION"]))
    desk = Client()
    desk.force_login(User.objects.create_superuser("root"), "django.contrib.auth.backends.ModelBackend")
    kind = shop.account.crm
    held = [connector_for(Account.objects.latest("pk")), options_for(kind)]
    held += [sign_in_for(kind)] if connector_class(kind).can.oauth else []
    said = [word for word in heard if not (states and word[0].endswith("/account"))]

    def words() -> Any:
        assert held
        return chain(
            (("log", line) for line in log.lines), said, (("message", repr(one)) for one in queued),
            ears.database(), ears.redis(), ears.desk(desk), ears.api(shop.api), ears.objects(),
        )  # fmt: skip

    return shop, purse, words


def live(shop: Any, purse: Purse) -> None:
    """Deliver, refresh, be refused, wait for a person."""
    shop.post()
    shop.work()
    getattr(shop.amo, "expire", lambda crm: None)(shop.crm)
    shop.post()
    shop.work()
    Token.objects.filter(refresh_at__isnull=False).update(refresh_at="2020-01-01T00:00Z")
    maintenance.refresh_due()
    purse.look(shop.amo, shop.crm)
    shop.amo.revoke(shop.crm)
    purse.look(shop.amo, shop.crm)
    shop.post()
    shop.work()
    run = {"since": timezone.now(), "until": timezone.now(), "state": "done"}
    Reconciliation.objects.create(account=shop.account, owner=shop.account.account_id, **run)
    assert Delivery.objects.filter(state="delivered").count() == 2
    assert Delivery.objects.filter(held_because="reconnect").count() == 1


@pytest.mark.django_db(transaction=True)
def test_no_secret_is_found_anywhere(life: Any) -> None:
    shop, purse, words = life
    assert leaks(words(), purse.secrets) == set()
    assert len(set(purse.secrets.values())) >= 4
    shop.api.delete(PATHS[shop.account.crm])
    assert leaks(chain(ears.database(), ears.redis(), ears.objects()), purse.secrets) == set()


PATHS = {
    kind: f"{prefix}/account"
    for kind, prefix in zip(SHOPS, ("", "/bitrix", "/envybox", "/solos"), strict=True)
}


@pytest.mark.parametrize("life", ["quiz"], indirect=True)
@pytest.mark.django_db(transaction=True)
def test_a_secret_that_came_out_would_be_found(life: Any) -> None:
    shop, purse, words = life
    secret = next(iter(purse.secrets))
    Account.objects.filter(pk=shop.account.pk).update(state_reason=f"it is {secret}", facts={"x": secret})
    redis_client().hset(f"{settings.REDIS_PREFIX}planted", mapping={"a": secret})
    logging.getLogger("connectors.http").debug("sent with %s", secret)
    places = {place for place, _ in leaks(words(), purse.secrets)}
    redis_client().delete(f"{settings.REDIS_PREFIX}planted")
    wanted = {"log", "redis", "database accounts_account.state_reason", "database accounts_account.facts"}
    wanted |= {"admin:accounts_account list", "admin:accounts_account change"}
    assert wanted <= places
