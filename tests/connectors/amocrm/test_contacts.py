"""All contacts of an account are walked once and followed as they change, whatever amoCRM leaves open."""

from __future__ import annotations

from dataclasses import replace
from itertools import count, pairwise
from random import Random

import pytest

from connectors.amocrm import contacts
from connectors.errors import Refused, TryLater
from tests.connectors.amocrm.phonebook import Phonebook


@pytest.fixture
def book() -> Phonebook:
    return Phonebook()


@pytest.fixture
def connector(shop, book):
    made = shop.connector
    made.use_directory(book)
    return made


@pytest.fixture
def people(shop):
    """``people(3)`` are three contacts with phones of their own; their ids."""
    numbers = count(1)

    def people(how_many: int = 1, **values: str) -> list[int]:
        made: list[int] = []
        client = shop.connector.http_client()
        while len(made) < how_many:
            rows = [body(next(numbers), **values) for _ in range(min(250, how_many - len(made)))]
            reply = client.call("POST", "/api/v4/contacts", json=rows)
            made += [row["id"] for row in reply["_embedded"]["contacts"]]
        shop.amo.journal.clear()
        return made

    return people


def body(number: int, phone: str = "", email: str = "") -> dict[str, object]:
    values = [{"field_code": "PHONE", "values": [{"value": phone or f"8 (916) {number:07d}"}]}]
    if email:
        values.append({"field_code": "EMAIL", "values": [{"value": email}]})
    return {"name": f"Анна {number}", "custom_fields_values": values}


def walked(connector, portion: int = 10_000) -> int:
    """Walk to the end in portions of so many questions; how many portions it took."""
    for number in range(1, 1000):
        left = iter(range(portion))
        if connector.walk_contacts(lambda left=left: next(left, None) is not None):
            return number
    raise AssertionError("the walk never ended")


def in_the_crm(shop) -> dict[int, frozenset[str]]:
    """What the account's people see of their contacts."""
    number = shop.account.fields["contacts"].by_code["PHONE"].id
    return {
        card.id: frozenset(
            "phone:+7" + "".join(c for c in one["value"] if c.isdigit())[-10:] for one in card.values[number]
        )
        for card in shop.account.contacts.values()
        if not card["is_deleted"] and not card.hidden
    }


# -- the walk -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how_many", [0, 1, 249, 250, 251, 1003])
def test_a_walk_reads_every_contact(shop, connector, book, people, how_many):
    people(how_many)
    walked(connector)
    assert book.kept.complete
    assert book.keys == in_the_crm(shop)
    assert shop.amo.journal.counts["GET /api/v4/contacts"] <= how_many / 240 + 7


def test_phones_and_emails_are_known_however_they_are_spelled(connector, book, people):
    (anna,) = people(phone="8 (999) 000-11-22 доб. 5", email="Anna <Anna@Demo.example>")
    walked(connector)
    assert book.keys[anna] == {"phone:+79990001122", "email:anna@demo.example"}


@pytest.mark.parametrize("seed", range(5))
def test_a_walk_misses_nobody_whatever_happens_meanwhile(shop, connector, book, people, seed):
    """Contacts are deleted, restored, merged, added and changed between any two of its requests."""
    dice, known = Random(seed), people(1600)

    def meanwhile() -> None:
        for _ in range(dice.randrange(4)):
            chosen = dice.choice(known)
            what = dice.choice(["delete_contact", "restore_contact", "change_phone", "add"])
            if what == "add":
                known.extend(people())
            else:
                phone = f"+7 903 {dice.randrange(10**7):07d}"
                shop.amo.control(what, {"contact_id": chosen, "phone": phone})

    book.interrupt = meanwhile
    walked(connector, portion=2)
    book.interrupt = lambda: None
    assert follow(connector)
    assert book.keys == in_the_crm(shop)


def follow(connector) -> bool:
    """Some seconds after the last look."""
    book = connector.directory
    book.kept = replace(book.kept, events_to=max(book.kept.events_to - 20, 0))
    return contacts.up_to_date(connector.http_client(), book) is not None


def test_a_walk_that_was_broken_off_goes_on_where_it_was(shop, connector, book, people):
    people(1000)
    shop.amo.faults.add("/contacts", status=503, times=1, after=4)
    with pytest.raises(TryLater):
        walked(connector)
    assert 0 < len(book.keys) < 1000
    shop.amo.journal.clear()
    walked(connector)
    assert book.keys == in_the_crm(shop)
    pages = [entry.request.params for entry in shop.amo.journal.find("GET", "/contacts$")]
    assert "1" not in [page["page"] for page in pages if page.get("order[id]") == "asc"]


