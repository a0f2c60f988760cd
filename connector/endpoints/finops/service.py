"""What the common transport has to know of Finance and Operations.

Owns: how a side of this kind is called, its path and headers, which functions read its refusals.
Never does: reading them (`refusals.py`).
Tested in: tests/unit/endpoints/finops/test_refusals.py.

Facts: "Finance and Operations: services-home-page" (a client id is mapped to a user there) and
"odata" (the service is at `/data`).
"""

from __future__ import annotations

from urllib.parse import urlsplit

from connector.endpoints.finops.refusals import fault_of, refusal_of
from connector.endpoints.odata_v4.service import HEADERS, section_of
from connector.endpoints.web.service import Naming, Service

PATH = "/data/"


def root_of(url: str) -> str:
    """The environment's address, which tokens are for, whether or not `/data` was written."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def naming_of(side: str) -> Naming:
    """How a side of this kind is called."""
    return Naming(
        side=side,
        section=section_of(side),
        title="Finance and Operations",
        kind="environment",
        whole="Finance and Operations environment",
        example="https://NAME.operations.dynamics.com",
    )


def service_of(side: str) -> Service:
    """One environment."""
    naming = naming_of(side)
    return Service(
        naming=naming,
        path=PATH,
        headers=HEADERS,
        fault_of=fault_of,
        refusal_of=refusal_of,
        unknown_client=f"map {naming.section}.client_id to a user with roles in Finance and "
        "Operations, under System administration > Setup > Microsoft Entra ID applications; then "
        f"check that {naming.section}.url and {naming.section}.authority belong together",
    )
