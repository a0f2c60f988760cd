"""The service's own error answers: status, code, text.

Owns: one constructor per refusal the service knows, with the code a client matches on.
Never does: errors of this product (`connector.errors`); these are data on the wire.
Tested in: tests/integration/sandbox/test_errors.py.

Facts: "Dataverse Web API: compose-http-requests-handle-errors" and the support articles on
Web API client errors. Where no code is documented, the code is the empty string or `0x0`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import orjson

JSON_TYPE = "application/json; odata.metadata=minimal"
DETAILS = "@Microsoft.PowerApps.CDS."


class WireError(Exception):
    """One refusal, as it goes out: `{"error": {"code": …, "message": …}}`."""

    def __init__(
        self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})

    def body(self, *, details: bool = False) -> bytes:
        """The JSON body; `details` adds the annotations asked for by `include-annotations`."""
        error = {"code": self.code, "message": self.message}
        if details:
            error[f"{DETAILS}ErrorDetails.OperationStatus"] = "1"
            error[f"{DETAILS}TraceText"] = self.message
            error[f"{DETAILS}InnerError.Message"] = self.message
            error[f"{DETAILS}HelpLink"] = (
                f"http://go.microsoft.com/fwlink/?LinkID=398563&error={self.code}"
            )
        return orjson.dumps({"error": error})


# ---------------------------------------------------------------------------- requests


def unknown_segment(segment: str) -> WireError:
    """A path names something that is not there."""
    return WireError(404, "0x8006088a", f"Resource not found for the segment '{segment}'.")


def no_such_resource(url: str) -> WireError:
    """No handler for this method and path."""
    return WireError(404, "", f"No HTTP resource was found that matches the request URI '{url}'.")


def not_supported(what: str) -> WireError:
    """The service knows it and does not take it."""
    return WireError(405, "0x80040315", f"{what} is not supported.")


def not_implemented(what: str) -> WireError:
    """Part of the protocol, but not of this service."""
    return WireError(501, "0x80060888", f"{what} has not yet been implemented.")


def bad_request(message: str, code: str = "0x80060888") -> WireError:
    """Refused for a reason that has no code of its own."""
    return WireError(400, code, message)


def too_many_conditions() -> WireError:
    """A filter beyond what the service takes."""
    return WireError(400, "0x0", "Number of conditions in query exceeded maximum limit.")


def url_too_long(limit: int) -> WireError:
    """The URL does not fit."""
    return WireError(414, "", f"The request URL is longer than {limit} characters.")


def unknown_property(name: str, table: str) -> WireError:
    """A column in `$select`, `$filter` or `$orderby` that the table lacks."""
    return WireError(
        400,
        "0x0",
        f"Could not find a property named '{name}' on type 'Microsoft.Dynamics.CRM.{table}'.",
    )


def key_not_declared(table: str) -> WireError:
    """`set(a=…)` over columns that are no alternate key."""
    return WireError(
        400,
        "0x80060888",
        "The key in the request URI is not valid for resource "
        f"'Microsoft.Dynamics.CRM.{table}'. Ensure that the names and number of key properties "
        "match the declared or alternate key properties for the resource "
        f"'Microsoft.Dynamics.CRM.{table}'.",
    )


# ---------------------------------------------------------------------------- records


def does_not_exist(table: str, record: str) -> WireError:
    """No row with this id."""
    return WireError(404, "0x80040217", f"{table} With Id = {record} Does Not Exist")


def do_not_exist(table: str, records: Iterable[str]) -> WireError:
    """The bulk form of `does_not_exist`."""
    return WireError(404, "0x80040217", f"{table} With Ids = {', '.join(records)} Do Not Exist")


def key_not_found(table: str) -> WireError:
    """No row with this alternate key."""
    return WireError(
        404,
        "0x80060891",
        f"A record with the specified key values does not exist in {table} entity",
    )


def version_mismatch() -> WireError:
    """`If-Match` met another version."""
    return WireError(
        412,
        "0x80060882",
        "The version of the existing record doesn't match the RowVersion property provided.",
    )


def already_exists() -> WireError:
    """`If-None-Match: *` met an existing record."""
    return WireError(412, "", "A record with matching key values already exists.")


def duplicate_id() -> WireError:
    """A row with this primary id exists."""
    return WireError(412, "0x80040237", "Cannot insert duplicate key.")


def duplicate_key(label: str, columns: str, record: str) -> WireError:
    """An alternate key is taken; `record` is the id of the row that has it."""
    return WireError(
        412,
        "0x80060892",
        f"Entity Key {label} violated. A record with the same value for {columns} already "
        "exists. A duplicate record cannot be created. Select one or more unique values and try "
        f"again.<DuplicateAttributes><Id>{record}</Id></DuplicateAttributes>",
    )


def deadlock() -> WireError:
    """The same row twice in one bulk message locks itself out."""
    return WireError(
        400,
        "0x80044150",
        "Sql error: Generic SQL error. CRM ErrorCode: -2147204784 Sql ErrorCode: -2146232060 "
        "Sql Number: 1205",
    )


def association_blocks(table: str, referrer: str) -> WireError:
    """A delete that rows of another table stand against."""
    return WireError(
        405,
        "0x80040227",
        f"The {table} record cannot be deleted because {referrer} records refer to it.",
    )


# ---------------------------------------------------------------------------- payloads


def payload(set_name: str, cause: str) -> WireError:
    """The body cannot be read as a record of this set."""
    return WireError(
        400,
        "0x80048d19",
        f"Error identified in Payload provided by the user for Entity :'{set_name}', For more "
        "information on this error please follow this help link "
        "https://go.microsoft.com/fwlink/?linkid=2195293  ---->  InnerException : "
        f"Microsoft.OData.ODataException: {cause}",
    )


def invalid_property(name: str, table: str) -> WireError:
    """A column in the body that the table lacks."""
    return WireError(
        400,
        "0x0",
        "An error occurred while validating input parameters: Microsoft.OData.ODataException: "
        f"Invalid property '{name}' was found in entity 'Microsoft.Dynamics.CRM.{table}'.",
    )


def undeclared_annotation(set_name: str, name: str) -> WireError:
    """`x@odata.bind` where x is no navigation property in this exact case."""
    return payload(
        set_name,
        f"An undeclared property '{name}' which only has property annotations in the payload "
        "but no property value was found in the payload. In OData, only declared navigation "
        "properties and declared named streams can be represented as properties without values.",
    )


def too_long(column: str, table: str, limit: int) -> WireError:
    """Text beyond the column's maximum length."""
    return WireError(
        400,
        "0x80044331",
        f"A validation error occurred.  The length of the '{column}' attribute of the '{table}' "
        f"entity exceeded the maximum allowed length of '{limit}'.",
    )


