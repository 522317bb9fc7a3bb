"""Three roles at every address of the admin: what opens for whom, what is offered, what leaves a record."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from accounts.models import Account, WebhookEndpoint
from connectors.messages import from_column
from crm_cache.models import CrmUser, Field, Pipeline, Step, SyncRun, Tag
from rules.models import Answer, BulkRun, Delivery, Erasure, Finding, Incident, Outcome, Reconciliation, Rule
from rules.rule_save import change_rule
from tests.admin.conftest import PERSONAL, staff
from tests.admin.test_pages import page_of

ROLES = ("viewer", "operator", "administrator")
LISTED = {
    "account": Account,
    "crmuser": CrmUser,
    "pipeline": Pipeline,
    "step": Step,
    "field": Field,
    "tag": Tag,
}
LISTED |= {"syncrun": SyncRun, "rule": Rule, "answer": Answer, "delivery": Delivery, "outcome": Outcome}
LISTED |= {"incident": Incident, "bulkrun": BulkRun, "webhookendpoint": WebhookEndpoint}
LISTED |= {"reconciliation": Reconciliation, "finding": Finding}
FOR_STAFF = ("logentry", "erasure", "user", "group", "accessattempt")
# Who may open an address beside lists, pages and histories, from this role on. A new address belongs here.
FROM: dict[str, str] = {
    "index": "viewer", "login": "viewer", "logout": "viewer", "password_change": "viewer", "search": "viewer",
    "password_change_done": "viewer", "autocomplete": "viewer", "jsi18n": "viewer", "view_on_site": "viewer",
    "app_list": "viewer", "rules_outcome_conversion": "viewer", "rules_outcome_numbers": "viewer",
    "rules_outcome_top": "viewer",
    "rules_outcome_reports": "viewer", "rules_outcome_conversion_page": "viewer", "toggle_sidebar": "viewer",
    "rules_rule_versions": "viewer", "rules_rule_restore": "operator", "rules_rule_preview": "operator",
    "rules_rule_add": "operator", "rules_rule_copy": "operator", "rules_rule_backfill": "operator",
    "rules_rule_test_lead": "operator", "rules_delivery_remove_test": "operator",
    "rules_rule_pause": "operator", "rules_rule_resume": "operator", "rules_rule_delete_it": "operator",
    "rules_bulkrun_stop": "operator",
    "rules_answer_mend": "operator", "rules_delivery_replay": "operator",
    "rules_delivery_try_again": "operator", "rules_delivery_arrived": "operator",
    "rules_delivery_cancel": "operator",
    "rules_outcome_look_now": "operator", "rules_outcome_name_record": "operator",
    "rules_outcome_forget_record": "operator", "accounts_account_sync_now": "operator",
    "accounts_account_reconcile_now": "operator",
    "accounts_account_pause": "operator", "accounts_account_resume": "operator",
    "accounts_account_connect": "administrator", "accounts_account_reconnect": "administrator",
    "accounts_webhookendpoint_add": "administrator",
    "accounts_webhookendpoint_new_secret": "administrator",
    "accounts_webhookendpoint_replay": "administrator", "accounts_webhookendpoint_remove": "administrator",
    "accounts_account_disconnect": "administrator", "rules_erasure_erase": "administrator",
    "rules_erasure_give_out": "administrator", "auth_user_add": "administrator",
    "auth_user_delete": "administrator", "auth_user_password_change": "administrator",
    "axes_accessattempt_delete": "administrator",
}  # fmt: skip
NOBODY = "nobody"


def patterns(found: Any = None) -> Iterator[URLPattern]:
    """Every address of the admin."""
    if found is None:
        [found] = [one for one in get_resolver().url_patterns if getattr(one, "namespace", "") == "admin"]
    for one in found.url_patterns:
        if isinstance(one, URLResolver):
            yield from patterns(one)
        elif one.name:
            yield one


def least_role(name: str) -> str:
    """The first role that may open an address; "nobody" where only superusers may."""
    if name in FROM:
        return FROM[name]
    model, what = name.rsplit("_", 2)[-2:]
    if what in ("changelist", "change", "history"):
        return "viewer" if model in LISTED else "administrator" if model in FOR_STAFF else NOBODY
    assert what in ("add", "delete"), f"say in FROM who may open {name}"
    return NOBODY


@pytest.fixture
def everything(deliver: Callable[..., Delivery], rule: Rule) -> Rule:
    """A row of each, which every button can be pressed at."""
    for state in ("waiting", "held", "delivered"):
        deliver(state, look_first=state == "held")
    change_rule(rule.pk, {"performer": "902"})
    Incident.objects.create(kind="rule", account=rule.account, rule=rule)
    WebhookEndpoint.objects.create(url="https://quiz.example.com/", secret="x")
    Erasure.objects.create(digest="x", asked_by="root")
    BulkRun.objects.create(action="cancel", who="somebody", planned=1)
    now = timezone.now()
    run = Reconciliation.objects.create(account=rule.account, since=now, until=now, state="done")
    held = Delivery.objects.get(state="held")
    Finding.objects.create(reconciliation=run, delivery=held, kind="found", confirmed=True)
    AccessAttempt.objects.create(username="somebody", failures_since_start=3)
    kind = ContentType.objects.get_for_model(Rule)
    somebody = User.objects.create(username="somebody")
    LogEntry.objects.create(
        user=somebody, content_type=kind, object_id=rule.pk, object_repr="x", action_flag=2, change_message=""
    )
    return rule


def address(pattern: URLPattern) -> str:
    """With a row in it that the address is about."""
    name = str(pattern.name)
    values: dict[str, Any] = {}
    for key in pattern.pattern.converters:
        model = next(
            (
                one
                for one in admin.site._registry
                if name.startswith(f"{one._meta.app_label}_{one._meta.model_name}_")
            ),
            None,
        )
        row = model._default_manager.order_by("-pk").first() if model else None
        values[key] = 1 if key == "number" else row.pk if row else 1
    if name == "auth_user_password_change":
        values = dict.fromkeys(values, User.objects.get(username="viewer").pk)
    if name == "app_list" or "app_label" in str(pattern.pattern):
        return reverse(f"admin:{name}", kwargs={"app_label": "rules"})
    return reverse(f"admin:{name}", kwargs=values) if values else reverse(f"admin:{name}")


def test_each_role_opens_what_it_may_and_nothing_else(everything: Rule) -> None:
    """At every address: the lowest role that may open it, and the one below, which may not."""
    clients = {role: staff(role) for role in ROLES}
    wrong = []
    for pattern in patterns():
        name = str(pattern.name)
        least = least_role(name)
        if name in ("login", "logout", "view_on_site", "autocomplete", "rules_rule_preview"):
            continue
        url, rank = address(pattern), len(ROLES) if least == NOBODY else ROLES.index(least)
        for role in ROLES[max(rank - 1, 0) : rank + 1]:
            status = clients[role].get(url).status_code
            if (status == 403) == (ROLES.index(role) >= rank) or status not in (200, 302, 403):
                wrong.append((role, name, status))
    assert wrong == [], "\n".join(map(str, wrong))


@pytest.mark.parametrize("role", ROLES)
def test_nothing_is_offered_that_is_not_allowed(role: str, everything: Rule) -> None:
    """Every link of every page opens, and a button of a role that may not press it isn't there."""
    client, seen, refused = staff(role), set[str](), []
    waiting = [reverse("admin:index")]
    while waiting:
        url = waiting.pop()
        page = client.get(url)
        if page.status_code == 403:
            refused.append(url)
        if page.status_code != 200 or "html" not in page["Content-Type"]:
            continue
        links = set(re.findall(r'href="(/admin/[^"#?]*)', page.content.decode())) - seen
        links = {link for link in links if not re.search(r"/(logout|\d+/password|search)/", link)}
        seen |= links
        waiting += links
    assert refused == []
    assert len(seen) > 20
    held = Delivery.objects.get(state="held").pk
    assert (f"/admin/rules/delivery/{held}/try_again/" in seen) == (role != "viewer")
    connect = reverse("admin:accounts_account_connect")
    assert (connect in seen) == (role == "administrator")


