"""Events are posted to the quiz platform, signed so that its own library believes them, at least once."""

from __future__ import annotations

import socket
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.events import endpoints, feed, sending
from accounts.events.models import Event, WebhookEndpoint, WebhookRetry
from rules import incidents
from rules.models import Incident
from tests.webhooks.conftest import happen, row, work

pytestmark = pytest.mark.django_db(transaction=True)
JSON = {"content_type": "application/json"}
ONE, TWO, THREE = "account.connected", "account.needs_reconnect", "account.recovered"


def shown(platform: Client) -> dict[str, Any]:
    answer = platform.get(f"/webhook-endpoints/{row().pk}")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def test_events_are_posted_signed_and_as_the_feed_has_them(endpoint, receiver, platform):
    happen(ONE)  # before anybody asked
    made = endpoint()
    happen(TWO, crm="amocrm", crmAccountID=7)
    happen(THREE, owner="clinic")
    work()

    assert sorted(receiver.types) == sorted([TWO, THREE])
    told = platform.get("/events", {"after": made["next"]}).json()["items"]
    assert sorted(receiver.got, key=lambda one: one["id"]) == told
    headers = receiver.headers[0]
    assert headers["webhook-id"] in {one["id"] for one in told}
    assert headers["content-type"] == "application/json"
    assert receiver.asked[0][1] == "/hooks?tenant=1"
    assert shown(platform)["lastSuccessAt"] is not None
    work()
    assert len(receiver.asked) == 2


def test_types_and_accounts_are_chosen(endpoint, receiver):
    endpoint(types=[TWO], accountID="shop")
    happen(ONE, TWO, TWO, THREE)
    happen(TWO, owner="clinic")
    work()
    assert [(one["type"], one["accountID"]) for one in receiver.got] == [(TWO, "shop")] * 2
    assert row().place == feed.newest()


def test_one_accounts_events_come_in_their_order(endpoint, receiver):
    endpoint()
    for number in range(70):
        happen(ONE, owner=f"q{number % 3}", number=number)
    work()
    for owner in ("q0", "q1", "q2"):
        mine = [one["data"]["number"] for one in receiver.got if one["accountID"] == owner]
        assert mine == sorted(mine)
    assert len(receiver.got) == 70


def test_a_secret_is_changed_without_losing_anything(endpoint, receiver, platform):
    old = endpoint()["secret"]
    answer = platform.post(f"/webhook-endpoints/{row().pk}/rotate-secret", {}, **JSON).json()
    new = answer["secret"]
    assert new.startswith("whsec_")
    assert new != old
    assert answer["formerSecretUntil"] is not None
    for known in (old, new):  # whichever the receiver has by now
        receiver.secrets[:] = [known]
        happen(ONE)
        work()
    assert len(receiver.got) == 2
    WebhookEndpoint.objects.update(former_until=timezone.now())
    receiver.secrets[:] = [old]
    happen(ONE)
    work()
    assert len(receiver.got) == 2
    receiver.secrets[:] = [new]
    platform.patch(f"/webhook-endpoints/{row().pk}", {}, **JSON)  # tried at once
    work()
    assert len(receiver.got) == 3
    platform.post(f"/webhook-endpoints/{row().pk}/rotate-secret", {"overlapHours": 0}, **JSON)
    happen(ONE)
    work()
    assert len(receiver.got) == 3
    secrets = {old, new}
    assert not [one for one in secrets if one in str(platform.get("/webhook-endpoints").content)]


# -- failures ------------------------------------------------------------------------------------------------


def test_a_server_that_is_down_gets_everything_in_order_once_it_is_back(endpoint, receiver, platform, later):
    endpoint()
    receiver.answers = lambda event: 503
    happen(*[ONE, TWO] * 30)
    work()
    assert len(receiver.asked) <= 2 * sending.FRUITLESS  # nobody hammers at it
    failing = shown(platform)
    assert failing["lastError"] == "The server answered 503"
    assert failing["failingSince"] is not None
    assert failing["nextTryAt"] is not None
    before = len(receiver.asked)
    work()
    assert len(receiver.asked) == before  # not before its time
    later(seconds=7)
    work()
    assert len(receiver.asked) == before + sending.PROBES
    receiver.answers = lambda event: 204
    later(minutes=2)
    work()
    assert receiver.types == [ONE, TWO] * 30
    assert not WebhookRetry.objects.exists()
    fine = shown(platform)
    assert (fine["failingSince"], fine["nextTryAt"], fine["lastError"]) == (None, None, "")


