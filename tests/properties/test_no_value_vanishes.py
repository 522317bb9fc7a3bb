"""No value vanishes: each scalar of a body is in a request to the CRM, or a loss, which is in the note too.

Held by every CRM of the registry against its sandbox. ``PROPERTY_EXAMPLES`` says how many bodies each gets.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from itertools import count
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote_plus

import pytest
import responses
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.draft import FILL, LEAVE, OVERWRITE, Receipt, Target, WriteMode
from connectors.registry import CONNECTORS
from connectors.repeated import JOINED
from rules.mapping.drafting import Progress, draft_for
from rules.mapping.follow_up import FollowUp
from rules.mapping.option_map import LONGEST_OPTION, ChoiceField, read_choice_fields
from rules.mapping.repeated import OnRepeat
from rules.mapping.rule_snapshot import RuleSnapshot
from rules.mapping.templates import Text, Texts
from tests.connectors.cast import Notebook, make_draft
from tests.connectors.harness import Harness, harness_class
from tests.properties.bodies import bodies, plain, scalars_in, spellings

EXAMPLES = int(os.environ.get("PROPERTY_EXAMPLES", "60"))
QUESTIONS = tuple(f"q{number}" for number in range(40))
CHOICES = ({}, {"LeadFlag": True}, {"LeadFlag": False}, {"LeadFlag": False, "QueueMode": True})
NO_TEXTS, NONE = Texts(), MappingProxyType[str, str]({})
numbers = count(1)


@dataclass
class World:
    """A connected account, and a rule that maps questions to all fields it has, two to each of them."""

    crm: Harness
    snapshot: RuleSnapshot
    mock: responses.RequestsMock

    @cached_property
    def known(self) -> str:
        """Somebody whom the CRM has already; each body finds them as the ones before have left them."""
        (receipt,) = self.crm.connector.deliver([make_draft()], Notebook())
        assert isinstance(receipt, Receipt)
        return receipt.journal.get("contact", "")

    def deliver(
        self,
        body: dict[str, Any],
        choices: dict[str, Any],
        texts: Texts = NO_TEXTS,
        meant: Any = None,
        mode: WriteMode | None = None,
        task: FollowUp | None = None,
        on_repeat: OnRepeat | None = None,
        ours: Mapping[str, str] = NONE,
    ) -> tuple[Receipt, str]:
        """The receipt, and everything that was sent to the CRM, as one text. With a ``mode`` contact and
        company are there already, and written by it."""
        self.mock.calls.reset()
        self.crm.box.journal.clear()
        progress = Progress(f"qz{next(numbers):08x}", datetime.now(UTC), ours=ours)
        options = self.options(meant or {})
        rule = replace(self.snapshot, choices=choices, texts=texts, choice_fields=options, follow_up=task)
        rule = replace(rule, on_repeat=on_repeat)
        if mode and (able := self.crm.connector.can.existing):
            progress = replace(progress, known_contact=self.known)
            rule = replace(rule, existing=dict.fromkeys(able, mode))
        draft = draft_for(rule, body, progress)
        (receipt,) = self.crm.connector.deliver([draft], Notebook())
        assert isinstance(receipt, Receipt), receipt
        return receipt, plain("\n".join(self._sent()))

    def options(self, meant: dict[str, int | None]) -> dict[Any, ChoiceField]:
        """Each text means this option of every field that has options, by its number; None: the note."""
        fields, entities = self.snapshot.fields, self.snapshot.entities

        def target_of(record: str, named: str) -> Target | None:
            target = fields.get((entities.get(record, ""), named))
            return target if target and self.crm.connector.chooses(target) else None

        maps = [
            {
                "record": record,
                "question": question,
                "field": named,
                "map": {
                    text: None if one is None else target.options[one % len(target.options)].remote_id
                    for text, one in meant.items()
                },
            }
            for record, question, named in self.snapshot.questions
            if (target := target_of(record, named))
        ]
        return read_choice_fields(self.snapshot.questions, target_of, maps, {}, {})

    def _sent(self) -> Iterator[str]:
        """Texts of requests; those of commands inside a request are queries."""
        for entry in self.crm.box.journal:
            body = entry.request.json() if entry.request.body else None
            for one in scalars_in(body):
                yield str(one)
                yield unquote_plus(str(one)).replace("$ ", "$")


def book_of(crm: Harness) -> RuleSnapshot:
    """The CRM's own fields, each asked by two questions of ours, some of the contact's by its form."""
    can = crm.connector.can
    pages = crm.connector.fetch("fields")
    targets = [
        Target(row.entity, row.remote_id, row.name, row.type, row.code, row.options, row.multiple)
        for page in pages
        for row in page
    ]
    ours = {entity: word for word, entity in can.entities.items()}
    known = [target for target in targets if target.entity in ours]
    asked = [
        (ours[target.entity], QUESTIONS[number % len(QUESTIONS)], target.remote_id)
        for number, target in enumerate([*known, *reversed(known)])
    ]
    people = [target.remote_id for target in known if target.entity == can.entities.get("contact")]
    return RuleSnapshot(
        rule_id=1,
        quiz_id=42,
        entities=can.entities,
        region="RU",
        questions=(*asked, ("lead", "q0", "0"), ("unheard of", "q1", "5")),
        contact_map=dict(zip(("address", "position", "whatsapp"), people, strict=False)),
        fields={(target.entity, target.remote_id): target for target in known},
    )


@pytest.fixture(params=sorted(CONNECTORS))
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        crm = harness_class(request.param)(mock)
        yield World(crm, book_of(crm), mock)


SOURCES = st.sampled_from(
    ["Лид", "{{ contact.name }} {{ answer.q1 }}", "{{ sum | number }}", "{{ utm.source | default('-') }}"]
)


@st.composite
def own_texts(draw: Any) -> Texts:
    """Texts that put something else where the answer's own values would stand, and into fields."""
    said = {name: Text(draw(SOURCES), name) for name in ("title", "note", "sum") if draw(st.booleans())}
    fields = st.tuples(
        st.just("lead"), st.sampled_from(["0", "5", "5000"]), SOURCES.map(lambda s: Text(s, "x"))
    )
    return Texts(**said, values=tuple(draw(st.lists(fields, max_size=2))))


