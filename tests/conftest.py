import atexit
from contextlib import ExitStack

import pytest

from config import embedded

# ---- The servers of the test session --------------------------------------------------
# pytest-django has read the settings by now; they hold the addresses at which the
# embedded servers answer from here on. Nothing is started when the environment names
# servers. Keep this block first: what is imported below may ask for the database.
_addresses = embedded.settings_urls() if embedded.missing() else None
_servers = ExitStack()
atexit.register(_servers.close)
try:
    _servers.enter_context(embedded.running())
except embedded.EmbeddedError as exc:
    pytest.exit(str(exc), returncode=3)
if _addresses and embedded.settings_urls() != _addresses:
    pytest.exit("Somebody took the port of the embedded Valkey; it has moved, run pytest again.", 3)

# ---- Fixtures -------------------------------------------------------------------------
