"""A draft on its way into Envybox: the lead, then its deal, which is moved, filled, tagged, commented (7.1).

One draft after the other: the queue's promise to make no duplicates is the only one that Envybox makes (5).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from connectors import tasks
from connectors.base import Journal
from connectors.delivery import LEAD_GONE, WorkItem, record
from connectors.draft import LeadDraft, Problem, UnplacedValue
from connectors.envybox.client import Client, carries, id_of, is_id
from connectors.envybox.errors import IN_WORK, NO_DEAL, NO_LEAD, Doubtful
from connectors.envybox.existing import write_existing
from connectors.envybox.records import FieldEntry, Payload, fields_of, pack
from connectors.envybox.recovery import LOOK, Wanted, history, look, newest_deal, walk
from connectors.envybox.tasks import TASK_DUE, mark_of
from connectors.errors import Refused, RuleNeedsFixing, TryLater, Unclear
from connectors.messages import message
from connectors.note_texts import lost
from connectors.text import text_of, tidy

QUEUE_WAIT = INTAKE_WAIT = 5.0  # seconds
IDS = ("lead", "merged", "deal", "contact")
HALF_A_DAY = timedelta(hours=14)
HAS_TASK = message("the deal has a task already, and Envybox keeps one")
LEFT, FILLED = "left", "ok"  # words of the journal for steps without an id
LEFT_OUT = message("Envybox refused the lead with all its fields")
REFUSED = message("Envybox refused this value")
NO_DEAL_YET = message("Envybox made no deal of the lead")
NOT_MOVED = message(
    "Envybox does not move deals to this step. Allow changing statuses manually in the "
    "settings of the pipeline."
)


@dataclass(eq=False)
class Item(WorkItem):
    """Steps of the journal with ids: ``lead`` (the one to use), ``merged`` (our own, where Envybox united it
    with an earlier one), ``deal``, ``contact`` (the client), ``task``. Steps without: ``stage``,
    ``deal_fields``, ``client_fields``, ``tags``, ``company``, ``task_due``, ``note``, ``comment1`` and so on;
    ``queued`` (the queue has it), ``resent`` (it was sent a second time), ``doubted`` (the code of a
    doubtful refusal).
    """

    payload: Payload = field(kw_only=True)
    base_url: str = ""

    @classmethod
    def begin(cls, draft: LeadDraft, base_url: str = "", money_fields: Sequence[str] = ()) -> Item:
        payload = pack(draft, money_fields)
        item = cls(
            draft, payload=payload, losses=payload.losses, problems=payload.problems, base_url=base_url
        )
        item.journal = {step: it for step, it in draft.journal.items() if step not in IDS or is_id(it)}
        return item

    def link(self) -> str:
        page = f"deals/{self.journal['deal']}" if self.has("deal") else f"leads/{self.lead}"
        return f"{self.base_url}/{page}"

    def refuse(self, entity: str, entries: Sequence[FieldEntry], input_ids: Sequence[str]) -> None:
        """Tell the answers that Envybox refused."""
        self.lose(*(one.loss(entity, REFUSED) for one in entries if one.input_id in input_ids))


class Delivery:
    """One item; each step is recorded before the next request, so a retry goes on where it stopped."""

    def __init__(self, client: Client, item: Item, journal: Journal) -> None:
        self.client, self.item, self.payload, self.journal = client, item, item.payload, journal
        self.is_own_deal = False  # made in this call: nobody has put anything there yet

    def run(self) -> None:
        """Raises what stands in the way."""
        if not self.item.lead:
            self._bring_in()
        self._follow_up()

    def done(self, **steps: str) -> None:
        self.item.journal |= steps
        record(self.journal, [self.item])

    # -- the lead: made at once, or through the queue; looked for where an earlier try ended unclear -------

    def _bring_in(self) -> None:
        """After this the journal names the lead."""
        if self.item.has("queued") or self.item.has("resent"):
            self._find_queued()
        elif self.item.draft.look_first:
            self._look_first()
        elif self.payload.queue:
            self._queue()
        else:
            self._set()

    def _set(self) -> None:
        answer = self._send(self.client.leads.set) or {}
        own, parent = id_of(answer.get("id")), id_of(answer.get("parent_id"))
        if not own:
            raise Unclear(message("Envybox took the lead and did not say its number"), code="no_id")
        self.done(lead=parent or own, **({"merged": own} if parent and parent != own else {}))

    def _queue(self) -> None:
        """Recorded as soon as it is sent: from then on it is only looked for."""
        self._send(self.client.leads.workset)
        self.done(queued="1")
        self._find_queued(first=True)

    def _look_first(self) -> None:
        """Found: ours. Not found: sent once more, through the queue, which makes no duplicates (7.5)."""
        if self._adopt():
            self.item.adopted = True
            return
        self.done(resent="1")
        try:
            self._queue()
        except (TryLater, Refused) as error:
            if error.code != "queued":  # it was not sent, or not taken
                self.done(resent="")
            raise

    def _find_queued(self, first: bool = False) -> None:
        """The queue tells no id; the lead is found by its external id, after a moment."""
        if self._adopt():
            self.item.adopted = not first and self.item.draft.look_first
        elif self.item.draft.look_first and not first:
            words = message("Envybox's queue took the lead and does not show it")
            raise Unclear(
                words, code="queued", remedy=message("Look for it in Envybox; it is not sent again.")
            )
        else:
            words = message("Envybox's queue has the lead and does not show it yet")
            raise TryLater(words, code="queued", after=QUEUE_WAIT)

    def _adopt(self) -> bool:
        found = look(self.client, Wanted.of(self.payload))
        if found:
            self.done(**found.steps())
        return found is not None

    def _send(self, send: Callable[[dict[str, Any]], Any]) -> Any:
        """A refusal did no work: once more without what may be at fault, so that the lead is not lost. A
        doubtful one may have: once more only where the lead was looked for and is not there."""
        item = self.item
        item.in_flight = True
        said = item.journal.get("doubted", "")
        try:
            if not said:
                return send(self.payload.body())
        except Doubtful as error:
            self.done(doubted=error.code)
            raise Unclear(error.message, code=error.code) from error
        except Refused as error:
            said = error.message
        self.payload.lose("lead", LEFT_OUT)
        words = message("{left_out} ({said}); it went without them.", left_out=LEFT_OUT, said=said)
        item.warn("parts_refused", words)
        try:
            return send(self.payload.bare())
        except Doubtful as error:
            self.done(doubted=error.code, resent="")
            raise Unclear(
                error.message, code=error.code, remedy=LOOK, look_again="doubted" not in item.draft.journal
            ) from error
        except Refused as error:
            if "pipeline_id" not in self.payload.head:
                raise
            words = message("Envybox refuses the pipeline: {said}", said=error.message)
            problem = Problem("pipeline_refused", words, "PipelineID")
            raise RuleNeedsFixing(words, code=problem.code, problem=problem) from error

    # -- the deal ---------------------------------------------------------------------------------------

    def _follow_up(self) -> None:
        """What a lead of this rule still needs; where the rule leaves leads, hardly anything."""
        item, payload = self.item, self.payload
        written, comments = len(item.losses), payload.comments()
        if payload.deal and self._has_deal():
            self._move()
            self._fill("deal")
            if not write_existing(self):  # else as the rule says, where the client was there before
                self._fill("client")
            self._add_company()
            self._tag()
            self._task()
        elif payload.company:
            item.lose(UnplacedValue("company", payload.company["short_name"], NO_DEAL_YET))
        if late := tidy(lost(item.losses[written:], item.draft.language)):
            self.comment("note", f"{payload.external_id}n", late)
        for number, text in enumerate(comments, start=1):
            if number > 1 or item.has("merged"):  # a merge may have hidden the lead's own comment
                self.comment(f"comment{number}", f"{payload.external_id}c{number}", text)

    def _has_deal(self) -> bool:
        """Somebody's (automatic intake is fast), or made now. False where there can be none."""
        if self.item.has("deal") and self.item.has("contact"):
            return True
        try:
            deal, contact = self._known_deal() or self._start()
        except Refused as error:
            if error.code == NO_LEAD:
                words = message("The lead was deleted in Envybox before it was taken into work.")
                self.item.warn(LEAD_GONE, words)
            else:
                words = message("Envybox does not take the lead into work: {said}", said=error.message)
                self.item.warn("start_refused", words)
            for entity in ("deal", "client"):
                self.payload.lose(entity, NO_DEAL_YET)
            if tasks.wanted(self.item):
                tasks.give_up(self.item, NO_DEAL_YET)
            return False
        self.done(deal=deal, contact=contact or id_of(self.client.deals.read(deal).get("client_id")))
        return True

    def _known_deal(self) -> tuple[str, str] | None:
        deal = self.item.journal.get("deal") or newest_deal(self.client.leads.read(self.item.lead))
        return (deal, "") if deal else None

    def _start(self) -> tuple[str, str]:
        """Nobody named: open to all. An employee needs the administrator's id beside it (reference 4.2)."""
        performer, start = self.item.draft.placement.performer, self.client.leads.start
        who = (self.client.user_id or 0, performer) if is_id(performer) else (0, 0)
        try:
            result = start(self.item.lead, *who)
        except Refused as error:
            if error.code == IN_WORK or (isinstance(error, Doubtful) and self._known_deal()):
                return self._deal_soon()
            if error.code == NO_LEAD or not performer:
                raise
            words = message("Envybox refused the responsible person; the deal is open to all.")
            self.item.warn("performer_refused", words)
            result = start(self.item.lead, 0, 0)
        self.is_own_deal = True
        deal = id_of(result.get("deal_id"))
        return (deal, id_of(result.get("client_id"))) if deal else self._deal_soon()

    def _deal_soon(self) -> tuple[str, str]:
        if known := self._known_deal():
            return known
        raise TryLater(
            message("The lead is being taken into work just now"), code="in_work", after=INTAKE_WAIT
        )

    # -- what the deal gets -----------------------------------------------------------------------------

    def _move(self) -> None:
        """Already there is success, and only reading tells (OBS); some pipelines forbid moving by hand."""
        wanted = self.item.draft.placement.step
        if is_id(wanted) and not self.item.has("stage") and not self._is_at(wanted):
            try:
                self.client.deals.move(self.item.journal["deal"], wanted)
            except Refused:
                wanted = wanted if self._is_at(wanted) else LEFT
            self.done(stage=wanted)
        if self.item.journal.get("stage") == LEFT:
            self.item.warn("stage_refused", NOT_MOVED, "StepID")

    def _is_at(self, stage: str) -> bool:
        try:
            return id_of(self.client.deals.read(self.item.journal["deal"]).get("stage_id")) == stage
        except Refused as error:
            if error.code == NO_DEAL:
                return False
            raise

    def _fill(self, entity: str) -> None:
        """Once; what was refused is remembered in the journal, so that a later try still tells it."""
        entries, step = self.payload.entries.get(entity, []), f"{entity}_fields"
        if entries:
            if not self.item.has(step):
                self.done(**{step: ",".join(self.write(entity, entries)) or FILLED})
            self.item.refuse(entity, entries, self.item.journal[step].split(","))

    def add_contact(self, kind: str, one: str) -> bool:
        """A phone or e-mail that the client lacks; False where Envybox refuses it, which is told."""
        self.item.in_flight = True
        try:
            name = str(self.payload.values["name"])
            self.client.clients.add_contact(self.item.journal["contact"], name, **{kind: one})
            added = True
        except Refused:
            self.item.lose(UnplacedValue(kind, one, REFUSED, "client"))
            added = False
        self.item.in_flight = False
        return added

    def write(self, entity: str, entries: Sequence[FieldEntry]) -> list[str]:
        """All values at once; where that is refused, one by one, so that a bad one costs only itself.

        The ids of those that Envybox refused. A repeat changes nothing.
        """
        if not entries:
            return []
        try:
            self._set_values(entity, entries)
        except Refused:
            if len(entries) == 1:
                return [entries[0].input_id]
            return [bad for one in entries for bad in self.write(entity, [one])]
        return []

    def _set_values(self, entity: str, entries: Sequence[FieldEntry]) -> None:
        fields, contact = fields_of(entries), self.item.journal.get("contact") or None
        if entity == "deal":
            self.client.deals.set_values(self.item.journal["deal"], fields, contact)
        elif entity == "client":
            self.client.clients.set_values(contact or 0, fields)
        else:
            self.client.leads.set_values(self.item.lead, fields)

    def _tag(self) -> None:
        """Tags came with the lead, unless Envybox united it with an older one."""
        if self.payload.tags and self.item.has("merged") and not self.item.has("tags"):
            self.add_tags()
            self.done(tags="1")

    def add_tags(self) -> None:
        """Those that are there stay single."""
        try:
            self.client.deals.add_tags(self.item.journal["deal"], self.payload.tags)
        except Refused as error:
            self.item.warn("tags_refused", message("Envybox refused the tags: {said}", said=error.message))

    def _add_company(self) -> None:
        """Once, and not where the client has it already: Envybox keeps companies of clients, not of deals."""
        company, contact = self.payload.company, self.item.journal.get("contact")
        if not company or self.item.has("company"):
            return
        try:
            known = self.client.clients.companies(contact) if contact else []
            if contact and not any(str(one.get("inn")) == company["inn"] for one in known):
                self.item.in_flight = True
                self.client.clients.add_company(contact, **company)
        except Refused as error:
            self.item.warn(
                "company_refused", message("Envybox refused the company: {said}", said=error.message)
            )
            self.item.lose(UnplacedValue("company", company["short_name"], REFUSED))
        self.done(company="1")

    def _task(self) -> None:
        """The deal's task: one method makes and changes it (reference 4.3), so what is there is read first.

        A task of people's is left alone, the one that came with a deal of ours takes our text.
        """
        item = self.item
        if item.has(tasks.GIVEN_UP):
            tasks.lose(item)
        if not (task := tasks.wanted(item)):
            return
        mark, deal = mark_of(item.uid), item.journal["deal"]
        try:
            standing = self.client.deals.tasks(deal)
            ours = next((row for row in standing if carries(row.get("comment"), mark)), None)
            ours = ours or (self._closed_task(mark) if item.has(TASK_DUE) else None)
        except Refused as error:
            tasks.unseen(item, error)
            self.done()
            return
        others = [words for row in standing if (words := tidy(text_of(row.get("comment"))))]
        if ours is None and others and not self.is_own_deal:
            tasks.give_up(item, HAS_TASK)
        elif ours is None:
            due = int(task.due.timestamp())
            self.done(**{TASK_DUE: str(due)})
            who = {"employee_id": task.performer or None, "department_id": task.department or None}
            comment = "\n".join((task.text, *others, mark))
            try:
                ours = self.client.deals.update_task(deal, due, comment, **who)
            except Refused as error:
                tasks.give_up(item, error.message)
        if ours is not None:
            item.journal[tasks.STEP] = id_of(ours.get("id")) or mark
        self.done()

    def _closed_task(self, mark: str) -> dict[str, Any] | None:
        """Somebody may have done it before we heard that it was made. The list knows moments of a zone that
        nobody has documented (reference 1.6): half a day is left on both sides."""
        due = datetime.fromtimestamp(int(self.item.journal[TASK_DUE]), UTC)
        start, end = (f"{due + side * HALF_A_DAY:%Y-%m-%d %H:%M:%S}" for side in (-1, 1))
        page = partial(self.client.account.tasks, start=start, end=end, success=True)
        rows = walk(lambda offset: page(offset=offset))
        return next((row for row in rows if carries(row.get("comment"), mark)), None)

    # -- comments -----------------------------------------------------------------------------------------

    def comment(self, step: str, external_id: str, text: str) -> None:
        """Beside the lead's own comment: what turned out late to fit nowhere, and what had no room there.

        A second comment would be a second one: the history is read first where there may be one (7.5).
        """
        if self.item.has(step):
            return
        try:
            self.say(external_id, text)
        except Refused as error:
            self.item.warn("note_refused", message("Envybox refused the comment: {said}", said=error.message))
        self.done(**{step: "1"})

    def say(self, external_id: str, text: str) -> None:
        """Unless it is said already. Raises ``Refused``."""
        if self.item.must_look and self.is_said(external_id):
            return
        self.item.in_flight = True
        text = f"{text}\n{external_id}"
        if deal := self.item.journal.get("deal"):
            self.client.deals.comment(deal, text)
        else:
            self.client.leads.comment(self.item.lead, text)

    def is_said(self, external_id: str) -> bool:
        if deal := self.item.journal.get("deal"):
            logs = history(lambda offset: self.client.deals.logs(deal, offset=offset))
        else:
            logs = history(lambda offset: self.client.leads.logs(self.item.lead, offset=offset))
        return any(carries(log.get("data"), external_id) for log in logs)
