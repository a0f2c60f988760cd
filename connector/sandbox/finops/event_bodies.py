"""What is told of a write: data events and business events as JSON.

Owns: the RemoteExecutionContext of a virtual table, the envelope of a business event.
Never does: choosing who is told (`events.py`), sending (`connector.sandbox.courier`).
Tested in: tests/integration/sandbox/finops/test_events.py.

Facts: "Finance and Operations: business-events/data-events" (the context of the virtual table
`mserp_…`, fields in Target and PreImage, dates without a value left out) and captured envelopes of
business events (flat, the event's own fields beside the common ones, keys only).
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from connector.sandbox.finops.entities import COMPANY, Entity, Field, Kind
from connector.sandbox.finops.happenings import CREATE, DELETE, UPDATE, Happening
from connector.sandbox.finops.values import NO_DATE, NO_MOMENT

FIRST_OPTION = 200_000_000
"""Options of virtual tables: this, and the integer of the symbol."""
TICKS_PER_SECOND = 10_000_000
_CONTRACTS = "http://schemas.microsoft.com/xrm/2011/Contracts"
_WORDS = {CREATE: "Created", UPDATE: "Updated", DELETE: "Deleted"}
_UNSET = (f"{NO_DATE}T12:00:00Z", NO_MOMENT)
TEST_EVENT = "BusinessEventsTestEndpoint"


def virtual_table(entity: Entity) -> str:
    """The logical name of the virtual table of an entity."""
    return f"mserp_{entity.aot_name.lower()}"


def virtual_id(entity: Entity, recid: int) -> str:
    """The id of a row in its virtual table: the table, and the RecId."""
    number = sum(entity.aot_name.encode()) & 0xFFFFFFFF
    return f"{number:08x}-0000-0000-{recid >> 48:04x}-{recid & 0xFFFFFFFFFFFF:012x}"


def data_event(happening: Happening, environment: str) -> tuple[dict[str, str], bytes]:
    """Headers and body of a data event."""
    entity, record = happening.entity, virtual_id(happening.entity, happening.recid)
    table, correlation = virtual_table(entity), str(uuid.uuid4())
    target = (
        _reference(table, record)
        if happening.message == DELETE
        else _entity(entity, record, happening.after)
    )
    parameters = [{"key": "Target", "value": target}]
    if happening.before:
        image = _entity(entity, record, happening.before)
        parameters.append({"key": "PreImage", "value": image})
    context = {
        "BusinessUnitId": str(uuid.UUID(int=0)),
        "CorrelationId": correlation,
        "Depth": 1,
        "InitiatingUserId": str(uuid.uuid5(uuid.UUID(environment), happening.user)),
        "InputParameters": parameters,
        "IsExecutingOffline": False,
        "IsInTransaction": False,
        "MessageName": happening.message,
        "Mode": 1,
        "OperationCreatedOn": f"/Date({time.time_ns() // 1_000_000}+0000)/",
        "OperationId": str(uuid.uuid4()),
        "OrganizationId": environment,
        "OutputParameters": [],
        "PostEntityImages": [],
        "PreEntityImages": [],
        "PrimaryEntityId": record,
        "PrimaryEntityName": table,
        "RequestId": str(uuid.uuid4()),
        "SharedVariables": [],
        "Stage": 40,
    }
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "x-ms-dynamics-entity-name": table,
        "x-ms-dynamics-request-name": happening.message,
        "x-ms-correlation-request-id": correlation,
    }
    return headers, orjson.dumps(context).replace(b"/", b"\\/")


def _entity(entity: Entity, record: str, values: Mapping[str, Any]) -> dict[str, Any]:
    attributes = [
        {"key": f"mserp_{name.lower()}", "value": _value(entity.fields[name], value)}
        for name, value in values.items()
        if value not in _UNSET
    ]
    return {
        "__type": f"Entity:{_CONTRACTS}",
        "Attributes": attributes,
        "Id": record,
        "LogicalName": virtual_table(entity),
    }


def _reference(table: str, record: str) -> dict[str, Any]:
    return {"__type": f"EntityReference:{_CONTRACTS}", "Id": record, "LogicalName": table}


def _value(field: Field, value: Any) -> Any:
    if field.enum is not None:
        number = FIRST_OPTION + field.enum.members[value]
        return {"__type": f"OptionSetValue:{_CONTRACTS}", "Value": number}
    if field.kind in (Kind.DATE, Kind.MOMENT):
        moment = datetime.fromisoformat(value)
        return f"/Date({int(moment.timestamp()) * 1000})/"
    return value


# ---------------------------------------------------------------------------- business events


def business_event(
    happening: Happening, control: int, event_id: str
) -> tuple[dict[str, str], bytes]:
    """Headers and body of a business event; it tells the key, not the values."""
    entity, row = happening.entity, happening.after or happening.before
    company = str(row.get(COMPANY, ""))
    name = f"{entity.type_name}{_WORDS[happening.message]}BusinessEvent"
    keys = {one: row[one] for one in entity.key if one != COMPANY}
    return _envelope(name, company, control, event_id, happening.user, keys)


def validation_event() -> tuple[dict[str, str], bytes]:
    """What a new endpoint is sent first."""
    return _envelope(TEST_EVENT, "", 0, str(uuid.uuid4()).upper(), "", {})


def _envelope(
    name: str, company: str, control: int, event_id: str, user: str, own: Mapping[str, Any]
) -> tuple[dict[str, str], bytes]:
    now = time.time_ns()
    moment = datetime.fromtimestamp(now // 1_000_000_000, UTC)
    ticks = now // 100 % TICKS_PER_SECOND
    user_id = str(uuid.uuid5(uuid.NAMESPACE_OID, user)).upper()
    body = {
        "BusinessEventId": name,
        "BusinessEventLegalEntity": company,
        "ContextRecordSubject": "",
        "ControlNumber": control,
        "EventId": event_id,
        "EventTime": f"/Date({now // 1_000_000})/",
        "EventTimeIso8601": f"{moment:%Y-%m-%dT%H:%M:%S}.{ticks:07d}Z",
        "InitiatingUserAADObjectId": f"{{{user_id}}}",
        "MajorVersion": 0,
        "MinorVersion": 0,
        "ParentContextRecordSubjects": [],
        **own,
    }
    return {"Content-Type": "application/json; charset=utf-8"}, orjson.dumps(body)