def test_one_bad_event_holds_back_no_other(endpoint, receiver, platform, later):
    endpoint()
    receiver.answers = lambda event: 500 if event["type"] == TWO else 200
    happen(ONE, TWO, ONE, ONE)
    work()
    assert receiver.types == [ONE] * 3
    assert shown(platform)["putAside"] == 1
    later(seconds=7)
    work()
    assert (WebhookRetry.objects.get().tries, row().failures) == (2, 0)
    happen(ONE)
    work()
    assert receiver.types == [ONE] * 4
    receiver.answers = lambda event: 200
    later(minutes=1)
    work()
    assert receiver.types == [ONE] * 4 + [TWO]
    assert shown(platform)["putAside"] == 0


def test_a_bad_event_in_front_holds_back_no_other(endpoint, receiver, later):
    """The endpoint looks as if it were down, until the next event is tried."""
    endpoint()
    receiver.answers = lambda event: 500 if event["type"] == TWO else 200
    happen(TWO)
    work()
    assert row().failures == 1
    happen(ONE)
    later(minutes=1)
    work()
    assert (receiver.types, row().failures) == ([ONE], 0)
    assert WebhookRetry.objects.count() == 1


def test_an_event_is_given_up_after_days(endpoint, receiver, later):
    endpoint()
    receiver.answers = lambda event: 500 if event["type"] == TWO else 200
    happen(ONE, TWO)
    work()
    for _ in range(12):
        later(hours=13)
        work()
    assert not WebhookRetry.objects.exists()
    assert row().enabled
    assert 8 < len(receiver.asked) < 14


def test_retry_after_is_obeyed(endpoint, receiver, later):
    endpoint()
    receiver.answers = lambda event: 429
    receiver.extra = {"Retry-After": "600"}
    happen(ONE)
    work()
    later(seconds=590)
    work()
    assert len(receiver.asked) == 1
    later(seconds=20)
    work()
    assert len(receiver.asked) == 2


def test_an_endpoint_that_fails_for_days_is_disabled_with_an_incident(
    endpoint, receiver, platform, caller, later
):
    made = endpoint()
    receiver.answers = lambda event: 500
    happen(ONE)
    work()
    assert incidents.look() == (0, 0)
    later(days=1, hours=1)
    assert incidents.look() == (1, 0)
    for _ in range(5):
        later(days=1)
        work()
    given_up = shown(platform)
    assert (given_up["enabled"], given_up["lastError"]) == (False, "The server answered 500")
    assert given_up["disabledAt"] is not None
    before = len(receiver.asked)
    later(days=1)
    work()
    assert len(receiver.asked) == before
    assert incidents.look() == (0, 0)
    incident = Incident.objects.get(solved_at=None)
    assert (incident.kind, incident.account, incident.endpoint.pk) == ("webhook", None, made["id"])

    receiver.answers = lambda event: 200
    assert platform.patch(f"/webhook-endpoints/{made['id']}", {"enabled": True}, **JSON).json()["enabled"]
    work()
    assert receiver.types.count(ONE) == 1  # nothing was missed; events of different accounts go side by side
    assert incidents.look() == (0, 1)
    events = platform.get("/events?types=incident.opened,incident.solved").json()["items"]
    assert [(one["accountID"], one["data"]["kind"], one["data"]["crm"]) for one in events] == [
        ("", "webhook", None)
    ] * 2
    assert caller("shop").get("/events?types=incident.opened").json()["items"] == []


def test_a_server_that_wants_no_more_is_believed(endpoint, receiver, platform):
    endpoint()
    receiver.answers = lambda event: 410
    happen(ONE)
    work()
    assert shown(platform)["disabledAt"] is not None
    assert incidents.look() == (1, 0)
    platform.delete(f"/webhook-endpoints/{row().pk}")
    assert incidents.look() == (0, 1)


