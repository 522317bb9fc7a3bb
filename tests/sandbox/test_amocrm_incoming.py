"""Reference section 9, line 33: incoming leads."""

from __future__ import annotations

import pytest

from .amo_words import errors_of

# -- 33: incoming leads --------------------------------------------------------------------------------

FORM = {
    "source_uid": "s1",
    "source_name": "Квиз",
    "metadata": {"form_id": "7", "form_name": "Квиз", "form_page": "https://q.example", "ip": "192.0.2.1",
                 "form_sent_at": 1_800_000_000, "referer": "https://q.example"},
    "_embedded": {"leads": [{"name": "Заявка"}], "contacts": [{"name": "Иван"}]},
}  # fmt: skip


def test_33_only_forms_can_be_created(api):
    assert api.post("/leads/unsorted", [FORM]).status == 405
    [row] = api.post("/leads/unsorted/forms", [FORM]).value()["_embedded"]["unsorted"]
    assert len(row["uid"]) == 60
    assert row["request_id"] == "0"
    assert len(row["_embedded"]["leads"]) == len(row["_embedded"]["contacts"]) == 1


@pytest.mark.parametrize("missing", ["source_uid", "source_name", "metadata"])
def test_33_a_form_needs_its_source(api, missing):
    reply = api.post("/leads/unsorted/forms", [{key: FORM[key] for key in FORM if key != missing}])
    assert errors_of(reply) == {missing: "FieldMissing"}


def test_33_an_identical_entry_is_refused(api):
    api.post("/leads/unsorted/forms", [FORM])
    assert api.post("/leads/unsorted/forms", [{**FORM, "request_id": "2"}]).status == 400
    assert api.post("/leads/unsorted/forms", [{**FORM, "source_uid": "s2"}]).status == 200


def test_33_entries_are_accepted_and_declined(api, account):
    uids = [
        api.post("/leads/unsorted/forms", [{**FORM, "source_uid": uid}]).value()["_embedded"]["unsorted"][0][
            "uid"
        ]
        for uid in "ab"
    ]
    person, step = list(account.users)[1], account.main_pipeline.statuses[2].id
    assert api.post(f"/leads/unsorted/{uids[0]}/accept", {"user_id": person, "status_id": step}).status == 200
    assert api.call("DELETE", f"/leads/unsorted/{uids[1]}/decline").status == 200
    accepted, declined = account.leads.values()
    assert (accepted["responsible_user_id"], accepted["status_id"]) == (person, step)
    assert declined["is_deleted"]
    assert api.post(f"/leads/unsorted/{uids[0]}/accept", {}).status == 404
