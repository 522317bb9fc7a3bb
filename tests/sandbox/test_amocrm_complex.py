"""Reference section 9, lines 23 to 25: the number in a test's name is the line."""

from __future__ import annotations

import pytest

from connectors.sandbox.amocrm import DupControl

from .amo_words import errors_of, lead, tag_names

# -- 23, 24: complex ----------------------------------------------------------------------------------


def test_23_complex_answers_a_bare_array(api):
    reply = api.complex(lead(request_id="ans-1", phone="+79990001122"), lead())
    first, second = reply.value()
    assert first.keys() == {"id", "contact_id", "company_id", "request_id", "merged"}
    assert (first["request_id"], first["merged"], first["company_id"]) == (["ans-1"], False, None)
    assert second["request_id"] == ["1"]
    assert api.complex(lead()).value()[0]["request_id"] == ["0"]


def test_23_complex_makes_lead_contact_and_company_and_links_them(api, account):
    embedded = {"companies": [{"name": "Ромашка"}], "tags": [{"name": "квиз"}, {"name": "новый"}]}
    [row] = api.complex(lead(phone="+79990001122", _embedded=embedded)).value()
    stored = account.leads[row["id"]]
    assert stored.main_contact() == row["contact_id"]
    assert stored.linked("companies") == [row["company_id"]]
    assert account.contacts[row["contact_id"]].linked("companies") == [row["company_id"]]
    assert tag_names(api, row["id"]) == ["квиз", "новый"]


def test_23_an_existing_contact_is_linked_and_left_alone(api, account):
    number = api.add("contacts", name="Иван")
    [row] = api.complex({"_embedded": {"contacts": [{"id": number, "name": "Пётр"}]}}).value()
    assert row["contact_id"] == number
    assert account.contacts[number]["name"] == "Иван"
    assert errors_of(api.complex({"_embedded": {"contacts": [{"id": 1}]}})) == {
        "_embedded.contacts.0.id": "NotSupportedChoice"
    }


def test_24_metadata_makes_an_incoming_lead(api, account):
    step = account.main_pipeline.first.id
    metadata = {"category": "forms", "form_id": "7", "form_name": "Квиз", "form_sent_at": 1}
    [row] = api.complex(lead(status_id=step, phone="+79990001122", _embedded={"metadata": metadata})).value()
    stored = account.leads[row["id"]]
    assert stored["status_id"] == account.main_pipeline.incoming.id
    assert stored.incoming in account.unsorted
    assert api.get("/contacts").status == 204
    assert api.post(f"/leads/unsorted/{stored.incoming}/accept", {}).status == 200
    assert stored["status_id"] == step
    assert api.names("/contacts") == ["Иван"]


@pytest.mark.parametrize("path", ["/leads", "/leads/complex"])
def test_24_an_incoming_status_cannot_be_set(api, account, path):
    reply = api.post(path, [{"status_id": account.main_pipeline.incoming.id}])
    assert errors_of(reply) == {"status_id": "NotSupportedChoice"}


def test_24_a_patch_takes_a_lead_out_of_incoming(api, account):
    [row] = api.complex(lead(_embedded={"metadata": {"category": "forms"}})).value()
    api.patch(f"/leads/{row['id']}", {"name": "взяли"})
    assert account.leads[row["id"]]["status_id"] == account.main_pipeline.first.id
    assert not account.unsorted


# -- 25: duplicate control ----------------------------------------------------------------------------


def test_25_without_control_everything_is_new(api, account):
    for _ in range(2):
        api.complex(lead(phone="+79990001122"))
    assert len(account.leads) == 2


@pytest.mark.parametrize("phone", ["+79990001122", "8 (999) 000-11-22"])
def test_25_the_same_phone_joins_the_stored_lead(api, account, phone):
    account.dup_control = DupControl(enabled=True)
    [old] = api.complex(lead(phone="+79990001122")).value()
    [row] = api.complex(lead(phone=phone, request_id="r2")).value()
    assert (row["id"], row["merged"], row["request_id"]) == (old["id"], True, ["r2"])
    assert len(account.leads) == len(account.contacts) == 1


def test_25_only_chosen_statuses_count(api, account):
    account.dup_control = DupControl(enabled=True)
    [old] = api.complex(lead(phone="+79990001122")).value()
    api.patch(f"/leads/{old['id']}", {"status_id": 142})
    assert api.complex(lead(phone="+79990001122")).value()[0]["merged"] is False
    account.dup_control = DupControl(enabled=True, statuses={(account.main_pipeline.id, 142)})
    assert api.complex(lead(phone="+79990001122")).value()[0]["id"] == old["id"]


def test_25_items_of_a_batch_are_not_compared(api, account):
    account.dup_control = DupControl(enabled=True)
    assert [row["merged"] for row in api.complex(*[lead(phone="+79990001122")] * 2).value()] == [False, False]


def test_25_inputs_that_join_one_lead_share_a_row(api, account):
    account.dup_control = DupControl(enabled=True)
    [old] = api.complex(lead(phone="+79990001122")).value()
    inputs = [lead(phone="+79990001122", request_id=name) for name in "ab"]
    [row] = api.complex(*inputs).value()
    assert (row["id"], row["request_id"], row["merged"]) == (old["id"], ["a", "b"], True)


def test_25_more_than_three_duplicates_are_not_merged(api, account):
    for _ in range(4):
        api.complex(lead(phone="+79990001122"))
    account.dup_control = DupControl(enabled=True)
    assert api.complex(lead(phone="+79990001122")).value()[0]["merged"] is False
