"""A token that ``issue_token`` prints in a checkout opens the demo of the same checkout."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import jwt
from django.core.management import call_command

from config.demo.environment import Environment


def test_the_demo_takes_what_issue_token_prints():
    printed = StringIO()
    call_command("issue_token", "1001", stdout=printed)
    demo = Environment("demo", Path(), 8000, "127.0.0.1", "", "").variables({})
    claims = jwt.decode(
        printed.getvalue().strip(), demo["JWT_KEY"], algorithms=demo["JWT_ALGORITHMS"].split(",")
    )
    assert claims[demo["JWT_ACCOUNT_CLAIM"]] == "1001"
