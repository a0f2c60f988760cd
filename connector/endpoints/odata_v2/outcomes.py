"""What the answer to one write means.

Owns: an outcome per operation, from its own status and body.
Never does: reading a row to settle a doubt (`writes.py`).
Tested in: tests/unit/endpoints/odata_v2/test_faults.py.

Facts: "OData V2: operations" (201 with the entity, 204 without a body; 412 for another ETag).
Services differ: an update may be answered 200 with the entity, a duplicate 400, 409 or 500 with
the database's own words, so that a create that failed is known by looking, not by its status.
"""

from __future__ import annotations

from typing import TypeAlias

from connector.endpoints.base import (
    Applied,
    Create,
    Delete,
    Missing,
    Operation,
    Outcome,
    Rejected,
    Stale,
    Transient,
    Unknown,
    Update,
)
from connector.endpoints.odata_v2.batches import Part
from connector.endpoints.odata_v2.faults import fault_of, field_of
from connector.endpoints.odata_v2.metadata import Table
from connector.endpoints.odata_v2.rows import Projection, entity_of
from connector.endpoints.web.faults import Fault

BUSY = frozenset({408, 429, 502, 503, 504})
NO_RIGHT = frozenset({401, 403})
_UNREADABLE = (ValueError, TypeError, KeyError)

Settled: TypeAlias = tuple[Outcome, bool]
"""An outcome, and whether a look at the row may tell it apart from another one."""


def outcome_of(table: Table, projection: Projection, operation: Operation, part: Part) -> Settled:
    """What became of an operation."""
    if part.status < 300:
        return _done(projection, operation, part), False
    fault = fault_of(part.status, part.headers, part.body)
    if part.status in BUSY:
        return Transient(str(fault), fault.retry_after), False
    creating = isinstance(operation, Create)
    if part.status in (404, 410) and not creating:
        return Missing(), False
    if part.status == 412 and not creating:
        return Stale(), True  # or nobody is there
    if part.status >= 500 and part.status != 501:
        # Business rules speak through 500 too; the change set was rolled back in any case.
        return Transient(str(fault)), creating
    return _rejected(table, operation, fault, part), creating


def _done(projection: Projection, operation: Operation, part: Part) -> Outcome:
    if isinstance(operation, Delete) or not part.body.strip():
        return Applied(operation.id)
    try:
        entity = entity_of(part.body)
        row = projection.row(entity, part.headers.get("etag"))
    except _UNREADABLE as error:
        if isinstance(operation, Update):
            return Applied(operation.id)
        return Unknown(f"the row just made cannot be read: {error}")
    return Applied(row.id, row)


def _rejected(table: Table, operation: Operation, fault: Fault, part: Part) -> Rejected:
    code = fault.code or f"http-{fault.status}"
    text = fault.message or f"the service answers {fault.status}"
    if fault.status in (405, 501) and isinstance(operation, Update):
        text += '; set `update` of this side to "MERGE" or "PUT"'
    if fault.status in NO_RIGHT:
        return Rejected("privilege-missing", text)
    names = {field.name.casefold(): field.name for field in table.fields.values()}
    return Rejected(code, text, field_of(part.body, names))
