"""Replaying deliveries from the admin: first what would change of the lead, then who asked for it is kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from accounts.admin_base import StaffAdmin, confirmed, framed, note
from accounts.history import staff
from accounts.texts import said, say, say_many
from connectors.draft import FieldChange
from connectors.messages import RU, message
from connectors.note_texts import name_of
from rules.models import Delivery, Replay
from rules.replaying import Action, Foreseen, NotReplayable, When, ask, foresee

SAMPLE = 20  # leads of a bulk run that are looked at before
SHOWN = 20  # replays of a delivery's page
ACTIONS = {  # label, colour
    Action.UPDATE: (_("the lead will be changed"), "info"),
    Action.CREATE: (_("a lead will be made"), "success"),
    Action.NOTHING: (_("there is nothing to change"), "default"),
    Action.GONE: (_("the lead was deleted in the CRM"), "warning"),
    Action.LEFT_OUT: (_("the rule's condition leaves the answer out"), "warning"),
    Action.IMPOSSIBLE: (_("it can't be replayed"), "danger"),
}
WHENS = {When.NOW: _("By today's rule"), When.THEN: _("By the rule of that day")}
STATE_COLOURS = {
    Replay.State.OPEN: "info", Replay.State.CHANGED: "success", Replay.State.MADE: "success",
    Replay.State.UNCHANGED: "default", Replay.State.FAILED: "danger", Replay.State.LEFT_OUT: "warning",
}  # fmt: skip


def rows_of() -> Any:
    """Deliveries with what a look at them needs."""
    return Delivery.objects.select_related("account__lane", "rule__current", "answer", "version")


def when_of(text: str) -> When:
    return When(text) if text in list(When) else When.NOW


def ask_or_do(request: HttpRequest, admin: StaffAdmin, delivery: Delivery) -> HttpResponse:
    """The page with the diff; once it is confirmed, the replay."""
    when = when_of(request.POST.get("rule") or request.GET.get("rule", ""))
    if confirmed(request):
        try:
            replay = ask(delivery.pk, when, staff(request.user), anew=request.POST.get("anew") == "yes")
        except NotReplayable as no:
            return admin.done_with(request, delivery, said(no.words), False)
        number = replay.version.number
        note(admin, request, delivery, message("Replayed by a person, by version {number}.", number=number))
        happened = say("It is replayed; the timeline tells what was changed.")
        return admin.done_with(request, delivery, happened)
    [found] = foresee([delivery], when)
    return framed(
        request,
        admin,
        "admin/desk/replay.html",
        say("Replay delivery {number}?", number=delivery.pk),
        back=admin.page_of(delivery),
        delivery=delivery,
        when=when.value,
        whens=[(one.value, words) for one, words in WHENS.items()],
        told=told(found),
        possible=found.action in (Action.UPDATE, Action.CREATE, Action.GONE),
    )


def told(found: Foreseen) -> dict[str, Any]:
    """One delivery's prospects for a template."""
    label, colour = ACTIONS[found.action]
    return {
        "delivery": found.delivery,
        "action": found.action.value,
        "label": label,
        "colour": colour,
        "words": found.words,
        "version": found.version,
        "changes": changes(found.changes),
    }


def changes(found: Iterable[FieldChange]) -> list[dict[str, Any]]:
    """What differs, what is left alone last."""
    return [
        {"what": name_of(one.what, get_language() or RU), "row": one}
        for one in sorted(found, key=lambda change: change.kept)
    ]


def sample(rows: Sequence[Delivery], when: When) -> dict[str, Any]:
    """The first leads of a bulk run as they would be changed, and how many of each kind."""
    found = foresee(rows, when)
    counts = Counter(one.action for one in found)
    words = (f"{ACTIONS[action][0]}: {count}" for action, count in counts.most_common())
    heading = say_many("Of the first {count} lead:", "Of the first {count} leads:", len(found))
    return {"heading": f"{heading} {'; '.join(words)}.", "rows": [told(one) for one in found]}


def replays_of(delivery: Delivery) -> list[dict[str, Any]]:
    """For the timeline, the oldest first."""
    rows = list(delivery.replays.select_related("version").order_by("-pk")[:SHOWN])
    return [
        {
            "row": row,
            "colour": STATE_COLOURS[Replay.State(row.state)],
            "changes": changes(FieldChange(**one) for one in row.changes),
        }
        for row in reversed(rows)
    ]


def became(run: Any) -> list[tuple[str, int]]:
    """How a bulk run's replays ended so far."""
    counts = dict(Replay.objects.filter(run=run).order_by().values_list("state").annotate(Count("pk")))
    return [(str(state.label), counts[state]) for state in Replay.State if state in counts]


def possible(delivery: Delivery) -> bool:
    """May its page offer to replay it?"""
    over = delivery.state == Delivery.State.SENDING or delivery.held_because == Delivery.Held.ERASED
    return not (over or delivery.test or delivery.replay_id or delivery.answer.purged_at)
