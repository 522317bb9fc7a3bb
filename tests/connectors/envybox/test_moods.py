"""What nobody could confirm of Envybox may be either way: a deal arrives all the same, once."""

from __future__ import annotations

import pytest

from connectors.draft import Person, Receipt
from connectors.errors import NeedsReconnect, Unclear
from tests.connectors.cast import again

MOODS = [
    {"statuses": "always_200"},
    {"ids": "strings"},
    {"ids": "numbers"},
    {"zone": "Moscow"},
    {"wrapper": "result", "employees_key": "managers"},
    {"values_answer": "envelope", "deal_log": "root"},
    {"codes": {"WRONG_KEY": 200 + 203, "SAME_STAGE": 500, "NO_MANUAL": 500}},
    {"keyword_comment": False},
    {"merge_comment": "parent"},
    {"merge_comment": "log"},
    {"auto_intake": 0.000001},
    {"old_prefix": False, "lead_stage_id": False},
]


@pytest.fixture(params=MOODS, ids=lambda mood: ",".join(f"{key}={value}" for key, value in mood.items()))
def moody(request, florist, envy):
    envy.switches.update(request.param)
    return florist


@pytest.fixture
def answer(moody, draft):
    values = (moody.value("Бюджет", "5", "deal"), moody.value("Город", "Тула", "client"))
    return draft(placement=moody.place(), values=values)


def test_a_deal_arrives(moody, answer, deliver):
    receipt = deliver(answer)
    assert isinstance(receipt, Receipt)
    [lead] = moody.leads
    assert (lead["pipeline"], lead["step"], lead["fields"]) == ("Квизы", "Дозвон", {"Бюджет": 5})
    assert (receipt.losses, receipt.problems) == ((), ())


@pytest.mark.parametrize("path", ["/lead/set", "/lead/start", "/updateDealStage", "/updateDealValue"])
def test_a_lost_reply_anywhere_doubles_nothing(moody, envy, answer, journal, path):
    envy.faults.add(path, "truncate")
    (outcome,) = moody.connector.deliver([answer], journal)
    if not isinstance(outcome, Receipt):
        doubtful = isinstance(outcome, Unclear)  # what may be set twice is simply tried later
        assert doubtful == (path != "/updateDealValue")
        (outcome,) = moody.connector.deliver([again(answer, journal, look_first=doubtful)], journal)
    assert isinstance(outcome, Receipt)
    assert (len(moody.leads), len(moody.deals())) == (1, 1)
    assert (moody.leads[0]["step"], moody.leads[0]["fields"]) == ("Дозвон", {"Бюджет": 5})


def test_somebody_comes_back(moody, draft, deliver):
    anna = Person("Анна", ("+79991112233",))
    first = deliver(draft(person=anna, note="Первый", placement=moody.place()))
    second = deliver(draft(person=anna, note="Второй", placement=moody.place()))
    assert first.journal["contact"] == second.journal["contact"]
    assert len(moody.deals()) == 2


def test_a_wrong_key_is_a_wrong_key(moody, envy, draft, deliver):
    envy.revoke(moody.crm)
    assert isinstance(deliver(draft()), NeedsReconnect)
