"""Who shares a request: as many commands as it holds, and no more than the portal does in good time."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from connectors.bitrix24.client import READ, WRITE, Speed
from connectors.draft import Placement, Receipt

ADD = "crm.contact.add"


@pytest.fixture
def requests(dentist):
    """What each request held since the portal was connected: ``{method: how often}``."""

    def read() -> list[Counter[str]]:
        bodies = [entry.json for entry in dentist.box.journal if entry.path == "/rest/batch"]
        return [Counter(cmd.partition("?")[0] for cmd in body["cmd"].values()) for body in bodies]

    return read


def quick(dentist, *methods: str) -> None:
    """The portal has said that it is quick."""
    for method in methods:
        dentist.connector.budget.note(method, {"duration": 0.05})


def test_a_portal_we_know_gets_full_requests_but_for_the_last(dentist, deliver, draft, requests):
    quick(dentist, "crm.deal.add", "crm.company.add", ADD)
    answers = [draft(company=f"Ромашка {n}" if n % 2 else "") for n in range(100)]
    outcomes = deliver(*answers)
    assert all(isinstance(outcome, Receipt) for outcome in outcomes)
    assert [receipt.uid for receipt in outcomes] == [answer.uid for answer in answers]
    sizes = [held.total() for held in requests()]
    # 100 people and 50 companies looked up, two a command; 50 + 100 + 100 made; how are phones compared?
    assert sizes == [50] * 6 + [2]


@pytest.mark.parametrize(("every", "known", "most"), [(2, 3, 44), (2, 0, 49), (0, 3, 35), (0, 0, 40)])
def test_what_is_under_way_at_a_time_fills_its_requests(
    dentist, deliver, draft, requests, every, known, most
):
    """At 2 requests/s these are 40.9 and 36.7 leads/s where every second has a company, 51.4 and 45 without:
    where a third of the people are known, or nobody is. Every second one has an e-mail."""
    dentist.add_person(phone="+79995556677")
    dentist.prepare()
    finding = ("crm.duplicate.findbycomm", "crm.contact.list", "crm.deal.list")
    quick(dentist, "crm.deal.add", "crm.company.add", ADD, *finding)
    place = Placement(performer=str(dentist.portal.admin.id), pipeline="0", step="NEW")
    answers = [
        draft(placement=place, company=f"Ромашка {n}" if every and n // 2 % every == 0 else "")
        for n in range(dentist.connector.can.batch * dentist.connector.can.parallel)
    ]
    for n, answer in enumerate(answers[1::2]):
        answers[2 * n + 1] = replace(answer, person=replace(answer.person, emails=(f"a{n}@mail.example",)))
    for answer in answers[::known] if known else ():
        dentist.add_person(phone=answer.person.phones[0])
    dentist.box.journal.clear()
    deliver(*answers)
    sizes = [held.total() for held in requests()]
    assert len(sizes) == most
    assert sum(sizes) >= 0.97 * 50 * most


def test_many_records_are_read_back_in_the_request_that_makes_them(dentist, deliver, draft, requests):
    """By their external ids; what an unknown step became is told of each."""
    quick(dentist, "crm.deal.add", ADD)
    place = Placement(performer=str(dentist.portal.admin.id), pipeline="0", step="NO_SUCH")
    receipts = deliver(*(draft(placement=place) for _ in range(25)))
    assert [receipt.placed for receipt in receipts] == [replace(place, step="NEW")] * 25
    last = requests()[-1]
    assert (last["crm.deal.add"], last["crm.deal.list"]) == (25, 1)


def test_a_record_that_is_made_alone_is_read_back_by_its_id(dentist, deliver, draft):
    (receipt,) = deliver(draft(placement=Placement(pipeline="0", step="NEW")))
    assert receipt.placed.step == "NEW"
    assert dentist.methods()[-2:] == ["crm.deal.add", "crm.deal.list"]


def test_a_portal_we_do_not_know_gets_25_writes_at_first(deliver, draft, requests):
    deliver(*(draft() for _ in range(60)))
    first = next(held for held in requests() if held[ADD])
    assert first[ADD] <= 25
    assert max(held[ADD] for held in requests()) > 25


def test_a_slow_portal_gets_short_requests(dentist, deliver, draft, requests):
    dentist.box.switches["costs"] = {ADD: 5.0}
    outcomes = deliver(*(draft() for _ in range(60)))
    assert all(isinstance(outcome, Receipt) for outcome in outcomes)
    made = [held[ADD] for held in requests() if held[ADD]]
    assert sum(made) == 60
    assert max(made[1:]) <= 5


def test_a_command_that_takes_too_long_for_any_request_goes_alone(dentist, deliver, draft):
    dentist.connector.budget.note(ADD, {"duration": 70.0})
    assert isinstance(deliver(draft())[0], Receipt)


def test_every_request_is_written_down_before_the_next(dentist, deliver, draft, journal):
    """With more drafts than a request holds, too."""
    deliver(*(draft() for _ in range(60)))
    made = [
        sum(step in steps for steps in entry.values() for step in ("contact", "lead"))
        for entry in journal.entries
    ]
    assert max(made) <= 50
    assert sum(made) == 120


def test_speed_is_an_average_that_forgets():
    speed = Speed()
    assert (speed.of("crm.deal.add"), speed.of("crm.deal.list")) == (WRITE, READ)
    speed.note("crm.deal.add", 0)
    assert speed.of("crm.deal.add") == WRITE
    speed.note("crm.deal.add", 0.2)
    assert speed.of("crm.deal.add") == pytest.approx(0.2)
    for _ in range(50):
        speed.note("crm.deal.add", 2.0)
    assert speed.of("crm.deal.add") == pytest.approx(2.0, rel=0.02)
