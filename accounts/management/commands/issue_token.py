from __future__ import annotations

from datetime import timedelta
from typing import Any

import jwt
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone


class Command(BaseCommand):
    help = "Print a bearer token for a quiz account, where tokens are signed with a shared key (HS256 ...)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("account_id", help="the quiz account, as its platform numbers or names it")
        parser.add_argument("--platform", action="store_true", help="with the scope of the platform itself")
        parser.add_argument("--days", type=int, default=30, help="how long the token is good (30)")

    def handle(self, *args: Any, account_id: str, days: int, platform: bool, **options: Any) -> None:
        algorithm = next((name for name in settings.JWT_ALGORITHMS if name.startswith("HS")), "")
        if not algorithm or settings.JWT_JWKS_URL:
            raise CommandError("Tokens are signed with a private key that only the quiz platform has.")
        now = timezone.now()
        claims = {settings.JWT_ACCOUNT_CLAIM: account_id, "iat": now, "exp": now + timedelta(days=days)}
        if platform:
            claims[settings.JWT_SCOPE_CLAIM] = settings.JWT_PLATFORM_SCOPE
        if settings.JWT_ISSUER:
            claims["iss"] = settings.JWT_ISSUER
        if settings.JWT_AUDIENCE:
            claims["aud"] = settings.JWT_AUDIENCE
        self.stdout.write(jwt.encode(claims, settings.JWT_KEY, algorithm=algorithm))