def test_pages_may_be_shorter_than_asked_for(shop, connector, book, people):
    people(700)
    shop.amo.switches["page_cap"] = 90
    walked(connector)
    assert book.keys == in_the_crm(shop)


@pytest.mark.parametrize("instead", ["204", "400"])
def test_a_list_that_is_cut_off_makes_no_directory(shop, connector, book, people, instead):
    people(1500)
    shop.amo.switches["deepest_page"] = 3
    shop.amo.switches["deep_page"] = instead
    with pytest.raises(Refused):
        walked(connector)
    assert not book.kept.complete


def test_whoever_is_slower_keeps_nothing(connector, book, people):
    people(300)
    book.interrupt = lambda: setattr(book, "kept", replace(book.kept, revision=book.kept.revision + 1))
    with pytest.raises(TryLater):
        walked(connector)
    assert book.keys == {}


def test_one_request_tells_whether_a_walk_pays(shop, connector, people):
    people(3)
    assert connector.has_more_contacts_than(2)
    assert not connector.has_more_contacts_than(3)
    assert len(shop.amo.journal.find("GET", "/contacts")) == 2


# -- what changes -------------------------------------------------------------------------------------------


@pytest.fixture
def complete(connector, book, people):
    people(600)
    walked(connector)
    return book


def test_a_contact_that_was_made_a_moment_ago_is_known(shop, connector, complete, people):
    (new,) = people(phone="+79990001122")
    assert follow(connector)
    assert complete.keys[new] == {"phone:+79990001122"}


@pytest.mark.parametrize("moves", [True, False])
@pytest.mark.parametrize("delay", [0, 120])
def test_changes_are_known_whether_or_not_they_count_as_one(shop, connector, complete, amo, moves, delay):
    """Another phone, a merge, somebody deleted and restored; events may come late."""
    amo.switches.update(phone_is_a_change=moves, merge_is_a_change=moves, events_delay=delay)
    first, second, third, fourth, *_ = complete.keys
    amo.clock.advance(60)
    amo.control("change_phone", {"contact_id": first, "phone": "8 999 000-11-22"})
    amo.control("merge_contacts", {"contact_id": second, "into": third})
    amo.control("delete_contact", {"contact_id": fourth})
    assert follow(connector)
    amo.clock.advance(delay)
    assert follow(connector)
    assert complete.keys == in_the_crm(shop)
    amo.control("restore_contact", {"contact_id": fourth})
    amo.clock.advance(delay)
    assert follow(connector)
    assert complete.keys == in_the_crm(shop)


def test_an_event_is_read_once(shop, connector, complete, amo):
    amo.switches["phone_is_a_change"] = False
    amo.clock.advance(60)
    amo.control("change_phone", {"contact_id": next(iter(complete.keys)), "phone": "8 999 000-11-22"})
    assert follow(connector)
    shop.amo.journal.clear()
    assert follow(connector)
    assert len(shop.amo.journal.find("GET", r"/contacts/\d+")) == 0


def test_a_moment_that_lies_ahead_hides_no_change(shop, connector, complete, people):
    ahead = shop.account.contacts[people()[0]]
    ahead.props["updated_at"] += 10**6
    shop.account.contacts.touched(ahead, shop.amo.clock.now())
    assert follow(connector)
    (new,) = people(phone="+79990001122")
    assert follow(connector)
    assert new in complete.keys


def test_a_moment_of_many_changes_costs_nothing_once_it_is_past(shop, connector, complete, people, amo):
    """Somebody imported a file of contacts right before the walk."""
    amo.clock.advance(60)
    assert follow(connector)
    shop.amo.journal.clear()
    assert follow(connector)
    assert len(shop.amo.journal.find("GET", "/contacts$")) == 1


def test_many_changes_are_read_several_pages_at_a_time(shop, connector, complete, people, amo):
    """A backlog's leads wait for them: one by one would take seconds. Each shows some of the one before."""
    amo.clock.advance(60)
    assert follow(connector)
    for _ in range(11):
        amo.clock.advance(5)
        people(100)
    assert follow(connector)
    assert complete.keys == in_the_crm(shop)
    pages = [entry.request.params for entry in shop.amo.journal.find("GET", "/contacts$")]
    windows = [contacts.Window(int(page["limit"]), int(page["page"])) for page in pages]
    ordered = sorted(windows, key=lambda one: one.start)
    assert len(ordered) <= 7
    assert all(one.start < last.end - contacts.BESIDE for last, one in pairwise(ordered))


