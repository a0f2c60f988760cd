"""What Dataverse says when it refuses, and what that means.

Owns: error bodies, codes, and their translation to outcomes of one operation or to errors.
Never does: sending, deciding whether to try again.
Tested in: tests/unit/endpoints/dataverse/test_faults.py.

Facts: "Dataverse Web API: webapi/compose-http-requests-handle-errors" and the support
article "web-api-client-errors"; codes are matched without case.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import orjson

from connector.endpoints.base import (
    Create,
    Delete,
    Exists,
    Missing,
    Operation,
    Outcome,
    Rejected,
    Stale,
    Transient,
)
from connector.endpoints.web.faults import Fault, retry_after
from connector.errors import AccessError, DualWriteError, MapError, Subject, UnreachableError

OBJECT_MISSING = "0x80040217"
KEY_MISSING = "0x80060891"
VERSION_MISMATCH = "0x80060882"
DUPLICATE_ID = "0x80040237"
DUPLICATE_KEY = "0x80060892"
DUPLICATE_RULE = "0x80040333"
PRIVILEGE_MISSING = "0x80040220"
USER_UNKNOWN = "0x80072560"
ROLE_MISSING = "0x80042f09"
TRACKING_OFF = "0x80072491"

BUSY_CODES = frozenset(
    {
        "0x80072321",  # execution time limit
        "0x80072322",  # request limit
        "0x80072326",  # concurrency limit
        "0x80044150",  # generic SQL error, a deadlock among them
        "0x80044151",  # SQL timeout
        "0x8004a001",  # server busy
        "0x80073000",  # SQL networking
        "0x8005f103",  # generic throttling
    }
)
"""The statement was rolled back or never begun; the same one may pass later."""

_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_DUPLICATE_OF = re.compile(rf"<Id>\s*\{{?({_GUID.pattern})\}}?\s*</Id>", re.IGNORECASE)
_PRIVILEGE = re.compile(
    r"(?:missing|PrivilegeName:) "
    r"(prv(?:(Create|Read|Write|Delete|AppendTo|Append|Assign|Share)(\w+)|\w+))"
)
_ACCESS = re.compile(r"does not have (\w+?)Access right.* of entity '?(\w+)", re.DOTALL)
_WORD = re.compile(r"[A-Za-z_]\w*")
_PROPERTY = re.compile(r"property (?:named )?'([^']+)'", re.IGNORECASE)


def fault_of(
    status: int, headers: Mapping[str, str], body: bytes, date: str | None = None
) -> Fault:
    """Read a refusal; a body that is not the documented JSON is quoted in part.

    Header names are looked up in lower case, as batch parts carry them. A part has no Date of
    its own: `date` is that of the answer around it.
    """
    code, message = "", ""
    try:
        error = orjson.loads(body)["error"]
        code, message = str(error["code"]).lower(), str(error["message"])
        inner = (error.get("innererror") or {}).get("message")
        if inner and inner not in message:
            message = f"{message} {inner}"
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        message = body[:200].decode("utf-8", "replace").strip()
    request_id = headers.get("x-ms-service-request-id") or headers.get("req_id")
    return Fault(status, code, message, request_id, retry_after(headers, date))


def outcome_of(operation: Operation, fault: Fault) -> Outcome:
    """What one refused operation means to the engine."""
    if fault.status == 429 or fault.status >= 500 or fault.code in BUSY_CODES:
        return Transient(str(fault), fault.retry_after)
    if fault.status == 412:
        return _precondition(operation, fault)
    if fault.status == 404 and not isinstance(operation, Create):
        others = {guid.lower() for guid in _GUID.findall(fault.message)} - {operation.id.lower()}
        # A guid that is not ours is the row a lookup should have pointed to.
        if fault.code in (OBJECT_MISSING, KEY_MISSING, "") and not others:
            return Missing()
    code = fault.code or f"http-{fault.status}"
    return Rejected(code, fault.message, _named_field(operation, fault.message))


def _precondition(operation: Operation, fault: Fault) -> Outcome:
    if fault.code == VERSION_MISMATCH:
        return Stale()
    if fault.code == DUPLICATE_ID:
        return Exists(operation.id, fault.message)
    duplicate = fault.code in (DUPLICATE_KEY, DUPLICATE_RULE)
    if duplicate or "matching key" in fault.message:
        found = _DUPLICATE_OF.search(fault.message)
        return Exists(found[1].lower() if found else None, fault.message)
    if isinstance(operation, Create):
        return Rejected(fault.code or "http-412", fault.message)
    return Stale()


def _named_field(operation: Operation, message: str) -> str | None:
    """The column of this operation that the message names, or whose lookup target it names."""
    if isinstance(operation, Delete):
        return None
    values = operation.values
    missing = {guid.lower() for guid in _GUID.findall(message)}
    for name, value in values.items():
        if isinstance(value, str) and value.lower() in missing:
            return name
    columns = {name.lower(): name for name in values}
    words = (word.lower() for word in _WORD.findall(message))
    return next((columns[word] for word in words if word in columns), None)


# ---------------------------------------------------------------------------- whole requests


def access_error(fault: Fault, entity: str | None) -> AccessError:
    """The error for a 403 that meets a whole request."""
    subject = Subject(side="dataverse", entity=entity)
    if fault.code == USER_UNKNOWN:
        return AccessError(
            "application-user-missing",
            "the application has a token but is no user of this organization",
            remedy="create an application user for dataverse.client_id in the organization's "
            "admin center and give it a security role",
            subject=subject,
            cause=str(fault),
        )
    if fault.code == ROLE_MISSING:
        return AccessError(
            "privilege-missing",
            "our application user has no security role",
            remedy="give the application user a security role in the organization's admin "
            "center; docs/security.md lists all it needs",
            subject=subject,
            cause=str(fault),
        )
    privilege = _privilege(fault.message)
    return AccessError(
        "privilege-missing",
        f"our application user lacks {privilege}" + (f" for {entity}" if entity else ""),
        remedy=f"give the application user a security role with {privilege}, at organization "
        "level; docs/security.md lists all it needs",
        subject=subject,
        cause=str(fault),
    )


def _privilege(message: str) -> str:
    """The right a refusal names, with its table, as a role's editor shows it."""
    if named := _PRIVILEGE.search(message):
        whole, right, table = named.groups()
        return f"{right} on {table} ({whole})" if table else whole
    if named := _ACCESS.search(message):
        return f"{named[1]} on {named[2]}, for rows of others too"
    return "a privilege"


