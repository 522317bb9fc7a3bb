"""The cast of the stories, for what happens to them at the same moment."""

from tests.stories.conftest import b24, clinic, connect_portal, dentist, later, quiz, shop  # noqa: F401