def test_neither_a_redirect_nor_an_endless_answer_nor_silence_is_a_success(
    endpoint, receiver, monkeypatch, settings
):
    endpoint()
    receiver.extra, receiver.answers = {"Location": receiver.url}, lambda event: 307
    happen(ONE)
    work()
    assert (len(receiver.asked), row().error) == (1, "The server answered 307")
    receiver.extra, receiver.answers, receiver.body = {}, lambda event: 200, b"x" * (sending.MOST_ANSWER + 1)
    endpoints.change(row())
    work()
    assert (row().failures, row().error) == (1, "The server did not answer")
    receiver.body = b""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setattr(sending, "TIMEOUT", (0.2, 0.1))
        settings.SANDBOX_HOSTS |= {f"127.0.0.1:{silent.getsockname()[1]}"}
        endpoints.change(row(), url=f"http://127.0.0.1:{silent.getsockname()[1]}/")
        work()
    assert (row().failures, row().error) == (1, "The server did not answer")
    endpoints.change(row(), url=receiver.url)
    work()
    assert receiver.types[-1] == ONE


# -- replay --------------------------------------------------------------------------------------------------


def test_what_stands_behind_a_cursor_is_posted_again(endpoint, receiver, platform, settings):
    made = endpoint()
    happen(ONE)
    work()
    behind = shown(platform)["next"]
    happen(TWO, THREE)
    work()
    path = f"/webhook-endpoints/{made['id']}/replay"
    assert platform.post(path, {"after": behind}, **JSON).status_code == 202
    work()
    assert receiver.types == [ONE, TWO, THREE, TWO, THREE]
    assert [one["id"] for one in receiver.got[1:3]] == [one["id"] for one in receiver.got[3:]]
    platform.post(path, {"after": ""}, **JSON)
    work()
    assert receiver.types[5:] == [ONE, TWO, THREE]
    for body, status in (({}, 400), ({"after": "x"}, 400), ({"after": _beyond()}, 400)):
        assert platform.post(path, body, **JSON).status_code == status
    Event.objects.update(at=timezone.now() - timedelta(days=settings.EVENT_DAYS + 1))
    feed.purge()
    assert platform.post(path, {"after": made["next"]}, **JSON).status_code == 410


def _beyond() -> str:
    from accounts.rest.paging import cursor

    return cursor(feed.newest() + 1)


def test_a_replay_while_it_is_being_served_is_not_lost(endpoint, receiver):
    endpoint()
    happen(ONE)
    place = row().place
    replayed = threading.Event()

    def replay(event: dict[str, Any]) -> int:
        if not replayed.is_set():
            replayed.set()
            endpoints.replay(row(), place)
        return 200

    receiver.answers = replay
    work()
    assert receiver.types == [ONE, ONE] or receiver.types == [ONE]
    assert row().place == feed.newest()
    endpoints.replay(row(), endpoints.place_before(timezone.now() - timedelta(hours=1)))
    work()
    assert receiver.types[-1] == ONE


def test_one_worker_serves_an_endpoint_at_a_time(endpoint, receiver):
    endpoint()
    happen(ONE)
    feed.number()
    pk = row().pk

    def meanwhile(event: dict[str, Any]) -> int:
        receiver.secrets.append(str(sending._take(pk)))
        return 200

    receiver.answers = meanwhile
    assert sending.send(pk) == 1
    assert receiver.secrets[-1] == "None"
    assert row().lease_until is None
    WebhookEndpoint.objects.update(lease_until=timezone.now() + timedelta(minutes=1))
    happen(ONE)
    feed.number()
    assert (sending.due(), sending.send(pk)) == ([], 0)
    WebhookEndpoint.objects.update(lease_until=timezone.now() - timedelta(minutes=1))
    assert sending.send(pk) == 1  # whoever had it has died


# -- who, and where to ---------------------------------------------------------------------------------------


