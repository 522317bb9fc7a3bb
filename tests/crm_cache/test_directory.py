"""The stored directory: what it proves, how little it says and takes, and when it is erased."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.db import connection
from django.utils import timezone

from accounts.models import Account
from connectors.contact_directory import NoDirectory
from crm_cache import directory
from crm_cache.directory import StoredDirectory, begin, directory_for, erase_unwanted, forget
from crm_cache.models import ContactDirectory, ContactHint, DirectoryKey

ANNA, MAIL, BORIS = "phone:+79161234567", "email:anna@demo.example", "phone:+79031234567"
pytestmark = pytest.mark.django_db


@pytest.fixture
def book(shop: Account) -> StoredDirectory:
    """Anna is contact 7, Boris is 9; the walk has come to its end."""
    begin(shop)
    found = directory_for(shop)
    assert isinstance(found, StoredDirectory)
    put(found, {7: [ANNA, MAIL], 9: [BORIS]}, complete=True)
    return found


def put(book: Any, contacts: dict[int, list[str]], span: Any = None, **changes: Any) -> bool:
    state = book.state()
    return bool(book.take(state, replace(state, **changes), contacts, span=span, followed=True))


def test_contacts_are_found_by_every_key(book: Any) -> None:
    assert book.find([ANNA, MAIL, "phone:+70000000000"]) == {ANNA: (7,), MAIL: (7,)}
    assert book.state().complete
    assert book.state().age < 10


def test_nothing_can_be_read_from_it(book: Any) -> None:
    """A mark is neither the key nor a plain hash of it, and another account's is another one."""
    marks = set(DirectoryKey.objects.values_list("mark", flat=True))
    assert len(marks) == 3
    secret = next(iter(directory.listed_keys().values()))
    assert directory.mark_of(secret, "amocrm", "31000001", ANNA) in marks
    assert directory.mark_of(secret, "amocrm", "31000002", ANNA) not in marks
    assert directory.mark_of(b"another", "amocrm", "31000001", ANNA) not in marks
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM crm_cache_contactdirectory")
        assert "916" not in str(cursor.fetchall()).replace("31000001", "")


def test_what_changed_takes_the_place_of_what_was(book: Any) -> None:
    assert put(book, {7: [MAIL], 9: []})
    assert book.find([ANNA, MAIL, BORIS]) == {MAIL: (7,)}


def test_of_a_span_only_what_was_seen_is_left(book: Any) -> None:
    assert put(book, {8: [ANNA]}, span=(6, 8))
    assert book.find([ANNA, MAIL, BORIS]) == {ANNA: (8,), BORIS: (9,)}


def test_two_contacts_with_one_phone_are_both_known(book: Any) -> None:
    put(book, {3: [ANNA]})
    assert sorted(book.find([ANNA])[ANNA]) == [3, 7]
    book.drop([3])
    assert book.find([ANNA]) == {ANNA: (7,)}


def test_whoever_read_before_another_one_wrote_keeps_nothing(shop: Account, book: Any) -> None:
    other, state = directory_for(shop), book.state()
    assert put(other, {7: [MAIL]})
    assert not book.take(state, replace(state, changed_to=5), {7: [ANNA]})
    assert book.find([ANNA]) == {}


def test_quiz_accounts_of_one_crm_account_share_it(connected: Any, book: Any) -> None:
    assert directory_for(connected("branch")).find([ANNA]) == {ANNA: (7,)}
    assert directory_for(connected("other", remote_id="31000002")).state() is None


def test_it_is_good_while_its_key_is_listed(shop: Account, book: Any, settings: Any) -> None:
    old, new = settings.ENCRYPTION_KEYS[0], Fernet.generate_key().decode()
    settings.ENCRYPTION_KEYS = [new, old]
    assert book.find([ANNA]) == {ANNA: (7,)}
    settings.ENCRYPTION_KEYS = [new]
    assert book.state() is None
    assert book.find([ANNA, BORIS]) == {ANNA: (), BORIS: ()}

    begin(shop)
    assert not book.state().complete
    assert not DirectoryKey.objects.exists()


def test_phones_of_another_region_are_read_anew(shop: Account, book: Any) -> None:
    shop.country = "KZ"
    assert directory_for(shop).state() is None


def test_it_is_erased_when_nobody_is_connected(connected: Any, shop: Account, book: Any) -> None:
    branch = connected("branch")
    Account.objects.filter(pk=shop.pk).update(deleted=True, state="disconnected")
    assert erase_unwanted() == 0
    Account.objects.filter(pk=branch.pk).update(deleted=True, state="disconnected")
    assert erase_unwanted() == 3
    assert not DirectoryKey.objects.exists()
    assert not ContactDirectory.objects.exists()


