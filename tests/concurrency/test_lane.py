"""One worker drains an account, one worker has a claim. On a real PostgreSQL, with real threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Account, Lane
from rules.delivery import outbox
from rules.delivery.lane import take_lane
from rules.delivery.settlement import Settlement
from rules.models import Answer, Delivery, Rule
from rules.planning import new_uid
from tests.statements import statements

pytestmark = pytest.mark.django_db(transaction=True)


def in_threads(count, act):
    def run(number):
        try:
            return act(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


@pytest.fixture
def account():
    return Account.objects.create(account_id="shop", crm="amocrm", state="active", remote_id="1")


@pytest.fixture
def waiting(account):
    """Makes due deliveries, each of somebody else unless ``keys`` says who."""
    rule = Rule.objects.create(account=account, quiz_id=42)

    def make(count, keys=None, **values):
        made = []
        for number in range(count):
            answer = Answer.objects.create(
                account_id="shop", quiz_id=42, answer_id=new_uid(), payload={}, digest=""
            )
            person = keys or [f"phone:{number}"]
            made.append(
                Delivery.objects.create(
                    answer=answer,
                    rule=rule,
                    account=account,
                    owner="shop",
                    quiz_id=42,
                    uid=new_uid(),
                    contact_keys=person,
                    **values,
                )
            )
        return made

    return make


def test_one_of_twenty_workers_takes_the_lane(account):
    lanes = in_threads(20, lambda _: take_lane(account.pk))
    assert sum(lane is not None for lane in lanes) == 1


def test_a_lane_left_behind_is_free_once_its_lease_is_over(account, settings):
    settings.LANE_LEASE = timedelta(seconds=-1)
    dead = take_lane(account.pk)
    settings.LANE_LEASE = timedelta(seconds=60)
    alive = take_lane(account.pk)

    assert alive is not None
    assert dead.renew() is False
    dead.leave()
    assert take_lane(account.pk) is None


@pytest.mark.parametrize("values", [{"state": "paused"}, {"state": "needs_reconnect"}, {"deleted": True}])
def test_nobody_drains_an_account_that_cannot_be_used(account, values):
    Account.objects.update(**values)
    assert take_lane(account.pk) is None


def test_a_resting_lane_is_left_alone(account):
    lane = take_lane(account.pk)
    lane.rest(asked=60)
    lane.leave()
    assert take_lane(account.pk) is None

    Lane.objects.update(rests_until=timezone.now())
    assert take_lane(account.pk).probing


def test_no_delivery_is_claimed_twice(account, waiting):
    waiting(200)
    claims = in_threads(8, lambda _: outbox.claim(account.pk, 50))
    taken = [pk for claim in claims for pk in claim]
    assert len(taken) == len(set(taken))
    assert Delivery.objects.filter(state="sending").count() == len(taken)


def test_a_claim_never_has_two_leads_of_one_person(account, waiting):
    same = waiting(3, keys=["phone:+79990001122", "email:anna@example.ru"])
    other = waiting(1, keys=["email:anna@example.ru"])
    free = waiting(1, keys=["phone:other"])

    assert outbox.claim(account.pk, 50) == sorted([same[0].pk, free[0].pk])
    assert outbox.claim(account.pk, 50, busy=same[0].contact_keys) == []
    assert outbox.claim(account.pk, 50) == [same[1].pk]
    assert other[0].pk not in outbox.claim(account.pk, 50, busy=["email:anna@example.ru"])


def test_oldest_first(account, waiting):
    now = timezone.now()
    young, old = waiting(1, due_at=now - timedelta(1)), waiting(1, keys=["b"], due_at=now - timedelta(2))
    assert outbox.claim(account.pk, 1) == [old[0].pk]
    assert outbox.claim(account.pk, 1) == [young[0].pk]


def test_a_worker_that_lost_its_claim_settles_nothing(account, waiting):
    [row] = waiting(1)
    claims, _ = claimed([row])
    outbox.begin_writing(claims)
    late = Settlement(row.pk, row.claimed_at, "delivered", remote_id="7")
    outbox.free_stale(account.pk, can_look=True, send_again=False)
    Delivery.objects.update(due_at=timezone.now())
    outbox.claim(account.pk, 1)

    outbox.settle([late])

    row.refresh_from_db()
    assert (row.state, row.remote_id, row.look_first) == ("sending", "", True)


def claimed(rows):
    """The claims of these deliveries, and of nobody else's: by id, and by uid."""
    outbox.claim(rows[0].account_id, len(rows))
    for row in rows:
        row.refresh_from_db()
    return {row.pk: row.claimed_at for row in rows}, {row.uid: row.claimed_at for row in rows}