def test_actions_of_lists_change_nothing_for_a_viewer(everything: Rule) -> None:
    viewer = staff("viewer")
    for model, its in admin.site._registry.items():
        if model._meta.model_name not in LISTED:
            continue
        page = viewer.get(reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"))
        assert not page.context["action_form"], model
        keys = list(model._default_manager.values_list("pk", flat=True))
        for name in its.actions or ():
            sent = {"action": name, "_selected_action": keys, "confirmed": "yes"}
            viewer.post(page.request["PATH_INFO"], sent)
    assert LogEntry.objects.count() == 1
    assert Delivery.objects.filter(state="held").count() == 1
    assert Incident.objects.get().muted_at is None


def test_whole_answers_are_for_administrators(everything: Rule) -> None:
    pages = [reverse(f"admin:rules_{m}_change", args=[r.pk]) for m, r in named_rows()]
    shown = {role: "".join(staff(role).get(url).content.decode() for url in pages) for role in ROLES}
    assert PERSONAL[0] not in shown["viewer"]
    assert PERSONAL[0] in shown["operator"]
    assert "&quot;contact&quot;" not in shown["operator"]
    assert "&quot;contact&quot;" in shown["administrator"]
    assert "flowers.amocrm.ru/leads?" not in shown["operator"]
    assert "flowers.amocrm.ru/leads?" in shown["administrator"]


def named_rows() -> list[tuple[str, Any]]:
    held = Delivery.objects.get(state="held")
    return [("answer", held.answer), ("delivery", held)]


# -- staff ---------------------------------------------------------------------------------------------------


def test_an_administrator_makes_staff_but_no_superusers(superuser: Client) -> None:
    administrator = staff("administrator")
    root = User.objects.get(username="root")
    url = reverse("admin:auth_user_change", args=[root.pk])
    assert b'name="_save"' not in administrator.get(url).content
    assert administrator.post(url, {"username": "mine"}).status_code == 403
    password = reverse("admin:auth_user_password_change", args=[root.pk])
    assert administrator.get(password).status_code == 403
    me = User.objects.get(username="administrator")
    page = administrator.get(reverse("admin:auth_user_change", args=[me.pk]))
    fields = page.context["adminform"].form.fields
    assert {"is_superuser", "user_permissions"}.isdisjoint(fields)
    assert "groups" in fields


# -- the record of what was done -----------------------------------------------------------------------------


def test_what_was_done_is_told_on_one_list(everything: Rule) -> None:
    operator = staff("operator")
    held = Delivery.objects.get(state="held")
    incident = Incident.objects.get()
    yes = {"confirmed": "yes"}
    operator.post(reverse("admin:rules_delivery_try_again", args=[held.pk]), yes)
    operator.post(reverse("admin:rules_rule_pause", args=[everything.pk]), yes)
    chosen = {"action": "mute_chosen", "_selected_action": [incident.pk]}
    operator.post(reverse("admin:rules_incident_changelist"), chosen)
    Answer.objects.create(
        account_id="shop", quiz_id=101, answer_id="alone", digest="y", payload={"quizID": 101}
    )
    chosen = {"action": "plan", "_selected_action": [Answer.objects.get(answer_id="alone").pk], **yes}
    operator.post(reverse("admin:rules_answer_changelist"), chosen)
    operator.post(reverse("admin:accounts_account_sync_now", args=[everything.account_id]), yes)

    administrator, url = staff("administrator"), reverse("admin:admin_logentry_changelist")
    page = administrator.get(url, headers={"Accept-Language": "ru"})
    told = [str(from_column(row.change_message)) for row in page.context["cl"].result_list]
    assert told[:-1] == [
        "Asked for a sync of all lists.", "Planned by today's rules.", "Muted.", "Paused.",
        "Tried again by a person.",
    ]  # fmt: skip
    html = page.content.decode()
    assert "Поставлено на паузу." in html or "На паузе." in html or "Приостановлено." in html
    assert f"/admin/rules/delivery/{held.pk}/change/" in html
    assert not re.search(r">\s*(access attempt expiration|lane|webhook retry|former body)\s*<", html)
    LogEntry.objects.filter(object_id=held.pk).update(object_repr=f"delivery {held.pk}")  # as bulk runs do
    html = administrator.get(url, headers={"Accept-Language": "ru"}).content.decode()
    assert (f">отправка {held.pk}<" in html, f">delivery {held.pk}<" in html) == (True, False)
    assert administrator.get(url, {"q": "Muted"}).context["cl"].result_count == 1
    assert administrator.get(f"{url}add/").status_code == 403


# -- a person's data -----------------------------------------------------------------------------------------


@pytest.fixture
def person(deliver: Callable[..., Delivery]) -> dict[str, str]:
    for state in ("delivered", "held"):
        deliver(state)
    Answer.objects.update(contact_keys=[f"phone:{PERSONAL[0]}"])
    return {"confirmed": "yes", "phone": PERSONAL[0]}


def test_a_person_is_forgotten_after_a_look_at_how_much_it_is(person: dict[str, str]) -> None:
    administrator, url = staff("administrator"), reverse("admin:rules_erasure_erase")
    asked = administrator.post(url, person)
    shown = asked.content.decode()
    assert "2 answers would be erased." in shown
    assert "1 delivered, 1 that wait or are held" in shown
    assert Answer.objects.filter(purged_at=None).count() == 2
    done = administrator.post(url, person | {"sure": "yes"}, follow=True)
    assert "2 answers are erased." in done.content.decode()
    assert not Answer.objects.filter(purged_at=None).exists()
    entry = LogEntry.objects.get()
    assert str(from_column(entry.change_message)) == "Had a person forgotten."
    kept = "".join(str(value) for row in LogEntry.objects.values() for value in row.values())
    assert PERSONAL[0].removeprefix("+") not in kept
    assert Erasure.objects.get().asked_by == "administrator"
    sent = Delivery.objects.get(state="delivered")
    for row, deed in ((sent.answer, "mend"), (sent, "replay")):
        page = administrator.get(page_of(row)).content.decode()
        assert ("or the person asked for it" in page, page_of(row, deed) in page) == (True, False)
    html = administrator.post(url, person).content.decode()
    assert "Nothing that this person answered is kept here." in html
    assert f'value="{PERSONAL[0]}"' in html  # to be mended, as it may be a slip


def test_a_person_s_data_is_given_out_and_that_is_told(person: dict[str, str]) -> None:
    administrator, url = staff("administrator"), reverse("admin:rules_erasure_give_out")
    file = administrator.post(url, person)
    assert "no-store" in file["Cache-Control"]
    assert len(file.json()["answers"]) == 2
    assert str(from_column(LogEntry.objects.get().change_message)) == "Gave out 2 answers."


@pytest.mark.parametrize("sent", [{}, {"phone": "12"}, {"email": "nobody"}])
def test_nobody_is_forgotten_by_mistake(sent: dict[str, str], person: dict[str, str]) -> None:
    url = reverse("admin:rules_erasure_erase")
    page = staff("administrator").post(url, {"confirmed": "yes", "sure": "yes", **sent})
    assert page.status_code == 200
    assert page.context["question"].form.errors
    assert Erasure.objects.count() == 0
