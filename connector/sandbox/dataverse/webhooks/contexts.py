"""The body of a webhook: a RemoteExecutionContext as JSON.

Owns: its members, the forms values have in it, the size at which parts are left out.
Never does: choosing who is told (`registrations.py`), sending (`courier.py`).
Tested in: tests/integration/sandbox/test_webhooks.py.

Facts: "Dataverse: use-webhooks" and public samples of bodies: choices and money are objects
with their type, numbers and booleans plain, instants `/Date(ms)/`, every slash escaped.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from connector.sandbox.dataverse.definitions.tables import CHOICES, REFERENCES, SCALED, Column, Kind
from connector.sandbox.dataverse.reading.projections import decimal_text
from connector.sandbox.dataverse.webhooks.happenings import CREATE, DELETE, Happening

SIZE_LIMIT = 256 * 1024
"""Bytes. Above it the body goes without its large members and a header says so."""
LARGE = ("ParentContext", "InputParameters", "PreEntityImages", "PostEntityImages")
POST_OPERATION, ASYNCHRONOUS, SANDBOXED = 40, 1, 1
_CONTRACTS = "http://schemas.microsoft.com/xrm/2011/Contracts"


@dataclass(frozen=True, slots=True)
class Cause:
    """What one request's notifications have in common."""

    organization: str
    organization_name: str
    business_unit: str
    host: str
    correlation: str
    request: str
    tag: str | None = None
    """What the client put into `?tag=`: a shared variable for whoever is told."""


def execution_context(
    happening: Happening, cause: Cause, step: str, step_name: str
) -> tuple[dict[str, str], bytes]:
    """Headers and body that tell of one write to the step with this id."""
    target = _target(happening)
    created = [{"key": "id", "value": happening.record}] if happening.message == CREATE else []
    context: dict[str, Any] = {
        "BusinessUnitId": cause.business_unit,
        "CorrelationId": cause.correlation,
        "Depth": 1,
        "InitiatingUserId": happening.user,
        "InputParameters": [{"key": "Target", "value": target}],
        "IsExecutingOffline": False,
        "IsInTransaction": False,
        "IsOfflinePlayback": False,
        "IsolationMode": SANDBOXED,
        "MessageName": happening.message,
        "Mode": ASYNCHRONOUS,
        "OperationCreatedOn": f"/Date({time.time_ns() // 1_000_000}+0000)/",
        "OperationId": str(uuid.uuid4()),
        "OrganizationId": cause.organization,
        "OrganizationName": cause.organization_name,
        "OutputParameters": created,
        "OwningExtension": _bare_reference("sdkmessageprocessingstep", step, step_name),
        "ParentContext": None,
        "PostEntityImages": [],
        "PreEntityImages": [],
        "PrimaryEntityId": happening.record,
        "PrimaryEntityName": happening.table.name,
        "RequestId": cause.request,
        "SecondaryEntityName": "none",
        "SharedVariables": [] if cause.tag is None else [{"key": "tag", "value": cause.tag}],
        "Stage": POST_OPERATION,
        "UserId": happening.user,
    }
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "x-ms-dynamics-organization": cause.host,
        "x-ms-dynamics-entity-name": happening.table.name,
        "x-ms-dynamics-request-name": happening.message,
        "x-ms-correlation-request-id": cause.correlation,
    }
    body = _json(context)
    if len(body) > SIZE_LIMIT:
        # The value of this header is not documented; receivers look whether it is there.
        headers["x-ms-dynamics-msg-size-exceeded"] = "true"
        body = _json({name: part for name, part in context.items() if name not in LARGE})
    return headers, body


def _json(context: Mapping[str, Any]) -> bytes:
    """JSON as the service writes it; a slash stands only inside text."""
    return orjson.dumps(context).replace(b"/", b"\\/")


def _target(happening: Happening) -> dict[str, Any]:
    table = happening.table
    if happening.message == DELETE:
        return _reference(table.name, happening.record)
    columns = table.columns
    attributes = [
        {"key": name, "value": _value(columns[name], value)}
        for name, value in happening.values.items()
        if name in columns and (value is not None or happening.message != CREATE)
    ]
    if happening.message != CREATE:
        attributes.append({"key": table.id_column, "value": happening.record})
    return {
        "__type": f"Entity:{_CONTRACTS}",
        "Attributes": attributes,
        "EntityState": None,
        "FormattedValues": [],
        "Id": happening.record,
        "KeyAttributes": [],
        "LogicalName": table.name,
        "RelatedEntities": [],
        "RowVersion": None,
    }


def _bare_reference(table: str, record: str, name: str | None = None) -> dict[str, Any]:
    return {
        "Id": record,
        "KeyAttributes": [],
        "LogicalName": table,
        "Name": name,
        "RowVersion": None,
    }


def _reference(table: str, record: str) -> dict[str, Any]:
    return {"__type": f"EntityReference:{_CONTRACTS}", **_bare_reference(table, record)}


def _value(column: Column, stored: str | int | float | None) -> Any:
    if stored is None:
        return None
    if column.kind in REFERENCES:
        return _reference(column.target, str(stored))
    if column.kind in CHOICES:
        return _typed("OptionSetValue", stored)
    if column.kind is Kind.BOOLEAN:
        return bool(stored)
    if column.kind is Kind.DATETIME:
        return f"/Date({_milliseconds(str(stored))})/"
    if column.kind is Kind.MULTI_PICKLIST:
        return [_typed("OptionSetValue", int(one)) for one in str(stored).split(",")]
    if column.kind in SCALED:
        number = orjson.Fragment(decimal_text(int(stored), column.places).encode())
        return _typed("Money", number) if column.kind is Kind.MONEY else number
    return stored


def _typed(name: str, value: Any) -> dict[str, Any]:
    return {"__type": f"{name}:{_CONTRACTS}", "Value": value}


def _milliseconds(text: str) -> int:
    moment = datetime.fromisoformat(text)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return int(moment.timestamp()) * 1000
