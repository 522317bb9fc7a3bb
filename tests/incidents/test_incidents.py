"""What goes wrong is opened once, kept up to date, told once when it begins and once when it is over."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import history, states
from accounts.models import Account, Lane
from connectors.errors import Stopped
from rules import alerts, incidents
from rules.models import Answer, Delivery, Incident, Rule
from tests.admin.conftest import deliver, operator, rule, shop, viewer, woken

__all__ = ["deliver", "operator", "rule", "shop", "viewer", "woken"]
pytestmark = pytest.mark.django_db
Deliver = Callable[..., Delivery]
NEEDS = Account.State.NEEDS_RECONNECT


def open_kinds() -> list[tuple[str, int]]:
    return list(Incident.objects.filter(solved_at=None).order_by("kind").values_list("kind", "deliveries"))


@pytest.mark.parametrize(
    ("because", "kind", "of_rule"),
    [
        ("fix_rule", "rule", True),
        ("refused", "refused", False),
        ("gave_up", "refused", False),
        ("look_first", "look", False),
        ("stale", "stale", False),
    ],
)
def test_what_is_held_for_a_person_is_one_incident(
    deliver: Deliver, because: str, kind: str, of_rule: bool
) -> None:
    for _ in range(3):
        deliver("held", held_because=because)
    assert incidents.look() == (1, 0)
    made = Incident.objects.get()
    assert (made.kind, made.deliveries, made.rule is not None) == (kind, 3, of_rule)
    assert made.reason == "amoCRM refuses it"


@pytest.mark.parametrize("because", ["paused", "disconnected"])
def test_what_somebody_decided_is_no_incident(deliver: Deliver, because: str) -> None:
    deliver("held", held_because=because)
    assert incidents.look() == (0, 0)


def test_an_incident_follows_its_numbers_and_ends_with_its_reason(deliver: Deliver) -> None:
    deliver("held", held_because="refused")
    incidents.look()
    deliver("held", held_because="gave_up")
    assert incidents.look() == (0, 0)
    assert open_kinds() == [("refused", 2)]
    Delivery.objects.update(state="waiting", held_because="")
    assert incidents.look() == (0, 1)
    assert open_kinds() == []
    # The same trouble again is another incident.
    Delivery.objects.update(state="held", held_because="refused")
    assert incidents.look() == (1, 0)
    assert Incident.objects.count() == 2


def test_an_account_that_needs_reconnecting_is_one_with_what_it_holds(
    deliver: Deliver, shop: Account
) -> None:
    deliver("held", held_because="reconnect")
    Account.objects.filter(pk=shop.pk).update(state="needs_reconnect", state_reason="The key was revoked")
    incidents.look()
    made = Incident.objects.get()
    assert (made.kind, made.deliveries, made.reason) == ("reconnect", 1, "The key was revoked")


def test_a_crm_that_takes_no_leads_is_one_after_a_while(deliver: Deliver, settings: Any) -> None:
    settings.INCIDENT_AFTER = timedelta(minutes=15)
    deliver("waiting", first_failed_at=timezone.now() - timedelta(minutes=14))
    assert incidents.look() == (0, 0)
    Delivery.objects.update(first_failed_at=timezone.now() - timedelta(minutes=16))
    assert incidents.look() == (1, 0)
    assert open_kinds() == [("unreachable", 1)]


def test_an_account_that_waits_for_its_lists_is_one_after_a_while(
    deliver: Deliver, shop: Account, settings: Any
) -> None:
    """It is connected again, and its CRM does not give what its rules name: nobody else would say so."""
    settings.INCIDENT_AFTER = timedelta(minutes=15)
    deliver("held", held_because="disconnected")
    Lane.objects.update(review_at=timezone.now())
    Account.objects.update(state_since=timezone.now() - timedelta(minutes=14))
    assert incidents.look() == (0, 0)
    Account.objects.update(state_since=timezone.now() - timedelta(minutes=16))
    deliver("waiting", first_failed_at=timezone.now() - timedelta(minutes=16))
    assert incidents.look() == (1, 0)
    assert open_kinds() == [("unreachable", 2)]
    Delivery.objects.update(state="delivered", held_because="")
    assert incidents.look() == (0, 1)


def test_an_account_that_its_crm_has_blocked_is_one_until_it_is_resumed(
    deliver: Deliver, shop: Account
) -> None:
    deliver("held", held_because="paused")
    states.park(shop, Stopped("amoCRM has blocked this account"))
    assert incidents.look() == (1, 0)
    made = Incident.objects.get()
    assert (made.kind, made.deliveries, made.reason) == ("unreachable", 1, "amoCRM has blocked this account")
    assert "resume it" in alerts.what_to_do(made)
    states.resume(shop)
    assert incidents.look() == (0, 1)
    states.pause(shop, "A person wants it so", history.staff(User(username="vera")))
    assert incidents.look() == (0, 0)


def answers(rule: Rule, count: int, first: timedelta, last: timedelta) -> None:
    now = timezone.now()
    step = (first - last) / (count - 1)
    Answer.objects.bulk_create(
        Answer(
            account_id=rule.account.account_id, quiz_id=rule.quiz_id, answer_id=f"s-{n}", digest="x",
            payload={}, created_at=now - first + n * step,
        )
        for n in range(count)
    )  # fmt: skip


def test_a_quiz_that_falls_silent_is_told_and_a_rare_one_is_not(rule: Rule) -> None:
    answers(rule, 100, timedelta(days=13), timedelta(hours=2))
    assert incidents.look() == (0, 0)
    Answer.objects.all().delete()
    cache.clear()
    answers(rule, 100, timedelta(days=13), timedelta(hours=40))
    assert incidents.look() == (1, 0)
    assert open_kinds() == [("silent", 0)]
    Answer.objects.all().delete()
    cache.clear()
    answers(rule, 5, timedelta(days=13), timedelta(days=5))
    assert incidents.look() == (0, 1)


@pytest.mark.parametrize(
    ("count", "days", "quiet", "silent"),
    [
        (1000, 10, timedelta(hours=23), False),
        (1000, 10, timedelta(hours=25), True),
        (28, 10, timedelta(days=3), False),
        (28, 10, timedelta(days=4), True),
        (1, 0, timedelta(hours=25), True),
    ],
)
def test_silence_is_measured_in_the_quizs_own_gaps(
    count: int, days: int, quiet: timedelta, silent: bool
) -> None:
    last = datetime(2026, 11, 28, 12, tzinfo=timezone.get_current_timezone())
    assert incidents.is_silent(count, last - timedelta(days=days), last, last + quiet) is silent


# -- messages ------------------------------------------------------------------------------------------------


class Catcher(HTTPServer):
    """Keeps the JSON that it is sent; answers 500 while ``refuses``."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), CatcherRequest)
        self.kept: list[dict[str, Any]] = []
        self.refuses = False


