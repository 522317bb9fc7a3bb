"""Answers come in: durable before they are acknowledged, once for ever."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from accounts.models import Account
from accounts.rest.parsers import MOST_LEVELS
from rules.mapping.person import contact_keys
from rules.models import Answer, Delivery


def send(api, body, **headers):
    return api.post(
        "/answers",
        body if isinstance(body, (str, bytes)) else json.dumps(body),
        "application/json",
        **headers,
    )


def test_a_repeat_gets_the_same_answer_and_changes_nothing(quiz):
    first = quiz.post("k-1", contact={"phone": "+79990001122"})
    again = quiz.post("k-1", contact={"phone": "+79990001122"})

    assert (first.status_code, again.status_code) == (202, 200)
    assert first.json() == again.json()
    quiz.work()
    quiz.post("k-1", contact={"phone": "+79990001122"})
    quiz.work()
    assert len(quiz.leads) == 1


def test_a_repeat_with_another_body_is_a_conflict_and_changes_nothing(quiz):
    quiz.post("k-1", contact={"name": "Анна"})
    reply = quiz.post("k-1", contact={"name": "Пётр"})

    assert reply.status_code == 409
    assert reply.json()["error"]["field"] == "answerID"
    assert Answer.objects.get().payload["contact"] == {"name": "Анна"}


def test_twenty_threads_with_one_answer_make_one_delivery(quiz):
    def post(_):
        try:
            return quiz.post("k-1", contact={"phone": "+79990001122"}).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as pool:
        codes = sorted(pool.map(post, range(20)))

    assert codes == [200] * 19 + [202]
    assert Answer.objects.count() == Delivery.objects.count() == 1


def test_one_answer_id_is_free_again_in_another_quiz_and_account(quiz, caller):
    quiz.post("k-1")
    assert send(caller("other"), {"quizID": 42, "answerID": "k-1"}).status_code == 202
    assert quiz.post("k-1", quizID=43).status_code == 202
    assert Answer.objects.count() == 3


def test_of_a_list_what_is_good_is_taken_and_each_item_is_answered(quiz):
    answers = [
        {"quizID": 42, "answerID": f"k-{n}", "contact": {"phone": f"+7999000112{n}"}} for n in range(3)
    ]
    reply = send(quiz.api, answers)
    assert reply.status_code == 202
    assert [item["answerID"] for item in reply.json()] == ["k-0", "k-1", "k-2"]

    quiz.work()
    assert len(quiz.leads) == 3

    quiz.post("k-8", price=1)
    bad = [{"quizID": 42, "answerID": "k-9"}, {"quizID": "x"}, "text", {"quizID": 42, "answerID": "k-8"}]
    reply = send(quiz.api, bad)
    assert reply.status_code == 202
    good, wrong, text, other = reply.json()
    assert [item["index"] for item in reply.json()] == [0, 1, 2, 3]
    assert (good["answerID"], "error" in good) == ("k-9", False)
    assert wrong["error"]["field"] == "quizID"
    assert text["error"]["message"]
    assert (other["error"]["code"], other["error"]["field"]) == ("answer_changed", "answerID")
    assert Answer.objects.filter(answer_id="k-9").exists()

    assert send(quiz.api, bad).status_code == 200
    reply = send(quiz.api, bad[1:])
    assert reply.status_code == 400
    assert ["error" in item for item in reply.json()] == [True] * 3


def test_an_answer_twice_in_one_list_is_stored_once(quiz):
    body = {"quizID": 42, "answerID": "k-1"}
    reply = send(quiz.api, [body, {**body, "answerID": "k-2"}, body])

    one, _, twin = reply.json()
    assert reply.status_code == 202
    assert one == {**twin, "index": 0}
    assert [len(taken["deliveries"]) for taken in reply.json()] == [1, 1, 1]
    assert Answer.objects.count() == Delivery.objects.count() == 2


def test_of_two_bodies_under_one_id_in_a_list_the_first_stands(quiz):
    body = {"quizID": 42, "answerID": "k-1"}
    reply = send(quiz.api, [body, {**body, "price": 5}])

    assert reply.status_code == 202
    assert reply.json()[1]["error"]["code"] == "answer_changed"
    assert Answer.objects.get().payload == body


def test_lists_in_opposite_orders_do_not_block_each_other(quiz):
    bodies = [{"quizID": 42, "answerID": f"k-{number}"} for number in range(50)]

    def post(turn):
        try:
            in_order = bodies[::-1] if turn % 2 else bodies
            return send(quiz.api, in_order).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        codes = sorted(pool.map(post, range(8)))

    assert codes == [200] * 7 + [202]
    assert Answer.objects.count() == Delivery.objects.count() == 50


def test_strange_text_costs_no_answer(quiz):
    reply = send(quiz.api, '{"quizID": 42, "answerID": "k-1", "contact": {"name": "A\\u0000\\ud800б😀"}}')
    assert reply.status_code == 202
    assert Answer.objects.get().payload["contact"]["name"] == "A\ufffdб😀"


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ("", 400, "quizID"),
        ("{", 400, ""),
        ("[]", 400, "answers"),
        ("7", 400, ""),
        ('"text"', 400, ""),
        ("[" * 100_000, 400, ""),
        ('{"quizID": NaN, "answerID": "k"}', 400, ""),
        (b"\xff\xfe{}", 400, ""),
        ({"answerID": "k"}, 400, "quizID"),
        ({"quizID": 42}, 400, "answerID"),
        ({"quizID": -1, "answerID": "k"}, 400, "quizID"),
        ({"quizID": 2**63, "answerID": "k"}, 400, "quizID"),
        ({"quizID": 42, "answerID": "k" * 201}, 400, "answerID"),
        ({"quizID": 42, "answerID": ["k"]}, 400, "answerID"),
        ('{"quizID": 1e999, "answerID": "k"}', 400, "quizID"),
        ({"quizID": 42, "answerID": "k", "page": "x" * 300_000}, 413, ""),
    ],
)
def test_a_bad_body_is_told_what_is_wrong(caller, db, body, code, field):
    reply = send(caller("shop"), body)
    assert reply.status_code == code, reply.content
    error = reply.json()["error"]
    assert error["message"]
    assert error["field"] == field
    assert Answer.objects.count() == 0


def test_nobody_sees_what_is_not_theirs(quiz, caller):
    answer = quiz.post().json()
    delivery = answer["deliveries"][0]["id"]
    stranger = caller("stranger")

    assert stranger.get(f"/answers/{answer['id']}").status_code == 404
    assert stranger.get(f"/deliveries/{delivery}").status_code == 404
    assert stranger.post(f"/deliveries/{delivery}/retry").status_code == 404
    assert stranger.get("/deliveries").json() == {"count": 0, "items": [], "next": "", "more": False}


def test_deliveries_are_listed_filtered_and_paged(quiz, django_assert_max_num_queries):
    for _ in range(5):
        quiz.post()
    quiz.work()
    quiz.post()

    with django_assert_max_num_queries(3):
        body = quiz.api.get("/deliveries?size=2").json()
    assert (body["count"], len(body["items"])) == (6, 2)
    assert quiz.api.get("/deliveries?state=waiting&quizID=42&crm=amocrm").json()["count"] == 1
    assert quiz.api.get("/deliveries?from=2999-01-01").json()["count"] == 0
    for wrong in ("state=lost", "crm=none", "from=yesterday", "page=-1", "quizID=x", "to=2026-02-30"):
        assert quiz.api.get(f"/deliveries?{wrong}").status_code == 400, wrong


def test_a_timeline_shows_what_was_said_and_no_secret(quiz):
    quiz.post()
    quiz.work()
    body = quiz.api.get(f"/deliveries/{quiz.delivery.pk}").json()

    [attempt] = body["attempts"]
    assert attempt["outcome"] == "delivered"
    assert any("leads/complex" in exchange["url"] for exchange in attempt["exchanges"])
    assert quiz.account.token.access not in json.dumps(body)


def test_a_delivered_lead_is_not_sent_again(quiz):
    quiz.post()
    quiz.work()
    assert quiz.api.post(f"/deliveries/{quiz.delivery.pk}/retry").status_code == 409
    quiz.work()
    assert len(quiz.leads) == 1


def test_a_preview_shows_the_requests_and_sends_none(quiz):
    quiz.change_rule(Fieldsrule={"Lead": [{"QuestionID": {"1": quiz.field_id("Тип ремонта")}}]})
    quiz.amo.journal.clear()
    answer = {
        "contact": {"name": "Анна", "phone": "+79990001122"},
        "answers": [{"questionID": "1", "question": "Какой?", "answer": "Капитальный"}],
    }
    reply = quiz.api.post("/rules/42/preview", {"answer": answer}, "application/json")

    assert reply.status_code == 200
    urls = [request["url"] for request in reply.json()["requests"]]
    assert any(url.endswith("/api/v4/leads/complex") for url in urls)
    assert len(quiz.amo.journal) == 0
    assert quiz.leads == []
    assert quiz.api.post("/rules/42/preview", {"answerID": "none"}, "application/json").status_code == 404
    quiz.post("k-1", **answer)
    assert quiz.api.post("/rules/42/preview", {}, "application/json").json()["requests"]


def test_a_host_that_we_may_not_talk_to_is_told_of_a_preview_and_of_a_replay(quiz, settings):
    quiz.post("k-1")
    quiz.work()
    Account.objects.update(host="127.0.0.1")
    settings.SANDBOX = False
    reply = quiz.api.post("/rules/42/preview", {"answerID": "k-1"}, "application/json")
    assert (reply.status_code, reply.json()["error"]["code"]) == (409, "host_not_allowed")
    number = quiz.delivery.pk
    reply = quiz.api.post(f"/deliveries/{number}/replay", {"dryRun": True}, "application/json")
    assert (reply.json()["action"], reply.json()["code"]) == ("impossible", "host_not_allowed")


def test_what_came_is_stored_whole_and_named_where_it_has_no_place(quiz):
    body = {
        "contact": {"name": "Анна", "phone": "+79990001122", "extra": {"a": [1]}},
        "utm": {"utm_source": ["first", "second"], "utm_term": 5},
        "answers": [{"questionID": 7, "question": "Что?", "answer": 54, "photo": "x.jpg"}, "loose"],
        "source": {"form": "tilda"},
        "page": ["https://a.example"],
        "quiz": "Окна",
    }
    reply = quiz.post("k-1", **body)

    assert reply.status_code == 202, reply.content
    assert Answer.objects.get().payload == {"quizID": 42, "answerID": "k-1", **body}
    warnings = {one["field"]: one["code"] for one in reply.json()["warnings"]}
    assert warnings == {
        "source": "unknown_key",
        "answers.0.photo": "unknown_key",
        "utm.utm_source": "not_read",
        "answers.1": "not_read",
        "quiz": "not_read",
    }
    assert all(one["message"] for one in reply.json()["warnings"])
    quiz.work()
    assert len(quiz.leads) == 1


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"contact": ["Анна", "+79990001122"]}, "contact", "it has another shape"),
        ({"answers": ["loose", ["a", "b"]]}, "answers.1", "it has another shape"),
        ({"page": [{"url": "x"}]}, "page", "it has another shape"),
        ({"utm": {"utm_source": ["a", "b"]}}, "utm.utm_source", "the first counts"),
        ({"complete": "maybe"}, "complete", "counts as complete"),
    ],
)
def test_a_warning_says_what_was_made_of_it(quiz, body, field, words):
    warnings = {one["field"]: one["message"] for one in quiz.post(**body).json()["warnings"]}
    assert words in warnings[field]


@pytest.mark.parametrize(
    "body",
    [
        {name: empty}
        for name in ("quiz", "answers", "utm", "clientIDs", "page", "referrer", "ip", "price", "result")
        for empty in (None, [], "")
    ]
    + [{"contact": []}, {"contact": None}, {"contact": "Анна"}, {"utm": 5}, {"answers": {"7": 54}}]
    + [{"price": price} for price in ("1 500 000,50 ₽", "19999.999", "по договору", -5, True, {"sum": 1})]
    + [{"page": "x" * 50_000}, {"answers": [{"answer": 1}] * 600}, {"answers": [None, {}, 7]}],
    ids=lambda body: str(body)[:40],
)
def test_no_shape_of_an_optional_key_costs_the_answer(quiz, body):
    reply = quiz.post("k-1", **body)
    assert reply.status_code == 202, reply.content
    quiz.work()
    assert (quiz.delivery.state, len(quiz.leads)) == ("delivered", 1)


def nested(levels: int, brackets: str = "{}") -> str:
    """A text in so many maps or lists, as JSON."""
    opened = '{"a":' if brackets == "{}" else "["
    return opened * levels + '"at the bottom"' + brackets[1] * levels


@pytest.mark.parametrize("brackets", ["{}", "[]"])
@pytest.mark.parametrize(
    ("body", "around"),
    [
        ('"extra": %s', 1),
        ('"contact": {"phone": %s}', 2),
        ('"answers": [{"questionID": "1", "answer": %s}]', 3),
    ],
)
def test_a_body_is_read_by_all_as_deep_as_it_may_be(quiz, body, around, brackets):
    deepest = nested(MOST_LEVELS - around, brackets)
    answer = '{"quizID": 42, "answerID": "k-1", %s}' % (body % deepest)
    reply = quiz.api.post("/answers", answer, content_type="application/json")
    assert reply.status_code == 202, reply.content
    preview = quiz.api.post("/rules/42/preview", {}, content_type="application/json")
    assert preview.status_code == 200, preview.content
    quiz.work()
    assert "at the bottom" in quiz.leads[0]["notes"][0]

    reply = quiz.api.post(
        "/answers", answer.replace(deepest, nested(MOST_LEVELS, brackets)), "application/json"
    )
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, "parse_error")


@pytest.mark.parametrize(
    "other", [{"page": ""}, {"utm": {}, "clientIDs": None}, {"price": "5"}, {"quiz": []}], ids=str
)
def test_an_equal_body_in_other_words_is_a_repeat(quiz, other):
    body = {"contact": {"name": "Анна", "phone": "+79990001122"}, "price": 5}
    quiz.post("k-1", **body)
    assert quiz.post("k-1", **(body | other)).status_code == 200
    assert Delivery.objects.count() == 1


def test_a_conflict_gives_no_advice_that_doubles_leads(quiz):
    quiz.post("k-1", contact={"name": "Анна"})
    message = quiz.post("k-1", contact={"name": "Пётр"}).json()["error"]["message"]
    assert "new id" not in message


def test_the_answer_says_what_becomes_of_it(quiz):
    assert quiz.post().json()["message"] == "amoCRM: on its way."
    [told] = quiz.post().json()["deliveries"]
    assert (told["state"], told["nextTryAt"], told["waitsFor"][:9]) == ("waiting", None, "It is due")
    quiz.work()
    first = Answer.objects.earliest("pk")
    assert quiz.api.get(f"/answers/{first.pk}").json()["message"] == "amoCRM: delivered."


@pytest.mark.parametrize("country", ["", "RU", "UA", "KZ"])
def test_a_delivery_knows_its_person_by_its_accounts_region_and_an_answer_by_ours(quiz, settings, country):
    settings.PHONE_REGION = "RU"
    Account.objects.update(country=country)
    form = {"phone": "044 234 56 78", "phone2": "8 999 000-11-22", "email": "Anna@Mail.example"}
    quiz.post("k-1", contact=form)

    assert Answer.objects.get().contact_keys == contact_keys(form, "RU")
    assert Delivery.objects.get().contact_keys == contact_keys(form, country or "RU")
    assert contact_keys(form, "UA") != contact_keys(form, "RU")


def test_each_answer_goes_by_the_rules_of_its_moment(quiz):
    """What is remembered of the last answer's rules is never what the next one goes by."""
    assert [row["state"] for row in quiz.post().json()["deliveries"]] == ["waiting"]
    quiz.api.post("/rules/42/pause")
    paused = quiz.post().json()
    assert [row["heldBecause"] for row in paused["deliveries"]] == ["rule_paused"]
    assert paused["deliveries"][0] == quiz.api.get(f"/answers/{paused['id']}").json()["deliveries"][0]
    quiz.api.post("/rules/42/resume")
    Account.objects.update(state="needs_reconnect", state_reason="said so")
    away = quiz.post().json()
    assert away["deliveries"][0]["error"]["message"] == "The CRM no longer accepts our sign-in: said so"
    Account.objects.update(state="active", state_reason="")
    quiz.api.delete("/rules/42")
    assert quiz.post().json()["deliveries"] == []
    assert quiz.save_rule().status_code == 200
    assert [row["state"] for row in quiz.post().json()["deliveries"]] == ["waiting"]


def test_a_list_of_several_quizzes_goes_by_each_ones_rules(quiz):
    bodies = [{"quizID": 42 + number % 2, "answerID": f"k-{number}"} for number in range(4)]
    send(quiz.api, bodies[1])
    ours, *_ = told = send(quiz.api, bodies).json()
    assert [len(one["deliveries"]) for one in told] == [1, 0, 1, 0]
    assert [one["message"][:17] for one in told] == ["amoCRM: on its wa", "amoCRM: no rule f"] * 2
    assert Delivery.objects.get(answer=ours["id"]).pk == ours["deliveries"][0]["id"]
    assert set(Delivery.objects.values_list("answer__answer_id", flat=True)) == {"k-0", "k-2"}
