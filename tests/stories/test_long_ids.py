"""A CRM answers with an id that fits no column: that lead is looked up, and no other one waits for it."""

from __future__ import annotations

import json

from rules.models import Delivery


def test_an_endless_id_is_an_error_of_its_lead_alone(quiz, later):
    quiz.post("a-1")
    made = {"id": "9" * 101, "contact_id": "8" * 101, "request_id": [quiz.delivery.uid]}
    quiz.amo.faults.add(
        "/leads/complex",
        "answer_after",
        status=200,
        content_type="application/json",
        body=json.dumps([made]),
    )
    quiz.work()
    assert (quiz.delivery.state, quiz.delivery.error_code) == ("waiting", "id_too_long")
    assert "lead" not in quiz.delivery.steps

    quiz.post("a-2")
    for _ in range(3):
        later(minutes=3)
        quiz.work()
    assert set(Delivery.objects.values_list("state", flat=True)) == {"delivered"}
    assert len(quiz.leads) == 2
