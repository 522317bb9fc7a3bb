"""A throw-away certificate authority, so that clients with https hard-coded can talk to the sandboxes.

Clients trust `ca.pem` (REQUESTS_CA_BUNDLE) and have the vendor's names mapped to this machine.
"""

from __future__ import annotations

import ssl
from pathlib import Path

import trustme


def server_context(folder: Path, names: list[str]) -> ssl.SSLContext:
    """Writes ca.pem into the folder; the keys stay in memory."""
    folder.mkdir(parents=True, exist_ok=True)
    authority = trustme.CA(organization_name="Sandbox throw-away CA")
    authority.cert_pem.write_to_path(folder / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context
