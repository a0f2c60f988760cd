"""The service's refusals: an envelope with an empty code, and the useful text inside it.

Owns: one constructor per refusal the service knows.
Never does: errors of this product (`connector.errors`); these are data on the wire.
Tested in: tests/integration/sandbox/finops/test_errors.py.

Facts: three public captures of real answers ("Finance and Operations: odata", errors). A write
that the application refuses is an infolog: parts with `Info:`, `Warning:` or `Error:`, joined by
`; `, with one more full stop at the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import orjson

from connector.sandbox.finops.entities import COMPANY, Entity, Field
from connector.sandbox.messages import Response

JSON_TYPE = "application/json; odata.metadata=minimal; charset=utf-8"
GENERAL = "An error has occurred."
_SERVICES = "Microsoft.Dynamics.Platform.Integration.Services.OData"
WRITE_EXCEPTION = f"{_SERVICES}.AxODataWriteException"
ODATA_EXCEPTION = "Microsoft.OData.ODataException"
_STACK = (
    f"   at {_SERVICES}.Update.UpdateProcessor.CreateEntity_Save(ChangeOperationContext context)"
)


class AxError(Exception):
    """One refusal. `inner` is the text that says why; without one the body is empty."""

    def __init__(
        self,
        status: int,
        inner: str = "",
        *,
        kind: str = "",
        message: str = GENERAL,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(inner or message)
        self.status = status
        self.inner = inner
        self.kind = kind
        self.message = message
        self.headers = dict(headers or {})

    def response(self, *, in_batch: bool = False) -> Response:
        """The answer that carries it; a refused write is a 400 alone and a 500 in a batch."""
        status = 500 if in_batch and self.kind == WRITE_EXCEPTION else self.status
        if not self.inner:
            return Response(status, {"Content-Length": "0", **self.headers})
        stack = _STACK if self.kind == WRITE_EXCEPTION else ""
        inner = {"message": self.inner, "type": self.kind, "stacktrace": stack}
        body = {"error": {"code": "", "message": self.message, "innererror": inner}}
        headers = {"Content-Type": JSON_TYPE, "OData-Version": "4.0", **self.headers}
        return Response(status, headers, orjson.dumps(body))


# ---------------------------------------------------------------------------- infologs


def infolog(entity: Entity, lines: Iterable[str]) -> AxError:
    """The application refuses a write."""
    text = f"Write failed for table row of type '{entity.aot_name}'. Infolog: {'; '.join(lines)}."
    return AxError(400, text, kind=WRITE_EXCEPTION)


def invalid(entity: Entity, field: Field, why: str) -> AxError:
    """One field is refused."""
    return infolog(
        entity,
        [
            f"Warning: {why}.",
            f"Warning: validateField failed on field '{entity.aot_name}.{field.name}'",
        ],
    )


def unrelated(entity: Entity, field: Field, value: str, table: str) -> AxError:
    """A text names a row that is not there."""
    why = f"The value '{value}' in field '{field.label}' is not found in the related table"
    return invalid(entity, field, f"{why} '{table}'")


def exists(entity: Entity, values: Iterable[str]) -> AxError:
    """A row with this key is there already."""
    first = next(entity.fields[name].label for name in entity.key if name != COMPANY)
    shown = ", ".join(values)
    text = f"Info: Cannot create a record in {entity.table}. {first}: {shown}.\n"
    return infolog(entity, [f"{text}The record already exists."])


def conflict(entity: Entity) -> AxError:
    """Somebody else wrote the row in between."""
    text = (
        f"Error: Cannot edit a record in {entity.table}.\nAn update conflict occurred due to "
        "another user process deleting the record or changing one or more fields in the record."
    )
    return infolog(entity, [text])


def needed_elsewhere(entity: Entity, other: Entity) -> AxError:
    """A row cannot go while others name it."""
    text = f"Error: The record cannot be deleted. Dependent records exist in {other.table}."
    return infolog(entity, [text])


# ---------------------------------------------------------------------------- requests


def no_such_row() -> AxError:
    """404; its body is nowhere documented, here there is none."""
    return AxError(404)


def no_such_resource(url: str) -> AxError:
    """No route for this path."""
    return AxError(
        404,
        "No routing convention was found to select an action for the OData path.",
        message=f"No HTTP resource was found that matches the request URI '{url}'.",
    )


def bad_query(why: str) -> AxError:
    """The options of the URL cannot be read or are not supported."""
    message = f"The query specified in the URI is not valid. {why}"
    return AxError(400, why, kind=ODATA_EXCEPTION, message=message)


def bad_body(why: str) -> AxError:
    """The JSON of the body does not fit the type."""
    return AxError(
        400, f"changeInfo : {why}", kind=ODATA_EXCEPTION, message="The request is invalid."
    )


def unknown_property(entity: Entity, name: str) -> str:
    """What is wrong with a name that the type does not have, in a body as in a query."""
    return f"The property '{name}' does not exist on type '{entity.full_type}'."


def stale() -> AxError:
    """412: `If-Match` names another version."""
    return AxError(
        412,
        "The etag value in the request header does not match with the current etag value "
        "of the object.",
    )


def not_allowed(method: str) -> AxError:
    """405."""
    text = f"The requested resource does not support http method '{method}'."
    return AxError(405, text, message=text)


def denied(what: str) -> AxError:
    """403: the user may not do this."""
    text = f"Access denied: {what}."
    return AxError(403, text)


def exhausted(wait: int | None) -> AxError:
    """429 for lack of resources; `wait` seconds, None without the header."""
    text = "This request could not be processed at this time due to system experiencing high"
    headers = {} if wait is None else {"Retry-After": str(wait)}
    return AxError(429, f"{text} resource utilization.", headers=headers)


def unavailable(wait: int | None) -> AxError:
    """503."""
    headers = {} if wait is None else {"Retry-After": str(wait)}
    return AxError(503, "The service is unavailable.", headers=headers)
