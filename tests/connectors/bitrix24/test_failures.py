"""What the portal says no to, and what becomes of the lead."""

from __future__ import annotations

import json

import pytest

from connectors.draft import Person, Placement, Receipt
from connectors.errors import NeedsReconnect, Refused, TryLater, Unclear
from connectors.sandbox.wire import Reply
from tests.connectors.cast import again

ADD = r"/crm\.deal\.add"


@pytest.fixture
def says(dentist):
    """The portal answers with this error, by default once, when a deal is added."""

    def fault(code: str, words: str = "", *, path: str = ADD, status: int = 400, **options) -> None:
        body = json.dumps({"error": code, "error_description": words})
        options = {"body": body, "content_type": "application/json", "status": status, **options}
        dentist.box.faults.add(path, **options)

    return fault


def no(key: str, code: str, words: str = "") -> dict[str, object]:
    """One command of a batch is refused."""
    return {key: {"error": code, "error_description": words}}


@pytest.mark.parametrize(
    ("code", "words", "kind", "after"),
    [
        ("QUERY_LIMIT_EXCEEDED", "", TryLater, 3),
        ("OPERATION_TIME_LIMIT", "", TryLater, 120),
        ("ACCESS_DENIED", "REST API is available only on commercial plans.", TryLater, 900),
        ("PAYMENT_REQUIRED", "", TryLater, 900),
        ("ERROR_OAUTH", "", NeedsReconnect, None),
        ("authorization_error", "", NeedsReconnect, None),
        ("", "Access denied.", NeedsReconnect, None),
        ("INTERNAL_SERVER_ERROR", "", Unclear, None),
        ("ERROR_CORE", "Нет", Refused, None),
    ],
)
def test_each_no_says_what_to_do_next(dentist, deliver, draft, says, code, words, kind, after):
    says(code, words, times=None)
    (outcome,) = deliver(draft())
    assert type(outcome) is kind
    assert getattr(outcome, "after", None) == after
    assert outcome.account_wide == (kind is not Refused)
    assert dentist.leads == []


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"plan": "free"}, TryLater),
        ({"deleted": True}, NeedsReconnect),
        ({"overloaded": True}, TryLater),
    ],
)
def test_moods_of_a_portal(dentist, deliver, draft, change, kind):
    dentist.box.control("change", {"set": change})
    (outcome,) = deliver(draft())
    assert type(outcome) is kind


@pytest.mark.parametrize("column", ["docs", "core", "sdk"])
def test_an_uninstalled_application_is_no_matter_of_statuses(dentist, deliver, draft, column):
    dentist.box.switches["statuses"] = column
    dentist.box.uninstall(dentist.portal)
    (outcome,) = deliver(draft())
    assert isinstance(outcome, NeedsReconnect)
    assert "Install" in outcome.remedy


def test_a_dismissed_user_ends_the_connection(dentist, deliver, draft):
    dentist.portal.admin.active = False
    (outcome,) = deliver(draft())
    assert (type(outcome), outcome.code) == (NeedsReconnect, "user_gone")


# -- one bad draft -----------------------------------------------------------------------------------------


def test_a_refused_value_is_taken_out_and_told(dentist, deliver, draft, says):
    budget, area = dentist.value("Бюджет", "1500"), dentist.value("Площадь", "54")
    says("ERROR_CORE", f"Field {budget.target.code} is wrong")
    (receipt,) = deliver(draft(values=(budget, area)))
    assert [loss.value for loss in receipt.losses] == ["1500"]
    assert dentist.leads[0]["fields"]["Площадь"] == 54
    assert "1500" in dentist.leads[0]["notes"][0]


def test_a_refusal_that_names_nothing_costs_all_values_but_not_the_lead(dentist, deliver, draft, says):
    says("ERROR_CORE", "Что-то не так")
    values = (dentist.value("Бюджет", "1500"), dentist.value("Площадь", "54"))
    (receipt,) = deliver(draft(values=values))
    assert {loss.value for loss in receipt.losses} == {"1500", "54"}
    assert len(dentist.leads) == 1


def test_a_portal_that_takes_no_contact_gets_the_deal_all_the_same(dentist, deliver, draft, says):
    says("ERROR_CORE", "Обязательное поле", path=r"/crm\.contact\.add", times=None)
    answer = draft(note="Телефон: +79990001122")
    (receipt,) = deliver(answer)
    assert [problem.code for problem in receipt.problems] == ["contact_refused"]
    assert dentist.leads[0]["contact"] is None
    assert "+79990001122" in dentist.leads[0]["notes"][0]


def test_a_lead_without_its_contact_says_itself_who_it_is_about(dentist, deliver, draft, says):
    says("ERROR_CORE", "Обязательное поле", path=r"/crm\.contact\.add", times=None)
    answer = draft(placement=Placement(choices={"LeadFlag": True}))
    deliver(answer)
    assert answer.person.phones[0] in dentist.leads[0]["contact"]["PHONE"]


