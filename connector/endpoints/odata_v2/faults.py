"""What an OData V2 service says when it refuses, and the errors for what nobody could read.

Owns: reading error bodies of the shapes V2 services have, and naming whole failures.
Never does: deciding to try again; outcomes of single writes (`outcomes.py`).
Tested in: tests/unit/endpoints/odata_v2/test_faults.py.

Facts: "OData V2: JSON format, 11. errors" (`{"error": {"code", "message": {"lang", "value"}}}`);
SAP services add `innererror.errordetails` with `target` or `propertyref`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from connector.endpoints.web.faults import Fault, retry_after
from connector.errors import AccessError, MapError, Subject, UnreachableError

_TAGS = re.compile(r"<(?:style|script)\b.*?</(?:style|script)>|<[^>]*>", re.DOTALL | re.IGNORECASE)
_XML_MESSAGE = re.compile(r"<(?:\w+:)?message\b[^>]*>(.*?)</(?:\w+:)?message>", re.DOTALL)
_LONGEST = 300


def fault_of(
    status: int, headers: Mapping[str, str], body: bytes, date: str | None = None
) -> Fault:
    """One refusal; a body that is no OData error gives its readable beginning."""
    code, message = _told(body)
    return Fault(status, code, message, headers.get("x-request-id"), retry_after(headers, date))


def _told(body: bytes) -> tuple[str, str]:
    error = _error_in(body)
    if error is None:
        text = body.decode("utf-8", "replace")
        xml = _XML_MESSAGE.search(text)
        return "", _short(_TAGS.sub(" ", xml[1] if xml else text))
    return str(error.get("code") or ""), _short(_message(error))


def _error_in(body: bytes) -> Mapping[str, Any] | None:
    """The error object in a body, if there is one."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    error = answer.get("error") if isinstance(answer, dict) else None
    return error if isinstance(error, dict) else None


def _message(error: Mapping[str, Any]) -> str:
    said = error.get("message")
    if isinstance(said, dict):
        said = said.get("value")
    return str(said or "")


def _short(text: str) -> str:
    return " ".join(text.split())[:_LONGEST]


def field_of(body: bytes, names: Mapping[str, str]) -> str | None:
    """The column a refusal is about; `names` are those of the table, by their folded form."""
    error = _error_in(body)
    if error is None:
        return None
    for told in _targets(error):
        name = names.get(told.rpartition("/")[2].casefold())
        if name is not None:
            return name
    # Some services name the property in the sentence only.
    words = re.findall(r"\w+", _message(error))
    return next((names[word.casefold()] for word in words if word.casefold() in names), None)


def _targets(error: Mapping[str, Any]) -> Iterator[str]:
    """What the error and its details say they are about."""
    inner = error.get("innererror")
    details = inner.get("errordetails") if isinstance(inner, dict) else None
    for one in [error, *(details if isinstance(details, list) else [])]:
        if isinstance(one, dict):
            for name in ("target", "propertyref"):
                if isinstance(one.get(name), str):
                    yield one[name]


# ---------------------------------------------------------------------------- errors


def refused(fault: Fault, side: str, entity: str | None, tried: str) -> Exception:
    """The error for a request that was refused as a whole."""
    subject = Subject(side=side, entity=entity)
    if fault.status in (401, 403):
        return AccessError(
            "privilege-missing",
            "the service does not let us do this",
            remedy="give the user or client of the config the right to read and write this entity",
            subject=subject,
            tried=tried,
            cause=str(fault),
        )
    return MapError(
        "request-refused",
        f"the service refuses this request with status {fault.status}",
        remedy="compare the map with what the service's $metadata offers; the cause names the rest",
        subject=subject,
        tried=tried,
        cause=str(fault),
    )


def unreadable(side: str, entity: str | None, tried: str, cause: object) -> UnreachableError:
    """The error for an answer that is not what the format documents."""
    return UnreachableError(
        "answer-unreadable",
        "the answer is no OData V2",
        remedy="check the side's url and any proxy in between; a page to sign in at, or of a "
        "load balancer, looks like this",
        subject=Subject(side=side, entity=entity),
        tried=tried,
        cause=_short(str(cause) or type(cause).__name__),
    )