def test_a_half_erased_one_proves_nothing_to_who_comes_back(
    shop: Account, book: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory, "ERASED_AT_ONCE", 2)
    Account.objects.filter(pk=shop.pk).update(deleted=True, state="disconnected")
    assert erase_unwanted() == 2
    Account.objects.filter(pk=shop.pk).update(deleted=False, state="active")
    assert book.state() is None
    assert erase_unwanted() == 1
    begin(shop)
    assert not book.state().complete


def test_the_accounts_switch_erases_it(connected: Any, book: Any) -> None:
    off = connected("branch", contact_directory=False)
    assert isinstance(directory_for(off), NoDirectory)
    erase_unwanted()
    assert book.state() is None
    assert not DirectoryKey.objects.exists()


def test_the_installations_switch_erases_it(shop: Account, book: Any, settings: Any) -> None:
    settings.CONTACT_DIRECTORY = False
    assert isinstance(directory_for(shop), NoDirectory)
    erase_unwanted()
    assert not DirectoryKey.objects.exists()


def test_who_is_forgotten_is_asked_for_in_the_crm(book: Any) -> None:
    """Their contact may be there; who they were can't be told from what is kept."""
    forget([ANNA, MAIL])
    assert book.find([ANNA, MAIL, BORIS, "phone:+79990001122"]) == {ANNA: (), MAIL: (), BORIS: (9,)}
    (row,) = ContactDirectory.objects.all()
    assert all(0 <= hole < 2**16 for hole in row.holes)
    forget(["phone:+79990001122"])
    assert ContactDirectory.objects.get().holes == row.holes


@pytest.mark.django_db(transaction=True)
def test_a_key_takes_at_most_120_bytes(shop: Account) -> None:
    """Table and indexes, after a walk in the order of ids; a third has two keys."""
    with connection.cursor() as cursor:  # the file keeps the room of rows that earlier tests rolled back
        cursor.execute("TRUNCATE crm_cache_directorykey")
    begin(shop)
    book = directory_for(shop)
    for low in range(0, 30_000, 250):
        numbers = range(low + 1, low + 251)
        page = {
            n: [f"phone:+7916{n:07d}", *([f"email:a{n}@demo.example"] if n % 3 == 0 else [])] for n in numbers
        }
        assert put(book, page, span=(low, low + 250))
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_total_relation_size('crm_cache_directorykey')")
        (size,) = cursor.fetchone()
    assert size / DirectoryKey.objects.count() <= 120


def test_of_those_who_share_a_directory_one_is_asked_to_read_it(connected: Any, book: Any) -> None:
    connected("branch")
    ContactDirectory.objects.update(due_at=timezone.now())
    assert len(directory.due(timezone.now(), 10)) == 1
    Account.objects.update(state="paused")
    assert directory.due(timezone.now(), 10) == []


def test_a_moment_of_reading_is_the_databases(book: Any) -> None:
    assert abs(book.state().read_at - time.time()) < 60


# -- hints --------------------------------------------------------------------------------------------------


def test_a_hint_waits_until_its_contact_was_read(shop: Account, book: Any) -> None:
    for _ in range(3):
        directory.hint(shop, {"9", "7"})
    assert sorted(book.state().hinted) == [7, 9]
    assert put(book, {7: [ANNA]})
    assert book.state().hinted == (9,)
    assert put(book, {})
    assert book.state().hinted == (9,)


def test_a_hint_that_comes_while_its_contact_is_read_is_kept(shop: Account, book: Any) -> None:
    directory.hint(shop, {"7"})
    state = book.state()
    directory.hint(shop, {"7"})
    assert book.take(state, state, {7: [MAIL]}, followed=True)
    assert book.state().hinted == (7,)


def test_so_many_hints_wait_and_no_neighbour_has_fewer(connected: Any, shop: Account, book: Any) -> None:
    other = connected("other", remote_id="31000002")
    begin(other)
    for low in range(1, 3000, 200):
        directory.hint(shop, set(map(str, range(low, low + 200))))
    directory.hint(other, {"5"})
    assert len(book.state().hinted) == directory.MOST_HINTS
    assert directory_for(other).state().hinted == (5,)


def test_hints_of_quiz_accounts_that_share_a_crm_account_are_shared(
    connected: Any, shop: Account, book: Any
) -> None:
    directory.hint(connected("branch"), {"7"})
    assert book.state().hinted == (7,)


def test_without_a_directory_no_hint_is_kept(connected: Any, shop: Account, book: Any) -> None:
    directory.hint(connected("other", remote_id="31000002"), {"5"})
    assert not ContactHint.objects.exists()
    directory.hint(shop, {"7"})
    directory.give_up(shop, "Contacts can't be read")
    assert not ContactHint.objects.exists()
    directory.hint(shop, {"7"})
    assert not ContactHint.objects.exists()


def test_hints_are_erased_with_it(shop: Account, book: Any) -> None:
    directory.hint(shop, {"7"})
    Account.objects.filter(pk=shop.pk).update(deleted=True, state="disconnected")
    erase_unwanted()
    assert not ContactHint.objects.exists()