def test_the_journal_of_a_batch_is_one_statement(account, waiting):
    rows = waiting(30)
    _, claims = claimed(rows)
    with statements() as sent:
        outbox.record_steps({row.uid: {"lead": str(row.pk)} for row in rows}, claims)
    assert len(sent) == 1
    outbox.record_steps({rows[0].uid: {"note": "9"}}, claims)
    rows[0].refresh_from_db()
    assert rows[0].steps == {"lead": str(rows[0].pk), "note": "9"}


def test_what_is_made_after_the_claim_was_lost_is_kept_apart_and_looked_for_again(account, waiting):
    [row] = waiting(1)
    _, claims = claimed([row])
    outbox.free_stale(account.pk, can_look=True, send_again=False)
    outbox.claim(account.pk, 1)

    outbox.record_steps({row.uid: {"contact": "3", "lead": "8"}}, claims)
    outbox.record_steps({row.uid: {"note": "4"}}, claims)
    outbox.record_steps({row.uid: {"lead": "8"}}, claims)

    row.refresh_from_db()
    assert (row.steps, row.also_made) == ({}, ["8"])
    assert row.look_again_at > timezone.now()


def test_nothing_is_sent_for_a_claim_that_was_lost(account, waiting):
    rows = waiting(2)
    claims, _ = claimed(rows)
    Delivery.objects.filter(pk=rows[0].pk).update(claimed_at=timezone.now())
    assert outbox.begin_writing(claims) is False
    assert Delivery.objects.get(pk=rows[0].pk).write_begun_at is None

    assert outbox.begin_writing({rows[1].pk: rows[1].claimed_at})
    rows[1].refresh_from_db()
    assert rows[1].write_begun_at is not None


def test_a_lead_that_was_never_sent_is_not_unclear(account, waiting):
    never, maybe = waiting(2)
    claims, _ = claimed([never, maybe])
    outbox.begin_writing({maybe.pk: claims[maybe.pk]})

    assert outbox.free_stale(account.pk, can_look=False, send_again=False) == 2

    never.refresh_from_db()
    assert (never.state, never.look_first, never.attempts_made) == ("waiting", False, 0)
    assert never.due_at <= timezone.now() + timedelta(seconds=1)  # by the database's clock
    maybe.refresh_from_db()
    assert (maybe.state, maybe.held_because) == ("held", "look_first")


def test_an_unclear_lead_postpones_its_own_person_to_its_own_time(account, waiting):
    now = timezone.now()
    soon, late = now + timedelta(seconds=60), now + timedelta(hours=12)
    anna = ["phone:1", "email:anna@example.ru"]
    waiting(1, keys=anna[:1], look_first=True, due_at=soon)
    waiting(1, keys=["phone:2"], look_first=True, due_at=late)
    of_anna = waiting(1, keys=anna)[0]
    of_boris = waiting(1, keys=["phone:2"])[0]
    of_nobody = waiting(1, keys=[])[0]

    assert outbox.claim(account.pk, 50) == [of_nobody.pk]

    for row, due in ((of_anna, soon), (of_boris, late)):
        row.refresh_from_db()
        assert timedelta(0) < row.due_at - due < timedelta(seconds=2)


def test_what_is_being_sent_is_left_alone_by_a_retry(account, waiting):
    rows = waiting(2)
    outbox.claim(account.pk, 1)
    assert outbox.retry(Delivery.objects.all()) == 1
    assert Delivery.objects.filter(state="sending").count() == 1
    assert rows


def test_dead_workers_leads_are_held_where_the_crm_cannot_be_asked(account, waiting):
    claims, _ = claimed(waiting(2))
    outbox.begin_writing(claims)
    assert outbox.free_stale(account.pk, can_look=False, send_again=False) == 2
    assert set(Delivery.objects.values_list("state", "held_because")) == {("held", "look_first")}


def test_a_person_need_not_wait_until_a_silent_crm_has_rested(account, waiting):
    lane = take_lane(account.pk)
    waiting(1)
    for _ in range(4):
        lane.rest()
    lane.leave()
    assert take_lane(account.pk) is None

    outbox.retry(Delivery.objects.all())

    assert take_lane(account.pk).probing
