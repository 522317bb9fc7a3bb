"""What the run calls lost, doubled and stuck: its verdict must not be green by habit."""

from __future__ import annotations

from dataclasses import fields, replace
from types import SimpleNamespace
from typing import Any

import pytest

from tests.torture.answers import clocks_of
from tests.torture.crowd import TEXTS, plan_posts
from tests.torture.marks import Ledger, ledger_of, marks_of
from tests.torture.schedule import KINDS, plan_blows
from tests.torture.thinking import ABLE, LINK, NOTE, NOTE_AND_TASK, ON_REPEAT
from tests.torture.verdict import BREAKING, NAMES, Books, Figures, Row

MARK = "qzabcdefgh234567xy"
AGAIN = "qzabcdefgh234567ya"
ACCOUNTS = {"amocrm": ["1001"], "bitrix24": ["1002"], "envybox": ["1003"], "solos": ["1004"]}
CLEAN = Figures(**{one.name: 0 for one in fields(Figures)} | {"accepted": 300, "leads": 300})


def row(answer: str = "torture-1", **values: Any) -> Row:
    """A delivered answer, except for what is given."""
    plain = {"customer": "1001", "pk": 1, "crm": "amocrm", "uid": MARK, "state": "delivered", "because": ""}
    plain |= {"error": "", "remedy": "", "attempts": 1, "task_given_up": False}
    return Row(**{**plain, "answer": answer, "accepted_at": 100.0, "delivered_at": 101.0, **values})


def snapshots(*rows: Row, leads: dict[str, int] | None = None, accepted: int = 1) -> Books:
    """``leads`` says how many leads carry a mark."""
    ledger = {mark: [{"id": n} for n in range(many)] for mark, many in (leads or {}).items()}
    taken = {("1001", f"torture-{number}") for number in range(1, accepted + 1)}
    return Books(list(rows), {"amocrm": Ledger(ledger)}, taken, [])


def test_one_lead_an_answer_is_as_it_should_be():
    found = snapshots(row(), leads={MARK: 1})
    assert (found.lost(), found.doubled(), found.stuck(), found.strangers()) == ([], [], [], [])


def test_delivered_without_a_lead_is_lost():
    assert snapshots(row(), leads={}).lost() == [("1001", "torture-1")]


def test_acknowledged_and_forgotten_is_lost():
    assert snapshots(row(), leads={MARK: 1}, accepted=2).lost() == [("1001", "torture-2")]


def test_stored_without_a_delivery_is_lost_and_stuck():
    found = snapshots(row(uid="", pk=0, state="waiting"), leads={})
    assert found.lost()
    assert found.stuck()


def test_a_second_lead_is_doubled():
    assert [one.pk for one in snapshots(row(), leads={MARK: 3}).doubled()] == [1, 1]


def test_a_lead_of_no_delivery_is_a_stranger():
    assert snapshots(row(), leads={MARK: 1, "qzother": 1}).strangers() == ["qzother"]


@pytest.mark.parametrize("state", ["waiting", "sending"])
def test_what_is_not_done_at_the_end_is_stuck(state):
    assert snapshots(row(state=state), leads={MARK: 1}).stuck()


def test_held_is_stuck_unless_it_says_why_and_what_to_do():
    held = row(state="held", because="refused", error="No.")
    assert snapshots(held).stuck()
    assert snapshots(held).lost()
    followed = row(state="held", because="reconnect", error="No.", remedy="Connect the account again.")
    assert snapshots(followed).stuck()
    told = row(state="held", because="refused", error="No.", remedy="Change the rule.")
    assert (snapshots(told).stuck(), snapshots(told).lost()) == ([], [])
    assert snapshots(told).held() == [told]


@pytest.mark.parametrize("what", BREAKING)
def test_one_of_a_kind_breaks_the_promise(what):
    assert CLEAN.holds
    assert not replace(CLEAN, **{what: 1}).holds


def test_every_figure_has_a_name():
    assert list(NAMES) == [one.name for one in fields(Figures)]


# -- people who answer again ---------------------------------------------------------------------------------