def test_endpoints_are_the_platforms_alone(endpoint, caller, platform):
    made = endpoint()
    one = f"/webhook-endpoints/{made['id']}"
    calls = [
        ("get", "/webhook-endpoints"), ("post", "/webhook-endpoints"), ("get", one), ("patch", one),
        ("delete", one), ("post", f"{one}/rotate-secret"), ("post", f"{one}/replay"),
    ]  # fmt: skip
    for method, path in calls:
        assert getattr(caller("shop"), method)(path, **JSON).status_code == 403, path
        assert getattr(Client(), method)(path, **JSON).status_code == 401, path
    other = one.replace(str(made["id"]), "987654")
    assert platform.get(other).json()["error"]["code"] == "not_found"
    assert platform.delete(one).status_code == 204
    assert [
        getattr(platform, method)(path, {"after": ""}, **JSON).status_code for method, path in calls[2:]
    ] == [404] * 5
    assert platform.get("/webhook-endpoints").json() == {"items": []}
    assert (row().secret, row().former_secret) == ("", "")


def test_a_name_that_leads_inside_is_not_connected_to(endpoint, monkeypatch, receiver):
    """Whatever the name said when the endpoint was saved."""
    endpoint(url="https://hooks.quiz.example/in")
    happen(ONE)
    feed.number()
    asked = []

    def connect(*args, **more):
        raise AssertionError("a connection was tried")

    monkeypatch.setattr("urllib3.util.connection.create_connection", connect)
    for inside in ("127.0.0.1", "10.1.2.3", "169.254.169.254", "::1"):
        family = socket.AF_INET6 if ":" in inside else socket.AF_INET

        def resolve(host, port, *rest, family=family, inside=inside, **more):
            asked.append(host)
            return [(family, socket.SOCK_STREAM, 6, "", (inside, port))]

        with monkeypatch.context() as names:
            names.setattr(socket, "getaddrinfo", resolve)
            names.setattr(connection, "close", lambda: None)  # it would be opened by name
            sending.send(row().pk)
        assert (row().failures, row().error) == (1, "The server did not answer")
        endpoints.change(row())
    assert asked == ["hooks.quiz.example"] * 4


def test_an_address_of_a_sandbox_is_not_posted_to_without_it(endpoint, receiver, settings):
    endpoint()
    happen(ONE)
    settings.SANDBOX_HOSTS = frozenset()
    work()
    assert receiver.asked == []
    assert "must begin with https://" in row().error


def test_a_change_leaves_the_rest_and_there_is_an_end_to_endpoints(endpoint, platform, monkeypatch, receiver):
    made = endpoint(types=[ONE], accountID="shop")
    one = f"/webhook-endpoints/{made['id']}"
    assert platform.patch(one, {"enabled": False}, **JSON).json()["types"] == [ONE]
    happen(ONE)
    work()
    assert receiver.asked == []
    platform.patch(one, {"enabled": True, "accountID": ""}, **JSON)
    work()
    assert receiver.types == [ONE]  # what happened meanwhile was kept
    assert platform.post(f"{one}/rotate-secret", {"overlapHours": 999}, **JSON).status_code == 400
    monkeypatch.setattr(endpoints, "MOST", 1)
    assert (
        platform.post("/webhook-endpoints", {"url": "https://quiz.example.com/"}, **JSON).status_code == 409
    )


def test_a_secret_that_no_key_opens_is_told(endpoint, platform, receiver, settings):
    endpoint()
    happen(ONE)
    settings.ENCRYPTION_KEYS = ["MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="]
    work()
    assert "none of our keys" in shown_error(platform)
    new = platform.post(f"/webhook-endpoints/{kept_pk()}/rotate-secret", {}, **JSON).json()["secret"]
    receiver.secrets[:] = [new]
    platform.patch(f"/webhook-endpoints/{kept_pk()}", {}, **JSON)
    work()
    assert receiver.types == [ONE]


def kept_pk() -> int:
    return WebhookEndpoint.objects.values_list("pk", flat=True).get()


def shown_error(platform: Client) -> str:
    return str(platform.get(f"/webhook-endpoints/{kept_pk()}").json()["lastError"])
