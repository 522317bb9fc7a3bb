"""The quiz account of all examples, and what it has in each CRM: models that no database holds.

Answers of CRMs are written by the functions that write the real ones, so their shape can't differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from accounts.models import Account
from accounts.rest.derived import described
from accounts.serializers.derived import dialect_for
from accounts.serializers.dialect import AccountDialect
from config.openapi.examples.shown import SUCCESS, Shown
from config.openapi.quiz import QUIZ, QUIZ_ID
from connectors.base import Choice
from connectors.registry import CONNECTORS, options_class
from crm_cache import models
from rules.models import Rule
from rules.serializers import dialect_of
from rules.serializers.derived import name_of

QUIZ_ACCOUNT = "shop"
CREATED = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
CRM = next(iter(CONNECTORS))  # the CRM of examples that show one of several
TAG = "квиз"


@dataclass(frozen=True, kw_only=True)
class CrmSample:
    """What the quiz account has in one CRM, by the CRM's own ids.

    ``subdomain`` names it at the CRM's first host suffix. ``choices`` are what its rules say beyond
    performer, pipeline and step, ``rows`` further columns of its lists, ``planned`` the requests of a
    preview. A CRM without a module of its own here has these defaults.
    """

    kind: str
    remote_id: str = "17"
    name: str = "Салон цветов «Ромашка»"
    subdomain: str = "example"
    user: str = "3"
    other_user: str = "2"
    pipeline: str = "1"
    step: str = "12"
    number_field: str = "100"
    list_field: str = "5101"
    number_code: str = "AREA"
    number_type: str = "number"
    lead: str = "3001"
    lead_path: str = "/leads/{lead}"
    choices: Mapping[str, Any] = field(default_factory=dict)
    rows: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    planned: tuple[dict[str, Any], ...] = ()

    @cached_property
    def host(self) -> str:
        suffixes = options_class(self.kind)().host_suffixes
        return f"{self.subdomain}.{suffixes[0] if suffixes else 'crm.example'}"

    @property
    def link(self) -> str:
        """Where a person sees the lead."""
        return f"https://{self.host}{self.lead_path.format(lead=self.lead)}"

    @property
    def entity(self) -> str:
        """The kind of record whose fields the rule fills, as rules call it: the likeliest first."""
        kinds = dialect_of(self.kind).mapped
        return "deal" if "deal" in kinds else kinds[0]

    @cached_property
    def account(self) -> Account:
        """Connected."""
        return Account(
            pk=7,
            account_id=QUIZ_ACCOUNT,
            crm=self.kind,
            remote_id=self.remote_id,
            host=self.host,
            name=self.name,
            subdomain=self.subdomain,
            country="RU",
            user_id=self.other_user,
            user_email="anna@example.com",
            user_role="admin",
            user_group="0",
            state=Account.State.ACTIVE,
            created_at=CREATED,
            connected_at=CREATED,
        )

    @property
    def dialect(self) -> AccountDialect:
        """How its account is spelled over REST."""
        return dialect_for(self.kind)

    @cached_property
    def connect_body(self) -> dict[str, str]:
        """What connects the account, beside where the browser goes on to: its address, its keys."""
        can, portal = described(self.kind).can, self.dialect.portal
        keys = {name: f"{name.replace('_', '-')}-of-{self.subdomain}" for name in can.credentials}
        return {**({portal: f"https://{self.host}"} if portal else {}), **keys}

    @cached_property
    def accounts(self) -> dict[str, Shown]:
        """The account's operations."""
        named, shown = self.dialect.operations, self.dialect.write(self.account)
        connected = {"Connected": shown}
        if not described(self.kind).can.credentials:
            link = f"https://{self.host}/oauth/authorize/?client_id=app.example&state=Qm9va2Vk"
            connected = {"A link, for one use": {**self.dialect.write(self.pending), "link": link}}
        return {
            named["connect"]: Shown({200: connected}, {next(iter(connected)): self.connect_body}),
            named["show"]: Shown({200: {"Connected": shown}}),
            named["remove"]: Shown(SUCCESS),
        }

    @cached_property
    def pending(self) -> Account:
        """Named, and not authorised yet."""
        names = {"account_id": QUIZ_ACCOUNT, "crm": self.kind, "host": self.host, "subdomain": self.subdomain}
        return Account(pk=7, state=Account.State.CONNECTING, created_at=CREATED, **names)

    def row(self, what: str) -> models.CachedRow:
        """The row of a list that the rule names."""
        can = described(self.kind).can
        entity = can.entities.get(self.entity, "")
        made: dict[str, models.CachedRow] = {
            "users": models.CrmUser(
                remote_id=self.user, name="Игорь Кузнецов", email="igor@example.com", role="Менеджер"
            ),
            "pipelines": models.Pipeline(remote_id=self.pipeline, name="Квизы", is_main=True),
            "steps": models.Step(
                remote_id=self.step, name="Новая заявка", pipeline_id=self.pipeline, color="#99ccff"
            ),
            "fields": models.Field(
                remote_id=self.number_field,
                name="Площадь, м²",
                entity=entity,
                code=self.number_code,
                type=self.number_type,
            ),
            "tags": models.Tag(remote_id="90001", name=TAG, entity=entity),
        }
        row = made[what]
        row.pk, row.created_at = 1, CREATED
        for column, value in self.rows.get(what, {}).items():
            setattr(row, column, value)
        return row

    @cached_property
    def rule_body(self) -> dict[str, Any]:
        """What makes the quiz's rule, where rules follow the pattern: places, choices, fields, tags."""
        return {
            "PerformerID": self.user,
            "PipelineID": self.pipeline,
            "StepID": self.step,
            **{name_of(one): self._chosen(one) for one in described(self.kind).can.choices},
            "FieldsRule": {self.entity: {"QuestionID": {"area": self.number_field}}},
            "TagsToAdd": {self.entity: [TAG]},
            "Quiz": QUIZ,
        }

    def _chosen(self, choice: Choice) -> Any:
        return self.choices.get(choice.key, choice.default if choice.is_flag else "4")

    @property
    def rule_change(self) -> dict[str, Any]:
        """One thing that a PATCH changes."""
        return {"PerformerID": self.user}

    @cached_property
    def rule(self) -> Rule:
        """As it is stored once ``rule_body`` was sent."""
        said = dialect_of(self.kind).read(self.rule_body, partial=False)
        rule = Rule(pk=5, account=self.account, quiz_id=QUIZ_ID, created_at=CREATED, updated_at=CREATED)
        for column, value in said.items():
            setattr(rule, column, value)
        return rule


def sample_of(kind: str) -> CrmSample:
    """What the examples name of this CRM: its own module beside this one, else the defaults."""
    if find_spec(f"{__package__}.{kind}"):
        sample: CrmSample = import_module(f"{__package__}.{kind}").SAMPLE
        return sample
    return CrmSample(kind=kind)
