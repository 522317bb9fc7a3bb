"""Who calls: the quiz account named by a bearer JWT that the quiz platform issued (contract D1).

Algorithm, key or JWKS address, issuer, audience and the account's claim are settings. The account id is an
opaque string; a valid token without it is 401 with ``"account id is required"``. While the platform's keys
are out of reach nobody can say whether a token is good: 503, not 401.

That a token was good is remembered for a minute at most: checking a signature is a good part of what a
request costs.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jwt
import structlog
from django.conf import settings
from django.http import HttpRequest
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from jwt.types import Options
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from structlog.contextvars import bind_contextvars

from accounts.rest.errors import Unavailable
from connectors.out_of_reach import OutOfReach

log = structlog.stdlib.get_logger(__name__)
MOST_CHARACTERS = 200
KEYS_LIVE = 300  # seconds: how long a key is taken that the platform has withdrawn
KEYS_TIMEOUT = 2  # seconds
KEYS_PAUSE = 5  # seconds before keys that could not be had are asked for again
VERDICT_LIVES = 60  # seconds: how long a good token is not checked again
MOST_VERDICTS = 10_000


@dataclass(frozen=True, slots=True)
class Caller:
    """The quiz account on whose behalf a request is made."""

    account_id: str
    is_authenticated: bool = True


class BearerAuthentication(BaseAuthentication):
    """``Authorization: Bearer <JWT>``."""

    def authenticate(self, request: Request | HttpRequest) -> tuple[Any, str] | None:
        scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            return None
        return self.user_of(read_claims(token.strip())), "bearer"

    def user_of(self, claims: dict[str, Any]) -> Any:
        """Whom a good token names."""
        caller = Caller(account_of(claims))
        bind_contextvars(quiz_account=caller.account_id)
        return caller

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


@dataclass(frozen=True, slots=True)
class Platform:
    """The quiz platform itself, on behalf of no quiz account."""

    name: str = "platform"
    is_authenticated: bool = True


class PlatformAuthentication(BearerAuthentication):
    """A token whose scope (claim ``JWT_SCOPE_CLAIM``) has ``JWT_PLATFORM_SCOPE``; it needs no account."""

    def user_of(self, claims: dict[str, Any]) -> Any:
        if not is_platforms(claims):
            raise PermissionDenied(f"The token's scope lacks {settings.JWT_PLATFORM_SCOPE}")
        return Platform()


class EitherAuthentication(BearerAuthentication):
    """The platform where the token's scope says so, else the quiz account that it names."""

    def user_of(self, claims: dict[str, Any]) -> Any:
        return Platform() if is_platforms(claims) else super().user_of(claims)


def is_platforms(claims: dict[str, Any]) -> bool:
    """Does the scope claim have the platform's word?"""
    scope = claims.get(settings.JWT_SCOPE_CLAIM)
    words = scope.split() if isinstance(scope, str) else scope if isinstance(scope, list) else []
    return settings.JWT_PLATFORM_SCOPE in words


class IsEither(BasePermission):
    """The platform, or a caller with an account."""

    message = "Unauthorized"
    allowed: tuple[type, ...] = (Caller, Platform)

    def has_permission(self, request: Request, view: Any) -> bool:
        return isinstance(request.user, self.allowed)


class IsPlatform(IsEither):
    """Only the quiz platform's own tokens."""

    allowed = (Platform,)


class HasAccount(IsEither):
    """Only callers with an account."""

    allowed = (Caller,)


class BearerScheme(OpenApiAuthenticationExtension):
    target_class = "accounts.rest.authentication.BearerAuthentication"
    name = "BearerAuth"
    words = "JWT authorisation token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": self.words}


class PlatformScheme(BearerScheme):
    target_class = "accounts.rest.authentication.PlatformAuthentication"
    name = "PlatformAuth"
    words = "JWT of the quiz platform itself, whose scope says so"


def read_claims(token: str) -> dict[str, Any]:
    """The verified claims. Raises ``AuthenticationFailed`` with a sentence for anything else.

    ``Unavailable`` where the platform's keys can't be had.
    """
    claims = verdicts.of(token)
    if claims is None:
        keys_end = _keys_end()
        claims = _verified(token)
        verdicts.keep(token, claims, keys_end)
    return claims