@st.composite
def answered(draw: Any) -> tuple[dict[str, Any], dict[str, int | None]]:
    """A body, and what some of the texts in it, and parts of them, are said to mean."""
    body = draw(bodies(QUESTIONS))
    texts = {str(one).strip() for one in scalars_in(body.get("answers"))}
    texts |= {part.strip() for text in texts for part in text.split(",")}
    said = [text for text in sorted(texts) if 0 < len(text) <= LONGEST_OPTION]
    chosen = draw(st.lists(st.sampled_from(said), max_size=5)) if said else []
    return body, {text: draw(st.one_of(st.none(), st.integers(0, 5))) for text in chosen}


MODES = st.builds(
    WriteMode,
    st.sampled_from([LEAVE, FILL, OVERWRITE]),
    st.booleans(),
    st.dictionaries(st.sampled_from([WriteMode.NAME, "POSITION"]), st.sampled_from([LEAVE, FILL, OVERWRITE])),
)
TASKS = st.one_of(st.none(), SOURCES.map(lambda source: FollowUp(Text(source, "task"), 15)))


@given(
    said=answered(),
    choices=st.sampled_from(CHOICES),
    texts=st.one_of(st.just(NO_TEXTS), own_texts()),
    mode=st.one_of(st.none(), MODES),
    task=TASKS,
    refused=st.booleans(),
)
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),  # one account takes all bodies, as accounts do
)
def test_no_value_vanishes(world, said, choices, texts, mode, task, refused):
    body, meant = said
    if not world.crm.connector.can.tasks:
        task = None
    world.crm.box.switches.reset()
    world.crm.box.faults.clear()
    if task and refused:
        world.crm.refuse_tasks()
    receipt, sent = world.deliver(body, choices, texts, meant, mode, task)
    told = f"{sent}\n{plain(' '.join(loss.value for loss in receipt.losses))}"
    vanished = [one for one in scalars_in(body) if not any(form in told for form in spellings(one))]
    assert vanished == []
    assert [loss for loss in receipt.losses if plain(loss.value) not in sent] == []


@given(
    body=bodies(QUESTIONS),
    way=st.sampled_from(["note", "link"]),
    texts=st.one_of(st.just(NO_TEXTS), own_texts()),
)
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
def test_no_value_vanishes_where_an_open_lead_is_joined(world, body, way, texts):
    """All of it stands in the note, what the rule's texts make of it for fields, too; what a mention leaves
    out is a loss."""
    if not world.crm.connector.can.joins:
        pytest.skip(f"{world.crm.kind} joins no open leads")
    uid = f"qz{next(numbers):08x}"
    (first,) = world.crm.connector.deliver([make_draft(uid=uid)], Notebook())
    receipt, sent = world.deliver(
        body, {}, texts, on_repeat=OnRepeat(way, 30), ours={first.journal["lead"]: uid}
    )
    assert receipt.journal[JOINED] == first.journal.get("deal", first.journal["lead"])
    told = f"{sent}\n{plain(' '.join(f'{loss.question} {loss.value}' for loss in receipt.losses))}"
    written = sent if way == "note" else told
    vanished = [one for one in scalars_in(body) if not any(form in written for form in spellings(one))]
    assert vanished == []


def test_a_body_as_long_as_can_be_is_there_whole(world):
    """More than a note of any CRM holds; each piece of text is told apart."""
    answers = [
        {"questionID": f"x{n}", "question": f"Вопрос {n}?", "answer": f"{n}-" + "да " * 600}
        for n in range(120)
    ]
    _, sent = world.deliver({"quizID": 42, "answerID": "k-1", "answers": answers}, {})
    assert [one for one in scalars_in(answers) if plain(one) not in sent] == []