@pytest.mark.parametrize("seed", range(5))
def test_no_change_is_missed_whatever_happens_between_two_pages(
    shop, connector, complete, people, amo, monkeypatch, seed
):
    """Who goes lets others move to a page that was read before, who comes to a later one. Who is gone may be
    known a while longer."""
    dice, real = Random(seed), contacts.read_page
    known: list[int] = []
    for _ in range(15):
        known += people(100)
        amo.clock.advance(5)

    def read_page(*given):
        page = real(*given)
        for _ in range(dice.randrange(20)):  # of 25 pages fewer events than are followed
            phone = f"+7 903 {dice.randrange(10**7):07d}"
            chosen = {"contact_id": dice.choice(known), "phone": phone}
            shop.amo.control(dice.choice(["delete_contact", "delete_contact", "change_phone"]), chosen)
        known.extend(people(dice.choice([0, 0, 50, 300])))
        amo.clock.advance(1)
        return page

    monkeypatch.setattr(contacts, "read_page", read_page)
    follow(connector)
    monkeypatch.setattr(contacts, "read_page", real)
    assert follow(connector)
    assert {one: complete.keys.get(one) for one in in_the_crm(shop)} == in_the_crm(shop)


def test_whoever_comes_between_two_pages_makes_no_gap(shop, connector, complete, people, amo, monkeypatch):
    """In the midst of a backlog a page begins with contacts that were not there when the last one was."""
    for _ in range(12):
        people(50)
        amo.clock.advance(5)
    coming, real = [300, 50, 50, 50], contacts.read_page

    def read_page(*given):
        page = real(*given)
        amo.clock.advance(1)
        if coming:
            people(coming.pop(0))
        return page

    monkeypatch.setattr(contacts, "read_page", read_page)
    assert follow(connector)
    assert complete.asked == 0
    assert len(complete.keys) >= 1200
    assert follow(connector)
    assert complete.keys == in_the_crm(shop)


def test_whoever_goes_between_two_pages_lets_nobody_slip_off_the_last_one(
    shop, connector, book, people, monkeypatch
):
    """The second page is empty by then, although ten were not seen."""
    walked(connector)
    made, real = people(260), contacts.read_page

    def read_page(*given):
        page = real(*given)
        while len(made) > 230:
            shop.amo.control("delete_contact", {"contact_id": made.pop()})
        return page

    monkeypatch.setattr(contacts, "read_page", read_page)
    assert follow(connector)
    assert book.keys.keys() >= set(made)


def test_changes_that_another_process_took_in_meanwhile_are_read_from_there_on(
    shop, connector, complete, people
):
    """A search for each of a batch's people would cost half a minute, and a walk even more."""
    others = iter([None])

    def interrupt():
        for _ in others:
            complete.kept = replace(complete.kept, revision=complete.kept.revision + 1)

    complete.interrupt = interrupt
    (new,) = people(phone="+79990001122")
    assert follow(connector)
    assert complete.asked == 0
    assert new in complete.keys


def test_an_answer_that_does_not_say_when_it_was_given_serves_as_well(
    connector, complete, people, monkeypatch
):
    real = contacts._given_at
    monkeypatch.setattr(contacts, "_given_at", lambda headers, rows: real({}, rows))
    (new,) = people(phone="+79990001122")
    assert follow(connector)
    assert new in complete.keys


def test_too_many_changes_are_left_to_a_walk(shop, connector, complete, people, monkeypatch):
    people(700)
    assert contacts.up_to_date(connector.http_client(), complete, people=1) is None
    assert complete.asked == 1
    monkeypatch.setattr(contacts, "MOST_PAGES", 2)
    walked(connector)
    assert complete.kept.complete
    assert complete.keys == in_the_crm(shop)


def test_without_events_the_directory_is_good_all_the_same(shop, connector, complete, people, amo):
    amo.faults.add("/events", status=403, times=None, body='{"status": 403}', content_type="application/json")
    (new,) = people(phone="+79990001122")
    assert follow(connector)
    assert new in complete.keys


NONSENSE = {"status": 200, "body": '{"status": "ok"}', "content_type": "application/json", "times": None}


@pytest.mark.parametrize("path", ["/contacts$", "/events$"])
def test_an_answer_that_is_no_list_erases_nobody(shop, connector, complete, people, path):
    """Whoever it does not name would be gone, and made twice with the next lead; a change would be missed."""
    known = dict(complete.keys)
    shop.amo.faults.add(path, **NONSENSE)
    with pytest.raises(TryLater):
        follow(connector)
    assert complete.keys == known
    shop.amo.faults.clear()
    (new,) = people(phone="+79990001122")
    assert follow(connector)
    assert complete.keys.keys() == {*known, new}


def test_a_walk_does_not_end_at_an_answer_that_is_no_list(shop, connector, book, people):
    people(600)
    shop.amo.faults.add("/contacts$", after=2, **NONSENSE)
    with pytest.raises(TryLater):
        walked(connector)
    assert not book.kept.complete
    shop.amo.faults.clear()
    walked(connector)
    assert book.keys == in_the_crm(shop)


