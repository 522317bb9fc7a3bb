"""Nightly reconciliation: what differs between our books and a CRM is found, and nothing else is."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F

from connectors.limiter import NoRateLimiter
from rules.delivery import outbox
from rules.models import Answer, Delivery, Outcome, Reconciliation, SurveyedLead
from rules.outcomes import reconciling
from rules.outcomes.following import follow
from tests.stories.many_leads import many, plant
from tests.stories.test_look_budget import ten_a_second
from tests.stories.test_solos import allow_to_look

__all__ = ["ten_a_second"]
Later = Callable[..., None]


def reconcile(shop: Any, later: Later) -> Reconciliation:
    """A run from its beginning to its end, with the pauses that it asks for."""
    run = reconciling.begin(shop.account)
    assert run is not None
    return go_on(run, later)


def go_on(run: Reconciliation, later: Later) -> Reconciliation:
    for _ in range(300):
        pause = reconciling.go_on(run.pk)
        if pause is None:
            break
        later(seconds=pause)
    run.refresh_from_db()
    return run


def found(run: Reconciliation) -> dict[str, list[str]]:
    """The answers by kind of finding."""
    told: dict[str, list[str]] = {}
    for one in run.findings.select_related("delivery__answer").order_by("delivery_id"):
        assert one.confirmed
        told.setdefault(one.kind, []).append(one.delivery.answer.answer_id)
    assert {kind: len(answers) for kind, answers in told.items()} == run.counts
    return told


def deliver(shop: Any, count: int, later: Later) -> list[Delivery]:
    """Answers that became leads an hour ago."""
    for _ in range(count):
        shop.post()
    shop.work()
    later(hours=1)
    rows = list(Delivery.objects.select_related("answer").order_by("pk"))
    assert {row.state for row in rows} == {"delivered"}
    return rows


def amo(shop: Any, operation: str, **arguments: Any) -> Any:
    return shop.amo.control(operation, {"account": shop.crm.id, **arguments})


def lead_of(row: Delivery) -> int:
    return int(row.remote_id)


def answers(*rows: Delivery) -> list[str]:
    return [row.answer.answer_id for row in rows]


def another_pipeline(shop: Any) -> Any:
    """Than the one that the rule names."""
    mine = shop.place()["PipelineID"]
    return next(line for line in shop.crm.pipelines.values() if line.id != mine)


# -- amoCRM -------------------------------------------------------------------------------------------------


def test_nothing_is_found_where_all_is_well(quiz, later):
    deliver(quiz, 5, later)
    run = reconcile(quiz, later)
    assert (run.state, run.complete, run.compared, run.unchecked) == ("done", True, 5, 0)
    assert (run.listed, run.requests) == (5, 2)
    assert found(run) == {}
    assert not SurveyedLead.objects.exists()
    assert quiz.account.reconciled_at == run.ended_at


def test_each_kind_of_fault_is_found_once_and_nothing_else(quiz, later):
    rows = deliver(quiz, 12, later)
    gone, seen, twice, moved, merged, into = rows[:6]
    Outcome.objects.filter(delivery=seen).update(record="lead", seen_at=F("created_at"))
    amo(quiz, "delete_lead", lead_id=lead_of(gone))
    amo(quiz, "delete_lead", lead_id=lead_of(seen))
    copy = amo(quiz, "copy_lead", lead_id=lead_of(twice))["lead_id"]
    elsewhere = another_pipeline(quiz)
    amo(quiz, "move_lead", lead_id=lead_of(moved), pipeline_id=elsewhere.id, step_id=elsewhere.first.id)
    amo(quiz, "merge_leads", lead_id=lead_of(merged), into=lead_of(into))

    run = reconcile(quiz, later)
    assert found(run) == {
        "missing": answers(gone, merged),
        "deleted": answers(seen),
        "doubled": answers(twice),
        "moved": answers(moved),
    }
    doubled, told = run.findings.get(kind="doubled"), run.findings.get(kind="moved")
    assert sorted(doubled.leads) == sorted([twice.remote_id, str(copy)])
    assert (told.expected, told.actual) == (str(quiz.place()["PipelineID"]), str(elsewhere.id))
    assert (run.compared, run.unchecked) == (12, 0)


def test_a_lead_that_lost_its_mark_and_one_that_the_list_does_not_show_are_not_missing(quiz, later):
    rows = deliver(quiz, 6, later)
    lost = quiz.crm.leads[lead_of(rows[0])]
    lost.values.clear()
    quiz.crm.leads.touched(lost, quiz.amo.clock.now())
    quiz.amo.switches["list_delay"] = 7200.0
    run = reconcile(quiz, later)
    assert (run.listed, run.compared, run.unchecked) == (0, 6, 0)
    assert found(run) == {}


def test_a_held_lead_that_is_there_is_found_and_adopted(quiz, later):
    row = deliver(quiz, 1, later)[0]
    Outcome.objects.all().delete()
    Delivery.objects.update(
        state="held", held_because="look_first", delivered_at=None, remote_id="", look_first=True
    )
    run = reconcile(quiz, later)
    assert found(run) == {"found": answers(row)}
    assert run.findings.get().leads == [row.remote_id]


def test_what_will_look_for_itself_in_a_moment_is_not_told(quiz, later):
    deliver(quiz, 1, later)
    Outcome.objects.all().delete()
    Delivery.objects.update(state="waiting", delivered_at=None, remote_id="", look_first=True)
    Delivery.objects.update(due_at=F("due_at") + timedelta(hours=1, minutes=5))
    assert found(reconcile(quiz, later)) == {}


def test_a_missing_lead_is_sent_again_once(quiz, later):
    row = deliver(quiz, 2, later)[0]
    amo(quiz, "delete_lead", lead_id=lead_of(row))
    assert found(reconcile(quiz, later)) == {"missing": answers(row)}

    assert outbox.send_again(row.pk)
    assert not outbox.send_again(row.pk)
    quiz.work()
    again = Delivery.objects.get(pk=row.pk)
    assert (again.state, again.remote_id != row.remote_id) == ("delivered", True)
    alive = [lead for lead in quiz.leads if not lead["deleted"]]
    assert len(alive) == 2
    later(hours=1)
    assert found(reconcile(quiz, later)) == {}


def test_sending_again_what_is_there_after_all_makes_no_second_lead(quiz, later):
    row = deliver(quiz, 1, later)[0]
    assert outbox.send_again(row.pk)
    quiz.work()
    assert len(quiz.leads) == 1
    assert Delivery.objects.get().remote_id == row.remote_id


def test_nothing_is_sent_again_whose_content_is_erased(quiz, later):
    row = deliver(quiz, 1, later)[0]
    Answer.objects.update(purged_at=row.created_at, payload={})
    assert not outbox.send_again(row.pk)


def test_leads_that_are_made_while_the_run_goes_on_are_not_compared(quiz, later, monkeypatch):
    deliver(quiz, 3, later)
    quiz.amo.switches["list_delay"] = 60.0
    run = reconciling.begin(quiz.account)
    real = reconciling._Slice._list

    def list_and_deliver(self: Any, connector: Any) -> None:
        real(self, connector)
        quiz.post()
        quiz.work()

    monkeypatch.setattr(reconciling._Slice, "_list", list_and_deliver)
    run = go_on(run, later)
    assert (run.compared, found(run)) == (3, {})


def test_a_delivery_that_moves_while_the_crm_is_asked_is_not_told(quiz, later, monkeypatch):
    row = deliver(quiz, 2, later)[0]
    amo(quiz, "delete_lead", lead_id=lead_of(row))
    real = reconciling._Slice._settle

    def settle(self: Any, *given: Any) -> None:
        outbox.send_again(row.pk)
        real(self, *given)

    monkeypatch.setattr(reconciling._Slice, "_settle", settle)
    assert found(reconcile(quiz, later)) == {}


def test_tests_are_not_compared(quiz, later):
    row = deliver(quiz, 1, later)[0]
    for model in (Delivery, Outcome, Answer):
        model.objects.update(test=True)
    amo(quiz, "delete_lead", lead_id=lead_of(row))
    run = reconcile(quiz, later)
    assert (run.compared, found(run)) == (0, {})


@pytest.mark.parametrize("phase", ["_list", "_compare", "_confirm"])
def test_a_worker_that_is_killed_is_followed_by_another(quiz, later, monkeypatch, phase):
    """After the CRM was read, and before anything of it was written down."""
    row = deliver(quiz, 4, later)[0]
    amo(quiz, "delete_lead", lead_id=lead_of(row))
    run = reconciling.begin(quiz.account)
    with monkeypatch.context() as killed:
        real = reconciling._Slice._keep

        def keep(self: Any, **columns: Any) -> None:
            if self.taken.phase == phase.removeprefix("_").replace("list", "listing").replace(
                "compare", "comparing"
            ).replace("confirm", "confirming"):
                raise SystemExit
            real(self, **columns)

        killed.setattr(reconciling._Slice, "_keep", keep)
        with pytest.raises(SystemExit):
            reconciling.go_on(run.pk)
    assert reconciling.go_on(run.pk) is None  # its lease is not over
    later(minutes=6)
    run = go_on(run, later)
    assert (run.state, run.compared, found(run)) == ("done", 4, {"missing": answers(row)})


def test_a_run_waits_until_a_tenth_of_the_limit_pays_for_its_request(ten_a_second, quiz, later, monkeypatch):
    monkeypatch.setattr("accounts.access.rate_limiter_for", lambda *_: NoRateLimiter())
    deliver(quiz, 2, later)
    run = reconciling.begin(quiz.account)
    pause = reconciling.go_on(run.pk)
    run.refresh_from_db()
    assert run.requests == 1
    assert 0 < pause <= 1
    assert reconciling.go_on(run.pk) is None  # whoever comes sooner does nothing
    run.refresh_from_db()
    assert run.requests == 1


def test_deliveries_go_first(quiz, later):
    deliver(quiz, 2, later)
    run = reconciling.begin(quiz.account)
    quiz.post()
    assert reconciling.go_on(run.pk) == 30
    run.refresh_from_db()
    assert run.requests == 0
    quiz.work()
    later(minutes=1)
    assert go_on(run, later).compared == 2


def test_a_silent_crm_is_asked_again_later_and_a_run_that_is_too_late_says_so(quiz, later):
    deliver(quiz, 1, later)
    quiz.amo.faults.add("/leads$", "reset", times=None)
    run = reconciling.begin(quiz.account)
    pause = reconciling.go_on(run.pk)
    run.refresh_from_db()
    assert (pause, run.state, run.failures) == (600, "running", 1)
    assert run.error
    later(hours=21)
    assert reconciling.go_on(run.pk) is None
    run.refresh_from_db()
    assert (run.state, run.complete, quiz.account.reconciled_at) == ("failed", False, None)


def test_the_next_run_reaches_back_to_where_the_last_whole_one_ended(quiz, later):
    deliver(quiz, 2, later)
    first = reconcile(quiz, later)
    later(days=20)
    second = reconciling.begin(quiz.account)
    assert second.since == first.until


def test_only_one_run_of_an_account_at_a_time(quiz):
    assert reconciling.begin(quiz.account)
    assert reconciling.begin(quiz.account) is None


def night_of(account: Any, later: Later) -> None:
    reconciling.begin_due()
    account.refresh_from_db()
    later(seconds=(account.reconcile_at - reconciling.db_clock.now()).total_seconds() + 1)


def test_accounts_begin_at_night_by_their_own_clock(quiz, later, queued, settings):
    deliver(quiz, 1, later)
    queued.clear()
    assert reconciling.begin_due() == 0
    at = quiz.account.reconcile_at
    zone = reconciling.zone_of(quiz.account)
    assert 1 <= at.astimezone(zone).hour < 5
    later(seconds=(at - reconciling.db_clock.now()).total_seconds() + 1)
    settings.RECONCILE_NIGHTLY = False
    assert reconciling.begin_due() == 0
    settings.RECONCILE_NIGHTLY = True
    assert reconciling.begin_due() == 1
    reconciling.go_on_due()
    run = Reconciliation.objects.get()
    assert queued == [("rules.tasks.reconcile", [run.pk])]
    assert quiz.account.reconcile_at - at > timedelta(hours=20)
    assert reconciling.begin_due() == 0


def test_an_account_without_anything_new_is_reconciled_without_a_run(quiz, later):
    deliver(quiz, 1, later)
    first = reconcile(quiz, later)
    for _ in range(20):  # the days that a run goes back, and 13 in which it has nothing to compare
        night_of(quiz.account, later)
        reconciling.begin_due()
        for run in Reconciliation.objects.filter(state="running"):
            go_on(run, later)
    last = Reconciliation.objects.latest("pk")
    quiz.account.refresh_from_db()
    idle_for = quiz.account.reconciled_at - last.ended_at
    assert timedelta(days=12) < idle_for < timedelta(days=14)
    assert last.compared == first.compared == 1
    deliver(quiz, 1, later)
    night_of(quiz.account, later)
    assert reconciling.begin_due() == 1
    run = go_on(Reconciliation.objects.latest("pk"), later)
    assert run.since > last.until
    assert run.compared == 1


@pytest.mark.parametrize("state", ["waiting", "sending", "held"])
def test_a_lead_that_is_not_there_yet_is_something_to_compare(quiz, later, state):
    deliver(quiz, 1, later)
    why = "refused" if state == "held" else ""
    Delivery.objects.update(state=state, delivered_at=None, held_because=why)
    Outcome.objects.all().delete()
    later(days=20)
    night_of(quiz.account, later)
    assert reconciling.begin_due() == 1


def test_a_night_that_was_slept_through_is_left_out_and_a_switched_off_account_too(quiz, later):
    reconciling.begin_due()
    later(days=1, hours=6)
    quiz.account.__class__.objects.update(reconcile_at=reconciling.db_clock.now() - timedelta(hours=4))
    assert reconciling.begin_due() == 0
    assert quiz.account.reconcile_at > reconciling.db_clock.now()
    quiz.account.__class__.objects.update(reconcile=False)
    later(days=1)
    assert reconciling.begin_due() == 0


# -- Bitrix24 -----------------------------------------------------------------------------------------------


def b24(shop: Any, operation: str, **arguments: Any) -> Any:
    return shop.box.control(operation, {"account": shop.portal.id, **arguments})


def test_bitrix24_tells_the_same_kinds(clinic, later_there):
    rows = deliver(clinic, 60, later_there)
    gone, twice, moved = rows[:3]
    b24(clinic, "delete_record", kind="deal", id=lead_of(gone))
    copy = b24(clinic, "copy_record", kind="deal", id=lead_of(twice))["id"]
    main = next(
        line for line in clinic.portal.categories[2].values() if line.id != clinic.place()["PipelineID"]
    )
    record = clinic.portal.tables["deal"][lead_of(moved)]
    record.props["CATEGORY_ID"] = main.id
    run = reconcile(clinic, later_there)
    assert found(run) == {"missing": answers(gone), "doubled": answers(twice), "moved": answers(moved)}
    assert sorted(run.findings.get(kind="doubled").leads) == sorted([twice.remote_id, str(copy)])
    assert (run.compared, run.unchecked, run.complete) == (60, 0, True)


@pytest.mark.parametrize("gone", ["kept", "gone"])
def test_a_lead_that_became_deals_is_one_lead(clinic, later_there, gone):
    clinic.box.switches["converted_lead"] = gone
    assert clinic.change_rule(LeadFlag=True).status_code == 200
    rows = deliver(clinic, 3, later_there)
    assert {row.steps["kind"] for row in rows} == {"lead"}
    b24(clinic, "convert_lead", id=lead_of(rows[0]))
    run = reconcile(clinic, later_there)
    assert (found(run), run.unchecked) == ({}, 0)


# -- Envybox ------------------------------------------------------------------------------------------------


def test_envybox_tells_what_is_gone_and_reads_leads_that_were_taken_into_work(florist, later_at_envybox):
    florist.change_rule(LeadFlag=True)
    rows = deliver(florist, 4, later_at_envybox)
    florist.box.control("take", {"id": lead_of(rows[1])})
    florist.box.control("delete", {"kind": "lead", "id": lead_of(rows[0])})
    run = reconcile(florist, later_at_envybox)
    assert found(run) == {"deleted": answers(rows[0])}
    assert (run.compared, run.unchecked, run.complete) == (4, 0, True)


# -- solOS --------------------------------------------------------------------------------------------------


def test_solos_says_of_what_it_does_not_show_that_it_was_not_checked(windows, later_at_solos):
    deliver(windows, 2, later_at_solos)
    run = reconcile(windows, later_at_solos)
    assert (found(run), run.compared, run.unchecked, run.requests) == ({}, 2, 2, 0)


def test_solos_shows_its_newest_leads_where_it_may(windows, later_at_solos, settings):
    allow_to_look(windows, settings)
    rows = deliver(windows, 3, later_at_solos)
    windows.box.control("delete_lead", {"lead_id": lead_of(rows[0])})
    run = reconcile(windows, later_at_solos)
    assert (found(run), run.compared, run.unchecked) == ({}, 3, 1)
    assert follow(windows.account.pk) >= 0


# -- many ---------------------------------------------------------------------------------------------------

MANY = int(os.environ.get("RECONCILED_LEADS", "1000"))


def test_ten_faults_among_many_leads_in_amocrm(quiz, later):
    mark, table = int(quiz.account.facts["mark_field"]), quiz.crm.leads

    def copy(lead: str, uid: str) -> str:
        made = amo(quiz, "copy_lead", lead_id=int(lead))["lead_id"]
        table[made].values[mark] = [{"value": uid}]
        table.touched(table[made], quiz.amo.clock.now())
        return str(made)

    rows = many(quiz, MANY, copy)
    elsewhere = another_pipeline(quiz)

    def do(kind: str, row: Delivery) -> None:
        if kind == "moved":
            to = {"pipeline_id": elsewhere.id, "step_id": elsewhere.first.id}
            amo(quiz, "move_lead", lead_id=lead_of(row), **to)
        else:
            amo(quiz, "copy_lead" if kind == "doubled" else "delete_lead", lead_id=lead_of(row))

    planted = plant(rows, do)
    later(hours=1)
    run = reconcile(quiz, later)
    assert found(run) == planted
    assert (run.compared, run.unchecked, run.complete) == (MANY - 2, 0, True)
    assert run.requests <= MANY / 250 + 25


def test_ten_faults_among_many_leads_in_bitrix24(clinic, later_there):
    def copy(deal: str, uid: str) -> str:
        made = b24(clinic, "copy_record", kind="deal", id=int(deal))["id"]
        record = clinic.portal.tables["deal"][made]
        record.props["ORIGIN_ID"] = uid
        clinic.portal.tables["deal"].touched(record)
        return str(made)

    rows = many(clinic, MANY, copy)
    mine = clinic.place()["PipelineID"]
    elsewhere = next(line.id for line in clinic.portal.categories[2].values() if line.id != mine)

    def do(kind: str, row: Delivery) -> None:
        if kind == "moved":
            clinic.portal.tables["deal"][lead_of(row)].props["CATEGORY_ID"] = elsewhere
        else:
            b24(clinic, "copy_record" if kind == "doubled" else "delete_record", kind="deal", id=lead_of(row))

    planted = plant(rows, do)
    later_there(hours=1)
    run = reconcile(clinic, later_there)
    assert found(run) == planted
    assert (run.compared, run.unchecked, run.complete) == (MANY - 2, 0, True)
    assert run.requests <= MANY / 1000 + 8
