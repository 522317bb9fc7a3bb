"""The preview: the requests of a first try, with nothing sent."""

from __future__ import annotations

from connectors.draft import FieldValue, Person, Placement, Tag, Target, UnplacedValue


def test_a_plan_sends_nothing(shop, draft):
    shop.connector.plan(draft())
    assert len(shop.amo.journal) == 0


def test_the_plan_of_a_whole_lead(shop, draft):
    pipeline, step = shop.step()
    answer = draft(
        person=Person("Анна", ("+79990001122",), ("anna@demo.example",)),
        placement=Placement(shop.user("Игорь"), pipeline, step),
        company="Ромашка",
        tags=(Tag("leads", "квиз"),),
        values=(shop.value("Город", "Казань", "customers"), shop.value("Площадь, м²", "54")),
    )
    plan = shop.connector.plan(answer)
    assert [(r.method, r.url.removeprefix("https://demo7.amocrm.ru/api/v4")) for r in plan.requests] == [
        ("GET", "/contacts"),
        ("GET", "/contacts"),
        ("POST", "/leads/complex"),
        ("POST", "/customers"),
        ("POST", "/customers/link"),
        ("POST", "/leads/notes"),
    ]
    assert all(request.why for request in plan.requests)


def test_the_plan_is_what_a_delivery_sends(shop, draft, journal):
    pipeline, step = shop.step()
    answer = draft(
        placement=Placement(shop.user("Игорь"), pipeline, step),
        price="1 200 ₽",
        utm={"utm_source": "ads"},
        values=(shop.value("Тип ремонта", "капитальный"), shop.value("Площадь, м²", "много")),
    )
    plan = shop.connector.plan(answer)
    (receipt,) = shop.connector.deliver([answer], journal)
    assert shop.sent() == [request.body for request in plan.requests if request.url.endswith("complex")]
    assert plan.losses == receipt.losses
    planned = next(r.body for r in plan.requests if r.url.endswith("notes"))
    assert planned[0]["params"] == shop.sent("POST /api/v4/leads/notes")[0][0]["params"]


def test_more_than_forty_values_are_planned_as_a_change(shop, draft):
    values = tuple(FieldValue(Target("leads", str(n), f"f{n}", "text"), f"q{n}", "a") for n in range(1, 60))
    changes = [r for r in shop.connector.plan(draft(values=values)).requests if r.method == "PATCH"]
    assert len(changes) == 1
    assert len(changes[0].body[0]["custom_fields_values"]) == 59 + 1 - 40


def test_losses_and_problems_are_shown(shop, draft):
    lost = UnplacedValue("Кто?", "я", "the field is gone from the rule")
    plan = shop.connector.plan(
        draft(losses=(lost,), values=(shop.value("Файл с планом", "plan.pdf"),), placement=Placement("anna"))
    )
    assert [loss.question for loss in plan.losses] == ["Кто?", "Файл с планом?"]
    assert [problem.field for problem in plan.problems] == ["performer"]


def test_a_known_contact_is_planned_by_id(shop, draft):
    plan = shop.connector.plan(draft(known_contact="25000001"))
    assert plan.requests[0].url.endswith("complex")
    assert plan.requests[0].body[0]["_embedded"]["contacts"] == [{"id": 25000001}]