class Twice:
    """Anna made a lead, and answered again when that was settled; ``rows`` are the leads of the CRM."""

    def __init__(self, crm: str, **extra: Any) -> None:
        self.crm = crm
        self.first = row("torture-1", uid=MARK, crm=crm)
        self.second = row("torture-2", uid=AGAIN, crm=crm, pk=2, accepted_at=102.0, delivered_at=103.0)
        self.extra = extra or {**ABLE[crm], **NOTE}
        self.rows = [self.lead(1, MARK)]
        self.say(AGAIN)
        self.task(MARK)

    def lead(self, number: int, mark: str) -> dict[str, Any]:
        """As each local CRM shows it, its own note included."""
        plain = {
            "id": number,
            "account_id": 7,
            "kind": "lead",
            "pipeline_id": 70,
            "name": "Анна",
            "tasks": [],
        }
        if self.crm == "envybox":
            return {**plain, "deal_id": 50, "notes": [f"Площадь: 54\n{mark}"]}
        at = {"fields": {"Метка": mark}} if self.crm == "amocrm" else {"origin": ["quiz", mark]}
        return {**plain, **at, "notes": [f"Площадь: 54\n\n[{mark}]"] if self.crm == "amocrm" else []}

    def say(self, mark: str, at: int = 0) -> None:
        """A note of an answer that joins the lead."""
        end = f"\n{mark}j1c1" if self.crm == "envybox" else f"\n\n[{mark}]"
        self.rows[at]["notes"].append(f"Ответил снова\n\nПлощадь: 60{end}")

    def task(self, mark: str) -> None:
        end = f"{mark}t" if self.crm == "envybox" else f"[{mark}/task]"
        self.rows[0]["tasks"].append({"text": f"Позвонить\n\n{end}"})

    @property
    def books(self) -> Books:
        rows = [self.first, self.second]
        customer = SimpleNamespace(extra=self.extra, joins="Repeated" in self.extra)
        phones = {one.key: "+79990000001" for one in rows}
        ledgers = {self.crm: ledger_of(self.crm, self.rows)}
        return Books(rows, ledgers, {one.key for one in rows}, [], {"1001": customer}, phones)

    @property
    def found(self) -> dict[str, int]:
        """What breaks the promise."""
        books = self.books
        names = ("lost", "doubled", "strangers", "astray_notes", "passed_by", "notes_doubled", "tasks_wrong")
        return {name: len(rows) for name in names if (rows := getattr(books, name)())}


@pytest.fixture(params=["amocrm", "bitrix24", "envybox"])
def twice(request: pytest.FixtureRequest) -> Twice:
    return Twice(request.param)


def test_an_answer_that_stands_once_on_its_persons_lead_is_as_it_should_be(twice):
    books = twice.books
    assert twice.found == {}
    assert [len(books.joined(one)) for one in books.rows] == [0, 1]


def test_a_note_that_was_written_twice_is_doubled(twice):
    twice.say(AGAIN)
    assert twice.found == {"notes_doubled": 1}


def test_a_join_whose_note_is_not_there_is_lost(twice):
    twice.rows[0]["notes"].pop()
    assert twice.found == {"lost": 1}


def test_an_answer_on_two_leads_is_doubled(twice):
    twice.rows.append({**twice.lead(2, "qzabcdefgh234567zz"), "deal_id": 51})
    twice.say(AGAIN, at=1)
    found = twice.found
    assert found.pop("strangers") == 1  # the other lead's own mark
    assert found == {"doubled": 1, "notes_doubled": 1, "astray_notes": 1}


def test_an_answer_that_joined_a_lead_and_made_one_is_doubled(twice):
    twice.rows.append({**twice.lead(2, AGAIN), "deal_id": 51})
    assert twice.found.items() >= {"doubled": 1, "passed_by": 1}.items()


def test_a_lead_made_beside_a_settled_one_of_the_person_is_told(twice):
    twice.rows[0]["notes"].pop()
    twice.rows.append({**twice.lead(2, AGAIN), "deal_id": 51})
    twice.task(AGAIN)
    assert twice.found == {"passed_by": 1}
    twice.second = replace(twice.second, accepted_at=100.5)  # both were on their way
    assert twice.found == {}
    twice.second = replace(twice.second, accepted_at=102.0)
    twice.rows[1]["pipeline_id"] = 71  # the open one is not where its rule would look
    assert twice.found == {}
    twice.rows[1]["pipeline_id"], twice.extra = 70, ABLE[twice.crm]  # its rule wants it
    assert twice.found == {}


def test_a_note_on_somebody_elses_lead_is_astray(twice):
    twice.first = replace(twice.first, customer="1002")
    assert twice.found["astray_notes"] == 1


