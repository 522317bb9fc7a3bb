"""Leads on their way into the local amoCRM when nothing is broken."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.draft import FieldValue, Person, Placement, Tag, Target, UnplacedValue
from tests.connectors.cast import Notebook, again

COMPLEX = "/leads/complex"


def words(*answers: str) -> tuple[FieldValue, ...]:
    """Answers for fields that amoCRM does not have."""
    return tuple(FieldValue(Target("leads", str(90000 + n), a, "text"), a, a) for n, a in enumerate(answers))


def test_a_lead_arrives_whole(shop, draft, deliver):
    pipeline, step = shop.step()
    (receipt,) = deliver(
        draft(
            title="Квиз",
            person=Person("Анна Цветкова", ("+79990001122",), ("anna@demo.example",)),
            placement=Placement(shop.user("Игорь"), pipeline, step),
            company="Ромашка",
            price="1 200 ₽",
            utm={"utm_source": "ads", "utm_medium": "cpc", "utm_unknown": "x"},
            tags=(Tag("leads", "квиз"), Tag("contacts", "новый"), Tag("companies", "подрядчик")),
            values=(
                shop.value("Тип ремонта", "капитальный"),
                shop.value("Комнаты", ("Кухня", "Ванная")),
                shop.value("Город", "Казань", "contacts"),
                shop.value("Web", "shop.example", "companies"),
            ),
        )
    )
    (lead,) = shop.leads
    assert (lead["name"], lead["price"], lead["pipeline"], lead["step"]) == ("Квиз", 1200, "Квизы", "Дозвон")
    assert lead["responsible"] == "Игорь Кузнецов"
    assert lead["fields"]["Тип ремонта"] == "Капитальный"
    assert lead["fields"]["Комнаты"] == ["Кухня", "Ванная"]
    assert (lead["fields"]["utm_source"], lead["fields"]["utm_medium"]) == ("ads", "cpc")
    assert lead["tags"] == ["квиз"]
    assert lead["contact"]["name"] == "Анна Цветкова"
    assert (lead["contact"]["Телефон"], lead["contact"]["Email"]) == ("+79990001122", "anna@demo.example")
    assert (lead["contact"]["Город"], lead["contact"]["tags"]) == ("Казань", "новый")
    assert (lead["company"]["name"], lead["company"]["Web"]) == ("Ромашка", "https://shop.example")
    assert receipt.link == f"https://demo7.amocrm.ru/leads/detail/{lead['id']}"
    assert (receipt.adopted, receipt.losses, receipt.problems) == (False, (), ())


def test_an_answer_for_the_field_of_our_mark_is_told(shop, draft, deliver):
    mark = Target("leads", str(shop.facts["mark_field"]), "Quiz answer id", "text")
    one = draft(values=(FieldValue(mark, "Город?", "Тула"),))
    (receipt,) = deliver(one)
    assert shop.leads[0]["fields"]["Quiz answer id"] == one.uid
    assert [(loss.value, loss.reason) for loss in receipt.losses] == [
        ("Тула", "the field is for our external id")
    ]


def test_a_batch_is_one_creation_and_one_note_request(shop, draft, deliver):
    drafts = [draft() for _ in range(50)]
    receipts = deliver(*drafts)
    assert [receipt.uid for receipt in receipts] == [one.uid for one in drafts]
    assert [len(body) for body in shop.sent()] == [50]
    assert [len(body) for body in shop.sent("POST /api/v4/leads/notes")] == [50]
    by_uid = {lead["fields"]["Quiz answer id"]: str(lead["id"]) for lead in shop.leads}
    assert by_uid == {receipt.uid: receipt.journal["lead"] for receipt in receipts}


def test_ids_are_written_down_before_the_next_request(shop, draft):
    requests_seen: list[tuple[list[str], int]] = []

    class Watching(Notebook):
        def record(self, done):
            super().record(done)
            requests_seen.append((sorted(next(iter(done.values()))), len(shop.amo.journal)))

    shop.connector.deliver([draft(), draft()], Watching())
    assert requests_seen == [(["contact", "lead"], 3), (["note"], 4)]


def test_an_answer_of_nobody_is_a_lead_alone(shop, draft, deliver):
    deliver(draft(person=Person()))
    assert (shop.leads[0]["contact"], shop.leads[0]["company"]) == (None, None)


def test_a_person_without_a_name_is_called_by_phone(shop, draft, deliver):
    deliver(draft(person=Person(phones=("+79990001122",))))
    assert shop.leads[0]["contact"]["name"] == "+79990001122"


def test_the_note_holds_the_answers_and_what_found_no_place(shop, draft, deliver):
    (receipt,) = deliver(
        draft(
            uid="qz-1",
            values=(shop.value("Площадь, м²", "много"),),
            losses=(UnplacedValue("Кто?", "я", "no field"),),
        )
    )
    assert shop.leads[0]["notes"] == [
        "Площадь: 54\n\nНе удалось занести в поля:\n- Кто?: я (no field)\n"
        "- Площадь, м²?: много (это не число)"
        "\n\n[qz-1]"
    ]
    assert [loss.question for loss in receipt.losses] == ["Кто?", "Площадь, м²?"]


def test_nothing_to_say_is_no_note(shop, draft, deliver):
    (receipt,) = deliver(draft(note=""))
    assert "note" not in receipt.journal
    assert shop.leads[0]["notes"] == []


def test_a_day_lands_on_the_right_day(shop, draft, deliver):
    deliver(draft(values=(shop.value("Дата замера", "08.03.2026"),)))
    assert shop.leads[0]["fields"]["Дата замера"] == 1772917200  # midnight of the 8th in Moscow


def test_two_answers_for_one_field_share_it(shop, draft, deliver):
    (receipt,) = deliver(
        draft(
            values=(
                replace(shop.value("Город", "Казань"), question="a"),
                replace(shop.value("Город", "Самара"), question="b"),
                replace(shop.value("Комнаты", "Кухня"), question="c"),
                replace(shop.value("Комнаты", "Ванная"), question="d"),
                replace(shop.value("Площадь, м²", "1"), question="e"),
                replace(shop.value("Площадь, м²", "2"), question="f"),
            )
        )
    )
    fields = shop.leads[0]["fields"]
    assert (fields["Город"], fields["Комнаты"], fields["Площадь, м²"]) == (
        "Казань, Самара",
        ["Кухня", "Ванная"],
        "1",
    )
    assert [(loss.question, loss.reason) for loss in receipt.losses] == [
        ("f", "another answer already fills the field")
    ]


def test_phones_of_the_person_and_of_the_rule_meet_in_one_field(shop, draft, deliver):
    phone = shop.value("Телефон", "8 (999) 000-11-22", "contacts")
    other = shop.value("Телефон", "+74950000000", "contacts")
    deliver(draft(person=Person("Анна", ("+79990001122",)), values=(phone, other)))
    assert shop.leads[0]["contact"]["Телефон"] == ["+79990001122", "+74950000000"]


@pytest.mark.parametrize("price", ["дорого", "-5"])
def test_a_price_that_is_none_is_a_loss(shop, draft, deliver, price):
    (receipt,) = deliver(draft(price=price))
    assert shop.leads[0]["price"] == 0
    assert [(loss.question, loss.value) for loss in receipt.losses] == [("price", price)]


def test_only_statistics_that_the_account_has_are_sent(shop, draft, deliver):
    shop.facts["tracking_codes"] = ["UTM_SOURCE"]
    deliver(draft(utm={"utm_source": "a", "utm_medium": "b"}))
    values = shop.sent()[0][0]["custom_fields_values"]
    assert [value["field_code"] for value in values if "field_code" in value] == ["UTM_SOURCE"]


def test_client_ids_and_the_referrer_are_kept(shop, draft, deliver):
    answer = draft()
    visit = replace(answer.visit, referrer="https://ya.example/", client_ids={"_ym_uid": "17", "ga": "GA1.2"})
    deliver(replace(answer, visit=visit))
    fields = shop.leads[0]["fields"]
    assert (fields["referrer"], fields["_ym_uid"], fields["gclientid"]) == (
        "https://ya.example/",
        "17",
        "GA1.2",
    )


@pytest.mark.parametrize(
    "mark", ["utm_referrer", "openstat_service", "UTM_Term", "medium", "FROM", "roistat"]
)
def test_every_mark_that_amocrm_has_a_field_for_is_kept(shop, draft, deliver, mark):
    deliver(draft(utm={mark: "x1"}))
    name = {"medium": "utm_medium"}.get(mark, mark.lower())
    assert shop.leads[0]["fields"][name] == "x1"


def test_messengers_are_kept_with_their_kind(shop, draft, deliver):
    told = {"skype": "anna.b", "telegram": "@anna"}
    deliver(
        draft(person=Person(messengers=told), values=(shop.value("Мгн. сообщения", "@lena", "contacts"),))
    )
    contact = shop.account.contacts.get(shop.leads[0]["contact"]["id"])
    values = contact.values[shop.account.fields["contacts"].named("Мгн. сообщения").id]
    kinds = [(one["enum_code"], one["value"]) for one in values]
    assert kinds == [("SKYPE", "anna.b"), ("OTHER", "telegram: @anna"), ("OTHER", "@lena")]


def test_a_statistics_field_filled_by_an_answer_is_sent_once(shop, draft, deliver):
    deliver(draft(utm={"utm_source": "ads"}, values=(shop.value("utm_source", "answer"),)))
    assert shop.leads[0]["fields"]["utm_source"] == "answer"


def test_a_trace_shows_a_draft_and_none_of_its_neighbours(shop, draft, deliver):
    anna, boris = (
        draft(person=Person("Анна", ("+79990000001",))),
        draft(person=Person("Борис", ("+79990000002",))),
    )
    one, other = deliver(anna, boris)
    assert "Борис" not in repr(one.trace)
    assert boris.uid not in repr(one.trace)
    assert [exchange.method for exchange in other.trace] == ["GET", "POST", "POST"]
    assert "Борис" in repr(other.trace)
    assert shop.store.tokens.access not in repr((one, other))


def test_the_trace_of_a_mended_lead_shows_both_tries(shop, draft, deliver):
    receipt, other = deliver(draft(values=words("Кто?")), draft())
    tries = [exchange for exchange in receipt.trace if exchange.url.endswith(COMPLEX)]
    assert [exchange.status for exchange in tries] == [400, 200]
    assert "not a valid choice" in tries[0].response
    assert "field_id" not in next(e.response for e in other.trace if e.status == 400)


def test_a_second_call_of_a_finished_draft_does_nothing(shop, draft, deliver, journal):
    answer = draft()
    (first,) = deliver(answer)
    shop.amo.journal.clear()
    (second,) = deliver(again(answer, journal))
    assert second.journal == first.journal
    assert len(shop.amo.journal) == 0
