"""Who is who: spellings of one phone and one address. What a text means has its lines in ``tests/corpus``."""

from __future__ import annotations

import pytest

from connectors.contact import (
    emails_in,
    full_name,
    is_phone,
    is_same_reach,
    national_digits,
    part_of,
    phones_in,
    region_of,
    spellings,
    texts_of,
    visible,
)

ANNA = "+79990001122"


@pytest.mark.parametrize(
    "stored",
    [
        "+79990001122",
        "89990001122",
        "9990001122",
        "8 (999) 000-11-22",
        "+7 999 000-11-22 доб. 5",
        "8 999 000-11-22, 8 999 333-44-55",
        "8 (999) 000-11-22 Анна",
        "+7(999)0001122#12",
    ],
)
def test_a_kept_spelling_is_the_same_phone(stored):
    assert is_phone(stored, ANNA)


@pytest.mark.parametrize("stored", ["", "Анна", "+375990001122", "8 999 000-11-23", "+7 999 000-11-2"])
def test_another_number_is_not(stored):
    assert not is_phone(stored, ANNA)


def test_a_local_spelling_is_read_by_the_number_s_own_country():
    assert is_phone("050 123-45-67", "+380501234567")
    assert not is_phone("050 123-45-67", "+79501234567")
    assert region_of("+380501234567") == "UA"


def test_numbers_that_no_plan_has_are_equal_by_their_digits():
    assert is_phone("+7 000 000-00-01", "+70000000001")
    assert phones_in("+7 000 000-00-01", "RU") == frozenset()


def test_a_number_has_the_spellings_of_its_country():
    assert spellings(ANNA) == (
        "+79990001122",
        "8 (999) 000-11-22",
        "89990001122",
        "9990001122",
        "79990001122",
        "+7 999 000-11-22",
        "+7 (999) 000-11-22",
    )
    assert national_digits("+380501234567") == "501234567"
    assert spellings("nobody") == ("nobody",)


def test_addresses_are_found_in_what_a_crm_keeps():
    assert emails_in("Анна <Anna@Demo.example>; mailto:b@demo.example") == {
        "anna@demo.example",
        "b@demo.example",
    }
    assert emails_in("нет") == frozenset()


@pytest.mark.parametrize(
    ("key", "part"),
    [
        ("Name", "name"),
        ("your-name", "name"),
        ("ФИО", "name"),
        ("first_name", "first_name"),
        ("Phone 2", "phone"),
        ("Номер телефона", "phone"),
        ("E-Mail", "email"),
        ("Эл. почта", "email"),
        ("КОМПАНИЯ", "company"),
        ("Населённый пункт", "city"),
        ("Должность", "position"),
        ("TG", "telegram"),
        ("district", ""),
        ("", ""),
        ("2", ""),
    ],
)
def test_a_key_means_its_part_in_any_case_and_language(key, part):
    assert part_of(key) == part


@pytest.mark.parametrize(
    ("contact", "name"),
    [
        ({"name": "Анна Белова"}, "Анна Белова"),
        ({"name": {"firstName": "Анна", "lastName": "Белова"}}, "Белова Анна"),
        ({"name": "Анна", "lastName": "Белова"}, "Белова Анна"),
        ({"name": "Анна Белова", "firstName": "Анна"}, "Анна Белова"),
        ({"name": ["Анна", "Белова"]}, "Анна, Белова"),
        ({"name": {"odd": "Анна"}}, "Анна"),
        ({"firstName": "Анна", "middleName": "Ивановна", "lastName": "Белова"}, "Белова Анна Ивановна"),
        ({"name": None, "phone": "1"}, ""),
        ({}, ""),
    ],
)
def test_a_name_is_one_text(contact, name):
    assert full_name(contact) == name


def test_texts_of_any_shape():
    assert texts_of([1, {"a": " x ", "b": None}, ["x", True]]) == ["1", "x"]
    assert visible("\u200ea\u00a0\u200bb\ufeff") == "a b"


@pytest.mark.parametrize(
    ("stored", "ours", "same"),
    [
        ("8 (916) 123-45-01", "+79161234501", True),
        ("8 (916) 123-45-01 доб. 7", "+79161234501", True),
        ("8 (916) 123-45-02", "+79161234501", False),
        (" Anna@Example.ru", "anna@example.ru", True),
        ("@anna", "@oleg", False),
        ("@lena", "telegram: @anna", False),
        ("@Anna ", "@anna", True),
        ("", "@anna", False),
    ],
)
def test_one_way_to_reach_somebody_in_two_spellings(stored, ours, same):
    assert is_same_reach(stored, ours) is same
