"""Redis fails at each of its calls in turn, once or for good, while an answer comes in and is delivered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from unittest import mock

import pytest
import redis

from connectors.out_of_reach import OutOfReach
from rules.models import Delivery
from tests.stories.test_lost_connections import CLOCKS


@contextmanager
def silent_at(number: int, *, behind: bool, for_good: bool) -> Iterator[list[str]]:
    """The call with this number fails: before it, or ``behind`` it, when it is done and nobody hears so;
    ``for_good``: so do all after it. What was called so far."""
    said: list[str] = []

    def breaking(name: str, act: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            said.append(name)
            breaks = len(said) == number or (for_good and len(said) > number)
            done = None if breaks and not behind else act(*args, **options)
            if breaks:
                raise redis.ConnectionError("Redis is away")
            return done

        return call

    with (
        mock.patch.object(redis.Redis, "execute_command", breaking("call", redis.Redis.execute_command)),
        mock.patch.object(redis.client.Pipeline, "execute", breaking("pipe", redis.client.Pipeline.execute)),
        mock.patch.object(OutOfReach, "rests", return_value=False),
    ):
        yield said


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("side", CLOCKS)
@pytest.mark.parametrize("how", ["before", "behind", "for good"])
def test_whichever_call_fails_the_answer_is_taken_and_delivered_at_once(request, settings, side, how):
    quiz = request.getfixturevalue(side)
    settings.API_RATE = 10_000
    paced = {crm: replace(one, requests_per_second=1000.0) for crm, one in settings.CRM_OPTIONS.items()}
    settings.CRM_OPTIONS = paced
    number, said = 0, [""]
    while number < len(said):
        number += 1
        with silent_at(number, behind=how == "behind", for_good=how == "for good") as said:
            assert quiz.post(f"a-{number}").status_code == 202
            quiz.work()
    assert number >= 3, said
    assert Delivery.objects.filter(state="delivered").count() == len(quiz.leads) == number
    assert set(Delivery.objects.values_list("attempts_made", flat=True)) == {1}
