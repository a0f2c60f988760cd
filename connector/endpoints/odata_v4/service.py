"""What the common transport has to know of a service of OData V4.

Owns: how a side of this kind is called, its headers, which functions read its refusals.
Never does: reading them (`faults.py`).
Tested in: tests/unit/endpoints/odata_v4/test_endpoint.py.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from connector.endpoints.odata_v4.faults import fault_of, refusal_of
from connector.endpoints.web.service import Naming, Service

HEADERS = {"Accept": "application/json", "OData-MaxVersion": "4.0", "OData-Version": "4.0"}


def section_of(side: str) -> str:
    """The config section of a commerce side."""
    return side if side == "commerce" else f"sides.{side}"


def naming_of(side: str) -> Naming:
    """How a side of this kind is called."""
    return Naming(
        side=side,
        section=section_of(side),
        title="The OData service",
        kind="service",
        whole="OData service",
        example="https://HOST/PATH/OF/THE/SERVICE",
    )


def service_of(side: str, url: str) -> Service:
    """The service at a URL."""
    naming = naming_of(side)
    return Service(
        naming=naming,
        path=urlsplit(url).path.rstrip("/") + "/",
        headers=HEADERS,
        fault_of=fault_of,
        refusal_of=refusal_of,
        unknown_client=f"check that {naming.section}.url and {naming.section}.authority belong "
        "together, and that the service knows the application",
    )