@pytest.mark.parametrize(
    ("age", "waited", "reads"), [(0.5, 0.0, False), (3.0, 0.0, True), (3.0, 4.0, False), (3.0, 2.0, True)]
)
def test_who_waited_for_a_reading_is_served_by_it(shop, connector, complete, monkeypatch, age, waited, reads):
    """It began after they had asked, however long it took; one that began before is old, or fresh enough."""
    moments = iter([100.0, 100.0 + waited])
    monkeypatch.setattr(contacts.time, "monotonic", lambda: next(moments, 200.0))
    complete.kept = replace(complete.kept, age=age)
    shop.amo.journal.clear()
    assert contacts.up_to_date(connector.http_client(), complete) is not None
    assert bool(shop.amo.journal.find("GET", "/contacts$")) == reads


def test_a_directory_that_is_not_complete_says_nothing(connector, book, people):
    people(3)
    assert contacts.up_to_date(connector.http_client(), book) is None


# -- hints --------------------------------------------------------------------------------------------------


def hint(book, *numbers: int, age: float = 60.0) -> None:
    """Notices named these; so long ago changes were read."""
    book.kept = replace(book.kept, hinted=numbers, age=age)


def alone(shop) -> list[int]:
    """Who was asked for by their id."""
    return [int(one.path.rsplit("/", 1)[1]) for one in shop.amo.journal.find("GET", r"/contacts/\d+$")]


@pytest.fixture
def silent(amo, connector, complete):
    """Neither ``updated_at`` nor events tell that somebody has another phone. It is long after the walk."""
    amo.switches.update(phone_is_a_change=False, merge_is_a_change=False, events_delay=3600)
    amo.clock.advance(60)
    assert follow(connector)
    amo.journal.clear()
    return complete


@pytest.mark.parametrize("filters", [True, False])
def test_who_is_hinted_at_is_read_anew(shop, connector, silent, amo, filters):
    shop.account.is_api_filter_enabled = filters
    first, second, third = list(silent.keys)[100:103]  # neither list shows them by chance
    amo.control("change_phone", {"contact_id": first, "phone": "8 999 000-11-22"})
    amo.control("delete_contact", {"contact_id": second})
    assert follow(connector)
    assert silent.keys != in_the_crm(shop)
    hint(silent, first, second, third)
    assert follow(connector)
    assert silent.keys == in_the_crm(shop)
    assert silent.kept.hinted == ()
    assert alone(shop) == ([second] if filters else [first, second, third])


def test_whom_a_page_of_changes_shows_is_not_read_alone(shop, connector, silent, people, amo):
    """Such as the contacts of leads that we made ourselves, and others that stand beside them."""
    beside = max(silent.keys)
    amo.control("change_phone", {"contact_id": beside, "phone": "8 999 000-11-22"})
    hint(silent, *people(200), beside)
    assert follow(connector)
    assert silent.kept.hinted == ()
    assert silent.keys == in_the_crm(shop)
    assert shop.amo.journal.counts["GET /api/v4/contacts"] == 1
    assert alone(shop) == []


def test_a_flood_of_hints_costs_a_question_a_second(shop, connector, silent, amo):
    strangers = tuple(range(10**9, 10**9 + 1000))
    hint(silent, *strangers, age=2.5)
    assert follow(connector)
    assert alone(shop) == list(strangers[:3])
    assert silent.kept.hinted == strangers[3:]
    assert contacts.up_to_date(connector.http_client(), silent, people=1)  # however long ago it was
    assert len(alone(shop)) == 3 + 10


@pytest.mark.parametrize("missing", ["204", "404"])
def test_whom_we_may_not_see_is_nobody_we_know(shop, connector, silent, amo, missing):
    """A walk would not show them either."""
    amo.switches["missing_card"] = missing
    first, second, third = list(silent.keys)[100:103]
    amo.control("delete_contact", {"contact_id": second})
    amo.control("change_phone", {"contact_id": third, "phone": "8 999 000-11-22"})
    refusal = {"status": 403, "body": '{"status": 403}', "content_type": "application/json"}
    amo.faults.add(f"/contacts/{first}$", times=None, **refusal)
    hint(silent, first, second, third)
    assert follow(connector)
    assert {first, second}.isdisjoint(silent.keys)
    assert silent.keys[third] == {"phone:+79990001122"}
    assert silent.kept.hinted == ()


def test_a_hint_that_can_not_be_followed_keeps_no_lead_waiting(connector, silent, amo):
    first, second = list(silent.keys)[100:102]
    amo.faults.add("/contacts/[0-9]+$", status=502, times=None)
    known = dict(silent.keys)
    hint(silent, first, second)
    assert follow(connector)
    assert (silent.keys, silent.kept.hinted) == (known, (first, second))
