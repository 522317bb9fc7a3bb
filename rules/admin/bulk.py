"""Deeds on many deliveries: the question with its numbers before, and the page of the run afterwards.

What was picked by hand is done at once; all rows of a filter are done by ``rules.bulk`` in the background.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import action, display

from accounts.admin_base import (
    Question,
    StaffAdmin,
    ask,
    chosen_rows,
    column,
    confirmed,
    done,
    key_of,
    row_of,
    when,
)
from accounts.models import Account
from accounts.texts import say, say_many, spaced
from rules import bulk
from rules.admin import links, replaying
from rules.admin.filters import HeldFilter
from rules.admin.links import FILTERS
from rules.models import BulkRun, Delivery

Action = BulkRun.Action
COUNTING = 2.0  # seconds; what is not counted by then is told as "at least"
NOT_FILTERS = {"p", "o", "all", "e", "_changelist_filters"}
PART = "part=progress"  # of the address: what the page renews by itself
RUN_COLOURS = {
    "waiting": "info", "running": "primary", "cancelled": "warning", "done": "success", "failed": "danger",
}  # fmt: skip


NO_SECOND = _("Nothing is sent. If the lead is not there after all, it is lost: nobody tries again.")
NOTHING = _("Nothing was changed: these deliveries have moved on meanwhile.")


@dataclass(frozen=True, slots=True)
class Words:
    """What a person reads of a deed: ``title(count)``, ``sentence(count, accounts)``, ``button``."""

    title: Callable[[int], str]
    sentence: Callable[[int, str], str]
    button: Any


WORDS = {
    Action.RETRY: Words(
        lambda count: say_many("Try {count} delivery again?", "Try {count} deliveries again?", count),
        lambda count, accounts: say_many(
            "{count} delivery of {accounts} will be tried again now.",
            "{count} deliveries of {accounts} will be tried again now.",
            count,
            accounts=accounts,
        ),
        _("Try again now"),
    ),
    Action.RELEASE: Words(
        lambda count: say_many("Release {count} delivery?", "Release {count} deliveries?", count),
        lambda count, accounts: say_many(
            "{count} held delivery of {accounts} goes on. What may have arrived is looked for in the CRM"
            " first, and stays held where nobody can look.",
            "{count} held deliveries of {accounts} go on. What may have arrived is looked for in the CRM"
            " first, and stays held where nobody can look.",
            count,
            accounts=accounts,
        ),
        _("Release"),
    ),
    Action.CANCEL: Words(
        lambda count: say_many("Cancel {count} delivery?", "Cancel {count} deliveries?", count),
        lambda count, accounts: say_many(
            "{count} delivery of {accounts} will not be sent: no lead is made. A retry sends it after all.",
            "{count} deliveries of {accounts} will not be sent: no leads are made. A retry sends them after"
            " all.",
            count,
            accounts=accounts,
        ),
        _("Cancel the deliveries"),
    ),
    Action.ARRIVED: Words(
        lambda count: say_many(
            "Mark {count} delivery as delivered?", "Mark {count} deliveries as delivered?", count
        ),
        lambda count, accounts: say_many(
            "You have looked, and {count} lead is in the CRM.",
            "You have looked, and {count} leads are in the CRM.",
            count,
        ),
        _("Mark as delivered"),
    ),
    Action.REPLAY: Words(
        lambda count: say_many("Replay {count} delivery?", "Replay {count} deliveries?", count),
        lambda count, accounts: say_many(
            "{count} delivery of {accounts} goes once more. No second lead is made: one that is there is"
            " changed as far as people left it alone, one that was deleted stays deleted.",
            "{count} deliveries of {accounts} go once more. No second leads are made: those that are there"
            " are changed as far as people left them alone, those that were deleted stay deleted.",
            count,
            accounts=accounts,
        ),
        _("Replay"),
    ),
}


@dataclass(slots=True)
class Touched:
    """What a deed would touch, counted window by window. ``at_least``: the time was over before the rows."""

    numbers: Counter[str] = field(default_factory=Counter)
    accounts: set[int] = field(default_factory=set)
    at_least: bool = False


def of_many(description: Any, deed: Action, name: str, by_rule: str = "") -> Any:
    """A list's action, called ``name`` there: the question, and once it is confirmed the run. ``by_rule``
    is a replay's."""

    @admin.action(description=description, permissions=["operate"])
    def act(page: StaffAdmin, request: HttpRequest, picked: QuerySet[Delivery]) -> HttpResponse:
        across = request.POST.get("select_across") == "1"
        chosen = [] if across else list(picked.order_by("pk").values_list("pk", flat=True))
        if not (across or chosen):  # the filter shows none of them any more; without keys a run takes all
            return done(request, str(NOTHING), request.get_full_path(), False)
        query = filters_of(request.GET.urlencode())
        rows = bulk.rows_of(query, chosen, request.user)
        touched = count(deed, rows, chosen)
        if not confirmed(request):
            asked = question(deed, touched, query if across else "")
            asked.back, asked.hidden = request.get_full_path(), chosen_rows(request, name)
            if by_rule and asked.possible:
                asked.sample = sample_of(rows, by_rule)
            return ask(request, page, asked)
        planned = touched.numbers["touched"]
        if not planned:
            return done(request, str(NOTHING), request.get_full_path(), False)
        run = bulk.begin(deed, query, chosen, request.user, planned, touched.at_least, by_rule)
        if chosen:
            bulk.finish(run.pk)
        else:
            bulk.ask_to_go_on(run.pk)
        return HttpResponseRedirect(links.page("rules_bulkrun", run.pk))

    return act


