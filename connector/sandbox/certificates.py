"""The sandbox's own certificate authority, server and client certificates.

Owns: `ca.pem` and `server.pem` in the folder, and `client.pem` with which the connector's
application can prove itself instead of by a secret; they survive a restart.
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


def client_certificate(folder: Path) -> Path:
    """Certificate and private key registered for the connector's application, in one PEM file."""
    path = folder / "client.pem"
    if not path.exists():
        # The identity provider takes RSA keys only, and looks at no chain.
        leaf = trustme.CA(organization_name="dualwrite sandbox").issue_cert(
            common_name="dualwrite connector", key_type=trustme.KeyType.RSA
        )
        path.touch(mode=0o600)
        leaf.cert_chain_pems[0].write_to_path(path)
        leaf.private_key_pem.write_to_path(path, append=True)
    return path
