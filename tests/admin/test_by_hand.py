"""Staff name and add rows where a CRM lists nothing, and only there."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Account
from crm_cache.models import CrmUser, Field, Pipeline, Step, Tag
from rules.models import Rule
from tests.admin.test_rule_form import form_of, save, stored

pytestmark = pytest.mark.django_db
PIPELINES = "/admin/crm_cache/pipeline/"


@pytest.fixture
def windows(db: None) -> Account:
    """A connected account of the CRM whose lists are observed."""
    account = Account.objects.create(
        account_id="windows", crm="solos", remote_id="demo7.solos.pro", host="demo7.solos.pro",
        name="demo7.solos.pro", state="active", connected_at=timezone.now(),
    )  # fmt: skip
    Pipeline.objects.create(account=account, remote_id="1", name="Funnel 1", details={"observed": True})
    Step.objects.create(account=account, pipeline_id="1", remote_id="11", name="Step 11")
    CrmUser.objects.create(account=account, remote_id="2", name="User 2")
    Field.objects.create(
        account=account, entity="projects", remote_id="sum", code="sum", name="sum", type="number"
    )
    return account


def page(row: Pipeline | Step | CrmUser | Field) -> str:
    return f"/admin/crm_cache/{row._meta.model_name}/{row.pk}/change/"


def test_an_operator_names_a_funnel(operator: Client, windows: Account) -> None:
    funnel = Pipeline.objects.get()
    assert "Funnel 1" in operator.get(page(funnel)).content.decode()
    operator.post(page(funnel), {"name": "Окна", "sort": "5", "remote_id": "77", "account": "0"})
    funnel.refresh_from_db()
    assert (funnel.name, funnel.sort, funnel.by_hand, funnel.deleted) == ("Окна", 5, True, False)
    assert (funnel.remote_id, funnel.account_id) == ("1", windows.pk)


def test_an_operator_says_which_step_is_won_and_that_a_person_left(
    operator: Client, windows: Account
) -> None:
    step, person, field = Step.objects.get(), CrmUser.objects.get(), Field.objects.get()
    operator.post(page(step), {"name": "Закрыто", "kind": "won", "sort": "0"})
    operator.post(page(person), {"name": "Павел", "deleted": "on"})
    operator.post(page(field), {"name": "Сумма", "type": "number"})
    for row in (step, person, field):
        row.refresh_from_db()
    assert (step.kind, step.pipeline_id) == ("won", "1")
    assert (person.name, person.active, person.deleted) == ("Павел", False, True)
    assert (field.name, field.code) == ("Сумма", "sum")


def test_a_step_is_of_a_known_kind(operator: Client, windows: Account) -> None:
    reply = operator.post(page(Step.objects.get()), {"name": "Закрыто", "kind": "nonsense", "sort": "0"})
    html = reply.content.decode()
    assert "Select a valid choice. nonsense is not one" in html
    assert '<option value="won">lead won</option>' in html
    assert "lead in work" in operator.get("/admin/crm_cache/step/").content.decode()


@pytest.mark.parametrize(
    ("model", "values"),
    [
        (Pipeline, {"remote_id": "9", "name": "Дача", "sort": "0"}),
        (Step, {"pipeline_id": "9", "remote_id": "91", "name": "Замер", "kind": "open", "sort": "0"}),
        (CrmUser, {"remote_id": "9", "name": "Вера", "active": "on"}),
        (Field, {"entity": "projects", "remote_id": "area", "name": "Площадь", "type": "number"}),
    ],
)
def test_an_operator_adds_what_was_never_seen(operator: Client, windows: Account, model, values) -> None:
    address = f"/admin/crm_cache/{model._meta.model_name}/add/"
    assert operator.get(address).status_code == 200
    reply = operator.post(address, {"account": windows.pk, **values})
    assert reply.status_code == 302, reply.content.decode()
    row = model.objects.get(name=values["name"])
    assert (row.account_id, row.by_hand) == (windows.pk, True)

    reply = operator.post(address, {"account": windows.pk, **values})
    assert "There is such a row already" in reply.content.decode()


def test_rows_of_other_crms_stay_as_told(
    operator: Client, superuser: Client, shop: Account, windows: Account
) -> None:
    funnel = Pipeline.objects.filter(account=shop).first()
    for client in (operator, superuser):
        assert client.post(page(funnel), {"name": "Mine"}).status_code == 403
        values = {"account": shop.pk, "remote_id": "9", "name": "Mine", "sort": "0"}
        assert client.post(f"{PIPELINES}add/", values).status_code == 200
    assert not Pipeline.objects.filter(name="Mine").exists()


def test_a_viewer_changes_nothing(viewer: Client, windows: Account) -> None:
    funnel = Pipeline.objects.get()
    assert viewer.get(page(funnel)).status_code == 200
    assert viewer.post(page(funnel), {"name": "Mine"}).status_code == 403
    assert viewer.get(f"{PIPELINES}add/").status_code == 403


def test_without_such_an_account_nothing_is_added(superuser: Client, shop: Account) -> None:
    assert superuser.get(f"{PIPELINES}add/").status_code == 403
    assert superuser.get(f"/admin/crm_cache/tag/{Tag.objects.get().pk}/change/").status_code == 200


def test_tags_are_never_added(superuser: Client, windows: Account) -> None:
    assert superuser.get("/admin/crm_cache/tag/add/").status_code == 403


def test_a_rule_offers_what_was_observed(operator: Client, windows: Account) -> None:
    fields = {"lead": {"QuestionID": {"1": "sum"}}}
    rule = Rule.objects.create(account=windows, quiz_id=42, fields_rule=fields, choices={"reference_id": "4"})
    before = stored(rule)
    assert form_of(operator, rule).fields["placement"].choices == [
        ("", "The CRM's own default"),
        ("Funnel 1", [("1|", "Funnel 1 / first step"), ("1|11", "Funnel 1 / Step 11")]),
    ]
    assert save(operator, rule) == ""
    assert stored(rule) == before
    assert save(operator, rule, placement="1|11", new_performer="2") == ""
    rule.refresh_from_db()
    assert (rule.pipeline, rule.step, rule.performer) == ("1", "11", "2")
    assert rule.choices == {"reference_id": "4"}


def test_a_funnel_that_nobody_has_seen_is_kept(operator: Client, windows: Account) -> None:
    rule = Rule.objects.create(account=windows, quiz_id=42, pipeline="77", step="771")
    assert form_of(operator, rule).fields["placement"].choices[-1] == (
        "77|771",
        "77 / 771 (not in the CRM any more)",
    )