class _Verdicts:
    """Claims of tokens that were found good, by the tokens' SHA-256; none past its ``exp``, nor past the life
    of the set of keys that it was checked with. Other settings are other verdicts."""

    def __init__(self) -> None:
        self.known: dict[tuple[Any, ...], tuple[float, float, dict[str, Any]]] = {}

    def of(self, token: str) -> dict[str, Any] | None:
        known = self.known.get(self._key(token))
        if known is None or time.monotonic() >= known[0] or time.time() >= known[1]:
            return None
        return known[2]

    def keep(self, token: str, claims: dict[str, Any], keys_end: float) -> None:
        if len(self.known) >= MOST_VERDICTS:
            self.known.clear()
        ends = min(time.monotonic() + VERDICT_LIVES, keys_end)
        self.known[self._key(token)] = ends, float(claims.get("exp", "inf")), claims

    def _key(self, token: str) -> tuple[Any, ...]:
        rules = settings.JWT_KEY, settings.JWT_JWKS_URL, settings.JWT_ISSUER, settings.JWT_AUDIENCE
        demands = *settings.JWT_ALGORITHMS, settings.JWT_REQUIRE_EXP
        return hashlib.sha256(token.encode(errors="surrogatepass")).digest(), *rules, *demands


verdicts = _Verdicts()


def _verified(token: str) -> dict[str, Any]:
    options: Options = {
        "verify_aud": bool(settings.JWT_AUDIENCE),
        "verify_iss": bool(settings.JWT_ISSUER),
        "require": ["exp"] if settings.JWT_REQUIRE_EXP else [],
    }
    try:
        return jwt.decode(
            token,
            _key(token),
            algorithms=settings.JWT_ALGORITHMS,
            issuer=settings.JWT_ISSUER or None,
            audience=settings.JWT_AUDIENCE or None,
            options=options,
            leeway=30,
        )
    except jwt.ExpiredSignatureError as exc:
        raise AuthenticationFailed("The token has expired") from exc
    except jwt.MissingRequiredClaimError as exc:
        said = "The token never expires: exp is required" if exc.claim == "exp" else "The token is not valid"
        raise AuthenticationFailed(said) from exc
    except KeysAway as exc:
        raise Unavailable("Tokens can't be checked at the moment", retry_after=KEYS_PAUSE) from exc
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


def _keys_end() -> float:
    """When the set of keys that is kept now is thrown away, by the monotonic clock."""
    if not settings.JWT_JWKS_URL:
        return float("inf")
    kept = _jwks(settings.JWT_JWKS_URL).jwk_set_cache
    dated = kept.jwk_set_with_timestamp if kept else None
    return dated.get_timestamp() + KEYS_LIVE if dated else 0.0


class KeysAway(Exception):
    """The platform's keys can't be had, so nobody can say whether a token is good."""


class PlatformKeys(jwt.PyJWKClient):
    """The keys at ``JWT_JWKS_URL``. Raises ``KeysAway``.

    After a failure nobody asks for ``KEYS_PAUSE`` seconds: the threads of a process fetch one after another,
    and each would wait for the timeout.
    """

    def __init__(self, url: str) -> None:
        # The set of keys is kept as long as this; with ``cache_keys`` a single key would be kept for ever.
        super().__init__(url, cache_keys=False, lifespan=KEYS_LIVE, timeout=KEYS_TIMEOUT)
        self.server = OutOfReach(KEYS_PAUSE)

    def fetch_data(self) -> Any:
        if self.server.rests():
            raise KeysAway
        try:
            return super().fetch_data()
        except (jwt.PyJWTError, ValueError, OSError) as exc:
            self.server.was_silent()
            log.warning("JWT_JWKS_URL gives no keys", error=exc)
            raise KeysAway from exc


@lru_cache(maxsize=4)
def _jwks(url: str) -> PlatformKeys:
    return PlatformKeys(url)
