"""Replays in the CRMs beside amoCRM: what each of them can change of a lead that is there."""

from __future__ import annotations

from rules.delivery import outbox
from rules.models import Delivery, Replay
from tests.stories.test_replay import PHONE, WINDOW, answered, foreseen, replay, told


def test_a_deal_of_bitrix24(clinic, later_there):
    clinic.change_rule(PerformerID=str(sorted(clinic.portal.users)[1]))
    answered(clinic)
    clinic.work()
    ids = {"1": clinic.field_id(WINDOW)}
    step, who = clinic.place(step="Замер назначен")["StageID"], str(sorted(clinic.portal.users)[2])
    clinic.change_rule(FieldsRule={"deal": {"QuestionID": ids}}, StageID=step, PerformerID=who)
    found = foreseen(clinic)
    assert ("step", "Дозвон", "Замер назначен", False) in told(found["changes"])
    clinic.box.faults.add("crm.timeline.comment.add", "reset_after")
    clinic.box.faults.add("/batch", "reset_after", contains="crm.timeline.comment.add")
    replay(clinic)
    clinic.work()
    later_there(minutes=2)
    clinic.work()

    [deal] = clinic.leads
    assert (deal["fields"][WINDOW], deal["step"]) == ("red", "Замер назначен")
    [record] = clinic.portal.tables["deal"].values()
    assert str(record.props["ASSIGNED_BY_ID"]) == who
    assert Replay.objects.get().state == "changed"
    comments = [row for rows in clinic.portal.timeline.values() for row in rows]
    assert sum("версии 3" in row["COMMENT"] for row in comments) == 1
    replay(clinic)
    clinic.work()
    assert Replay.objects.first().state == "unchanged"


def test_a_deal_of_bitrix24_stays_in_its_pipeline(clinic):
    answered(clinic)
    clinic.work()
    other = next(c.name for c in clinic.portal.categories[2].values() if c.name != "Квизы")
    names = clinic.portal.statuses.by_entity
    place = clinic.portal.categories[2]
    line = next(one for one in place.values() if one.name == other)
    stages = names[f"DEAL_STAGE_{line.id}" if line.id else "DEAL_STAGE"]
    clinic.change_rule(PipelineID=line.id, StageID=next(iter(stages)))
    replay(clinic)
    clinic.work()

    assert clinic.leads[0]["step"] == "Дозвон"
    [done] = Replay.objects.all()
    assert done.state == "unchanged"
    assert [one["why"] for one in done.changes if one["what"] == "step"] == [
        "a deal is moved within its pipeline only"
    ]


def test_a_lead_of_bitrix24_is_not_taken_for_a_deal(clinic):
    """The rule made leads, and makes deals by now: a deal with the lead's number is somebody else's."""
    clinic.post("k-0", contact={"name": "Олег"}, price=5)
    clinic.work()
    clinic.change_rule(LeadFlag=True)
    answered(clinic)
    clinic.work()
    row = Delivery.objects.get(answer__answer_id="k-1")
    clinic.change_rule(LeadFlag=False, FieldsRule={"deal": {"QuestionID": {"1": clinic.field_id(WINDOW)}}})
    replay(clinic, row)
    clinic.work()

    deals = clinic.portal.tables["deal"].values()
    assert [float(deal.props["OPPORTUNITY"]) for deal in deals] == [5.0]
    assert Replay.objects.get().state in ("unchanged", "changed")


def test_a_deal_of_envybox(florist, later_at_envybox):
    answered(florist)
    florist.work()
    ids = {"1": florist.field_id("Комментарий замерщика")}
    steps = [stage.name for stage in florist.envy.line("Квизы").stages.values()]
    step = steps[steps.index("Дозвон") + 1]
    who = next(iter(florist.envy.employees))
    florist.change_rule(
        FieldsRule={"deal": {"QuestionID": ids}}, PerformerID=str(who), **florist.place(step=step),
        TagsToAdd={"lead": ["vip"]},
    )  # fmt: skip
    found = foreseen(florist)
    assert ("step", "Дозвон", step, False) in told(found["changes"])
    assert florist.leads[0]["step"] == "Дозвон"
    florist.box.faults.add("/deal/createComment", "reset_after")
    replay(florist)
    florist.work()
    later_at_envybox(minutes=2)
    florist.work()

    [deal] = florist.leads
    assert (list(deal["fields"].values()), deal["step"]) == ([100, "red"], step)
    [record] = florist.envy.deals.values()
    assert (record.employee_id, record.tags) == (who, ["vip"])
    assert sum("версии 2" in note for note in deal["notes"]) == 1
    assert Replay.objects.get().state == "changed"
    replay(florist)
    florist.work()
    assert Replay.objects.first().state == "unchanged"
    assert florist.leads == [deal]


def test_a_crm_that_changes_no_leads_refuses_and_makes_what_was_never_made(windows):
    answered(windows)
    windows.work()
    reply = replay(windows)
    assert (reply.status_code, reply.json()["error"]["code"]) == (409, "cant_update")
    assert "can't change a lead that is there" in reply.json()["error"]["message"]

    windows.post("k-2", contact={"name": "Олег", "phone": PHONE})
    row = Delivery.objects.get(answer__answer_id="k-2")
    outbox.cancel(Delivery.objects.filter(pk=row.pk))
    assert replay(windows, row).status_code == 202
    windows.work()
    assert len(windows.leads) == 2
    assert Replay.objects.get().state == "made"
