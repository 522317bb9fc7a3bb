"""The list of deliveries: what is stuck and why, at any size of the table."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, BooleanRadioFilter, ChoicesDropdownFilter
from unfold.decorators import action, display
from unfold.views import ChangeList

from accounts.admin_base import StaffAdmin, StaffChangeList, badge, key_of, link, row_of, short, when
from accounts.texts import say, say_many
from rules import test_leads
from rules.admin import bulk, deciding, delivery_file, replaying, testing
from rules.admin.bulk import Action
from rules.admin.filters import CrmFilter, DayFilter, HeldFilter, OwnerFilter, QuizFilter
from rules.admin.links import with_badge
from rules.admin.search import deliveries_found
from rules.admin.timeline import May, story_of
from rules.delivery.next_try import next_tries
from rules.models import Delivery

STATE_COLOURS = {"waiting": "info", "sending": "primary", "delivered": "success", "held": "danger"}
UNUSED_IN_LIST = (
    "answer__payload", "answer__digest", "account__facts", "contact_keys", "steps", "losses", "remedy",
)  # fmt: skip


class FilterRequest(HttpRequest):
    """Nobody's request: what the list would show is to be acted on in the background."""


class OnlyFilters(StaffChangeList):
    def get_results(self, request: HttpRequest) -> None:
        """Nobody looks at a page."""


