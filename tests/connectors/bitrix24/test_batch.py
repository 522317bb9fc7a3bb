"""Commands as PHP reads them, and what a batch's answer says of each (pure)."""

from __future__ import annotations

from urllib.parse import unquote

import pytest

from connectors.bitrix24.client import MOST, Command, Portal, Reply, php_query, request_of
from connectors.errors import NeedsReconnect, Refused, TryLater, Unclear


class Spy:
    """A door that hears every request and answers from a list, and a budget that waits for nothing."""

    def __init__(self, *answers: object) -> None:
        self.answers = list(answers)
        self.heard: list[tuple[str, object, bool]] = []
        self.noted: list[tuple[str, object]] = []
        self.waits: dict[str, float] = {}

    def call(self, method: str, path: str, *, safe: bool, json: object) -> object:
        self.heard.append((path, json, safe))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def wait_for(self, method: str) -> float:
        return self.waits.get(method, 0.0)

    def note(self, method: str, time: object) -> None:
        self.noted.append((method, time))


ADD = Command("crm.deal.add", {"fields": {"TITLE": "a"}}, safe=False)
LOOK = Command("crm.deal.list", {"start": -1})


@pytest.mark.parametrize(
    ("params", "query"),
    [
        ({"fields": {"TITLE": "a b"}}, ["fields[TITLE]=a%20b"]),
        ({"f": {"ID": [1, 2]}}, ["f[ID][0]=1", "f[ID][1]=2"]),
        ({"f": [{"VALUE": "+7"}]}, ["f[0][VALUE]=%2B7"]),
        ({"a": True, "b": False, "c": None}, ["a=1", "b=0"]),
        ({"=ID": "#&+%\n"}, ["%3DID=%23%26%2B%25%0A"]),
        ({"e": [], "d": {}}, []),
        ({"x": "\ud83d"}, ["x=%3F"]),
    ],
)
def test_parameters_are_spelled_as_php_reads_them(params, query):
    assert list(php_query(params)) == query


@pytest.mark.parametrize("typed", ["$result[c0]", "до $result[c0][ID] после", "$NEXT[c0]", "$error"])
def test_an_answer_that_looks_like_a_reference_stays_a_text(typed):
    (sent,) = php_query({"COMMENTS": typed})
    assert "$ " in unquote(sent)
    assert not any(f"${word}" in unquote(sent).lower() for word in ("result", "next", "error"))


def test_one_command_goes_by_itself_and_several_in_a_batch():
    assert request_of([ADD]) == ("/crm.deal.add", {"fields": {"TITLE": "a"}})
    path, body = request_of([ADD, LOOK])
    assert path == "/batch"
    assert body == {"halt": 0, "cmd": {"c0": "crm.deal.add?fields[TITLE]=a", "c1": "crm.deal.list?start=-1"}}


def test_each_command_gets_its_own_answer():
    spy = Spy(
        {"result": {"result": {"c0": 7}, "result_error": {"c1": {"error": "", "error_description": "no"}}}}
    )
    added, refused = Portal(spy, spy).send([ADD, LOOK])
    assert added == Reply(7)
    assert isinstance(refused, Refused)


@pytest.mark.parametrize("empty", [[], {}, None])
def test_silence_about_a_write_is_unclear_and_about_a_look_nothing(empty):
    spy = Spy({"result": {"result": empty, "result_error": empty}})
    added, looked = Portal(spy, spy).send([ADD, LOOK])
    assert isinstance(added, Unclear)
    assert isinstance(looked, TryLater)


def test_a_lost_batch_is_unclear_only_for_its_writes():
    spy = Spy(Unclear("gone", account_wide=True))
    added, looked = Portal(spy, spy).send([ADD, LOOK])
    assert isinstance(added, Unclear)
    assert isinstance(looked, TryLater)
    assert spy.heard[0][2] is False


def test_looks_alone_are_safe():
    spy = Spy({"result": []})
    assert Portal(spy, spy).send([LOOK]) == [Reply([])]
    assert spy.heard[0][2] is True


def test_a_definite_error_is_everybodys():
    spy = Spy(NeedsReconnect("gone"))
    assert [type(one) for one in Portal(spy, spy).send([ADD, LOOK])] == [NeedsReconnect, NeedsReconnect]


def test_more_commands_than_a_batch_holds_make_more_batches():
    answers = [{"result": {"result": {f"c{n}": n for n in range(MOST)}}}, {"result": 99}]
    spy = Spy(*answers)
    outcomes = Portal(spy, spy).send([LOOK] * (MOST + 1))
    assert [one.value for one in outcomes] == [*range(MOST), 99]
    assert [path for path, *_ in spy.heard] == ["/batch", "/crm.deal.list"]


def test_a_method_without_budget_is_not_sent_and_the_rest_goes_on():
    spy = Spy({"result": []})
    spy.waits = {"crm.deal.add": 42.0}
    waiting, looked = Portal(spy, spy).send([ADD, LOOK])
    assert (waiting.code, waiting.after, waiting.account_wide) == ("operating_limit", 42.0, True)
    assert looked == Reply([])
    assert [path for path, *_ in spy.heard] == ["/crm.deal.list"]


def test_the_time_of_every_command_is_noted():
    times = {"c0": {"operating": 1, "date_start": "2026-01-01T00:00:00+03:00"}}
    spy = Spy({"result": {"result": {"c0": 7, "c1": []}, "result_time": times}})
    added, _ = Portal(spy, spy).send([ADD, LOOK])
    assert spy.noted == [("crm.deal.add", times["c0"]), ("crm.deal.list", None)]
    assert added.moment.endswith("+03:00")