def sample_of(rows: QuerySet[Delivery], by_rule: str) -> dict[str, Any]:
    """The newest ones that a replay would touch, as their CRMs have them now."""
    newest = rows.filter(bulk.DEEDS[Action.REPLAY].touches()).order_by("-pk")
    keys = list(newest.values_list("pk", flat=True)[: replaying.SAMPLE])
    found = replaying.rows_of().filter(pk__in=keys).order_by("-pk")
    return replaying.sample(list(found), replaying.when_of(by_rule))


def filters_of(query: str) -> str:
    """What of a list's address chooses rows."""
    return urlencode([(name, value) for name, value in parse_qsl(query) if name not in NOT_FILTERS])


def count(deed: Action, rows: QuerySet[Delivery], chosen: list[int]) -> Touched:
    """Statements as small as those of the run itself, for ``COUNTING`` seconds."""
    touches = bulk.DEEDS[deed].touches()
    parked = ~Q(account__state=Account.State.ACTIVE) | Q(account__deleted=True)
    columns = {
        "touched": Count("pk", filter=touches),
        "sending": Count("pk", filter=Q(state="sending")),
        "delivered": Count("pk", filter=Q(state="delivered")),
        "others": Count("pk", filter=~touches & ~Q(state__in=["sending", "delivered"])),
        "parked": Count("pk", filter=touches & parked),
        "may_double": Count("pk", filter=touches & bulk.unclear_for_good()),
        "left_out": Count("pk", filter=touches & Q(held_because=Delivery.Held.LEFT_OUT)),
    }
    found, ends = Touched(), time.monotonic() + COUNTING
    for window in [Q()] if chosen else bulk.windows(*bulk.span()):
        if time.monotonic() > ends:
            found.at_least = True
            break
        grouped: Any = rows.filter(window).order_by().values("account_id").annotate(**columns)
        for row in grouped:
            found.accounts |= {row["account_id"]} if row["touched"] else set()
            found.numbers.update({name: row[name] for name in columns})
    return found


def question(deed: Action, touched: Touched, query: str = "") -> Question:
    words, numbers = WORDS[deed], touched.numbers
    planned = numbers["touched"]
    return Question(
        words.title(planned) if planned else say("This is for none of the chosen deliveries"),
        list(sentences(deed, touched, query)),
        str(words.button),
        warnings=list(warnings(deed, touched)),
        danger=deed == Action.CANCEL or (deed == Action.RETRY and numbers["may_double"] > 0),
        possible=planned > 0,
    )


def sentences(deed: Action, touched: Touched, query: str) -> Iterable[str]:
    numbers = touched.numbers
    if numbers["touched"]:
        of = say_many("{count} account", "{count} accounts", len(touched.accounts))
        yield WORDS[deed].sentence(numbers["touched"], of)
        if touched.at_least:
            yield say("There are more: so many were counted in {seconds} seconds.", seconds=int(COUNTING))
    if query:
        yield say("Filter: {filter}", filter="; ".join(described(query)))
    if numbers["sending"]:
        yield say_many(
            "{count} is being sent and will be left alone.",
            "{count} are being sent and will be left alone.",
            numbers["sending"],
        )
    if numbers["delivered"] and deed != Action.REPLAY:
        yield say_many(
            "{count} is delivered already and will be left alone.",
            "{count} are delivered already and will be left alone.",
            numbers["delivered"],
        )
    if numbers["others"]:
        yield say_many(
            "{count} more is left alone: this is not for its state.",
            "{count} more are left alone: this is not for their state.",
            numbers["others"],
        )
    if deed == Action.ARRIVED and numbers["touched"]:
        yield str(NO_SECOND)


def warnings(deed: Action, touched: Touched) -> Iterable[str]:
    numbers = touched.numbers
    if deed == Action.RETRY and numbers["may_double"]:
        yield say_many(
            "{count} lead may have arrived, and their CRM can't be asked. Look there first: trying again"
            " makes a second lead if the first one did arrive.",
            "{count} leads may have arrived, and their CRM can't be asked. Look there first: trying again"
            " makes a second lead if the first one did arrive.",
            numbers["may_double"],
        )
    if deed == Action.RETRY and numbers["left_out"]:
        yield say_many(
            "{count} was left out by its rule's condition and will be sent all the same.",
            "{count} were left out by their rules' conditions and will be sent all the same.",
            numbers["left_out"],
        )
    if deed in (Action.RETRY, Action.RELEASE) and numbers["parked"]:
        yield say_many(
            "{count} belongs to an account that is not active and will be held again until that is mended.",
            "{count} belong to accounts that are not active and will be held again until that is mended.",
            numbers["parked"],
        )