@admin.register(Delivery)
class DeliveryAdmin(StaffAdmin):
    nothing_yet = _(
        "Deliveries come with answers: each rule of a quiz makes one of every answer that is posted."
    )
    list_display = ("number", "answer_name", "account_name", "state_label", "lead", "due", "trouble")
    list_filter = (
        ("state", ChoicesDropdownFilter),
        ("held_because", HeldFilter),
        ("account__crm", CrmFilter),
        ("account", AutocompleteSelectFilter),
        OwnerFilter,
        QuizFilter,
        ("test", BooleanRadioFilter),
        ("created_at", DayFilter),
    )
    search_fields = ("uid", "remote_id", "answer__answer_id")
    search_help_text = _(
        "A phone, an e-mail, a name; a number of a delivery, answer or lead; our id in the CRM"
    )
    list_select_related = ("account__lane", "answer")
    sortable_by = ()
    actions = (
        "try_chosen_again", "release_chosen", "cancel_chosen", "chosen_arrived", "replay_chosen_now",
        "replay_chosen_then", "download_chosen",
    )  # fmt: skip
    actions_detail = ("try_again", "replay", "cancel", "arrived", "remove_test")
    drawn = True
    change_form_outer_before_template = "admin/desk/delivery.html"

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return OnlyFilters if isinstance(request, FilterRequest) else super().get_changelist(request)

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """Who may not read who answered, is not told to search by it: it would find nothing."""
        shown: ChangeList = super().get_changelist_instance(request)
        if not self.has_operate_permission(request):
            shown.search_help_text = _("A number of a delivery, answer or lead; our id in the CRM")
        return shown

    def rows_of(self, query: str, person: Any) -> QuerySet[Delivery]:
        """What the list shows this person under an address, on all of its pages; for ``rules.bulk``."""
        request = FilterRequest()
        request.method, request.GET, request.user = "GET", QueryDict(query), person
        found: QuerySet[Delivery] = self.get_changelist_instance(request).get_queryset(request)
        return found

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        rows = super().get_queryset(request)
        return rows.select_related("account__lane", "answer").defer(*UNUSED_IN_LIST)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Delivery], search_term: str
    ) -> tuple[QuerySet[Delivery], bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        found = deliveries_found(term, self.has_operate_permission(request))
        return queryset.filter(pk__in=found), False

    # -- what is shown ---------------------------------------------------------------------------------------

    @display(description=_("delivery"), header=True)
    def number(self, delivery: Delivery) -> tuple[Any, Any]:
        """And when it came."""
        return with_badge(str(delivery.pk), delivery.test), when(delivery.created_at, short=True)

    @display(description=_("answer"), header=True)
    def answer_name(self, delivery: Delivery) -> tuple[Any, str]:
        return short(delivery.answer.answer_id), say("quiz {number}", number=delivery.quiz_id)

    state_label = badge(_("state"), "state", STATE_COLOURS)

    @display(description=_("next try"), header=True)
    def due(self, delivery: Delivery) -> tuple[Any, str]:
        """By its own plan and its account, as the database has them: Redis is asked on its page alone."""
        made = delivery.attempts_made
        tries = say_many("{count} try made", "{count} tries made", made) if made else ""
        if delivery.state != Delivery.State.WAITING:
            return "", tries
        then = next_tries([delivery], ask_pace=False)[delivery.pk]
        at = when(then.at, short=True) if then.at else say("due now") if delivery.account.usable else ""
        return at, tries

    @display(description=_("lead"))
    def lead(self, delivery: Delivery) -> Any:
        """Only web addresses become links: the text came from a CRM."""
        name = delivery.remote_id or (say("open") if delivery.remote_link else "")
        safe = delivery.remote_link.startswith(("https://", "http://"))
        return link(delivery.remote_link, name, new=True) if safe and name else name

    @display(description=_("trouble"), header=True)
    def trouble(self, delivery: Delivery) -> tuple[str, str]:
        why, words = delivery_file.why_not(delivery)
        return Truncator(why).chars(120), Truncator(words).chars(120)

    def told_of(self, request: HttpRequest, key: int) -> dict[str, Any]:
        may = May(
            operate=self.has_operate_permission(request),
            payloads=self.has_payload_permission(request),
            connect=request.user.has_perm("accounts.connect_account"),
        )
        return story_of(key, may)

    # -- what can be done ------------------------------------------------------------------------------------

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Nothing to try again where it is being sent or has arrived; nothing to find where all is clear."""
        row = Delivery.objects.filter(pk=key_of(object_id))
        offered = [
            ("try_again", deciding.movable(row)),
            ("cancel", deciding.cancellable(row)),
            ("arrived", deciding.findable(row)),
        ]
        possible = {name for name, of in offered if of.exists()}
        delivery = row.select_related("account", "answer").defer("answer__payload").first()
        if delivery and test_leads.removable(delivery):
            possible.add("remove_test")
        if delivery and replaying.possible(delivery):
            possible.add("replay")
        return self.only(super().get_actions_detail(request, object_id), possible)

    try_chosen_again = bulk.of_many(_("Try again now"), Action.RETRY, "try_chosen_again")
    release_chosen = bulk.of_many(_("Release what is held"), Action.RELEASE, "release_chosen")
    cancel_chosen = bulk.of_many(_("Cancel: send nothing"), Action.CANCEL, "cancel_chosen")
    chosen_arrived = bulk.of_many(
        _("The leads are in the CRM: mark as delivered"), Action.ARRIVED, "chosen_arrived"
    )
    replay_chosen_now = bulk.of_many(_("Replay by today's rule"), Action.REPLAY, "replay_chosen_now", "now")
    replay_chosen_then = bulk.of_many(
        _("Replay by the rule of that day"), Action.REPLAY, "replay_chosen_then", "then"
    )

    @admin.action(description=_("As a file for Excel (CSV)"), permissions=["operate"])
    def download_chosen(self, request: HttpRequest, chosen: QuerySet[Delivery]) -> HttpResponseBase:
        return delivery_file.download(request, chosen)

    @action(description=_("Try again now"), permissions=["operate"], icon="replay")
    def try_again(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return deciding.ask_to_retry(request, self, row_of(Delivery, object_id))

    @action(description=_("Replay"), permissions=["operate"], icon="forward_to_inbox")
    def replay(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return replaying.ask_or_do(request, self, row_of(replaying.rows_of(), object_id))

    @action(description=_("Cancel the delivery"), permissions=["operate"], icon="cancel")
    def cancel(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return deciding.ask_to_cancel(request, self, row_of(Delivery, object_id))

    @action(description=_("Mark as delivered"), permissions=["operate"], icon="where_to_vote")
    def arrived(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return deciding.ask_whether_arrived(
            request, self, row_of(Delivery.objects.select_related("account"), object_id)
        )

    @action(description=_("Delete the test lead in the CRM"), permissions=["operate"], icon="delete")
    def remove_test(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return testing.remove(request, self, row_of(Delivery.objects.select_related("account"), object_id))
