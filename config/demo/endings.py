"""A demo ends as every command with processes of its own."""

from config.endings import Ended, listen_for_endings

__all__ = ["Ended", "listen_for_endings"]
