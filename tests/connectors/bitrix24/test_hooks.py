"""A portal's events: binding once, being refused, reading forms whose words nobody has proven."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest

from connectors.bitrix24.connector import BitrixConnector
from connectors.bitrix24.following import EVENTS
from connectors.errors import NeedsReconnect, Refused, TryLater
from connectors.lead_status import ChangeNotice

URL = "https://quiz.example/hooks/7/unguessable"
read = BitrixConnector.read_hook


def bound(dentist) -> list[str]:
    return sorted(row.event for row in dentist.portal.bindings if row.handler == URL)


# -- binding ------------------------------------------------------------------------------------------------


def test_events_are_bound_once(dentist):
    dentist.connector.subscribe(URL)
    assert bound(dentist) == sorted(EVENTS)
    dentist.box.journal.clear()
    dentist.connector.subscribe(URL)
    assert dentist.methods() == ["event.get"]


def test_only_what_is_missing_is_bound(dentist):
    dentist.connector.subscribe(URL)
    del dentist.portal.bindings[0]
    dentist.box.journal.clear()
    dentist.connector.subscribe(URL)
    assert dentist.methods() == ["event.get", "event.bind"]
    assert bound(dentist) == sorted(EVENTS)


def test_what_somebody_else_bound_meanwhile_is_fine(dentist, monkeypatch):
    dentist.connector.subscribe(URL)
    monkeypatch.setattr("connectors.bitrix24.following.rows", lambda reply: [])
    dentist.connector.subscribe(URL)
    assert bound(dentist) == sorted(EVENTS)


def test_a_plan_without_events_refuses_in_words(dentist):
    dentist.box.switches["method_errors"] = {"event.bind": "ACCESS_DENIED"}
    with pytest.raises(Refused) as refusal:
        dentist.connector.subscribe(URL)
    assert "does not let us listen" in refusal.value.message
    assert "nothing is lost" in refusal.value.remedy


def test_a_portal_that_is_away_is_asked_again(dentist):
    dentist.box.faults.add("/event.get", status=502)
    with pytest.raises(TryLater):
        dentist.connector.subscribe(URL)


def test_a_portal_that_forgot_us_asks_for_a_connection(dentist):
    dentist.box.revoke(dentist.portal)
    with pytest.raises(NeedsReconnect):
        dentist.connector.subscribe(URL)


def test_a_lost_answer_is_only_asked_again(dentist):
    dentist.box.faults.add("/batch", "reset_after")
    with pytest.raises(TryLater):
        dentist.connector.subscribe(URL)
    dentist.connector.subscribe(URL)
    assert bound(dentist) == sorted(EVENTS)


# -- what a portal posts ------------------------------------------------------------------------------------


@pytest.mark.parametrize("tokens", [True, False])
@pytest.mark.parametrize("operation", ["move_record", "delete_record"])
def test_what_is_posted_names_the_record_and_proves_the_portal(dentist, deliver, draft, operation, tokens):
    dentist.box.switches["event_tokens"] = tokens
    (receipt,) = deliver(draft())
    dentist.connector.subscribe(URL)
    forms = []
    dentist.box.courier = lambda method, url, headers, body, timeout: forms.append(body.decode()) or 200
    moved = {"kind": "deal", "id": receipt.journal["lead"], "step_id": "WON"}
    dentist.box.control(operation, moved)
    dentist.box.pump()
    (hint,) = {read(dict(parse_qsl(form, keep_blank_values=True))) for form in forms}
    proof = dentist.portal.installed[dentist.box.app.client_id].application_token
    assert hint == ChangeNotice(dentist.portal.member_id, proof, frozenset({receipt.journal["lead"]}))
    assert proof not in repr(hint)


PORTAL = {"auth[member_id]": "d1e2f3", "auth[application_token]": "51856fefc120afa4b628cc82d3935cce"}
CHANGED = {"event": "ONCRMDEALUPDATE", "data[FIELDS][ID]": "77"}
FORMS = {
    "a change": (CHANGED, {"77"}),
    "in small letters": ({**CHANGED, "event": "OnCrmDealUpdate"}, {"77"}),
    "a lead": ({**CHANGED, "event": "ONCRMLEADDELETE"}, {"77"}),
    "another event": ({**CHANGED, "event": "ONCRMCONTACTUPDATE"}, set()),
    "an uninstall": ({"event": "ONAPPUNINSTALL", "data[CLEAN]": "1"}, set()),
    "no event": ({"data[FIELDS][ID]": "77"}, set()),
    "no number": ({**CHANGED, "data[FIELDS][ID]": "77 OR 1=1"}, set()),
    "nothing": ({**CHANGED, "data[FIELDS][ID]": "0"}, set()),
    "huge": ({**CHANGED, "data[FIELDS][ID]": "9" * 10_000}, set()),
    "another place": ({"event": "ONCRMDEALUPDATE", "data[ID]": "77", "ID": "77"}, set()),
}


@pytest.mark.parametrize(("form", "ids"), FORMS.values(), ids=FORMS)
def test_forms(form, ids):
    hint = read({**PORTAL, **form})
    assert (hint.remote_id, hint.secret) == ("d1e2f3", PORTAL["auth[application_token]"])
    assert hint.records == frozenset(ids)


@pytest.mark.parametrize("text", ["", "a b", "\ud800", "\x00", "x" * 300, "../..", "é"])
def test_a_portal_or_a_proof_of_another_shape_is_left_out(text):
    form = {**CHANGED, "auth[member_id]": text, "auth[application_token]": text}
    assert read(form) == ChangeNotice(records=frozenset({"77"}))


def test_tokens_of_an_event_are_nowhere(dentist):
    form = {**PORTAL, **CHANGED, "auth[access_token]": "stolen", "auth[refresh_token]": "stolen"}
    hint = read(form)
    assert "stolen" not in (hint.remote_id, hint.secret, *hint.records)
