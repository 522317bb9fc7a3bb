from __future__ import annotations

import pytest

from connectors.hosts import HostNotAllowed, HostPolicy

POLICY = HostPolicy(
    ("amocrm.ru", "kommo.com"), frozenset({"oauth.crm.example"}), frozenset({"127.0.0.1:8111"})
)


@pytest.mark.parametrize(
    ("given", "host", "base_url"),
    [
        ("demo7.amocrm.ru", "demo7.amocrm.ru", "https://demo7.amocrm.ru"),
        ("  DEMO7.amocrm.RU ", "demo7.amocrm.ru", "https://demo7.amocrm.ru"),
        ("https://demo7.kommo.com/", "demo7.kommo.com", "https://demo7.kommo.com"),
        ("http://demo7.kommo.com", "demo7.kommo.com", "https://demo7.kommo.com"),
        ("oauth.crm.example", "oauth.crm.example", "https://oauth.crm.example"),
        ("127.0.0.1:8111", "127.0.0.1:8111", "http://127.0.0.1:8111"),
    ],
)
def test_the_crms_own_hosts_are_allowed(given, host, base_url):
    assert POLICY.allow(given) == host
    assert POLICY.base_url(given) == base_url


@pytest.mark.parametrize(
    "host",
    [
        "",
        "amocrm.ru",
        ".amocrm.ru",
        "evil.example",
        "demo7.amocrm.ru.evil.example",
        "demo7.evil-amocrm.ru",
        "demo7amocrm.ru",
        "a.b.amocrm.ru",
        "www.amocrm.ru",
        "api.amocrm.ru",
        "demo7.amocrm.ru.",
        "demo7.amocrm.ru:8443",
        "demo7.amocrm.ru/path",
        "demo7.amocrm.ru?x=1",
        "demo7.amocrm.ru#x",
        "evil.example#.amocrm.ru",
        "evil.example/.amocrm.ru",
        "evil.example\\.amocrm.ru",
        "user@demo7.amocrm.ru",
        "user:pw@evil.example",
        "demo7.amocrm.ru@evil.example",
        "https://https://demo7.amocrm.ru",
        "ftp://demo7.amocrm.ru",
        "//demo7.amocrm.ru",
        "-demo.amocrm.ru",
        "demo-.amocrm.ru",
        "de_mo.amocrm.ru",
        "демо.amocrm.ru",
        "xn--d1acufc.amocrm.ru",
        "demo7\n.amocrm.ru",
        "demo7.amocrm.ru\nHost: evil.example",
        "demo 7.amocrm.ru",
        "%64emo7.amocrm.ru",
        "x" * 64 + ".amocrm.ru",
        "127.0.0.1",
        "127.0.0.1:80",
        "127.0.0.1:8111/x",
        "localhost",
        "169.254.169.254",
        "[::1]",
        "0x7f000001",
        "2130706433",
        "10.0.0.1",
        "metadata.google.internal",
    ],
)
def test_everything_else_is_refused(host):
    with pytest.raises(HostNotAllowed):
        POLICY.allow(host)
    with pytest.raises(HostNotAllowed):
        POLICY.base_url(host)
