"""What the common transport has to know of Dataverse.

Owns: its name, path and headers, and which functions read its refusals.
Never does: reading them (`faults.py`, `limits.py`).
Tested in: tests/unit/endpoints/web/test_transport.py.

Facts: "Dataverse Web API: webapi/compose-http-requests-handle-errors" (headers) and
"send-parallel-requests" (`x-ms-dop-hint`).
"""

from __future__ import annotations

from connector.endpoints.dataverse.faults import BUSY_CODES, fault_of
from connector.endpoints.dataverse.limits import refusal_of
from connector.endpoints.web.service import Naming, Service

API = "/api/data/v9.2/"

NAMING = Naming(
    side="dataverse",
    section="dataverse",
    title="Dataverse",
    kind="organization",
    whole="Dataverse organization",
    example="https://NAME.crm.dynamics.com",
)
SERVICE = Service(
    naming=NAMING,
    path=API,
    headers={
        "Accept": "application/json",
        "OData-MaxVersion": "4.0",
        "OData-Version": "4.0",
        "If-None-Match": "null",
    },
    fault_of=fault_of,
    refusal_of=refusal_of,
    unknown_client="check that dataverse.url and dataverse.authority belong together and that the "
    "application is registered in this tenant",
    busy_codes=BUSY_CODES,
    hint_header="x-ms-dop-hint",
)
