"""The cast of the stories, and bare rows, for what happens to them at the same moment."""

from tests.concurrency.waiting import account, deliveries  # noqa: F401
from tests.stories.conftest import b24, clinic, connect_portal, dentist, later, quiz, shop  # noqa: F401
