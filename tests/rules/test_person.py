import pytest

from rules.person import contact_keys, e164, plain_email, read_person


@pytest.mark.parametrize(
    ("text", "region", "number"),
    [
        ("8 (999) 000-11-22", "RU", "+79990001122"),
        ("+7 999 000 11 22", "RU", "+79990001122"),
        ("79990001122", "RU", "+79990001122"),
        ("9990001122", "RU", "+79990001122"),
        ("+49 30 901820", "RU", "+4930901820"),
        ("029 1234567", "BY", "+375291234567"),
        ("12", "RU", ""),
        ("позвоните мне", "RU", ""),
        ("", "RU", ""),
    ],
)
def test_phones(text, region, number):
    assert e164(text, region) == number


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (" Anna@Example.RU ", "anna@example.ru"),
        ("anna@", ""),
        ("a b@c.ru", ""),
        ("a@b@c.ru", ""),
        ("нет", ""),
    ],
)
def test_emails(text, address):
    assert plain_email(text) == address


def test_what_cannot_be_read_is_a_loss_and_not_a_lie():
    person, losses = read_person({"name": "Анна", "phone": ["123", "+79990001122"], "email": "нет"}, "RU")
    assert person.phones == ("+79990001122",)
    assert person.emails == ()
    assert [(loss.question, loss.value) for loss in losses] == [("phone", "123"), ("email", "нет")]


def test_two_spellings_are_one_person():
    assert contact_keys({"phone": "8 999 000-11-22"}, "RU") == contact_keys({"phone": 79990001122}, "RU")


def test_a_form_of_any_shape_is_read():
    person, losses = read_person(
        {"name": None, "firstName": "Анна", "phone": {"odd": 1}, "telegram": "@anna"}, "RU"
    )
    assert (person.name, person.phones, person.messengers) == ("Анна", (), {"telegram": "@anna"})
    assert losses == ()
