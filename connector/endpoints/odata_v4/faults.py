"""What a service of OData V4 says when it refuses, and what that means.

Owns: the standard's error bodies, pages and nothing in their place, and their translation to
outcomes of one operation or to errors.
Never does: sending, deciding whether to try again; knowing one system's words.
Tested in: tests/unit/endpoints/odata_v4/test_faults.py.

Facts: OData JSON format 4.01, section 21 (error response); OData protocol 4.01, section 9
(response status codes). A proxy answers with a page of HTML, or with nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from http import HTTPStatus

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
    Update,
)
from connector.endpoints.web.faults import Fault, retry_after
from connector.endpoints.web.limits import Limit, Refusal
from connector.endpoints.web.service import Naming
from connector.errors import AccessError, DualWriteError, MapError, Subject, UnreachableError

_TAGS = re.compile(r"<(script|style)\b.*?</\1>|<[^>]*>", re.DOTALL | re.IGNORECASE)
_DUPLICATE = re.compile(r"already exist|duplicate|unique (?:key|index|constraint)", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z_]\w*")
_CODE = re.compile(r"[^A-Za-z0-9.]+")
LONGEST_TEXT = 2000


def fault_of(
    status: int, headers: Mapping[str, str], body: bytes, date: str | None = None
) -> Fault:
    """Read a refusal; a body that is not the standard's JSON is quoted in part, without tags."""
    code, message = "", ""
    try:
        error = orjson.loads(body)["error"]
        code, message = str(error.get("code") or ""), _message(error)
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        message = plain(body)
    request_id = headers.get("request-id") or headers.get("x-ms-request-id")
    return Fault(status, code, message or _phrase(status), request_id, retry_after(headers, date))


def _message(error: Mapping[str, object]) -> str:
    """The text of an error with its details; some services nest the text once more."""
    told = error.get("message")
    texts = [str(told.get("value", "")) if isinstance(told, Mapping) else str(told or "")]
    details = error.get("details")
    if isinstance(details, list):
        texts += [str(one.get("message", "")) for one in details if isinstance(one, Mapping)]
    return " ".join(dict.fromkeys(text for text in texts if text))[:LONGEST_TEXT]


def plain(body: bytes) -> str:
    """The beginning of a page or text in one line, without tags."""
    text = _TAGS.sub(" ", body[:4000].decode("utf-8", "replace"))
    return " ".join(text.split())[:200]


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "no reason was given"


def refusal_of(fault: Fault, otherwise: float | None = None) -> Refusal | None:
    """What a fault says about limits; `otherwise` are seconds where it does not say how long."""
    if fault.status == 429 or (fault.status == 503 and fault.retry_after is not None):
        return Refusal(Limit.BUSY, otherwise if fault.retry_after is None else fault.retry_after)
    return None


# ---------------------------------------------------------------------------- one operation


def outcome_of(operation: Operation, fault: Fault, columns: Sequence[str]) -> Outcome:
    """What one refused operation means to the engine."""
    if fault.status == 500 and not isinstance(operation, Delete) and is_duplicate(operation, fault):
        return Exists(None, fault.message)  # the words of its database, let through
    if fault.status in (408, 429) or fault.status >= 500:
        return Transient(str(fault), fault.retry_after)
    conditional = not isinstance(operation, Create) and operation.version is not None
    if fault.status == 412 and not isinstance(operation, Create):
        return Stale() if conditional else Missing()
    if fault.status in (404, 410) and not isinstance(operation, Create):
        return Missing()
    if not isinstance(operation, Delete) and is_duplicate(operation, fault):
        return Exists(None, fault.message)
    return rejected(operation, fault, columns)


def is_duplicate(operation: Create | Update, fault: Fault) -> bool:
    """Whether another row has this key."""
    if isinstance(operation, Create) and fault.status in (409, 412):
        return True
    return fault.status in (400, 409, 422, 500) and bool(_DUPLICATE.search(fault.message))


def rejected(operation: Operation, fault: Fault, columns: Sequence[str]) -> Rejected:
    """The refusal for good, with the column it names."""
    code = _CODE.sub("-", fault.code).strip("-") or f"http-{fault.status}"
    written = [] if isinstance(operation, Delete) else [*operation.values]
    return Rejected(code, fault.message, named(fault.message, written or columns))


def named(message: str, columns: Iterable[str]) -> str | None:
    """The first of these columns that a message names."""
    known = {name.casefold(): name for name in columns}
    words = (word.casefold() for word in _WORD.findall(message))
    return next((known[word] for word in words if word in known), None)


# ---------------------------------------------------------------------------- whole requests


def refused(naming: Naming, fault: Fault, entity: str | None, tried: str) -> DualWriteError:
    """The error for a whole request that was refused for good."""
    subject = Subject(side=naming.side, entity=entity)
    if fault.status == 403:
        return AccessError(
            "privilege-missing",
            f"our user may not use {entity or 'the service'}",
            remedy=f"give the user or application of {naming.section} the right to read and write "
            "it, with every role it needs",
            subject=subject,
            tried=tried,
            cause=str(fault),
        )
    if fault.status == 404 and entity is None:
        return not_a_service(naming, tried, str(fault))
    return MapError(
        "request-refused",
        f"{naming.title} refuses the request as a whole",
        remedy="compare the map with the entity by `dualwrite check`; the cause names the reason",
        subject=subject,
        tried=tried,
        cause=str(fault),
    )


def entity_unknown(naming: Naming, entity: str, known: Iterable[str]) -> MapError:
    """There is no such entity set."""
    by_fold = {name.casefold(): name for name in known}
    close = get_close_matches(entity.casefold(), by_fold, n=3)
    hint = f"did you mean {', '.join(by_fold[one] for one in close)}? " if close else ""
    return MapError(
        "entity-unknown",
        f"{naming.title} has no entity set {entity!r}",
        remedy=f"{hint}Entity set names are plural and case-sensitive; the entity must be public",
        subject=Subject(side=naming.side, entity=entity),
    )


def column_unknown(naming: Naming, entity: str, columns: Iterable[str], cause: str) -> MapError:
    """The entity lacks columns that were asked for, or they cannot be used so."""
    names = ", ".join(sorted(columns))
    return MapError(
        "column-unknown",
        f"{entity} has no usable column {names}",
        remedy="use a column of this entity as `$metadata` names it; `dualwrite check` tells where",
        subject=Subject(side=naming.side, entity=entity, field=names),
        cause=cause,
    )


def unreadable(naming: Naming, entity: str | None, tried: str, why: object) -> UnreachableError:
    """The error for an answer that is no OData."""
    return UnreachableError(
        "answer-unreadable",
        f"the answer is not what a service of OData V4 sends: {why}"[:300],
        remedy=f"check {naming.section}.url, and that no proxy answers in the service's place",
        subject=Subject(side=naming.side, entity=entity),
        tried=tried,
    )


def not_a_service(naming: Naming, tried: str, cause: str) -> UnreachableError:
    """There is no service at the URL."""
    return UnreachableError(
        "answer-unreadable",
        "there is no service of OData V4 at this address",
        remedy=f"check {naming.section}.url: it is {naming.example}",
        subject=Subject(side=naming.side),
        tried=tried,
        cause=cause,
    )