def test_an_address_that_only_the_portal_finds_bad_costs_itself_alone(dentist, deliver, draft, says):
    says("ERROR_CORE", "Неверный адрес электронной почты", path=r"/crm\.contact\.add")
    value = dentist.value("Город", "Казань", "CRM_CONTACT")
    (receipt,) = deliver(draft(person=Person("Анна", (), ("a@b.example",)), values=(value,)))
    assert [loss.value for loss in receipt.losses] == ["a@b.example"]
    assert dentist.contacts[0].get(value.target.code) == "Казань"


def test_missing_rights_park_the_account_instead_of_losing_the_contact(dentist, deliver, draft, says):
    says("", "Access denied.", path=r"/crm\.contact\.add", times=None)
    (outcome,) = deliver(draft())
    assert isinstance(outcome, NeedsReconnect)
    assert dentist.leads == []


def test_one_refused_command_leaves_its_neighbours_alone(dentist, deliver, draft, monkeypatch):
    anna, boris = draft(), draft(title="плохой")
    real = dentist.box.answer

    def answer(request):
        reply = real(request)
        if not request.path.endswith("/batch") or "crm.deal.add" not in request.body.decode():
            return reply
        body = json.loads(reply.body)
        made = body["result"]["result"]
        key = next(key for key, number in made.items() if _title(dentist, number) == "плохой")
        dentist.forget("deal", str(made.pop(key)))
        body["result"]["result_error"] = no(key, "ERROR_CORE", "Нет")
        return type(reply)(reply.status, reply.headers, json.dumps(body).encode())

    monkeypatch.setattr(dentist.box, "answer", answer)
    first, second = deliver(anna, boris)
    assert isinstance(first, Receipt)
    assert isinstance(second, Refused)
    assert [deal["origin"][1] for deal in dentist.leads] == [anna.uid]


def test_a_command_that_breaks_the_portal_is_its_own_drafts_matter(dentist, deliver, draft, monkeypatch):
    """The others go on to their deals: the portal has answered them in the same batch."""
    bad, *good = [draft() for _ in range(3)]
    real = dentist.box.answer

    def answer(request):
        reply = real(request)
        if b"crm.contact.add" not in request.body or bad.uid.encode() not in request.body:
            return reply
        body = json.loads(reply.body)
        body["result"]["result"].pop("c0")
        body["result"]["result_error"] = no("c0", "INTERNAL_SERVER_ERROR")
        return type(reply)(reply.status, reply.headers, json.dumps(body).encode())

    monkeypatch.setattr(dentist.box, "answer", answer)
    outcomes = deliver(bad, *good)
    assert [type(outcome) for outcome in outcomes] == [Unclear, Receipt, Receipt]
    assert not outcomes[0].account_wide


def test_one_draft_that_breaks_the_portal_delays_the_others_for_two_tries(
    dentist, deliver, draft, journal, monkeypatch
):
    """A request with its deal is answered with 500, whoever else is in it."""
    answers = [draft(title="poison" if number == 17 else f"Квиз {number}") for number in range(30)]
    poison = answers[17]
    real = dentist.box.answer

    def answer(request):
        if "crm.deal.add" in request.path + request.body.decode() and b"poison" in request.body:
            return Reply(500, {"Content-Type": "application/json"}, b'{"error":"INTERNAL_SERVER_ERROR"}')
        return real(request)

    monkeypatch.setattr(dentist.box, "answer", answer)
    waiting, delivered = [], []
    for _ in range(3):
        outcomes = deliver(*(again(one, journal, look_first=bool(waiting)) for one in waiting or answers))
        delivered.append(sum(isinstance(outcome, Receipt) for outcome in outcomes))
        waiting = [
            one
            for one, outcome in zip(waiting or answers, outcomes, strict=True)
            if not isinstance(outcome, Receipt)
        ]
    assert waiting == [poison]
    assert delivered == [0, 23, 6]
    assert not any(outcome.account_wide for outcome in outcomes if not isinstance(outcome, Receipt))
    assert len(dentist.leads) == 29


def _title(dentist, number: int) -> str:
    return dentist.portal.tables["deal"].get(number)["TITLE"]


def test_after_an_account_wide_no_nobody_asks_on(dentist, deliver, draft, says):
    dentist.box.faults.add("/batch", status=503, nth=2)
    outcomes = deliver(draft(), draft(), draft())
    assert {outcome.code for outcome in outcomes} == {"busy"}
    assert len(dentist.methods()) == 2


# -- the token, and the address ----------------------------------------------------------------------------


def test_a_token_is_renewed_once_and_the_request_repeated(dentist, deliver, draft):
    dentist.box.expire(dentist.portal)
    (receipt,) = deliver(draft())
    assert isinstance(receipt, Receipt)
    assert dentist.store.renewals == 1
    assert len(dentist.leads) == 1


def test_a_renamed_portal_is_asked_for_at_the_oauth_server(dentist, deliver, draft):
    """``accounts`` stores the new host of the renewal and says ``moved``; here the host stays, so we wait."""
    old = dentist.connector
    dentist.box.rename(dentist.portal, "smile")
    (outcome,) = old.deliver([draft()], _Blank())
    assert (type(outcome), outcome.code) == (TryLater, "redirected")
    assert dentist.store.renewals == 1
    (receipt,) = deliver(draft())
    assert receipt.link.startswith("https://smile.bitrix24.ru/")


class _Blank:
    def record(self, done: object) -> None: ...
