"""The sandbox's own certificate authority and server certificate.

Owns: `ca.pem` and `server.pem` in the folder; they survive a restart.
Never does: touching the machine's trust store.
Tested in: tests/integration/sandbox/test_restart.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import trustme

HOSTS = ("127.0.0.1", "localhost")


@dataclass(frozen=True, slots=True)
class Certificates:
    """Where the two files are. `server` holds the private key and the chain."""

    ca: Path
    server: Path


def certificates(folder: Path) -> Certificates:
    """The certificates of `folder`, made at the first call; the CA key is never written."""
    found = Certificates(folder / "ca.pem", folder / "server.pem")
    if found.ca.exists() and found.server.exists():
        return found
    authority = trustme.CA(organization_name="dualwrite sandbox")
    leaf = authority.issue_cert(*HOSTS, common_name=HOSTS[0])
    found.server.touch(mode=0o600)
    leaf.private_key_and_cert_chain_pem.write_to_path(found.server)
    authority.cert_pem.write_to_path(found.ca)
    return found
