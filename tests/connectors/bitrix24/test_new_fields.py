"""Fields that rules wish for, and ours for tags: made once, whatever gets lost."""

from __future__ import annotations

import pytest

from connectors.base import FieldWish
from connectors.bitrix24.fields import TYPES
from connectors.errors import ConnectorError, Refused, Unclear
from tests.connectors.bitrix24.dentist import connect

STYLE = FieldWish("CRM_DEAL", "Какой стиль?", "multiselect", ("Лофт", "Сканди"))
AREA = FieldWish("CRM_DEAL", "Какая площадь?", "number")


def labels(dentist, entity: str = "CRM_DEAL") -> list[str]:
    return [row.label for row in dentist.portal.fields[entity].values()]


def test_wished_fields_are_made_with_their_choices(dentist):
    style, area = dentist.connector.create_fields([STYLE, AREA], [])
    assert (style.type, style.multiple, style.name) == ("enumeration", True, "Какой стиль?")
    assert [option.text for option in style.options] == ["Лофт", "Сканди"]
    assert all(option.remote_id.isdigit() for option in style.options)
    assert (area.type, area.multiple) == ("double", False)
    assert all(one.code.startswith("UF_CRM_Q") and len(one.code) <= 20 for one in (style, area))


def test_what_is_known_or_there_is_taken(dentist):
    (first,) = dentist.connector.create_fields([STYLE], [])
    dentist.box.journal.clear()
    assert dentist.connector.create_fields([STYLE], [first]) == [first]
    assert dentist.methods() == []
    assert dentist.connector.create_fields([STYLE], []) == [first]
    assert labels(dentist).count("Какой стиль?") == 1


def test_a_wish_made_twice_is_one_field(dentist):
    one, other = dentist.connector.create_fields([AREA, AREA], [])
    assert one == other
    assert labels(dentist).count("Какая площадь?") == 1


@pytest.mark.parametrize("action", ["reset_after", "timeout_after", "answer_after"])
def test_a_lost_answer_makes_no_second_field(dentist, action):
    dentist.box.faults.add("userfield.add", action, status=502)
    with pytest.raises(Unclear):
        dentist.connector.create_fields([AREA], [])
    dentist.connector.create_fields([AREA], [])
    assert labels(dentist).count("Какая площадь?") == 1


def test_the_same_question_of_two_records_is_two_fields(dentist):
    deal, contact = dentist.connector.create_fields([AREA, FieldWish("CRM_CONTACT", AREA.name, "number")], [])
    assert (deal.entity, contact.entity) == ("CRM_DEAL", "CRM_CONTACT")


@pytest.mark.parametrize("kind", sorted(TYPES))
def test_every_kind_of_question_has_a_field(dentist, kind):
    (made,) = dentist.connector.create_fields([FieldWish("CRM_LEAD", f"О {kind}", kind, ("а", "б"))], [])
    assert made.type == TYPES[kind]


def test_a_list_without_choices_becomes_a_text(dentist):
    (made,) = dentist.connector.create_fields([FieldWish("CRM_DEAL", "Стиль", "select")], [])
    assert (made.type, made.multiple) == ("string", False)


# -- fields of our own ------------------------------------------------------------------------------------


def test_our_own_fields_are_made_once(dentist):
    facts = dentist.connector.prepare()
    assert facts["tag_fields"] == dict.fromkeys(
        ("CRM_DEAL", "CRM_LEAD", "CRM_CONTACT", "CRM_COMPANY"), "UF_CRM_QUIZ_TAGS"
    )
    assert facts["tracking_fields"] == dict.fromkeys(("CRM_DEAL", "CRM_LEAD"), "UF_CRM_QUIZ_TRACK")
    names = [row.name for row in dentist.portal.fields["CRM_DEAL"].values()]
    assert (names.count("UF_CRM_QUIZ_TAGS"), names.count("UF_CRM_QUIZ_TRACK")) == (1, 1)


@pytest.fixture
def manager(bitrix, options):
    """Connected by somebody who is no administrator."""
    portal = bitrix.add_portal("second")
    return connect(bitrix, portal, options, next(u for u in portal.users.values() if u.name == "Игорь"))


def test_without_the_right_there_are_no_fields_for_tags(manager):
    assert manager.connector.prepare()["tag_fields"] == {}


def test_without_the_right_a_wish_is_refused_with_a_remedy(manager):
    with pytest.raises(Refused) as caught:
        manager.connector.create_fields([AREA], [])
    assert caught.value.code == "no_rights"
    assert "administrator" in caught.value.remedy


def test_a_sick_portal_is_no_reason_to_think_that_tags_have_no_field(dentist):
    dentist.facts.pop("tag_fields")
    dentist.box.faults.add("/batch", status=503)
    with pytest.raises(ConnectorError):
        dentist.connector.prepare()
