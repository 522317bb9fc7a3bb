"""What the interface promises of an account and its lists, for every CRM of the registry."""

from __future__ import annotations

import json

import pytest

from connectors.base import FieldWish
from connectors.errors import NeedsReconnect
from connectors.registry import options_class
from connectors.rows import FieldRow, PipelineRow, StepRow, TagRow, UserRow

ROWS = {"users": UserRow, "pipelines": PipelineRow, "steps": StepRow, "fields": FieldRow, "tags": TagRow}


# -- who it is ----------------------------------------------------------------------------------------------


def test_an_account_says_who_it_is(crm):
    identity = crm.connector.identify()
    assert identity.remote_id
    assert identity.host
    assert json.loads(json.dumps(dict(identity.facts))) == dict(identity.facts)


def test_preparing_twice_gives_the_same_facts(crm):
    facts = crm.connector.prepare()
    assert crm.connector.prepare() == facts
    assert json.loads(json.dumps(dict(facts))) == dict(facts)


def test_a_healthy_account_has_no_problems(crm):
    assert crm.connector.check() == ()


def test_a_consent_page_exists_exactly_when_it_is_claimed(crm):
    options = options_class(crm.kind)()
    if crm.connector.can.oauth:
        assert "st-1" in type(crm.connector).sign_in(options, crm.connector.hosts).authorize_url("st-1")
        return
    with pytest.raises(NotImplementedError):
        type(crm.connector).sign_in(options, crm.connector.hosts)


def test_options_show_nothing(crm):
    shown = repr(crm.connector.options)
    assert not any(secret in shown for secret in crm.secrets())


def test_leads_and_contacts_have_a_name_in_every_crm(crm):
    assert {"lead", "contact"} <= set(crm.connector.can.entities)


# -- the lists ----------------------------------------------------------------------------------------------


def test_every_claimed_list_can_be_fetched(crm):
    for what in crm.connector.can.lists:
        rows = [row for page in crm.connector.fetch(what) for row in page]
        assert rows
        assert {type(row) for row in rows} == {ROWS[what]}
        assert all(isinstance(row.remote_id, str) and row.remote_id for row in rows)
        keys = [(getattr(r, "entity", ""), getattr(r, "pipeline_id", ""), r.remote_id) for r in rows]
        assert len(keys) == len(set(keys))
        assert json.dumps([dict(row.details) for row in rows])


def test_a_list_that_is_not_claimed_is_refused(crm):
    for what in {*ROWS, "nonsense"} - set(crm.connector.can.lists):
        with pytest.raises(ValueError, match=what):
            crm.connector.fetch(what)


def test_steps_have_kinds_that_everybody_knows(crm):
    if "steps" in crm.connector.can.lists:
        kinds = {row.kind for page in crm.connector.fetch("steps") for row in page}
        assert kinds <= {"open", "incoming", "won", "lost"}


def test_a_list_of_a_rejected_account_asks_for_reconnection(crm):
    crm.revoke()
    for what in crm.connector.can.lists:
        with pytest.raises(NeedsReconnect):
            list(crm.connector.fetch(what))


def test_fields_are_made_exactly_when_it_is_claimed_and_once(crm):
    wishes = [FieldWish(crm.connector.can.entities["lead"], "Какой стиль?", "select", ("Лофт", "Сканди"))]
    if not crm.connector.can.creates_fields:
        with pytest.raises(NotImplementedError):
            crm.connector.create_fields(wishes, [])
        return
    (made,) = crm.connector.create_fields(wishes, [])
    assert {option.text for option in made.options} == {"Лофт", "Сканди"}
    (repeated,) = crm.connector.create_fields(wishes, [])
    assert repeated.remote_id == made.remote_id
