"""How one CRM's account is spelled over REST."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rest_framework.serializers import Serializer

from accounts.models import Account


@dataclass(frozen=True, slots=True)
class AccountDialect:
    """``request`` is what connecting takes, ``connecting`` what it answers where a consent page follows.

    ``portal`` is the property of ``request`` that names the customer's host, empty where the consent page
    asks for it. ``operations`` are operation ids by action (connect, show, remove), ``write`` an account as
    ``response`` describes it.
    """

    request: type[Serializer[Any]]
    response: type[Serializer[Any]]
    connecting: type[Serializer[Any]]
    portal: str
    operations: Mapping[str, str]
    write: Callable[[Account], dict[str, Any]]
    tag: str = "Account"
