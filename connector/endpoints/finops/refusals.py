"""What Finance and Operations says when it refuses, and what that means.

Owns: its error envelope, infologs, and the outcomes of one operation.
Never does: sending, deciding whether to try again.
Tested in: tests/unit/endpoints/finops/test_refusals.py.

Facts: "Finance and Operations: odata", errors: the code is empty and the text that helps stands in
`innererror`; what the application refuses is an infolog, parts with `Info:`, `Warning:` or
`Error:` joined by `; `. Such a refusal is a 400 alone and a 500 in a batch, and final in both.
"service-protection-api-limits": 429, and 30 seconds where it does not say how long.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import orjson

from connector.endpoints.base import (
    Create,
    Delete,
    Exists,
    Operation,
    Outcome,
    Rejected,
    Stale,
    Update,
)
from connector.endpoints.odata_v4 import faults
from connector.endpoints.odata_v4.faults import LONGEST_TEXT, named
from connector.endpoints.web.faults import Fault, retry_after
from connector.endpoints.web.limits import Refusal

THROTTLED_SECONDS = 30.0
"""How long to wait where a 429 does not say."""

_INFOLOG = re.compile(r"Write failed for table row.*?Infolog:\s*(.*)", re.DOTALL)
_PART = re.compile(r"(?:^|;\s*)(Info|Warning|Error):\s*", re.DOTALL)
_FIELD = re.compile(r"validateField failed on field '(?:[^'.]*\.)?(\w+)'")
_CONFLICT = "An update conflict occurred"
_EXISTS = re.compile(r"record already exists", re.IGNORECASE)


def fault_of(
    status: int, headers: Mapping[str, str], body: bytes, date: str | None = None
) -> Fault:
    """Read a refusal; the text is that of the innermost error."""
    plain = faults.fault_of(status, headers, body, date)
    wait = retry_after(headers, date)
    if status == 429 and wait is None:
        wait = THROTTLED_SECONDS
    return Fault(status, plain.code, _inner(body) or plain.message, plain.request_id, wait)


def _inner(body: bytes) -> str:
    try:
        told = orjson.loads(body)["error"]["innererror"]
        while isinstance(told.get("internalexception"), dict):
            told = told["internalexception"]
        return str(told.get("message") or "").strip()[:LONGEST_TEXT]
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        return ""


def refusal_of(fault: Fault) -> Refusal | None:
    """What a fault says about limits."""
    return faults.refusal_of(fault, THROTTLED_SECONDS)


def outcome_of(operation: Operation, fault: Fault, columns: Sequence[str]) -> Outcome:
    """What one refused operation means to the engine."""
    infolog = _INFOLOG.search(fault.message)
    if infolog is None:
        return faults.outcome_of(operation, fault, columns)
    if _CONFLICT in fault.message:
        return Stale()
    if isinstance(operation, Create | Update) and _EXISTS.search(fault.message):
        return Exists(None, spoken(infolog[1]))
    return Rejected("infolog", spoken(infolog[1]), _field(operation, fault.message, columns))


def spoken(infolog: str) -> str:
    """The part of an infolog that says why: the last error, else all warnings, without repeats."""
    pieces = _PART.split(infolog)
    parts = list(zip(pieces[1::2], (text.strip(" .\n") for text in pieces[2::2]), strict=True))
    errors = [text for kind, text in parts if kind == "Error"]
    if errors:
        return errors[-1]
    others = [text for _, text in parts if not _FIELD.search(text)] or [text for _, text in parts]
    return "; ".join(dict.fromkeys(others)) or infolog.strip()


def _field(operation: Operation, message: str, columns: Sequence[str]) -> str | None:
    """The column a refusal names, first of all by its own name."""
    written = [] if isinstance(operation, Delete) else [*operation.values]
    failed = _FIELD.search(message)
    if failed is not None:
        return named(failed[1], [*written, *columns])
    return named(message, written)