def out_of_range(value: object, column: str, table: str, low: object, high: object) -> WireError:
    """A number beyond the column's range."""
    return WireError(
        400,
        "0x80044330",
        f"A validation error occurred. The value {value} of '{column}' on record of type "
        f"'{table}' is outside the valid range. Accepted Values: {low} to {high}",
    )


def unknown_option(value: int, column: str, table: str, options: Iterable[int]) -> WireError:
    """A choice value the column does not have."""
    return WireError(
        400,
        "0x8004431A",
        f"A validation error occurred. The value '{value}' of '{column}' on record of type "
        f"'{table}' is outside the valid range. Accepted Values: "
        f"{','.join(map(str, options))}",
    )


def bad_status(status: int, state: int, table: str) -> WireError:
    """A status reason of another state."""
    return WireError(
        400,
        "0x80048408",
        f"{status} is not a valid status code for state code {state} on {table}.",
    )


def invalid_character(code: int) -> WireError:
    """A control character in text."""
    return WireError(
        400,
        "0x80040203",
        f"Invalid Argument: hexadecimal value 0x{code:02X}, is an invalid character.",
    )


# ---------------------------------------------------------------------------- tracking


def tracking_not_enabled(table: str) -> WireError:
    """A tracked read of a table without change tracking."""
    return WireError(400, "0x80072491", f"Entity {table} isn't enabled for change tracking.")


def tracking_option(option: str) -> WireError:
    """A query option that a tracked read does not take."""
    return WireError(
        400,
        "0x80060888",
        f'The "{option}" query parameter isn\'t supported when Change Tracking is enabled.',
    )


def token_expired() -> WireError:
    """A delta token older than the change history."""
    return WireError(
        400,
        "0x80044352",
        "Version stamp associated with the client has expired. Please perform a full sync.",
    )
