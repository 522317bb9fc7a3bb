from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.envybox.options import EnvyOptions
from connectors.hosts import HostNotAllowed


@pytest.mark.parametrize("typed", ["shop.envycrm.com", "https://Shop.envycrm.com/", "crm.shop.example"])
def test_the_cloud_and_white_labels_that_were_named(florist, typed):
    hosts = replace(florist, options=EnvyOptions(self_hosted=("crm.shop.example",))).hosts
    assert hosts.base_url(typed).startswith("https://")


@pytest.mark.parametrize(
    "typed", ["crm.shop.example", "shop.envycrm.com.evil.ru", "a.b.envycrm.com", "127.0.0.1", "envycrm.com"]
)
def test_the_key_goes_nowhere_else(florist, typed):
    with pytest.raises(HostNotAllowed):
        florist.hosts.allow(typed)
