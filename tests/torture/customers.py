"""The quiz platform's customers: a quiz account each, with one CRM that it connects and connects again."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urljoin

import jwt

from config.demo.browser import Browser, FormReader
from config.demo.environment import Environment
from config.demo.errors import DemoFailed
from config.demo.http import Reply, ask, tell
from config.demo.keys import KeyScenario
from config.demo.scenario import Scenario, scenarios
from config.demo.service import QuizService

FIRST = 1001
ANSWERS_EACH = 250  # so many answers make another account a CRM worth while


@dataclass
class Customer:
    """``remote`` is the account's id in its local CRM, ``name`` and ``url`` what it is called there now.
    ``extra`` is what its rule says beyond its contract."""

    id: str
    scenario: Scenario
    service: QuizService
    remote: int
    name: str
    url: str
    port: int
    performer: str = ""  # by the rule, once it is saved
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        return self.scenario.kind

    @property
    def host(self) -> str:
        """For faults: the local CRM's own port, as a pattern."""
        return f":{self.port}$"

    @property
    def joins(self) -> bool:
        """Does an answer of somebody with an open lead join it, by the rule?"""
        return bool(self.extra.get("Repeated"))

    def connect(self, environment: Environment) -> None:
        """As its owner does, for the first time or again. Raises ``DemoFailed`` or ``OSError``."""
        prefix = self.scenario.prefix
        if isinstance(self.scenario, KeyScenario):
            keys = tell(environment.control_url, self.kind, self.scenario.settings_page, account=self.remote)
            self.service.post(f"{prefix}/account", {"base_url": self.url, **keys})
            return
        named = {"client_bitrix_url": self.url} if self.scenario.connecting(environment) else None
        link = str(self.service.post(f"{prefix}/account", named)["link"])
        page = Owner(self.name).consent(link, environment.url)
        if page.status != 200:
            raise DemoFailed(f"{self.id}: the consent ended with status {page.status}: {page.text[:200]}")

    def try_again(self, delivery_id: int) -> bool:
        """A person presses the button; false where it was sent meanwhile."""
        return self.service.send("POST", f"/deliveries/{delivery_id}/retry").status == 202

    def found(self, delivery_id: int, lead_id: object) -> bool:
        """A person has found the lead in the CRM, and says so."""
        body = {"leadID": str(lead_id)}
        return self.service.send("POST", f"/deliveries/{delivery_id}/arrived", body).status == 200


class Owner(Browser):
    """Who signs in at the consent page, and chooses the account called ``name``."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def consent(self, link: str, home: str) -> Reply:
        page = self.open(link)
        if page.url.startswith(home):  # some CRMs ask nothing of whoever is signed in there
            return page
        form = FormReader(page.text).form
        if form is None:
            raise DemoFailed(f"{page.url} shows no form (status {page.status}).")
        values = urlencode({**form.values, "account": self.name}).encode()
        headers = {**self.headers, "Content-Type": "application/x-www-form-urlencoded"}
        reply = ask("POST", urljoin(page.url, form.action), values, headers)
        return self.open(urljoin(page.url, reply.headers["Location"])) if 300 <= reply.status < 400 else reply


def how_many(answers: int) -> int:
    """Accounts in each CRM: 10 for the whole run, one for the short one."""
    return max(1, min(10, answers // ANSWERS_EACH))


def make_customers(environment: Environment, each: int, jwt_key: str) -> list[Customer]:
    """Accounts in every local CRM, and a quiz account for each; nothing is connected yet."""
    made: list[Customer] = []
    for scenario in scenarios():
        made += customers_of(environment, scenario, each, jwt_key, FIRST + len(made))
    return made


def customers_of(
    environment: Environment, scenario: Scenario, count: int, jwt_key: str, first: int
) -> Iterator[Customer]:
    """New accounts in one local CRM; their quiz accounts are numbered from ``first``."""
    for number, account in enumerate(
        tell(environment.control_url, scenario.kind, "accounts", count=count), first
    ):
        claims = {"id": str(number), "exp": time.time() + 30 * 86_400}
        service = QuizService(environment.url, jwt.encode(claims, jwt_key, algorithm="HS256"))
        place = (account["id"], account["subdomain"], account["url"], account["port"])
        yield Customer(str(number), scenario, service, *place)


# -- what happens in a CRM that nobody tells us --------------------------------------------------------------


def move_away(customer: Customer, environment: Environment, dice: random.Random) -> str:
    """The account gets another name, and so another address. Only where a CRM has that."""
    name = f"{customer.name}-{dice.randrange(1000)}"
    found = tell(environment.control_url, customer.kind, "rename", account=customer.remote, subdomain=name)
    customer.name, customer.port = found["subdomain"], found["port"]
    customer.url = f"http://{environment.sandbox_host}:{customer.port}"
    return name


def lose_a_field(customer: Customer, environment: Environment, label: str = "Площадь") -> str:
    """The field that the rule fills with the area is deleted."""
    state = tell(environment.control_url, customer.kind, "state", account=customer.remote)
    for options in _fields_called(state, label):
        tell(environment.control_url, customer.kind, "delete_field", account=customer.remote, **options)
    return label


def _fields_called(state: Mapping[str, Any], label: str) -> Iterator[dict[str, Any]]:
    for entity, fields in state.get("fields", {}).items():
        for one in fields:
            if str(one.get("label", one["name"])).startswith(label):
                yield {"entity": entity, "field_id": one["id"], "field": one["name"]}


def lose_a_person(customer: Customer, environment: Environment) -> str:
    """Whoever is responsible by the rule leaves."""
    state = tell(environment.control_url, customer.kind, "state", account=customer.remote)
    number = next(int(key) for key, name in state["users"].items() if name == customer.performer)
    tell(environment.control_url, customer.kind, "deactivate_user", account=customer.remote, user_id=number)
    return str(state["users"][str(number)])