def described(query: str) -> list[str]:
    """A filter in words: what each part is called, and the label of what was chosen."""
    labels = {"q": say("search"), "quiz": say("quiz"), "quiz_account": say("quiz account")}
    told = []
    for name, value in parse_qsl(query):
        column = {"account__crm__exact": ("CRM", dict(Account._meta.get_field("crm").flatchoices))}
        if (words := _choice(name, value)) is not None:
            told.append(words)
        elif name in column:
            label, choices = column[name]
            told.append(f"{label}: {choices.get(value, value)}")
        elif name == FILTERS["account"] and value.isdecimal():
            account = Account.objects.filter(pk=int(value)).defer("facts").first()
            told.append(f"{say('account')}: {account or value}")
        else:
            told.append(f"{labels.get(name, name)}: {value}")
    return told or [say("none: all deliveries")]


def _choice(name: str, value: str) -> str | None:
    for known in ("state", "held_because"):
        if name == f"{known}__exact":
            meta: Any = Delivery._meta.get_field(known)
            labels = {HeldFilter.OPEN: HeldFilter.OPEN_WORDS, **dict(meta.flatchoices)}
            return f"{meta.verbose_name}: {labels.get(value, value)}"
    for end, words in (("from", say("came from")), ("to", say("came until"))):
        if name == f"created_at_{end}":
            return f"{words}: {value}"
    return None


@admin.register(BulkRun)
class BulkRunAdmin(StaffAdmin):
    nothing_yet = _("Choose deliveries in their list, or all of a filter, and what is to be done with them.")
    list_display = (
        "number", "what", "who", "state_label", "done_of", "left_alone", "failed", "asked", "ended",
    )  # fmt: skip
    list_filter = (("action", ChoicesDropdownFilter),)
    search_fields = ("who",)
    sortable_by = ()
    actions_detail = ("stop",)
    drawn = True
    change_form_outer_before_template = "admin/desk/bulk.html"

    number = column(_("bulk run"), lambda run: run.pk)
    what = column(_("what is done"), lambda run: run.get_action_display())
    state_label = column(_("state"), lambda run: (run.state, str(run.state.label)), label=RUN_COLOURS)

    @display(description=_("done of planned"))
    def done_of(self, run: BulkRun) -> str:
        return say("{done} of {planned}", done=spaced(run.moved), planned=planned(run))

    asked = column(_("asked for"), lambda run: when(run.asked_at, short=True))
    ended = column(_("ended"), lambda run: when(run.ended_at, short=True))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        run = BulkRun.objects.filter(pk=key_of(object_id)).first()
        told = shown(run, self.list_of(run)) if run else {}
        if run and request.GET.urlencode() == PART and self.has_view_permission(request):
            return TemplateResponse(request, "admin/desk/bulk_progress.html", told)
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **told})

    def list_of(self, run: BulkRun) -> str:
        page: Any = self.admin_site.get_model_admin(Delivery)
        return f"{page.list_page()}?{run.query}" if not run.chosen else ""

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        under_way = BulkRun.objects.filter(pk=key_of(object_id), ended_at=None, cancelled_at=None).exists()
        return super().get_actions_detail(request, object_id) if under_way else []

    @action(description=_("Cancel the rest"), permissions=["operate"], icon="cancel")
    def stop(self, request: HttpRequest, object_id: str) -> HttpResponse:
        run = row_of(BulkRun, object_id)
        if confirmed(request):
            told, stopped = say("The rest is left alone."), bulk.cancel(run, request.user)
            if not stopped:
                told = say("Nothing was changed: it had ended.")
            return self.done_with(request, run, told, stopped)
        sentences = [
            say_many(
                "{count} delivery was moved already and stays so; the rest is left alone.",
                "{count} deliveries were moved already and stay so; the rest is left alone.",
                run.moved,
            )
        ]
        title = say("Cancel the rest of {run}?", run=run)
        return self.ask_about(request, run, Question(title, sentences, say("Cancel the rest"), danger=True))


def planned(run: BulkRun) -> str:
    return say("{count} or more", count=spaced(run.planned)) if run.at_least else spaced(run.planned)


def shown(run: BulkRun, url: str) -> dict[str, Any]:
    """What the page tells, and what it renews while the run is under way."""
    return {
        "run": run,
        "filters": [] if run.chosen else described(run.query),
        "planned": planned(run),
        "list_url": url,
        "part": PART,
        "by_rule": replaying.WHENS[replaying.when_of(run.by_rule)] if run.by_rule else "",
        "became": replaying.became(run) if run.by_rule else [],
        "numbers": [
            (say("done"), spaced(run.moved), "delivered"),
            (say("left alone"), spaced(run.left_alone), "waiting"),
            (say("failed"), spaced(run.failed), "held" if run.failed else "waiting"),
        ],
    }
