"""amoCRM's webhooks: subscribing once, being refused, reading forms that nobody signed."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest

from connectors.amocrm.connector import AmoConnector
from connectors.amocrm.following import MOST_RECORDS, OF_CONTACTS, SETTINGS
from connectors.errors import Refused, TryLater
from connectors.lead_status import ChangeNotice
from tests.connectors.amocrm.shop import connect
from tests.connectors.cast import followed

URL = "https://quiz.example/hooks/7/unguessable"
read = AmoConnector.read_hook


def writes(amo) -> list[str]:
    return [entry.path for entry in amo.journal if entry.method != "GET"]


# -- subscribing --------------------------------------------------------------------------------------------


def test_a_subscription_is_made_once(amo, shop):
    shop.connector.subscribe(URL)
    assert shop.account.hooks[URL].settings == list(SETTINGS)
    amo.journal.clear()
    shop.connector.subscribe(URL)
    assert writes(amo) == []


def test_a_subscription_that_was_cut_down_or_disabled_is_made_whole(amo, shop):
    shop.connector.subscribe(URL)
    hook = shop.account.hooks[URL]
    hook.settings, hook.disabled = ["add_lead"], False
    shop.connector.subscribe(URL)
    hook.disabled = True
    shop.connector.subscribe(URL)
    assert (hook.settings, hook.disabled, len(shop.account.hooks)) == (list(SETTINGS), False, 1)


def test_contacts_are_told_of_from_when_they_are_wanted_until_they_are_not(amo, shop):
    for contacts in (False, True, True, False, False):
        amo.journal.clear()
        shop.connector.subscribe(URL, contacts)
        wanted = {*SETTINGS, *(OF_CONTACTS if contacts else ())}
        assert set(shop.account.hooks[URL].settings) == wanted
    assert writes(amo) == []
    assert len(shop.account.hooks) == 1


@pytest.mark.parametrize("status", [402, 403])
def test_a_tariff_without_webhooks_refuses_in_words(amo, shop, status):
    amo.switches["webhooks_refused"] = status
    with pytest.raises(Refused) as refusal:
        shop.connector.subscribe(URL)
    assert "tariff" in refusal.value.message
    assert refusal.value.remedy
    assert URL not in str(vars(refusal.value))


def test_only_an_administrator_may_subscribe(amo, shop, options, sign_in):
    manager = next(user for user in shop.account.users.values() if user.is_active and not user.is_admin)
    with pytest.raises(Refused, match="administrator"):
        connect(amo, shop.account, options, sign_in, manager).connector.subscribe(URL)


def test_an_account_that_is_not_paid_for_is_asked_again(amo, shop):
    shop.account.tariff_ended = True
    with pytest.raises(TryLater):
        shop.connector.subscribe(URL)


def test_a_lost_answer_is_only_asked_again(amo, shop):
    amo.faults.add("/webhooks", "reset_after", method="POST")
    with pytest.raises(TryLater):
        shop.connector.subscribe(URL)
    shop.connector.subscribe(URL)
    assert len(shop.account.hooks) == 1


# -- what amoCRM posts --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operation", "changes"),
    [
        ("move_lead", {"step_id": 142}),
        ("move_lead", {"price": 5}),
        ("delete_lead", {}),
        ("restore_lead", {}),
    ],
    ids=str,
)
def test_what_is_posted_names_the_lead(amo, shop, deliver, draft, operation, changes):
    (receipt,) = deliver(draft())
    shop.connector.subscribe(URL)
    forms = []
    amo.courier = lambda method, url, headers, body, timeout: forms.append(body.decode()) or 200
    amo.control(operation, {"lead_id": int(receipt.journal["lead"]), **changes})
    amo.pump()
    hints = {read(dict(parse_qsl(form, keep_blank_values=True))) for form in forms}
    assert hints == {ChangeNotice(str(shop.account.id), records=frozenset({followed(receipt).remote_id}))}


@pytest.mark.parametrize(
    ("operation", "values"),
    [("change_phone", {"phone": "+79990001122"}), ("delete_contact", {}), ("restore_contact", {})],
    ids=str,
)
def test_what_is_posted_names_the_contact(amo, shop, deliver, draft, operation, values):
    (receipt,) = deliver(draft())
    shop.connector.subscribe(URL, contacts=True)
    forms = []
    amo.courier = lambda method, url, headers, body, timeout: forms.append(body.decode()) or 200
    contact = receipt.journal["contact"]
    amo.control(operation, {"contact_id": int(contact), **values})
    amo.pump()
    hints = [read(dict(parse_qsl(form, keep_blank_values=True))) for form in forms]
    assert hints == [ChangeNotice(str(shop.account.id), records=frozenset(), contacts=frozenset({contact}))]


ACCOUNT = {"account[id]": "31000001", "account[subdomain]": "demo7"}
FORMS = {
    "each kind": (
        {f"leads[{verb}][0][id]": str(number) for number, verb in enumerate(
            ("add", "update", "delete", "status", "responsible", "restore"), start=1
        )},
        {"1", "2", "3", "4", "5", "6"},
    ),
    "several": ({f"leads[update][{index}][id]": "77" if index else "78" for index in range(3)}, {"77", "78"}),
    "notes are none": ({"leads[note][0][id]": "1", "leads[note][0][note][id]": "2"}, set()),
    "other cards": ({"companies[update][0][id]": "1", "task[add][0][id]": "2"}, set()),
    "fields": ({"leads[update][0][custom_fields][0][id]": "5", "leads[update][0][tags][0][id]": "6"}, set()),
    "no numbers": (
        {f"leads[update][{i}][id]": text for i, text in enumerate(
            ("", "0", "-1", "1 OR 1=1", "٣", "9" * 19, "1.5", "\x00", " 7", "7\n")
        )},
        set(),
    ),
    "odd indexes": (
        {"leads[update][x][id]": "1", "leads[update][][id]": "2", "leads[update][1234567][id]": "3"},
        set(),
    ),
    "around": ({"xleads[add][0][id]": "1", "leads[add][0][id]x": "2", "leads[add][0][id]\n": "3"}, set()),
}  # fmt: skip


@pytest.mark.parametrize(("form", "ids"), FORMS.values(), ids=FORMS)
def test_forms(form, ids):
    assert read({**ACCOUNT, **form}) == ChangeNotice("31000001", records=frozenset(ids))


CONTACT_FORMS = {
    "each kind": (
        {f"contacts[{verb}][0][id]": str(number) for number, verb in enumerate(
            ("add", "update", "delete", "restore"), start=1
        )},
        {"1", "2", "3", "4"}, {"1"},
    ),
    "companies are none": (
        {"contacts[add][0][id]": "1", "contacts[add][0][type]": "company",
         "contacts[add][1][id]": "2", "contacts[add][1][type]": "contact"},
        {"2"}, {"2"},
    ),
    "notes are none": ({"contacts[note][0][id]": "1", "contacts[responsible][0][id]": "2"}, set(), set()),
    "fields": (
        {"contacts[add][0][custom_fields][0][id]": "5", "contacts[add][0][tags][0][id]": "6"}, set(), set(),
    ),
    "no numbers": (
        {f"contacts[add][{i}][id]": t for i, t in enumerate(("", "0", "-1", "9" * 19))}, set(), set(),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("form", "ids", "made"), CONTACT_FORMS.values(), ids=CONTACT_FORMS)
def test_forms_of_contacts(form, ids, made):
    told = ChangeNotice("31000001", records=frozenset(), contacts=frozenset(ids), made=frozenset(made))
    assert read({**ACCOUNT, **form}) == told


@pytest.mark.parametrize("account", ["", "demo7", "0", "9" * 40, "1,2", "-3"])
def test_an_account_that_is_none_is_left_out(account):
    assert read({"account[id]": account, "leads[status][0][id]": "1"}).remote_id == ""


def test_a_form_without_bounds_is_bounded():
    for kind in ("leads", "contacts"):
        form = {f"{kind}[update][{index}][id]": str(index + 1) for index in range(20_000)}
        told = read(form)
        assert max(len(told.records or ()), len(told.contacts)) == MOST_RECORDS == 200
