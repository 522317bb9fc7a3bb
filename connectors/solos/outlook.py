"""A project and what belongs to it, as what became of a lead (reference 4, 5.3). Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connectors.crm_values import moment, money
from connectors.lead_status import LeadStatus
from connectors.lead_status import Payment as Money
from connectors.solos.shapes import name_in, number
from connectors.solos.values import Checklist, Good, Payment, Project, Stage

PROJECT = "project"
MOST = 20  # rows of each kind that a person is shown
LONGEST = 200  # a name among the details


@dataclass(frozen=True, slots=True)
class Belongings:
    """Each None where solOS doesn't tell. Payments come with whether the money came in."""

    stages: Sequence[Stage] | None = None
    payments: Sequence[tuple[Payment, bool]] | None = None
    goods: Sequence[Good] | None = None
    checklists: Sequence[Checklist] | None = None


@dataclass(frozen=True, slots=True)
class Outlook:
    """How one account's rows are read: its address, the page of a project where it is known, its clock."""

    base_url: str
    project_path: str = ""
    utc_offset_hours: float = 0.0

    def standing(self, project: Project, more: Belongings, matched: str, gone: str = "") -> LeadStatus:
        """Won and lost are no words of solOS: the kind of the step says so."""
        return LeadStatus(
            PROJECT,
            str(project.id),
            gone=gone,
            matched=matched,
            pipeline=_id(project.funnel),
            pipeline_name=project.name("sales_funnel_id"),
            step=_id(project.step),
            step_name=project.name("step_id"),
            performer=_id(project.user),
            performer_name=project.name("user_id"),
            amount=money(project.price),
            currency=project.name("currency_id"),
            payments=None if more.payments is None else tuple(self._money(more.payments)),
            contact=_contact(project),
            link=self.link(project.id),
            changed_at=self._changed_at(project, more),
            details=_details(project, more),
        )

    def missing(self, project: int, matched: str, gone: str) -> LeadStatus:
        """Of what can't be read any more."""
        return LeadStatus(PROJECT, str(project), gone=gone, matched=matched, link=self.link(project))

    def link(self, project: int) -> str:
        path = self.project_path.replace("{id}", str(project))
        return self.base_url + path if path else ""

    def _money(self, rows: Sequence[tuple[Payment, bool]]) -> Iterator[Money]:
        for one, income in rows:
            if (amount := money(one.amount)) is not None:
                signed = amount if income else -abs(amount)
                yield Money(signed, _id(one.id), moment(one.date, self.utc_offset_hours))

    def _changed_at(self, project: Project, more: Belongings) -> datetime | None:
        """The last thing that has a date."""
        texts = [project.created, *(one.date for one in more.stages or ())]
        texts += [one.date for one, _ in more.payments or ()]
        moments = (moment(text, self.utc_offset_hours) for text in texts)
        return max((one for one in moments if one), default=None)


def _contact(project: Project) -> dict[str, str]:
    """The client, whom only the project's own fields refer to."""
    told = {"id": _id(number(project.data.get("client_id"))), "name": project.name("client_id")}
    return {key: text for key, text in told.items() if text}


def _details(project: Project, more: Belongings) -> dict[str, Any]:
    """Bounded, the newest at the end; numbers stay the texts that they came as."""
    told: dict[str, Any] = {
        "created": project.created,
        "group": project.name("group_id") or _id(project.group),
        "steps": [_stage(one) for one in (more.stages or ())[-MOST:]],
        "goods": [
            _filled({"name": one.name, "count": one.count, "price": one.price})
            for one in (more.goods or ())[:MOST]
        ],
        "checklists": [
            {**_filled({"name": one.name, "deadline": one.deadline}), "done": one.done}
            for one in (more.checklists or ())[:MOST]
        ],
    }
    return {key: value for key, value in told.items() if value}


def _stage(one: Stage) -> dict[str, str]:
    name = name_in(one.raw.get("step_id")) or name_in(one.raw)
    return _filled({"step": _id(one.step), "name": name, "date": one.date, "user": _id(one.user)})


def _filled(row: Mapping[str, str]) -> dict[str, str]:
    return {key: text[:LONGEST] for key, text in row.items() if text}


def _id(number_: int) -> str:
    return str(number_ or "")
