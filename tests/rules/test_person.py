"""A contact form as a person: what is found, what is told, who is who."""

from __future__ import annotations

from rules.mapping.person import contact_keys, extras, read_person


def test_what_cannot_be_read_is_a_loss_and_not_a_lie():
    person, losses = read_person({"name": "Анна", "phone": ["123", "+79990001122"], "email": "нет"}, "RU")
    assert person.phones == ("+79990001122",)
    assert person.emails == ()
    assert [(loss.question, loss.value) for loss in losses] == [("phone", "123"), ("email", "нет")]


def test_two_spellings_are_one_person():
    assert contact_keys({"phone": "8 999 000-11-22"}, "RU") == contact_keys({"phone": 79990001122}, "RU")
    assert contact_keys({"Почта": "MAILTO:Anna@Mail.example"}, "RU") == ["email:anna@mail.example"]


def test_a_number_that_does_not_exist_is_nobody():
    form = {"name": "Анна", "phone": "+7 (000) 000-00-00"}
    person, losses = read_person(form, "RU")
    assert contact_keys(form, "RU") == []
    assert person.phones == ()
    assert [(loss.question, loss.value) for loss in losses] == [("phone", "+7 (000) 000-00-00")]


def test_an_extension_is_told_and_belongs_to_nobody():
    person, losses = read_person({"phone": "+7 495 123-45-67 доб. 12"}, "RU")
    assert person.keys == ("phone:+74951234567",)
    assert [loss.value for loss in losses] == ["+7 495 123-45-67 доб. 12"]


def test_a_form_of_any_shape_is_read():
    person, losses = read_person(
        {"name": None, "firstName": "Анна", "phone": {"odd": 1}, "telegram": "@anna"}, "RU"
    )
    assert (person.name, person.phones, person.messengers) == ("Анна", (), {"telegram": "@anna"})
    assert [(loss.question, loss.value) for loss in losses] == [("phone", "1")]


def test_keys_of_any_form_builder_mean_the_same_parts():
    for form in (
        {"Name": "Анна Белова", "Phone": "8 916 123-45-01", "Email": "a@demo.example", "City": "Тула"},
        {"ФИО": "Анна Белова", "Телефон": "89161234501", "Почта": "A@demo.example", "Город": "Тула"},
        {"fio": "Анна Белова", "tel": 79161234501.0, "e-mail": "a@demo.example", "город": ["Тула"]},
        {
            "name": {"last": 0, "x": ""},
            "Имя": "Анна Белова",
            "phone_1": "+79161234501",
            "mail": "a@demo.example",
            "town": "Тула",
        },
    ):
        person, losses = read_person(form, "RU")
        assert "Анна Белова" in person.name
        assert (person.phones, person.emails, person.city) == (("+79161234501",), ("a@demo.example",), "Тула")
        assert losses == ()


def test_parts_of_a_name_are_put_together():
    parts = {"firstName": "Анна", "lastName": "Белова", "middleName": "Ивановна"}
    for form in (parts, {"name": parts}, {"имя": "Анна", "фамилия": "Белова", "отчество": "Ивановна"}):
        assert read_person(form, "RU")[0].name == "Белова Анна Ивановна"


def test_what_nobody_knows_stays_an_extra():
    form = {"name": "Анна", "district": "Центр", "telegram": "@anna", "address": {"city": "Тула", "flat": 5}}
    assert list(extras(form)) == [("district", "Центр"), ("telegram", "@anna"), ("address", "Тула, 5")]
