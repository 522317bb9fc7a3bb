"""What the run calls lost, doubled and stuck: its verdict must not be green by habit."""

from __future__ import annotations

from typing import Any

import pytest

from tests.torture.answers import clocks_of
from tests.torture.crowd import TEXTS, plan_posts
from tests.torture.marks import marks_of
from tests.torture.schedule import KINDS, plan_blows
from tests.torture.verdict import Books, Figures, Row

MARK = "qzabcdefgh234567xy"
ACCOUNTS = {"amocrm": ["1001"], "bitrix24": ["1002"], "envybox": ["1003"], "solos": ["1004"]}
CLEAN = Figures(300, 0, 300, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1.0, 1, 10.0, 0)


def row(answer: str = "torture-1", **values: Any) -> Row:
    """A delivered answer, except for what is given."""
    plain = {"customer": "1001", "pk": 1, "crm": "amocrm", "uid": MARK, "state": "delivered", "because": ""}
    return Row(**{**plain, "answer": answer, "error": "", "remedy": "", "attempts": 1, **values})


def snapshots(*rows: Row, leads: dict[str, int] | None = None, accepted: int = 1) -> Books:
    """``leads`` says how many leads carry a mark."""
    ledger = {mark: [{"id": n} for n in range(many)] for mark, many in (leads or {}).items()}
    taken = {("1001", f"torture-{number}") for number in range(1, accepted + 1)}
    return Books(list(rows), {"amocrm": ledger}, taken, [])


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


@pytest.mark.parametrize("what", ["lost", "doubled", "stuck", "strangers", "fields_doubled", "astray"])
def test_one_of_a_kind_breaks_the_promise(what):
    assert CLEAN.holds
    assert not Figures(**{**vars(CLEAN), what: 1}).holds


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