def test_united_leads_show_the_notes_of_their_deal_once():
    twice = Twice("envybox")
    twice.rows.append({**twice.lead(2, "qzabcdefgh234567zz"), "notes": ["Площадь: 54\nqzabcdefgh234567zz"]})
    twice.say(AGAIN, at=1)
    twice.rows[1]["tasks"] = twice.rows[0]["tasks"]
    assert twice.found == {"strangers": 1}


def test_a_note_in_several_parts_is_one_answer(twice):
    end = f"\n{AGAIN}j1c2" if twice.crm == "envybox" else f"\n\n[{AGAIN}/2]"
    twice.rows[0]["notes"].append(f"Дальше{end}")
    assert twice.found == {}


def test_a_task_is_there_once_or_its_absence_is_told(twice):
    twice.rows[0]["tasks"].clear()
    assert twice.found == {"tasks_wrong": 1}
    twice.first = replace(twice.first, task_given_up=True)
    assert twice.found == {}
    twice.task(MARK)
    twice.task(MARK)
    assert twice.found == {"tasks_wrong": 1}


def test_an_answer_that_joined_has_a_task_where_the_rule_says_so(twice):
    twice.task(AGAIN)
    assert twice.found == {"tasks_wrong": 1}
    twice.extra = {**ABLE[twice.crm], **NOTE_AND_TASK}
    assert twice.found == {}
    twice.extra = {**ABLE[twice.crm], **LINK}
    assert twice.found == {"tasks_wrong": 1}


def test_some_customers_have_it_each_way_and_some_do_not():
    assert {str(one) for one in ON_REPEAT} == {str(one) for one in ({}, NOTE, NOTE_AND_TASK, LINK)}


def test_people_come_back_where_they_join_a_lead():
    posts = plan_posts(1000, ["1001", "1002"], 60, 1, returning=["1001"])
    phones = {post.key: post.body["contact"]["phone"] for post in posts}
    mine, others = ([phone for key, phone in phones.items() if key[0] == one] for one in ("1001", "1002"))
    assert len(phones) == 1000
    assert len(mine) - len(set(mine)) > len(mine) / 5
    assert len(others) - len(set(others)) < len(others) / 10


def test_a_mark_is_found_wherever_a_crm_keeps_it():
    assert marks_of({"fields": {"Метка": MARK}}) == {MARK}
    assert marks_of({"origin": ["quiz", MARK]}) == {MARK}
    assert marks_of({"notes": [f"Ответы\n\n{MARK}", "qzxxxxxxxxxxxxxxxx of a united lead"]}) == {MARK}
    assert marks_of({"notes": [f"{MARK}n"]}) == set()


def test_a_seed_says_what_happens_when():
    assert plan_blows(ACCOUNTS, 120, 7) == plan_blows(ACCOUNTS, 120, 7) != plan_blows(ACCOUNTS, 120, 8)
    assert plan_posts(50, ["1001"], 10, 7) == plan_posts(50, ["1001"], 10, 7)


def test_everything_happens_at_least_once_in_a_round():
    blows = plan_blows(ACCOUNTS, 120, 7)
    assert {blow.what for blow in blows if blow.at < 60} == set(KINDS)
    assert len(blows) == 2 * len(KINDS)


def test_one_tenant_floods_and_some_texts_are_hostile():
    posts = plan_posts(1000, ["1001", "1002", "1003"], 600, 1)
    flood = [post for post in posts if 300 <= post.at <= 301]
    assert sum(post.account == "1001" for post in flood) >= 100
    hostile = [post for post in posts if any(text in str(post.body["answers"]) for text in TEXTS[4:5])]
    longest = max(len(str(post.body["answers"])) for post in posts)
    assert hostile
    assert longest > 20_000


def test_clocks_are_apart_by_more_than_a_lease():
    assert clocks_of(2) == {"worker2": -31.0}
    assert clocks_of(4) == {"worker4": -31.0, "worker1": 31.0}


def test_some_people_answer_twice_and_some_clicks_are_double():
    posts = plan_posts(1000, ["1001", "1002"], 60, 1)
    assert len({post.key for post in posts}) == 1000 < len(posts)
    phones = [post.body["contact"]["phone"] for post in {post.key: post for post in posts}.values()]
    assert 20 < len(phones) - len(set(phones)) < 80
