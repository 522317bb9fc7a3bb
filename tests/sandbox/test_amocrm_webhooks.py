"""Reference section 9, line 39: webhooks."""

from __future__ import annotations

from urllib.parse import parse_qs

import pytest

from connectors.sandbox.amocrm import AmoSandbox

MINUTE, HOUR = 60, 3600
HOOK = {"destination": "https://quiz.example/hooks/1", "settings": ["add_lead", "status_lead"]}


class Receiver:
    """The other end: answers what it is told and keeps what it got."""

    def __init__(self, amo: AmoSandbox) -> None:
        self.status, self.calls = 200, []
        amo.courier = self

    def __call__(self, method, url, headers, body, timeout):
        self.calls.append((method, url, headers, body, timeout))
        return self.status


@pytest.fixture
def receiver(amo):
    return Receiver(amo)


def test_39_a_subscription_is_made_once_and_can_be_cut(api, manager):
    made = api.post("/webhooks", HOOK)
    assert (made.status, made.value()["settings"]) == (201, HOOK["settings"])
    again = api.post("/webhooks", {**HOOK, "settings": ["add_lead"]})
    assert again.value()["id"] == made.value()["id"]
    assert api.get("/webhooks").value()["_total_items"] == 1
    assert manager.post("/webhooks", HOOK).status == 403
    assert [api.call("DELETE", "/webhooks", HOOK).status for _ in range(2)] == [204, 404]


def test_39_a_delivery_is_a_form_with_bracket_keys(amo, account, api, receiver):
    api.post("/webhooks", HOOK)
    number = api.add("leads", name="Квиз", _embedded={"tags": [{"name": "квиз"}]})
    assert amo.pump() == 1
    [(method, url, headers, body, timeout)] = receiver.calls
    assert (method, url, timeout) == ("POST", HOOK["destination"], 2.0)
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
    assert form["leads[add][0][id]"] == str(number)
    assert form["leads[add][0][tags][0][name]"] == "квиз"
    assert form["account[subdomain]"] == "demo7"
    assert form["account[_links][self]"] == "https://demo7.amocrm.ru"


def test_39_a_change_of_status_tells_the_old_one(amo, account, api, receiver):
    number = api.add("leads", name="Квиз")
    api.post("/webhooks", HOOK)
    api.patch(f"/leads/{number}", {"status_id": 142})
    amo.pump()
    form = parse_qs(receiver.calls[0][3].decode())
    assert form["leads[status][0][status_id]"] == ["142"]
    assert form["leads[status][0][old_status_id]"] == [str(account.main_pipeline.first.id)]


@pytest.mark.parametrize(
    ("status", "waits"),
    [
        (500, [5 * MINUTE, 15 * MINUTE, 15 * MINUTE, HOUR]),
        (499, [5 * MINUTE, 15 * MINUTE, 15 * MINUTE, HOUR]),
        (404, [5 * MINUTE, 15 * MINUTE]),
        (0, [5 * MINUTE, 15 * MINUTE]),
    ],
)
def test_39_the_retry_ladder_depends_on_the_class_of_the_code(amo, api, receiver, status, waits):
    receiver.status = status
    api.post("/webhooks", HOOK)
    api.add("leads", name="x")
    amo.pump()
    for tries, wait in enumerate(waits, start=1):
        amo.clock.advance(wait - 1)
        assert amo.pump() == 0
        amo.clock.advance(1)
        assert amo.pump() == 1
        assert len(receiver.calls) == tries + 1
    amo.clock.advance(24 * HOUR)
    assert amo.pump() == 0


def test_39_success_ends_the_ladder(amo, api, receiver):
    receiver.status = 503
    api.post("/webhooks", HOOK)
    api.add("leads", name="x")
    amo.pump()
    receiver.status = 204
    amo.clock.advance(5 * MINUTE)
    amo.pump()
    amo.clock.advance(24 * HOUR)
    assert amo.pump() == 0


def test_39_more_than_a_hundred_bad_replies_disable_the_hook(amo, account, api, receiver):
    receiver.status = 404
    api.post("/webhooks", HOOK)
    hook = account.hooks[HOOK["destination"]]
    for number in range(101):
        assert not hook.disabled
        api.add("leads", name=str(number))
        amo.pump()
    assert hook.disabled
    api.add("leads", name="unseen")
    assert amo.pump() == 0
    assert api.get("/webhooks").value()["_embedded"]["webhooks"][0]["disabled"]