class CatcherRequest(BaseHTTPRequestHandler):
    server: Catcher

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if not self.server.refuses:
            self.server.kept.append(json.loads(body))
        self.send_response(500 if self.server.refuses else 200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""


@pytest.fixture
def catcher(settings: Any) -> Iterator[Catcher]:
    """A web server that ``ALERTS`` names."""
    server = Catcher()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.ALERTS = [f"json://127.0.0.1:{server.server_port}/hook"]
    settings.ALERT_AFTER = timedelta(0)
    settings.PAGE_LANGUAGE = "en"
    yield server
    server.shutdown()
    server.server_close()


def test_it_is_told_once_when_it_opens_and_once_when_it_is_over(deliver: Deliver, catcher: Catcher) -> None:
    deliver("held", held_because="look_first")
    incidents.look()
    assert [alerts.tell(), alerts.tell()] == [1, 0]
    assert len(catcher.kept) == 1
    assert "somebody must look" in catcher.kept[0]["title"]
    assert "say of each whether it is there" in catcher.kept[0]["message"]
    assert "/admin/rules/incident/" in catcher.kept[0]["message"]
    Delivery.objects.update(state="delivered", held_because="")
    incidents.look()
    assert [alerts.tell(), alerts.tell()] == [1, 0]
    assert catcher.kept[1]["title"].startswith("Solved: ")


def test_what_could_not_be_sent_is_sent_with_the_next_run(deliver: Deliver, catcher: Catcher) -> None:
    deliver("held", held_because="refused")
    incidents.look()
    catcher.refuses = True
    assert alerts.tell() == 0
    catcher.refuses = False
    assert alerts.tell() == 1


def test_muted_and_short_ones_are_told_to_nobody(
    deliver: Deliver, catcher: Catcher, settings: Any, operator: Client
) -> None:
    deliver("held", held_because="refused")
    incidents.look()
    page = reverse("admin:rules_incident_changelist")
    chosen = {"action": "mute_chosen", "_selected_action": [Incident.objects.get().pk]}
    assert operator.post(page, chosen).status_code == 302
    assert alerts.tell() == 0
    assert operator.post(page, {**chosen, "action": "unmute_chosen"}).status_code == 302
    settings.ALERT_AFTER = timedelta(minutes=1)
    assert alerts.tell() == 0
    Delivery.objects.update(state="delivered", held_because="")
    incidents.look()
    # Over before anybody was told: nobody hears of its end either.
    assert alerts.tell() == 0
    assert catcher.kept == []


def test_many_at_once_are_one_message_with_numbers(deliver: Deliver, catcher: Catcher, shop: Account) -> None:
    rows = [
        Account(
            account_id=f"q{n}", crm="amocrm", remote_id=f"{n}", host="x.amocrm.ru", state="needs_reconnect"
        )
        for n in range(12)
    ]
    Account.objects.bulk_create(rows)
    incidents.look()
    assert alerts.tell() == 12
    assert len(catcher.kept) == 1
    assert catcher.kept[0]["title"] == "12 incidents"
    assert "sign-in: 12" in catcher.kept[0]["message"]


class Mailbox:
    def __init__(self) -> None:
        self.mails: list[str] = []

    async def handle_DATA(  # noqa: N802 - the name that the library calls
        self, server: Any, session: Any, envelope: Any
    ) -> str:
        self.mails.append(envelope.content.decode())
        return "250 OK"


def test_the_figures_of_a_day_go_out_once_by_mail(deliver: Deliver, settings: Any) -> None:
    mailbox = Mailbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        settings.ALERTS = [
            f"mailto://127.0.0.1:{port}?from=desk@example.com&to=staff@example.com&mode=insecure"
        ]
        settings.PAGE_LANGUAGE = "en"
        settings.DIGEST_HOUR = timezone.localtime().hour
        deliver("held", held_because="refused")
        assert [alerts.digest(), alerts.digest()] == [True, False]
    finally:
        controller.stop()
    assert len(mailbox.mails) == 1
    settings.DIGEST_HOUR = (timezone.localtime().hour + 1) % 24
    assert alerts.digest() is False


def test_the_first_page_begins_with_what_is_open(deliver: Deliver, viewer: Client) -> None:
    html = viewer.get(reverse("admin:index"), headers={"Accept-Language": "en"}).content.decode()
    assert "No incidents" in html
    deliver("held", held_because="look_first")
    incidents.look()
    html = viewer.get(reverse("admin:index"), headers={"Accept-Language": "en"}).content.decode()
    assert "Leads that may have arrived" in html
    assert html.index("Leads that may have arrived") < html.index("desk-cards")
    assert viewer.get(reverse("admin:rules_incident_changelist")).status_code == 200


def test_the_first_page_of_an_empty_installation_says_where_to_begin(viewer: Client) -> None:
    html = viewer.get(reverse("admin:index"), headers={"Accept-Language": "en"}).content.decode()
    assert ("Nothing is set up yet" in html, "No incidents" in html) == (True, False)
