"""What our books say of a lead against what the CRM says of it: no findings, suspects, or findings. Reads
lists of the account; asks no CRM and writes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property

from accounts import db_clock
from accounts.models import Account
from connectors.base import Connector
from connectors.errors import ConnectorError
from connectors.lead_status import Followed, LeadStatus
from rules.mapping.rule_snapshot import places_of, routes_of
from rules.models import Delivery, Finding, Outcome, Rule, SurveyedLead
from rules.outcomes.following import followed
from rules.versions import said_by

Kind = Finding.Kind
Said = LeadStatus | ConnectorError | None
SOON = timedelta(minutes=10)
LOOKED_LATELY = timedelta(days=8)  # closed and deleted leads are looked at once a week


@dataclass(slots=True)
class Verdict:
    """What is told of one delivery; ``unchecked``: nobody could find out."""

    findings: list[Finding] = field(default_factory=list)
    unchecked: bool = False


class Books:
    """What there is to know of an account and its rules, once for many deliveries."""

    def __init__(self, account: Account, connector: Connector) -> None:
        self.account = account
        self.connector = connector
        self._pipelines: dict[tuple[int, int | None, str], str] = {}

    @cached_property
    def walked(self) -> bool:
        """Is a lead that no walk showed worth a question? Where lists hold only what was seen in passing,
        what became of leads is looked at in other ways."""
        can = self.connector.can
        return can.surveys and not can.observes

    def pipeline(self, delivery: Delivery) -> str:
        """The pipeline that its rule wanted when it was sent; empty where it wanted none."""
        key = (delivery.rule_id, delivery.version_id, delivery.route)
        if key not in self._pipelines:
            self._pipelines[key] = self._wanted(delivery)
        return self._pipelines[key]

    def _wanted(self, delivery: Delivery) -> str:
        rule = Rule(**said_by(delivery.version)) if delivery.version else delivery.rule
        own, *others = places_of(rule)
        names = [route["name"] for route in routes_of(rule)]
        place = dict(zip(names, others, strict=True)).get(delivery.route, own)
        named = self.connector.named(place, self.account.facts)
        return next((one.remote_id for one in named if one.what == "pipelines" and one.vital), "")

    def moved(self, delivery: Delivery, record: str, remote_id: str, pipeline: str) -> list[Finding]:
        """Is it in another pipeline by now? Only what its rule makes has pipelines that a rule names."""
        wanted = self.pipeline(delivery) if record == self.connector.can.records[0] and pipeline else ""
        if not wanted or wanted == pipeline:
            return []
        return [
            Finding(
                delivery=delivery, kind=Kind.MOVED, confirmed=True, record=record, leads=[remote_id],
                expected=wanted, actual=pipeline,
            )
        ]  # fmt: skip


# -- by what a walk showed -----------------------------------------------------------------------------------


def compared(row: Outcome, seen: Sequence[SurveyedLead], books: Books) -> Verdict:
    """A delivered lead and the records that the walk showed of it."""
    delivery = row.delivery
    if delivery.delivered_at is None or delivery.removed_at:
        return Verdict()  # it is being sent again
    if not seen:
        return _unseen(row, books)
    findings = [doubted(delivery.pk, Kind.DOUBLED, seen)] if len(_apart(seen)) > 1 else []
    own = next((one for one in seen if one.remote_id == (row.record_id or delivery.remote_id)), seen[0])
    return Verdict(findings + books.moved(delivery, own.record, own.remote_id, own.pipeline))


def _unseen(row: Outcome, books: Books) -> Verdict:
    lately = row.seen_at is not None and row.seen_at > db_clock.now() - LOOKED_LATELY
    if row.gone and lately:
        return Verdict([_deleted(row, Kind.DELETED)])
    if books.walked:
        leads = [one for one in (row.record_id or row.delivery.remote_id,) if one]
        return Verdict([Finding(delivery=row.delivery, kind=Kind.MISSING, record=row.record, leads=leads)])
    if row.record and lately:
        return Verdict(books.moved(row.delivery, row.record, row.record_id, row.pipeline))
    return Verdict(unchecked=True)


def _deleted(row: Outcome, kind: Finding.Kind) -> Finding:
    leads = [one for one in (row.record_id or row.delivery.remote_id,) if one]
    return Finding(delivery=row.delivery, kind=kind, confirmed=True, record=row.record, leads=leads)


def doubted(delivery_id: int, kind: Finding.Kind, seen: Sequence[SurveyedLead]) -> Finding:
    """A suspicion about records that the walk showed."""
    apart = _apart(seen)
    kinds = {one.record for one in apart}
    record = kinds.pop() if len(kinds) == 1 else ""
    return Finding(delivery_id=delivery_id, kind=kind, record=record, leads=[one.remote_id for one in apart])


def _apart(seen: Sequence[SurveyedLead]) -> list[SurveyedLead]:
    """One record for each lead: what was made of it is that lead, however often it was."""
    chosen: dict[tuple[str, str], SurveyedLead] = {}
    for one in sorted(seen, key=lambda one: bool(one.made_of)):
        chosen.setdefault(("lead", one.made_of) if one.made_of else (one.record, one.remote_id), one)
    return list(chosen.values())


# -- by what the CRM says of a suspect -----------------------------------------------------------------------


def asked_of(row: Finding) -> list[Followed]:
    """What the CRM is asked about a suspect."""
    outcome: Outcome | None = getattr(row.delivery, "outcome", None)
    if row.kind == Kind.MISSING and outcome:
        return [followed(outcome)]
    uid, at = row.delivery.uid, row.delivery.created_at
    return [
        Followed(uid, lead, at, record=row.record, record_id=lead if row.record else "") for lead in row.leads
    ]


def judged(row: Finding, delivery: Delivery, said: Sequence[Said], books: Books) -> Verdict:
    """What is left of a suspicion. ``delivery`` is as it is now: it may have moved since."""
    if (row.kind == Kind.FOUND) == (delivery.delivered_at is not None):
        return Verdict()
    if row.kind == Kind.FOUND and _looks_soon(delivery):
        return Verdict()
    if row.kind == Kind.MISSING:
        return _missing(row, said[0], books)
    alive = [lead for lead, one in zip(row.leads, said, strict=True) if _is_there(row.record, lead, one)]
    if (row.kind == Kind.DOUBLED and len(alive) < 2) or not alive:
        return Verdict()
    kind = Finding.Kind(row.kind)
    return Verdict([Finding(delivery=delivery, kind=kind, confirmed=True, record=row.record, leads=alive)])


def _missing(row: Finding, said: Said, books: Books) -> Verdict:
    if said is None or isinstance(said, ConnectorError):
        return Verdict(unchecked=True)
    if not said.gone:
        return Verdict(books.moved(row.delivery, said.record, said.record_id, said.pipeline))
    outcome: Outcome = row.delivery.outcome
    was_there = bool(outcome.record and outcome.seen_at) or bool(said.pipeline or said.step)
    return Verdict([_deleted(outcome, Kind.DELETED if was_there else Kind.MISSING)])


def _is_there(record: str, lead: str, said: Said) -> bool:
    """What the walk showed is there, unless the CRM says that it is gone or was united with another."""
    if not isinstance(said, LeadStatus):
        return True
    united = said.record == record and said.record_id != lead
    return not (said.gone or united)


def _looks_soon(delivery: Delivery) -> bool:
    """It is being sent, or is about to be looked for by itself."""
    if delivery.state == Delivery.State.WAITING:
        return delivery.due_at < db_clock.now() + SOON
    return delivery.state == Delivery.State.SENDING
