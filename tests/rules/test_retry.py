from datetime import timedelta

import pytest

from rules.delivery.retry import GIVE_UP_AFTER, LANE_RESTS, lane_rest, pause_after


@pytest.mark.parametrize(
    ("tries", "seconds"),
    [(1, 5), (2, 30), (3, 120), (4, 600), (5, 3600), (6, 10800), (7, 43200), (20, 43200)],
)
def test_the_plan_without_luck(tries, seconds):
    assert pause_after(tries, luck=0) == timedelta(seconds=seconds)


def test_luck_only_ever_lengthens_a_pause():
    assert pause_after(1, luck=1) == timedelta(seconds=6)


def test_the_crm_is_never_asked_sooner_than_it_wished():
    assert pause_after(1, asked=300, luck=0) == timedelta(seconds=300)
    assert pause_after(5, asked=300, luck=0) == timedelta(seconds=3600)
    assert lane_rest(1, asked=77, luck=0) == timedelta(seconds=77)


def test_after_ten_days_a_person_decides():
    assert pause_after(9, timedelta(seconds=GIVE_UP_AFTER - 1), luck=0)
    assert pause_after(9, timedelta(seconds=GIVE_UP_AFTER)) is None


def test_a_lane_rests_longer_and_longer_up_to_a_bound():
    rests = [lane_rest(failures, luck=0).total_seconds() for failures in range(1, 8)]
    assert rests == [*LANE_RESTS, LANE_RESTS[-1], LANE_RESTS[-1]]
