"""How our errors look, whatever was sent."""

from __future__ import annotations

from typing import Any

from tests.hostile.routes import Route


def assert_clear_error(answer: Any, route: Route | None = None, status: set[int] | None = None) -> None:
    """A client's mistake, told in the route's documented shape."""
    where = f"{route}: {answer.status_code} {answer.content[:300]!r}"
    assert answer.status_code in (status or range(400, 500)), where
    assert answer["Content-Type"].startswith("application/json"), where
    said = answer.json()
    if isinstance(said, list):  # a list of answers: each item is answered, by its index
        assert [item.pop("index") for item in said] == list(range(len(said))), where
        assert said, where
        said = said[0]
    if route and getattr(route.view.cls, "error_shape", "string") == "object":
        assert set(said) == {"error"}, where
        assert set(said["error"]) == {"code", "message", "field", "docs", "requestId"}, where
        assert all(isinstance(text, str) for text in said["error"].values()), where
        said = said["error"]["message"]
    assert isinstance(said, str), where
    assert said, where
    assert "Traceback" not in said, where
