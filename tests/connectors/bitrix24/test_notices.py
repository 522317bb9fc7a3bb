"""Forms that a portal posts about an installation."""

from __future__ import annotations

import pytest

from connectors.errors import BadCallback

REMOVED = {
    "event": "ONAPPUNINSTALL",
    "data[CLEAN]": "1",
    "auth[member_id]": "m-1",
    "auth[application_token]": "t-1",
}
INSTALLED = REMOVED | {
    "event": "ONAPPINSTALL",
    "auth[access_token]": "a",
    "auth[refresh_token]": "r",
    "auth[expires_in]": "3600",
    "auth[client_endpoint]": "https://demo7.bitrix24.ru/rest/",
    "auth[server_endpoint]": "https://oauth.bitrix24.tech/rest/",
}


def test_a_removal_brings_its_secret_and_no_tokens(sign_in):
    notice = sign_in.read_notice(REMOVED)
    assert (notice.remote_id, notice.secret, notice.removed, notice.grant) == ("m-1", "t-1", True, None)


def test_an_installation_brings_tokens_to_be_checked(sign_in):
    notice = sign_in.read_notice(INSTALLED)
    assert (notice.removed, notice.grant.host) == (False, "demo7.bitrix24.ru")
    assert notice.grant.tokens.access == "a"


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"event": "ONCRMDEALADD", "auth[member_id]": "m-1", "auth[application_token]": "t"},
        REMOVED | {"auth[application_token]": ""},
        REMOVED | {"auth[member_id]": ""},
        INSTALLED | {"auth[access_token]": ""},
    ],
)
def test_everything_else_is_passed_over(sign_in, form):
    assert sign_in.read_notice(form) is None


def test_secrets_are_in_no_picture(sign_in):
    shown = repr(sign_in.read_notice(INSTALLED | {"auth[application_token]": "very-secret"}))
    assert "very-secret" not in shown


def test_there_is_no_signed_uninstall_call(sign_in):
    with pytest.raises(BadCallback):
        sign_in.read_uninstall({})
