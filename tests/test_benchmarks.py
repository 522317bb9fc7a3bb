"""What the benchmarks start is there."""

import subprocess
import sys


def test_the_bare_peer_of_the_intake_has_settings_of_its_own():
    """Importing our packages must not settle Django's settings before it does."""
    done = subprocess.run(
        [sys.executable, "-c", "from tests.benchmarks.bare import application"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