def refused(fault: Fault, entity: str, tried: str) -> DualWriteError:
    """The error for a whole request on a table that was refused for good."""
    subject = Subject(side="dataverse", entity=entity)
    if fault.status == 403:
        return access_error(fault, entity)
    if fault.code == TRACKING_OFF:
        return tracking_off(entity, str(fault))
    if fault.status == 404:
        return entity_unknown(entity, str(fault))
    column = _PROPERTY.search(fault.message)
    if column:
        return column_unknown(entity, [column[1]], str(fault))
    return MapError(
        "request-refused",
        "Dataverse refuses the request as a whole",
        remedy="compare the map with the table by `dualwrite check`; the cause names the reason",
        subject=subject,
        tried=tried,
        cause=str(fault),
    )


def entity_unknown(entity: str, cause: str | None = None) -> MapError:
    """There is no such entity set."""
    return MapError(
        "entity-unknown",
        f"Dataverse has no table with the set name {entity!r}",
        remedy="use the entity set name (plural, case-sensitive, such as msdyn_loyaltycards); if "
        "the table is not there, install its solution or make it by `dualwrite provision`",
        subject=Subject(side="dataverse", entity=entity),
        cause=cause,
    )


def column_unknown(entity: str, columns: Iterable[str], cause: str | None = None) -> MapError:
    """The table lacks columns that were asked for."""
    names = ", ".join(sorted(columns))
    return MapError(
        "column-unknown",
        f"{entity} has no usable column {names}",
        remedy="use the logical name (lower case) of a column of this table, `dualwrite check` "
        "tells where; if the column was deleted, `dualwrite provision` makes it anew, empty",
        subject=Subject(side="dataverse", entity=entity, field=names),
        cause=cause,
    )


def tracking_off(entity: str, cause: str | None = None) -> MapError:
    """The table's changes are not tracked."""
    return MapError(
        "change-tracking-off",
        f"change tracking is off for {entity}, so its changes cannot be read",
        remedy="run `dualwrite provision`, or turn on 'Track changes' in the table's advanced "
        "options and publish it",
        subject=Subject(side="dataverse", entity=entity),
        cause=cause,
    )


def unreadable(entity: str, tried: str, error: Exception) -> UnreachableError:
    """The error for an answer that is not what the service documents."""
    return UnreachableError(
        "answer-unreadable",
        "the answer is not what the Dataverse Web API documents",
        remedy="check dataverse.url, and that no proxy answers in the service's place",
        subject=Subject(side="dataverse", entity=entity),
        tried=tried,
        cause=f"{type(error).__name__}: {error}"[:200],
    )
