"""Who may come in: groups that can be made twice, and a door that locks after too many tries."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse


@pytest.mark.django_db
def test_the_groups_are_made_once_and_mended(capsys: pytest.CaptureFixture[str]) -> None:
    Group.objects.all().delete()
    call_command("make_staff_groups")
    viewer = Group.objects.get(name="viewer")
    Group.objects.get(name="operator").permissions.clear()
    viewer.permissions.add(*Group.objects.get(name="operator").permissions.all())
    call_command("make_staff_groups")
    named = {group.name: {p.codename for p in group.permissions.all()} for group in Group.objects.all()}
    assert set(named) == {"viewer", "operator", "administrator"}
    assert named["viewer"] < named["operator"] < named["administrator"]
    assert {code.split("_")[0] for code in named["viewer"]} == {"view"}
    assert {code.split("_")[0] for code in named["operator"]} == {"view", "change"}
    assert not {
        code for code in named["operator"] if "token" in code or "user" in code.replace("crmuser", "")
    }


@pytest.mark.django_db
def test_too_many_wrong_passwords_lock_the_door(settings: Any) -> None:
    settings.AXES_FAILURE_LIMIT = 3
    User.objects.create_superuser("root", password="right-horse-battery")
    client, http_client = Client(), reverse("admin:login")
    tries = [
        client.post(http_client, {"username": "root", "password": "wrong"}).status_code for _ in range(3)
    ]
    assert tries == [200, 200, 429]
    assert (
        client.post(http_client, {"username": "root", "password": "right-horse-battery"}).status_code == 429
    )


def test_a_locked_person_is_let_in_again_by_the_superuser(superuser: Client, settings: Any) -> None:
    Client().post(reverse("admin:login"), {"username": "somebody", "password": "typed-secret"})
    page = superuser.get(reverse("admin:axes_accessattempt_changelist"))
    assert "Let them try again" in page.content.decode()
    assert "somebody" in page.content.decode()
    assert "typed-secret" not in page.content.decode()
    attempt = page.context["cl"].result_list[0]
    url = reverse("admin:axes_accessattempt_delete", args=[attempt.pk])
    assert superuser.post(url, {"post": "yes"}).status_code == 302


@pytest.mark.parametrize("page", ["auth_user", "auth_group", "axes_accessattempt"])
def test_operators_do_not_manage_staff(operator: Client, superuser: Client, page: str) -> None:
    url = reverse(f"admin:{page}_changelist")
    assert (operator.get(url).status_code, superuser.get(url).status_code) == (403, 200)


def test_rights_are_told_in_the_readers_language_and_only_those_that_lead_anywhere(superuser: Client) -> None:
    for page in (
        reverse("admin:auth_user_change", args=[User.objects.get().pk]),
        reverse("admin:auth_group_add"),
    ):
        html = superuser.get(page, headers={"Accept-Language": "ru"}).content.decode()
        assert "Отправка: просмотр" in html
        assert "Может подключать и отключать аккаунты CRM" in html
        assert not re.findall(r">[^<]*Can [a-z][^<]*<", html)
        assert "account event" not in html


@pytest.mark.django_db
def test_a_stranger_is_sent_to_the_log_in() -> None:
    answer = Client().get(reverse("admin:index"))
    assert answer.status_code == 302
    assert reverse("admin:login") in answer["Location"]
