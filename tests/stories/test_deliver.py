"""An answer becomes a lead, seen from both ends."""

from __future__ import annotations

from rules.models import Attempt, Delivery


def test_an_answer_arrives_as_a_lead_in_the_right_place(quiz):
    reply = quiz.post(
        "k-1", contact={"name": "Анна", "phone": "8 (999) 000-11-22", "email": "Anna@Example.ru"}
    )
    assert reply.status_code == 202
    assert reply.json()["deliveries"][0]["state"] == "waiting"

    quiz.work()

    [lead] = quiz.leads
    assert lead["pipeline"]["name"] == "Квизы"
    assert Delivery.objects.get().state == "delivered"
    body = quiz.api.get(f"/answers/{reply.json()['id']}").json()
    assert body["deliveries"][0]["leadID"] == str(lead["id"])
    assert Attempt.objects.get().outcome == "delivered"
