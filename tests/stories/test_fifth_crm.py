"""A CRM that joins by its line in the registry: its paths, its schema, its rules and its deliveries."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module, reload
from typing import Any

import pytest
from django.test import Client
from django.urls import clear_url_caches
from drf_spectacular.generators import SchemaGenerator

from accounts.models import Account
from connectors import registry
from connectors.base import Capabilities, Choice, Connector, Identity, Journal, RestShape
from connectors.draft import LeadDraft, Plan, Problem, Receipt
from connectors.envybox.auth import ApiKey
from connectors.errors import ConnectorError
from connectors.rows import FieldRow, PipelineRow, Row, StepRow, UserRow
from crm_cache.refresh import run_waiting
from crm_cache.runs import ask_for
from rules.serializers import dialect_of
from tests.openapi.reading import examples, faults, operation, operations, read_document
from tests.stories.conftest import work

URLS = ("accounts.urls", "crm_cache.urls", "rules.urls", "config.urls")
SENT: list[LeadDraft] = []
KNOWN = list(registry.CONNECTORS)


@dataclass(frozen=True, slots=True)
class FifthOptions:
    host_suffixes: tuple[str, ...] = ("fifth.example",)

    @property
    def exact_hosts(self) -> tuple[str, ...]:
        return ()


LISTS: dict[str, Sequence[Row]] = {
    "users": [UserRow("3", "Olga", "olga@example.com", "manager")],
    "pipelines": [PipelineRow("1", "Sales", is_main=True)],
    "steps": [StepRow("1", "11", "New", color="#fff"), StepRow("", "b2", "North", "branches")],
    "fields": [FieldRow("deals", "100", "Area", "text", "AREA")],
}


class FifthConnector(Connector):
    """A CRM in memory: opened by a key, with deals, a directory of branches and a number of a shelf."""

    auth_class = ApiKey
    can = Capabilities(
        credentials=("api_key",),
        lists=("users", "pipelines", "steps", "fields"),
        entities={"deal": "deals", "contact": "people"},
        choices=(
            Choice("branch", "Branch", "branches", name="BranchID"),
            Choice("ShelfID", "Shelf", typed=True),
            Choice("Urgent", "Urgent", default=True),
        ),
    )
    rest = RestShape(texts={"Rule.BranchID": "the branch that calls back"})

    def identify(self) -> Identity:
        return Identity("17", "The fifth", "shop.fifth.example")

    def check(self) -> tuple[Problem, ...]:
        return ()

    def pages_of(self, what: str) -> Iterator[Sequence[Row]]:
        yield LISTS[what]

    def deliver(self, drafts: Sequence[LeadDraft], journal: Journal) -> list[Receipt | ConnectorError]:
        SENT.extend(drafts)
        return [Receipt(draft.uid, {"lead": f"lead-{len(SENT)}"}) for draft in drafts]

    def plan(self, draft: LeadDraft) -> Plan:
        return Plan((), (), ())


@pytest.fixture
def fifth(
    monkeypatch: pytest.MonkeyPatch,
    settings: Any,
    transactional_db: None,
    queued: Any,
    caller: Callable[..., Client],
) -> Iterator[Client]:
    """The registry with one line more."""
    here = f"{__name__}."
    entry = registry.Entry("Fifth", f"{here}FifthConnector", f"{here}FifthOptions")
    monkeypatch.setitem(registry.CONNECTORS, "fifth", entry)
    settings.CRM_OPTIONS = {**settings.CRM_OPTIONS, "fifth": FifthOptions()}
    SENT.clear()
    read_urls()
    yield caller()
    monkeypatch.undo()
    dialect_of.cache_clear()
    registry.connector_class.cache_clear()
    registry.options_class.cache_clear()
    read_urls()


def read_urls() -> None:
    for name in URLS:
        reload(import_module(name))
    clear_url_caches()


@pytest.fixture
def connected(fifth: Client) -> Client:
    key = {"base_url": "https://shop.fifth.example", "api_key": "k-1"}
    answer = fifth.post("/fifth/account", key, content_type="application/json")
    assert answer.status_code == 200, answer.content
    account = Account.objects.get()
    ask_for(account)
    run_waiting(account.pk)
    return fifth


RULE = {
    "PerformerID": "3",
    "PipelineID": "1",
    "StepID": "11",
    "BranchID": "b2",
    "ShelfID": "7",
    "Urgent": False,
    "FieldsRule": {"deal": {"QuestionID": {"area": "100"}}},
    "TagsToAdd": {"deal": ["quiz"]},
}


def test_it_has_paths_and_a_schema(fifth):
    schema: Mapping[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    paths = {path for path in schema["paths"] if path.startswith("/fifth/")}
    rule = "/fifth/rules/{quizID}"
    rules = {rule, *(f"{rule}/{verb}" for verb in ("preview", "backfill", "pause", "resume", "options"))}
    lists = {f"/fifth/{what}" for what in FifthConnector.can.lists}
    assert paths == {"/fifth/account", *rules, *lists}
    components = schema["components"]["schemas"]
    asked = components["FifthRulesReq"]["properties"]
    assert list(asked)[3:5] == ["BranchID", "ShelfID"]
    assert asked["BranchID"]["description"] == "the branch that calls back"
    assert (asked["Urgent"]["type"], asked["Urgent"]["default"]) == ("boolean", True)
    assert set(components["FifthFieldRules"]["properties"]) == {"deal", "contact"}
    assert components["ConnectFifth"]["required"] == ["api_key", "base_url"]
    assert components["ConnectFifth"]["properties"]["base_url"]["description"].endswith(
        "https://example.fifth.example"
    )


def test_it_has_examples_and_takes_them(connected):
    root = read_document()
    own = [one for one in operations(root) if one.path.startswith("/fifth/")]
    lacking = [f"{one}: {at}" for one in own for at, media in one.bodies if not list(examples(media))]
    assert lacking == []
    assert {
        fault.partition(": ")[2]
        for one in own
        for _, media in one.bodies
        for _, shown in examples(media)
        for fault in faults(root, media["schema"], shown["value"])
    } <= {f"'fifth' is not one of {KNOWN}"}  # the enum was made when the process began, as registries are
    for operation_id in ("CreateFifthRules", "ChangeFifthRules", "GetFifthRules", "PauseFifthRule"):
        said = operation(root, operation_id)
        for body in said.requests.values():
            sent = {"data": body, "content_type": "application/json"} if body else {}
            answer = getattr(connected, said.method)(said.path.format(quizID=4201), **sent)
            assert answer.status_code == 200, answer.content


def test_it_is_connected_and_shows_its_lists(connected):
    shown = connected.get("/fifth/account").json()
    assert (shown["fifthID"], shown["name"], shown["stale"]) == ("17", "The fifth", False)
    [user] = connected.get("/fifth/users").json()["items"]
    assert (user["fifthID"], user["email"], user["role"]) == ("3", "olga@example.com", "manager")
    steps = connected.get("/fifth/steps").json()["items"]
    assert {(step["fifthID"], step["entity"], step["pipelineID"]) for step in steps} == {
        ("11", "", "1"),
        ("b2", "branches", ""),
    }
    assert connected.get("/fifth/fields").json()["items"][0]["code"] == "AREA"


def test_its_rule_makes_the_round(connected):
    assert connected.post("/fifth/rules/5", RULE, content_type="application/json").json() == "Success"
    shown = connected.get("/fifth/rules/5").json()
    assert {key: shown[key] for key in RULE if key != "FieldsRule"} == {
        key: value for key, value in RULE.items() if key != "FieldsRule"
    }
    assert shown["FieldsRule"]["deal"] == {"QuestionID": {"area": "100"}}
    assert shown["Problems"] == []
    assert connected.patch("/fifth/rules/5", shown, content_type="application/json").json() == "Success"
    assert connected.get("/fifth/rules/5").json() == shown
    assert connected.patch("/fifth/rules/5", {"Urgent": True}, content_type="application/json").json()
    assert connected.get("/fifth/rules/5").json() == {**shown, "Urgent": True}


@pytest.mark.parametrize(
    ("body", "field"), [({"ShelfID": "seven"}, "ShelfID"), ({"Branch": "b2"}, "BranchID")]
)
def test_what_its_rule_can_not_say_is_refused_by_name(connected, body, field):
    refused = connected.post("/fifth/rules/5", body, content_type="application/json")
    assert refused.status_code == 400
    assert field in refused.json()


def test_its_answers_are_delivered(connected):
    connected.post("/fifth/rules/5", RULE, content_type="application/json")
    answer = {"quizID": 5, "answerID": "a-1", "answers": [{"questionID": "area", "answer": "54"}]}
    assert connected.post("/answers", answer, content_type="application/json").status_code == 202
    work()
    [draft] = SENT
    assert draft.placement.choices == {"branch": "b2", "ShelfID": "7", "Urgent": False}
    assert [(one.target.name, one.text) for one in draft.values] == [("Area", "54")]
    [shown] = connected.get("/deliveries?crm=fifth").json()["items"]
    assert (shown["state"], shown["leadID"]) == ("delivered", "lead-1")
