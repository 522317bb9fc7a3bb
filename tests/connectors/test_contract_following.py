"""What the interface promises of following, for every CRM that can be asked, against its sandbox."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import requests

from connectors.errors import ConnectorError, TryLater
from connectors.lead_status import ChangeNotice, LeadStatus
from tests.connectors.cast import followed
from tests.connectors.harness import Harness

UNKNOWN = "999999999"


@pytest.fixture
def crm(crm):
    if not crm.connector.can.follow:
        pytest.skip(f"{crm.kind} does not claim follow")
    return crm


@pytest.fixture
def delivered(crm, draft, journal):
    """So many leads, as the engine would ask about them."""

    def deliver(count=1):
        drafts = [draft() for _ in range(count)]
        size = crm.connector.can.batch
        parts = [drafts[start : start + size] for start in range(0, count, size)]
        receipts = [receipt for part in parts for receipt in crm.connector.deliver(part, journal)]
        for receipt in receipts:
            crm.take_up(receipt.journal["lead"])
        return [followed(receipt) for receipt in receipts]

    return deliver


def follow_one(crm: Harness, lead):
    (outcome,) = crm.connector.follow([lead])
    return outcome


def told(crm: Harness, status: str) -> str:
    """A status, where this CRM has any notion of it."""
    return "" if crm.connector.can.observes else status


def test_a_delivered_lead_is_open(crm, delivered):
    (lead,) = delivered()
    standing = follow_one(crm, lead)
    assert isinstance(standing, LeadStatus)
    assert (standing.status, standing.gone) == (told(crm, "open"), "")
    assert standing.record
    assert standing.record_id


@pytest.mark.parametrize("status", ["won", "lost"])
def test_a_lead_that_was_moved_is_told(crm, delivered, status):
    (lead,) = delivered()
    before = follow_one(crm, lead)
    crm.move(lead.remote_id, status)
    after = follow_one(crm, lead)
    assert after.status == told(crm, status)
    assert after.step != before.step


def test_a_deleted_lead_is_gone(crm, delivered):
    (lead,) = delivered()
    crm.erase(lead.remote_id)
    assert follow_one(crm, lead).gone


def test_moments_are_aware_and_a_link_opens(crm, delivered):
    (lead,) = delivered()
    standing = follow_one(crm, lead)
    assert standing.changed_at is None or standing.changed_at.tzinfo
    assert standing.link.startswith("http") or not standing.link


def test_outcomes_stand_in_the_order_of_the_leads(crm, delivered):
    leads = delivered(min(crm.connector.can.follow, 4))
    crm.move(leads[-1].remote_id, "won")
    first = crm.connector.follow(leads)
    turned = crm.connector.follow(leads[::-1])
    assert [one.record_id for one in turned] == [one.record_id for one in first][::-1]
    assert first[-1].status == told(crm, "won")
    assert len({one.record_id for one in first}) == len(leads)


@pytest.mark.parametrize("remote_id", [UNKNOWN, "", "not an id", "0", "1;2"])
def test_one_bad_lead_costs_no_other(crm, delivered, remote_id):
    (lead,) = delivered()
    bad = replace(lead, uid="qz-nobody", remote_id=remote_id, journal={}, people=())
    together = [[bad, lead], [lead, bad]] if crm.connector.can.follow > 1 else [[bad], [lead]]
    outcomes = [one for leads in together for one in crm.connector.follow(leads)]
    found = [one.status for one in outcomes if isinstance(one, LeadStatus) and not one.gone]
    assert found == [told(crm, "open")] * (len(outcomes) // 2)


def test_the_same_lead_twice_is_told_twice(crm, delivered):
    (lead,) = delivered()
    if crm.connector.can.follow > 1:
        one, other = crm.connector.follow([lead, lead])
        assert one == other


def test_no_leads_are_no_work(crm):
    crm.box.journal.clear()
    assert crm.connector.follow([]) == []
    assert len(crm.box.journal) == 0


def test_following_only_reads(crm, delivered):
    leads = delivered(min(crm.connector.can.follow, 3))
    crm.erase(leads[0].remote_id)
    before = copy.deepcopy(crm.leads())
    crm.box.journal.clear()
    crm.connector.follow(leads)
    assert crm.leads() == before
    assert len(crm.box.journal) > 0
    assert [entry.path for entry in crm.box.journal if not crm.is_read(entry)] == []


# -- when it breaks ---------------------------------------------------------------------------------------


def test_a_crm_that_can_not_be_reached_gives_errors(crm, delivered, monkeypatch):
    leads = delivered(min(crm.connector.can.follow, 2))

    def unreachable(*args: object, **kwargs: object) -> None:
        raise requests.ConnectTimeout

    monkeypatch.setattr("connectors.http.SESSION.get_adapter", unreachable)
    outcomes = crm.connector.follow(leads)
    assert len(outcomes) == len(leads)
    assert all(isinstance(one, TryLater) and one.account_wide for one in outcomes)


@pytest.mark.parametrize(
    "fault", [{"status": 500}, {"status": 502}, {"action": "truncate"}, {"action": "reset"}], ids=str
)
def test_a_crm_in_pieces_never_loses_a_lead(crm, delivered, fault):
    """No failure may pass for a deletion."""
    leads = delivered(min(crm.connector.can.follow, 2))
    crm.box.faults.add("/", times=None, **fault)
    outcomes = crm.connector.follow(leads)
    assert [isinstance(one, ConnectorError) for one in outcomes] == [True] * len(leads)


def test_a_rejected_token_passes_for_no_deletion(crm, delivered):
    (lead,) = delivered()
    crm.revoke()
    error = follow_one(crm, lead)
    assert isinstance(error, ConnectorError)
    assert error.account_wide


def test_nothing_secret_is_seen_in_following(crm, delivered, caplog):
    caplog.set_level("DEBUG", "connectors")
    (lead,) = delivered()
    secrets = crm.secrets()
    shown = [repr(follow_one(crm, lead))]
    crm.revoke()
    error = follow_one(crm, lead)
    shown += [repr((error, vars(error))), str(error), *map(repr, map(vars, caplog.records))]
    assert not any(secret in text for secret in secrets for text in shown)


# -- notices ----------------------------------------------------------------------------------------------

NONSENSE = {
    "empty": {},
    "foreign": {"a": "b", "leads": "1", "data": "[]", "event": "ONNOTHING", "account": "1"},
    "broken": {"leads[": "1", "]": "", "": "", "leads[[[]]]": "x", "data[FIELDS]": "7", "auth[": "1"},
    "bytes": {"\x00\ud800": "\ud800\x00", "account[id]": "\ud800", "auth[member_id]": "\x00"},
    "long": {"x" * 100_000: "y" * 100_000, "account[id]": "9" * 100_000, "auth[member_id]": "m" * 100_000},
}


@pytest.mark.parametrize("form", NONSENSE.values(), ids=NONSENSE)
def test_a_notice_that_makes_no_sense_is_read_all_the_same(crm, form):
    hint = crm.connector.read_hook(form)
    assert isinstance(hint, ChangeNotice)
    assert not hint.records
    assert len(hint.remote_id) + len(hint.secret) < 1000


def test_hooks_are_subscribed_exactly_where_they_are_claimed(crm):
    if crm.connector.can.hooks:
        for _ in range(2):
            crm.connector.subscribe("https://quiz.example/hooks/1")
        crm.connector.unsubscribe("https://quiz.example/hooks/1")
        return
    for ask in (crm.connector.subscribe, crm.connector.unsubscribe):
        with pytest.raises(NotImplementedError):
            ask("https://quiz.example/hooks/1")
