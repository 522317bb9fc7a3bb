"""Envybox's notices, and what is kept of how its answers look."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl

import pytest

from connectors.draft import Person
from connectors.envybox.connector import EnvyConnector


def posted(envy):
    """What the local Envybox posted, as forms."""
    sent = []
    envy.hooks.courier = lambda method, url, headers, body, timeout: sent.append(body) or 200
    envy.pump()
    return [dict(parse_qsl(body.decode())) for body in sent]


def test_a_new_lead_is_named_and_a_new_deal_is_reason_to_look_at_all(florist, envy, deliver, draft):
    florist.crm.webhook_url = "https://quiz.example/hooks/1"
    lead = deliver(draft()).journal["lead"]
    florist.take(lead)
    created, taken = posted(envy)
    assert EnvyConnector.read_hook(created).records == {lead}
    assert EnvyConnector.read_hook(taken).records is None


@pytest.mark.parametrize(
    ("form", "records"),
    [
        ({"event": "create_deal", "deal[id]": "7", "deal[connected_lead_id][0]": "5"}, {"5", "7"}),
        ({"event": "create_deal", "deal[id]": "7", "deal[lead_id]": "5"}, {"5", "7"}),
        ({"event": "create_lead", "lead[id]": " 5 "}, {"5"}),
        ({"event": "create_lead", "lead[id]": "5; drop"}, None),
        ({"event": "create_lead", "lead[id]": "٣"}, None),
        ({"event": "something new"}, None),
        ({}, None),
    ],
)
def test_any_notice_is_a_hint(form, records):
    assert EnvyConnector.read_hook(form).records == records


# -- how answers look ----------------------------------------------------------------------------------------


def learn(florist):
    florist.facts = {**florist.facts, **florist.connector.identify().facts}
    florist.facts = {**florist.facts, **florist.connector.prepare()}
    return florist.facts["shapes"]


@pytest.mark.parametrize("wrapper", ["", "result", "crm", "data"])
def test_the_forms_of_first_answers_are_kept(florist, envy, deliver, draft, wrapper):
    envy.switches.update(wrapper=wrapper, employees_key="managers")
    before = learn(florist)
    shown = before["main_data"][wrapper] if wrapper else before["main_data"]
    assert shown["managers"][0]["surname"] == "text"
    assert shown["deal"]["pipelines"][0]["stages"]["#"]["status_id"] == "number"
    assert set(before["fields"]) == {"1", "2", "3", "9"}
    assert set(before) == {"main_data", "fields"}

    florist.take(deliver(draft(person=Person("Анна Каренина", ("+79991112233",)))).journal["lead"])
    envy.switches.update(wrapper="", employees_key="employees")
    after = learn(florist)
    assert {name: after[name] for name in before} == before
    assert after["lead"]["values"]["service"]["phone"]["value"] == "digits"
    assert after["deal"]["stage_updated_at"] == "moment"


def test_forms_hold_no_key_and_nobodys_data(florist, deliver, draft):
    florist.take(deliver(draft(person=Person("Анна Каренина", ("+79991112233",)))).journal["lead"])
    shown = json.dumps(learn(florist), ensure_ascii=False)
    private = (florist.crm.key, "Каренина", "79991112233", "Смирнова", "example.ru")
    assert not any(text in shown for text in private)
    assert len(shown) < 20_000


def test_lists_that_are_refused_are_no_reason_to_fail(florist, envy):
    body = '{"status_code": 500, "message": "Неверный request"}'
    envy.faults.add("/list", status=500, body=body, content_type="application/json", times=None)
    assert set(learn(florist)) == {"main_data", "fields"}
