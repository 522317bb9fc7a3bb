"""Which project became of a lead: by what it tells, by external id, by a contact of one project, or none."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from connectors.draft import Person
from connectors.errors import TryLater
from connectors.lead_status import BY_HAND
from connectors.solos.matching import contacts_in, contacts_of
from tests.connectors.cast import NOW, followed

ANNA = Person("Анна", ("+79991112233",), ("anna@b.ru",))
MARKED, BARE = {"carry_mark": True}, {"carry_mark": False}


@pytest.fixture
def lead(deliver, draft):
    return followed(deliver(draft(person=ANNA)), people=ANNA.keys)


def look(keeper, *leads):
    outcomes = keeper.connector.follow(leads)
    return outcomes[0] if len(leads) == 1 else outcomes


def found(keeper, lead):
    """(project, how) or None."""
    standing = look(keeper, lead)
    return standing and (int(standing.record_id), standing.matched)


def project(keeper, **values):
    """Somebody makes a project without any lead."""
    return int(keeper.act("add_project", **values)["id"])


# -- the mark ------------------------------------------------------------------------------------------------


def test_a_lead_that_nobody_took_up_is_not_found_yet(keeper, lead):
    assert look(keeper, lead) is None


def test_by_the_mark_in_a_project(keeper, lead):
    made = keeper.convert(lead.remote_id, **MARKED)
    assert found(keeper, replace(lead, people=())) == (made, "mark")


def test_by_the_mark_in_an_event(keeper, lead):
    made = keeper.convert(lead.remote_id, **BARE)
    keeper.act("add_action", project_id=made, comment=f"Из заявки [{lead.uid}]")
    assert found(keeper, replace(lead, people=())) == (made, "mark")


def test_a_mark_within_a_mark_is_none(keeper, lead):
    project(keeper, comment=f"[{lead.uid}0]")
    assert look(keeper, lead) is None


def test_of_two_with_the_mark_the_first_is_meant(keeper, lead):
    made = keeper.convert(lead.remote_id, **MARKED)
    project(keeper, comment=f"Повторно [{lead.uid}]")
    assert found(keeper, lead) == (made, "mark")


def test_the_mark_counts_whenever_the_project_was_made(keeper, lead):
    made = project(keeper, comment=f"[{lead.uid}]", created=f"{NOW - timedelta(days=1):%Y-%m-%d}")
    assert found(keeper, lead) == (made, "mark")


def test_a_project_that_was_deleted_before_anybody_looked(keeper, lead):
    made = keeper.convert(lead.remote_id, **MARKED)
    keeper.act("delete", project_id=made)
    standing = look(keeper, lead)
    assert (int(standing.record_id), standing.gone, standing.matched) == (made, "deleted", "mark")


# -- what a lead itself tells --------------------------------------------------------------------------------


@pytest.mark.parametrize("readable", [True, False])
def test_by_the_lead_where_leads_are_shown(keeper, lead, readable):
    keeper.box.switches["leads_readable"] = True
    keeper.choose(probe_leads=True)
    keeper.learn()
    made = keeper.convert(lead.remote_id, **BARE)
    keeper.account.projects[made].data["phone"] = None
    keeper.box.switches["leads_readable"] = readable
    assert found(keeper, lead) == ((made, "lead") if readable else None)


def test_a_link_by_hand_counts_before_all(keeper, lead):
    keeper.convert(lead.remote_id, **MARKED)
    other = project(keeper)
    linked = replace(lead, record="project", record_id=str(other), matched=BY_HAND)
    assert found(keeper, linked) == (other, BY_HAND)
    assert found(keeper, replace(linked, record="")) == (other, BY_HAND)


def test_what_was_found_is_not_looked_for_again(keeper, lead):
    first = keeper.convert(lead.remote_id)
    keeper.box.journal.clear()
    look(keeper, replace(lead, record="project", record_id=str(first), matched="mark"))
    assert keeper.box.journal.find(path="/projects/filter") == []


# -- phone and e-mail ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        "+7 (999) 111-22-33",
        "89991112233",
        "9991112233",
        "7.999.111.22.33",
        "+7 999 000-00-00; 8 999 111 22 33",
    ],
)
def test_by_a_phone_however_it_is_written(keeper, lead, value):
    made = project(keeper, phone=value)
    assert found(keeper, lead) == (made, "contact")


def test_by_an_email_in_whatever_field(keeper, lead):
    made = project(keeper, comment=" Anna@B.ru ")
    assert found(keeper, lead) == (made, "contact")


@pytest.mark.parametrize("value", ["+7 999 111-22-3", "89991112234", "тел. 89991112233 вечером", None])
def test_what_is_not_equal_is_somebody_elses(keeper, lead, value):
    project(keeper, phone=value)
    assert look(keeper, lead) is None


def test_two_projects_of_the_person_are_one_too_many(keeper, lead):
    project(keeper, phone="89991112233")
    project(keeper, phone="+79991112233")
    assert look(keeper, lead) is None


def test_the_rules_person_decides_between_two(keeper, lead):
    made = project(keeper, phone="89991112233", user_id=3)
    project(keeper, phone="89991112233", user_id=2)
    assert found(keeper, replace(lead, performer="3")) == (made, "contact")
    assert look(keeper, replace(lead, performer="7")) is None


def test_a_project_that_was_handed_over_is_the_same(keeper, lead):
    made = project(keeper, phone="89991112233", user_id=3)
    assert found(keeper, replace(lead, performer="2")) == (made, "contact")


def test_another_funnel_is_another_matter(keeper, lead):
    made = project(keeper, phone="89991112233", step_id=31)
    assert look(keeper, replace(lead, pipeline="1")) is None
    assert found(keeper, replace(lead, pipeline="3")) == (made, "contact")


@pytest.mark.parametrize(("days", "fits"), [(-1, False), (0, True), (30, True), (31, False)])
def test_only_projects_of_the_month_after_the_lead(keeper, lead, days, fits):
    made = project(keeper, phone="89991112233", created=f"{NOW + timedelta(days=days):%Y-%m-%d %H:%M:%S}")
    assert found(keeper, lead) == ((made, "contact") if fits else None)


def test_a_project_with_another_answers_mark_is_that_ones(keeper, lead, deliver, draft):
    other = followed(deliver(draft(person=ANNA)), people=ANNA.keys)
    made = keeper.convert(other.remote_id, **MARKED)
    first, second = look(keeper, lead, other)
    assert first is None
    assert (int(second.record_id), second.matched) == (made, "mark")


def test_with_more_projects_than_we_look_at_nothing_is_unique(keeper, lead):
    project(keeper, phone="89991112233")
    keeper.choose(walk_limit=1)
    assert look(keeper, lead) is None


def test_contacts_of_a_row():
    row = {"id": 5, "a": [{"phone": 79991112233}], "b": {"mail": "A@B.RU"}, "c": "2026-01-01", "d": True}
    assert contacts_in(row) == {"+79991112233", "a@b.ru"}
    assert contacts_of(("phone:+79991112233", "email:a@b.ru", "odd")) == contacts_in(row)


# -- one walk, and when it fails -----------------------------------------------------------------------------


def test_one_walk_finds_all(keeper, deliver, draft):
    leads = [followed(deliver(draft())) for _ in range(5)]
    made = [keeper.convert(lead.remote_id) for lead in leads]
    keeper.box.journal.clear()
    assert [int(one.record_id) for one in look(keeper, *leads)] == made
    assert len(keeper.box.journal.find(path="/projects/filter")) == 1


@pytest.mark.parametrize("answer", [{"status": 400}, {"status": 404}, {"status": 403}])
def test_where_the_filter_is_closed_all_projects_are_walked(keeper, lead, answer):
    made = keeper.convert(lead.remote_id, **BARE)
    keeper.box.faults.add("/projects/filter", times=None, **answer)
    assert found(keeper, lead) == (made, "contact")


def test_where_events_are_closed_the_rest_goes_on(keeper, lead):
    made = keeper.convert(lead.remote_id, **BARE)
    keeper.box.faults.add("/projects/actions", times=None, status=403)
    assert found(keeper, lead) == (made, "contact")


def test_a_walk_that_fails_leaves_those_alone_that_are_known(keeper, lead, deliver, draft, monkeypatch):
    other = followed(deliver(draft()))
    made = keeper.convert(other.remote_id)
    known = replace(other, record="project", record_id=str(made))
    monkeypatch.setattr("connectors.solos.matching.all_text", lambda row: 1 / 0)
    first, second = look(keeper, lead, known)
    assert isinstance(first, TryLater)
    assert (first.code, int(second.record_id)) == ("unexpected", made)


def test_a_project_whose_event_has_another_answers_mark_is_that_ones(keeper, lead, deliver, draft):
    other = followed(deliver(draft(person=ANNA)), people=ANNA.keys)
    made = keeper.convert(lead.remote_id, **BARE)
    keeper.act("add_action", project_id=made, comment=f"Из заявки [{lead.uid}]")
    first, second = look(keeper, lead, other)
    assert (int(first.record_id), first.matched, second) == (made, "mark", None)
    assert look(keeper, other) is None
