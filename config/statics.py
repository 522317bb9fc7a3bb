"""Styles and scripts: from the folder that ``collectstatic`` fills in production, else out of the apps."""

from __future__ import annotations

from pathlib import Path

from whitenoise.middleware import WhiteNoiseMiddleware


class StaticFiles(WhiteNoiseMiddleware):
    """Without a word where nothing was collected: in the demo and in tests that is as it should be."""

    def add_files(self, root: str | Path, prefix: str | None = None) -> None:
        if Path(root).is_dir():
            super().add_files(root, prefix)
