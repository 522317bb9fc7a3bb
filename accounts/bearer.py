"""Who calls: the quiz account named by a bearer JWT that the quiz platform issued (contract D1).

Algorithm, key or JWKS address, issuer, audience and the account's claim are settings. The account id is an
opaque string; a valid token without it is 401 with ``"account id is required"``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jwt
from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

MOST_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Caller:
    """The quiz account on whose behalf a request is made."""

    account_id: str
    is_authenticated: bool = True


class BearerAuthentication(BaseAuthentication):
    """``Authorization: Bearer <JWT>``."""

    def authenticate(self, request: Request) -> tuple[Caller, str] | None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            return None
        return Caller(account_of(read_claims(token.strip()))), "bearer"

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class HasAccount(BasePermission):
    """Only callers with an account."""

    message = "Unauthorized"

    def has_permission(self, request: Request, view: Any) -> bool:
        return isinstance(request.user, Caller)


class BearerScheme(OpenApiAuthenticationExtension):
    target_class = "accounts.bearer.BearerAuthentication"
    name = "BearerAuth"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "JWT authorisation token",
        }


def read_claims(token: str) -> dict[str, Any]:
    """The verified claims. Raises ``AuthenticationFailed`` with a sentence for anything else."""
    try:
        return jwt.decode(
            token,
            _key(token),
            algorithms=settings.JWT_ALGORITHMS,
            issuer=settings.JWT_ISSUER or None,
            audience=settings.JWT_AUDIENCE or None,
            options={"verify_aud": bool(settings.JWT_AUDIENCE), "verify_iss": bool(settings.JWT_ISSUER)},
            leeway=30,
        )
    except jwt.ExpiredSignatureError as exc:
        raise AuthenticationFailed("The token has expired") from exc
    except (jwt.PyJWTError, ValueError) as exc:
        raise AuthenticationFailed("The token is not valid") from exc


def account_of(claims: dict[str, Any]) -> str:
    """The account's claim as text (platforms number their accounts or name them)."""
    value = claims.get(settings.JWT_ACCOUNT_CLAIM)
    text = "" if value is None or isinstance(value, (bool, dict, list)) else str(value).strip()
    if not text or len(text) > MOST_CHARACTERS or "\x00" in text or not text.isprintable():
        raise AuthenticationFailed("account id is required")
    return text


def _key(token: str) -> Any:
    if settings.JWT_JWKS_URL:
        return _jwks(settings.JWT_JWKS_URL).get_signing_key_from_jwt(token).key
    return settings.JWT_KEY


@lru_cache(maxsize=4)
def _jwks(url: str) -> jwt.PyJWKClient:
    return jwt.PyJWKClient(url, cache_keys=True, lifespan=300, timeout=5)
