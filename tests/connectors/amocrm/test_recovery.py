"""Broken deliveries: what was lost is found again, and nothing is made twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from connectors.amocrm.lists import page_of
from connectors.amocrm.recovery import scan
from connectors.draft import Person, Receipt
from connectors.errors import TryLater, Unclear
from tests.connectors.amocrm.shop import connect
from tests.connectors.cast import again

COMPLEX, NOTES = "/leads/complex", "/leads/notes"
LOST_AFTER = ["reset_after", "timeout_after", "truncate", "answer_after"]
LOST_BEFORE = ["reset", "timeout"]


def notes_of(shop) -> list[int]:
    return [len(lead["notes"]) for lead in shop.leads]


# -- the answer to the creation is lost ------------------------------------------------------------


@pytest.mark.parametrize("action", LOST_AFTER)
def test_work_done_and_reply_lost_is_adopted(shop, amo, draft, deliver, journal, action):
    amo.faults.add(COMPLEX, action, status=504)
    drafts = [draft(), draft(company="Ромашка")]
    assert [type(outcome) for outcome in deliver(*drafts)] == [Unclear, Unclear]
    assert journal.of(drafts[0].uid) == {}

    receipts = deliver(*(again(one, journal, look_first=True) for one in drafts))
    assert [receipt.adopted for receipt in receipts] == [True, True]
    assert [len(body) for body in shop.sent("POST /api/v4/leads/notes")] == [2]
    assert len(shop.leads) == 2
    assert notes_of(shop) == [1, 1]
    assert receipts[1].journal["company"] == str(shop.leads[1]["company"]["id"])
    assert journal.of(drafts[0].uid)["contact"] == str(shop.leads[0]["contact"]["id"])


@pytest.mark.parametrize("action", LOST_BEFORE)
def test_work_not_done_is_done_on_the_next_try(shop, amo, draft, deliver, journal, action):
    amo.faults.add(COMPLEX, action)
    answer = draft()
    (outcome,) = deliver(answer)
    assert isinstance(outcome, Unclear)
    assert outcome.account_wide

    (receipt,) = deliver(again(answer, journal, look_first=True))
    assert not receipt.adopted
    assert len(shop.leads) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_failing_server_says_nothing_about_the_work(shop, amo, draft, deliver, status):
    amo.faults.add(COMPLEX, status=status)
    (outcome,) = deliver(draft())
    assert isinstance(outcome, Unclear)
    assert outcome.code == f"http_{status}"


def test_a_lead_that_the_index_does_not_know_yet_is_found_among_the_newest(
    shop, amo, draft, deliver, journal
):
    amo.switches["index_delay"] = 600.0
    amo.faults.add(COMPLEX, "reset_after")
    answer = draft()
    deliver(answer)
    deliver(draft(), draft())
    (receipt,) = deliver(again(answer, journal, look_first=True))
    assert receipt.adopted
    assert len(shop.leads) == 3


def test_the_walk_back_ends_where_the_answer_began(shop, amo, draft, deliver, journal):
    amo.switches["page_cap"] = 3
    deliver(*(draft() for _ in range(12)))
    amo.clock.advance(7200)
    answer = draft()
    late = replace(
        answer, visit=replace(answer.visit, answered_at=answer.visit.answered_at + timedelta(hours=2))
    )
    amo.journal.clear()
    deliver(replace(late, look_first=True))
    looks = [entry for entry in amo.journal.find("GET", "/leads$") if "query" not in entry.query]
    assert [entry.query["page"] for entry in looks] == ["1"]


def test_without_a_mark_field_the_name_is_enough_to_find_it(shop, amo, draft, deliver, journal):
    del shop.facts["mark_field"]
    amo.faults.add(COMPLEX, "reset_after")
    answer = draft()
    deliver(answer)
    assert deliver(again(answer, journal, look_first=True))[0].adopted


def test_a_mark_in_another_field_is_no_proof(shop, draft, deliver):
    deliver(draft(values=(shop.value("Город", "qz-other"),)))
    (receipt,) = deliver(draft(uid="qz-other", look_first=True))
    assert not receipt.adopted
    assert len(shop.leads) == 2


def test_a_mark_that_only_begins_alike_is_no_proof(shop, draft, deliver):
    deliver(draft(uid="qz-12"))
    (receipt,) = deliver(draft(uid="qz-1", look_first=True))
    assert not receipt.adopted


def test_a_search_that_fails_creates_nothing(shop, amo, draft, deliver):
    amo.faults.add("/api/v4/leads$", method="GET", status=502, times=None)
    (outcome,) = deliver(draft(look_first=True))
    assert isinstance(outcome, TryLater)
    assert shop.leads == []


def test_find_all_tells_which_marks_exist(shop, draft, deliver):
    drafts = [draft(), draft()]
    receipts = deliver(*drafts)
    found = shop.connector.find_all([*(one.uid for one in drafts), "qz-none"])
    assert found == {"qz-none": [], **{one.uid: [one.journal["lead"]] for one in receipts}}


# -- a look that proves nothing --------------------------------------------------------------------


def test_a_look_that_ends_before_the_answers_own_time_makes_nothing(shop, amo, draft, deliver, journal):
    """The index lags, and 45 pages of others came since."""
    amo.switches["page_cap"], amo.switches["index_delay"] = 2, 86_400.0
    amo.faults.add(COMPLEX, "reset_after")
    answer = draft()
    deliver(answer)
    deliver(*(draft() for _ in range(45)))
    deliver(*(draft() for _ in range(45)))
    (outcome,) = deliver(again(answer, journal, look_first=True))
    assert (type(outcome), outcome.code, outcome.look_again) == (Unclear, "look_incomplete", False)
    assert len(shop.leads) == 91


def test_an_order_that_is_not_obeyed_proves_nothing():
    """Old leads first: the walk goes on, and without an end it saw a part."""
    pages = [[{"id": 250 * page + n, "created_at": 1000 + n} for n in range(250)] for page in range(40)]

    class Client:
        def call(self, *_: object, params: dict[str, int], **__: object) -> object:
            return {"_embedded": {"leads": pages[params["page"] - 1]}}

    seen = scan(Client(), ["qz-1"], 0, since=5000.0)
    assert not seen.covers(5000.0)


# -- the field for external ids was deleted ---------------------------------------------------------


@pytest.fixture
def lost(shop, amo, draft, deliver, journal):
    """A lead whose reply was lost, and with it the field that had its external id."""

    def lose(**changes):
        amo.faults.add(COMPLEX, "reset_after")
        answer = draft(**changes)
        deliver(answer)
        mark = int(shop.facts["mark_field"])
        amo.control("delete_field", {"account": "demo7", "entity": "leads", "field_id": mark})
        return again(answer, journal, look_first=True)

    return lose


def test_a_lead_without_its_external_id_is_known_by_name_time_and_person(shop, lost, deliver):
    (receipt,) = deliver(lost())
    assert receipt.adopted
    assert [problem.code for problem in receipt.problems] == ["mark_field_gone"]
    assert len(shop.leads) == 1


def test_so_it_is_once_the_field_was_made_again(shop, lost, deliver):
    answer = lost()
    mark = shop.facts["mark_field"]
    shop.facts = {**shop.facts, **shop.connector.prepare()}
    assert shop.facts["mark_field"] != mark
    assert deliver(answer)[0].adopted
    assert len(shop.leads) == 1


def test_somebody_elses_lead_of_that_name_is_not_taken(shop, lost, draft, deliver, journal):
    answer = lost(title="Квиз")
    other = replace(draft(title="Квиз"), look_first=True)
    (receipt,) = deliver(other)
    assert not receipt.adopted
    (receipt,) = deliver(answer)
    assert receipt.adopted
    assert len(shop.leads) == 2


def test_a_nobodys_lead_of_that_name_is_looked_at_by_a_person(shop, lost, deliver):
    (outcome,) = deliver(lost(person=Person("Анна")))
    assert (type(outcome), outcome.look_again) == (Unclear, False)
    assert outcome.remedy
    assert len(shop.leads) == 1


def test_a_field_that_may_not_be_made_again_leaves_the_name(shop, amo, options, sign_in, draft, journal):
    shop.account.fields["leads"].remove(int(shop.facts["mark_field"]))
    user = next(user for user in shop.account.users.values() if not user.is_admin)
    plain = connect(amo, shop.account, options, sign_in, user)
    plain.facts = dict(shop.facts)
    plain.facts |= plain.connector.prepare()
    assert plain.facts["mark_field"] == ""
    (receipt,) = plain.connector.deliver([draft(uid="qz-1", title="Квиз")], journal)
    assert (receipt.problems, shop.leads[0]["name"]) == ((), "Квиз [qz-1]")


# -- the lead stands, something after it fails -----------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "kind"),
    [({"status": 502}, Unclear), ({"status": 429}, TryLater), ({"action": "reset"}, Unclear)],
)
def test_a_note_that_failed_is_made_on_the_next_try(shop, amo, draft, deliver, journal, fault, kind):
    amo.faults.add(NOTES, method="POST", **fault)
    answer = draft()
    (outcome,) = deliver(answer)
    assert type(outcome) is kind
    assert journal.of(answer.uid)["lead"]

    (receipt,) = deliver(again(answer, journal, look_first=kind is Unclear))
    assert receipt.journal["note"]
    assert (len(shop.leads), notes_of(shop)) == (1, [1])


@pytest.mark.parametrize("action", LOST_AFTER)
def test_a_note_whose_reply_was_lost_is_recognised(shop, amo, draft, deliver, journal, action):
    amo.faults.add(NOTES, action, method="POST", status=504)
    answer = draft()
    assert isinstance(deliver(answer)[0], Unclear)
    (receipt,) = deliver(again(answer, journal, look_first=True))
    assert notes_of(shop) == [1]
    assert receipt.journal["note"] == journal.of(answer.uid)["note"]


def test_a_note_that_amocrm_will_not_have_holds_nobody(shop, amo, draft, deliver):
    amo.faults.add(
        NOTES, status=400, contains="qz-bad", times=None, body="{}", content_type="application/json"
    )
    receipts = deliver(draft(), draft(uid="qz-bad"), draft())
    assert [[problem.code for problem in receipt.problems] for receipt in receipts] == [
        [],
        ["note_refused"],
        [],
    ]
    assert notes_of(shop) == [1, 0, 1]


@pytest.mark.parametrize("missing", ["204", "404"])
def test_a_lead_that_was_deleted_meanwhile_is_not_made_again(shop, amo, draft, deliver, journal, missing):
    amo.switches["missing_card"] = missing
    amo.faults.add(
        "/notes$", method="GET", status=404, body='{"detail": "Not Found"}', content_type="application/json"
    )
    amo.faults.add(NOTES, "reset", method="POST")
    answer = draft()
    deliver(answer)
    shop.account.leads.clear()
    (receipt,) = deliver(again(answer, journal, look_first=True))
    assert isinstance(receipt, Receipt)
    assert [problem.code for problem in receipt.problems] == ["note_refused"]


def test_an_overflow_that_failed_is_made_on_the_next_try(amo, options, sign_in, draft, journal):
    shop = connect(amo, amo.add_account("long", extra_fields=60), options, sign_in)
    shop.prepare()
    answer = draft(values=tuple(shop.value(f"Вопрос {n}", "x") for n in range(1, 61)))
    amo.faults.add("/api/v4/leads$", method="PATCH", status=502)
    (outcome,) = shop.connector.deliver([answer], journal)
    assert isinstance(outcome, TryLater)
    (receipt,) = shop.connector.deliver([again(answer, journal)], journal)
    assert receipt.journal["rest"]
    assert shop.leads[0]["fields"]["Вопрос 60"] == "x"


@pytest.mark.parametrize("action", LOST_AFTER)
def test_a_customer_whose_reply_was_lost_is_recognised(shop, amo, draft, deliver, journal, action):
    amo.faults.add("/api/v4/customers$", action, method="POST", status=504)
    answer = draft(values=(shop.value("Город", "Казань", "customers"),))
    assert isinstance(deliver(answer)[0], Unclear)
    (receipt,) = deliver(again(answer, journal, look_first=True))
    assert receipt.journal["customer_link"]
    assert len(shop.account.customers) == 1


def test_somebody_elses_customer_of_the_same_name_is_not_taken(shop, amo, draft, deliver, journal):
    value = (shop.value("Город", "Казань", "customers"),)
    old = shop.connector.http_client().call("POST", "/api/v4/customers", json=[{"name": "Анна"}])
    amo.clock.advance(3600)
    deliver(draft(values=value, person=Person("Анна", ("+79990000001",))))
    amo.faults.add("/api/v4/customers$", method="POST", status=502)
    answer = draft(values=value, person=Person("Анна", ("+79990000002",)))
    answer = replace(
        answer, visit=replace(answer.visit, answered_at=answer.visit.answered_at + timedelta(hours=1))
    )
    deliver(answer)
    (receipt,) = deliver(again(answer, journal, look_first=True))
    assert len(shop.account.customers) == 3
    assert receipt.journal["customer"] not in (
        str(old["_embedded"]["customers"][0]["id"]),
        shop.leads[0]["customers"],
    )


def test_a_customer_link_that_failed_is_made_on_the_next_try(shop, amo, draft, deliver, journal):
    amo.faults.add("/customers/link", status=502)
    answer = draft(values=(shop.value("Город", "Казань", "customers"),))
    assert isinstance(deliver(answer)[0], TryLater)
    deliver(again(answer, journal))
    assert shop.leads[0]["customers"] == [int(journal.of(answer.uid)["customer"])]


# -- statistics fields that break the creation (reference 4.9) -------------------------------------


def test_statistics_suspected_of_a_500_are_sent_afterwards(shop, amo, draft, deliver, journal):
    amo.faults.add(COMPLEX, status=500, contains="UTM_SOURCE", times=None)
    answer = draft(utm={"utm_source": "ads"})
    assert isinstance(deliver(answer)[0], Unclear)
    (receipt,) = deliver(again(answer, journal, look_first=True))
    assert shop.leads[0]["fields"]["utm_source"] == "ads"
    assert receipt.losses == ()


def test_statistics_that_break_everything_are_lost_and_not_the_lead(shop, amo, draft, deliver, journal):
    amo.faults.add("/leads", status=500, contains="UTM_SOURCE", times=None)
    answer = draft(utm={"utm_source": "ads"})
    deliver(answer)
    (receipt,) = deliver(again(answer, journal, look_first=True))
    assert [loss.value for loss in receipt.losses] == ["ads"]
    assert "ads" in shop.leads[0]["notes"][0]


def test_a_refused_value_is_remembered_over_tries(shop, amo, draft, deliver, journal):
    value = shop.value("Город", "Казань")
    shop.account.fields["leads"].remove(int(value.target.remote_id))
    amo.faults.add(NOTES, method="POST", status=502)
    answer = draft(values=(value,))
    deliver(answer)
    (receipt,) = deliver(again(answer, journal, look_first=True))
    assert [loss.question for loss in receipt.losses] == ["Город?"]
    assert "Город?: Казань" in shop.leads[0]["notes"][0]


# -- many are lost at once -----------------------------------------------------------------------------------


def test_a_batch_that_was_lost_with_its_worker_is_looked_for_in_one_go(shop, amo, draft, deliver, journal):
    """Half of it was made. Who is seen among the newest leads is adopted, who surely isn't there is made;
    nobody is searched for alone."""
    drafts = [draft() for _ in range(40)]
    amo.faults.add(COMPLEX, "reset_after")
    deliver(*drafts[:20])
    amo.journal.clear()

    receipts = deliver(*(again(one, journal, look_first=True) for one in drafts))
    assert [receipt.adopted for receipt in receipts] == [True] * 20 + [False] * 20
    assert len(shop.leads) == 40
    assert notes_of(shop) == [1] * 40
    searches = [one for one in amo.journal.find("GET", "/leads$") if one.request.params.get("query")]
    assert searches == []


# -- wide batches --------------------------------------------------------------------------------------------


def test_a_wide_batch_goes_in_as_many_leads_and_notes_as_a_request_takes(shop, amo, draft, deliver):
    receipts = deliver(*(draft() for _ in range(120)))
    assert all(isinstance(receipt, Receipt) for receipt in receipts)
    assert [len(body) for body in shop.sent()] == [50, 50, 20]
    assert [len(body) for body in shop.sent("POST /api/v4/leads/notes")] == [120]


def test_long_notes_go_in_requests_of_their_own(shop, amo, draft, deliver, monkeypatch):
    monkeypatch.setattr("connectors.amocrm.additions.LONGEST_REQUEST", 2500)
    deliver(*(draft(note="Много слов. " * 80) for _ in range(5)))
    assert [len(body) for body in shop.sent("POST /api/v4/leads/notes")] == [2, 2, 1]
    assert notes_of(shop) == [1] * 5


@pytest.mark.parametrize(
    "body", ['{"status": "ok"}', '{"_embedded": {"users": []}}', '{"_embedded": 3}', "[1]"]
)
def test_an_answer_that_is_no_list_of_leads_proves_nothing(amo, draft, deliver, journal, body, shop):
    """Something before amoCRM speaks in its place, say; the lead would be made twice."""
    amo.faults.add(COMPLEX, "reset_after")
    lead = draft()
    deliver(lead)
    nonsense = {"status": 200, "body": body, "content_type": "application/json", "times": None}
    amo.faults.add("/api/v4/leads$", method="GET", **nonsense)
    [outcome] = deliver(again(lead, journal, look_first=True))
    assert isinstance(outcome, TryLater)
    amo.faults.clear()
    [receipt] = deliver(again(lead, journal, look_first=True))
    assert receipt.adopted
    assert len(shop.leads) == 1


def test_an_empty_list_of_php_is_an_empty_list(amo):
    assert (
        page_of({"_embedded": []}, "leads")
        == page_of(None, "leads")
        == page_of({"_embedded": {}}, "leads")
        == []
    )
