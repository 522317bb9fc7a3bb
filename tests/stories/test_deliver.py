"""An answer becomes a lead, seen from both ends."""

from __future__ import annotations

from rules.models import Attempt, Delivery, Rule


def test_an_answer_arrives_as_a_lead_in_the_right_place(quiz):
    reply = quiz.post(
        "k-1", contact={"name": "Анна", "phone": "8 (999) 000-11-22", "email": "Anna@Example.ru"}
    )
    assert reply.status_code == 202
    assert reply.json()["deliveries"][0]["state"] == "waiting"

    quiz.work()

    [lead] = quiz.leads
    assert (lead["pipeline"], lead["step"]) == ("Квизы", "Дозвон")
    assert lead["contact"]["name"] == "Анна"
    assert lead["contact"]["Телефон"] == "+79990001122"
    assert lead["contact"]["Email"] == "anna@example.ru"
    shown = quiz.api.get(f"/answers/{reply.json()['id']}").json()["deliveries"][0]
    assert (shown["state"], shown["leadID"]) == ("delivered", str(lead["id"]))
    assert shown["link"].endswith(f"/leads/detail/{lead['id']}")
    assert Attempt.objects.get().outcome == "delivered"


def test_answers_fill_typed_fields_and_the_note_has_every_one(quiz):
    wanted = {"1": "Тип ремонта", "2": "Площадь, м²", "3": "Комментарий к заявке"}
    lead_fields = {question: quiz.field_id(name) for question, name in wanted.items()}
    quiz.change_rule(Fieldsrule={"Lead": [{"QuestionID": lead_fields}]})

    quiz.post(
        answers=[
            {"questionID": "1", "question": "Какой ремонт?", "answer": "капитальный "},
            {"questionID": 2, "question": "Какая площадь?", "answer": "1 200,50 м²"},
            {"questionID": "3", "question": "Что ещё?", "answer": "Позвоните\nутром"},
            {"questionID": "4", "question": "Нужна доставка?", "answer": True},
        ]
    )
    quiz.work()

    [lead] = quiz.leads
    assert lead["fields"]["Тип ремонта"] == "Капитальный"
    assert float(lead["fields"]["Площадь, м²"]) == 1200.5
    assert lead["fields"]["Комментарий к заявке"] == "Позвоните\nутром"
    [note] = lead["notes"]
    assert "Нужна доставка?: да" in note
    assert "Какой ремонт?: капитальный" in note


def test_what_fits_no_field_is_in_the_note_and_the_rule_says_so(quiz):
    quiz.change_rule(Fieldsrule={"Lead": [{"QuestionID": {"1": quiz.field_id("Тип ремонта")}}]})

    quiz.post(answers=[{"questionID": "1", "question": "Какой ремонт?", "answer": "Космический"}])
    quiz.work()

    [lead] = quiz.leads
    assert "Тип ремонта" not in lead["fields"]
    assert "Космический" in lead["notes"][0]
    assert quiz.delivery.losses[0]["question"] == "Какой ремонт?"
    assert quiz.delivery.attempts.get().message == "1 answer is in the note only"
    [problem] = quiz.rule.problems
    assert problem["code"] == "option_likely"
    assert "«Космический» — «Косметический»" in problem["message"]


def test_company_tags_and_utm_come_along(quiz):
    tags = {
        tag["Name"]: tag["ID"]
        for tag in quiz.api.get("/tags?size=1000").json()["items"]
        if tag["Entity"] == "leads"
    }
    name = next(iter(tags))
    quiz.change_rule(TagsToAdd={"Lead": [tags[name]]})

    quiz.post(contact={"name": "Пётр", "phone": "+79991112233", "company": "Ромашка"}, utm={"source": "ads"})
    quiz.work()

    [lead] = quiz.leads
    assert lead["company"]["name"] == "Ромашка"
    assert name in lead["tags"]
    assert lead["fields"]["utm_source"] == "ads"


def test_two_answers_of_one_person_in_one_second_make_one_contact(quiz):
    for number in range(2):
        quiz.post(contact={"name": "Анна", "phone": "+79990001122", "email": f"anna{number}@example.ru"})
    quiz.work()

    assert len(quiz.leads) == 2
    assert len({lead["contact"]["id"] for lead in quiz.leads}) == 1


def test_a_person_whom_the_crm_knows_is_attached_and_not_overwritten(quiz):
    quiz.post(contact={"name": "Анна", "phone": "+79990001122"})
    quiz.work()
    quiz.post(contact={"name": "Аня Другая", "phone": "8 999 000 11 22"})
    quiz.work()

    first, second = quiz.leads
    assert first["contact"] == second["contact"]
    assert second["contact"]["name"] == "Анна"


def test_one_quiz_reaches_only_its_own_rule_and_an_unruled_answer_is_kept(shop):
    reply = shop.post()
    assert reply.status_code == 202
    assert reply.json()["deliveries"] == []
    assert "no rule for this quiz, the answer is kept" in reply.json()["message"]

    shop.save_rule()
    shop.work()
    assert shop.leads == []


def test_a_field_asked_for_with_0_is_made_once_and_filled(shop):
    body = shop.place() | {
        "Fieldsrule": {"Lead": [{"QuestionID": {"7": 0}}]},
        "Quiz": {
            "questions": [
                {"id": "7", "title": "Любимый цветок", "type": "select", "options": ["Роза", "Пион"]}
            ]
        },
    }
    assert shop.save_rule(**body).status_code == 200
    assert shop.rule.fields_rule["lead"] == [{"QuestionID": {"7": 0}}]
    shop.post(answers=[{"questionID": "7", "question": "Любимый цветок", "answer": "Пион"}])

    shop.work()
    shop.change_rule(Fieldsrule={"Lead": [{"QuestionID": {"7": 0}}]})
    shop.work()

    made = [f for f in shop.crm.fields["leads"].by_id.values() if f.name == "Любимый цветок"]
    assert [f.type for f in made] == ["select"]
    assert shop.api.get("/rules/42").json()["FieldsRule"]["lead"] == [{"QuestionID": {"7": made[0].id}}]
    assert shop.leads[0]["fields"]["Любимый цветок"] == "Пион"
    assert Rule.objects.get().problems == []


def test_a_backlog_goes_out_in_batches(quiz):
    for _ in range(60):
        quiz.post()
    quiz.amo.journal.clear()
    quiz.work()

    assert len(quiz.leads) == 60
    assert Delivery.objects.filter(state="delivered").count() == 60
    created = [entry for entry in quiz.amo.journal if entry.path == "/api/v4/leads/complex"]
    assert len(created) == 2
