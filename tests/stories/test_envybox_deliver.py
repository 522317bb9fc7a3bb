"""Answers on their way into Envybox: they arrive, are united, survive lost replies and dead workers."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from rules.delivery import outbox
from rules.models import Delivery


def test_an_answer_becomes_a_deal_at_its_step(florist):
    fields = {"deal": {"QuestionID": {"7": florist.field_id("Бюджет")}}}
    florist.change_rule(FieldsRule=fields, TagsToAdd={"lead": ["vip"]})
    florist.post(
        answers=[{"questionID": 7, "question": "Бюджет?", "answer": "100 000"}], utm={"utm_source": "ads"}
    )
    florist.work()
    [lead] = florist.leads
    assert (lead["pipeline"], lead["step"], lead["fields"]) == ("Квизы", "Дозвон", {"Бюджет": 100_000})
    assert (lead["tags"], lead["utm"]) == (["vip"], {"utm_source": "ads"})
    delivery = florist.delivery
    assert (delivery.state, delivery.remote_id) == ("delivered", str(lead["id"]))
    assert delivery.remote_link == f"https://florist.envycrm.com/deals/{lead['deal_id']}"


@pytest.mark.parametrize(("field", "problems"), [("Стиль", []), ("Площадь", ["two_questions_one_field"])])
def test_two_questions_for_one_field_are_a_problem_where_it_holds_one_answer(florist, field, problems):
    florist.change_rule(FieldsRule={"lead": {"QuestionID": dict.fromkeys("12", florist.field_id(field, 1))}})
    assert [problem["code"] for problem in florist.rule.problems] == problems


def test_a_rule_that_leaves_leads(florist):
    florist.change_rule(LeadFlag=True)
    florist.post()
    florist.work()
    [lead] = florist.leads
    assert (lead["step"], lead["deal_id"], lead["deal_pipeline"]) == ("Новый", None, "Квизы")


def test_a_repeated_contact_is_united_and_loses_no_answer(florist):
    florist.change_rule(LeadFlag=True)
    anna = {"name": "Анна", "phone": "+79991112233"}
    for text in ("Первый", "Второй"):
        florist.post(contact=anna, answers=[{"questionID": 1, "question": "Какой?", "answer": text}])
    florist.work()
    assert {d.remote_id for d in Delivery.objects.all()} == {str(florist.leads[0]["id"])}
    notes = " ".join(florist.leads[0]["notes"])
    assert "Первый" in notes
    assert "Второй" in notes


@pytest.mark.parametrize("action", ["reset_after", "timeout_after", "truncate"])
def test_a_lost_reply_makes_no_second_lead(florist, later_at_envybox, action):
    florist.box.faults.add("/lead/set", action)
    florist.post()
    florist.work()
    assert (florist.delivery.state, florist.delivery.look_first) == ("waiting", True)
    later_at_envybox(minutes=5)
    florist.work()
    assert (florist.delivery.state, len(florist.leads)) == ("delivered", 1)
    assert florist.leads[0]["step"] == "Дозвон"


def test_a_request_lost_on_its_way_is_sent_again_once(florist, later_at_envybox):
    florist.box.faults.add("/lead/set", "reset")
    florist.post()
    florist.work()
    later_at_envybox(minutes=5)
    florist.work()
    assert (florist.delivery.state, len(florist.leads)) == ("delivered", 1)
    assert len(florist.box.journal.find("POST", "/lead/workset")) == 1


def test_a_killed_worker_leaves_one_lead(florist, later_at_envybox, monkeypatch):
    florist.post()
    [claimed] = outbox.claim(florist.account.pk, 1, set())
    Delivery.objects.filter(pk=claimed).update(write_begun_at=timezone.now())
    florist.box.handle(
        "POST",
        f"https://{florist.envy.host}/openapi/v1/lead/set/?api_key={florist.envy.key}",
        {},
        _body(Delivery.objects.get(pk=claimed)),
    )
    later_at_envybox(minutes=15)
    florist.work()
    later_at_envybox(minutes=5)
    florist.work()
    assert (florist.delivery.state, len(florist.leads)) == ("delivered", 1)


def _body(delivery):
    """What the worker had sent before it died."""
    contact = delivery.answer.payload["contact"]
    values = {**contact, "comment": f"Ответ\n{delivery.uid}"}
    return '{"request": {"method": "create", "values": %s}}' % str(values).replace("'", '"')  # noqa: UP031


def test_the_queue_is_asked_until_it_shows_the_lead(florist, later_at_envybox):
    florist.change_rule(QueueMode=True)
    florist.box.switches["workset_delay"] = 60.0
    florist.post()
    florist.work()
    assert (florist.delivery.state, florist.delivery.steps) == ("waiting", {"queued": "1"})
    later_at_envybox(minutes=2)
    florist.work()
    assert (florist.delivery.state, len(florist.leads)) == ("delivered", 1)
    assert len(florist.box.journal.find("POST", "/lead/workset")) == 1


def test_a_refused_key_parks_the_account_until_there_is_a_new_one(florist):
    florist.box.revoke(florist.envy)
    for _ in range(3):
        florist.post()
    florist.work()
    assert florist.account.state == "needs_reconnect"
    assert set(Delivery.objects.values_list("held_because", flat=True)) <= {"reconnect", ""}
    assert florist.api.get("/envybox/account").json()["stale"]
    assert florist.leads == []
    assert florist.connect().status_code == 200
    florist.work()
    assert (florist.account.state, len(florist.leads)) == ("active", 3)
    assert set(Delivery.objects.values_list("state", flat=True)) == {"delivered"}


def test_a_busy_envybox_is_waited_for(florist, later_at_envybox):
    florist.box.faults.add("/lead/set", status=429)
    florist.post()
    florist.work()
    assert florist.delivery.state == "waiting"
    assert florist.delivery.due_at - timezone.now() < timedelta(minutes=5)
    later_at_envybox(minutes=5)
    florist.work()
    assert (florist.delivery.state, len(florist.leads)) == ("delivered", 1)


def test_a_pipeline_that_went_holds_the_lead_until_the_rule_is_mended(florist):
    florist.box.control("delete", {"kind": "pipeline", "id": int(florist.place()["PipelineID"])})
    florist.sync()
    florist.post()
    florist.work()
    assert florist.delivery.held_because == "fix_rule"
    florist.change_rule(**florist.place("Продажи", "Переговоры"))
    florist.work()
    assert (florist.delivery.state, florist.leads[0]["step"]) == ("delivered", "Переговоры")
