"""The service's answers to those who may not, or not now: rights, limits, a busy server.

Owns: one constructor per refusal, with the code a client matches on.
Never does: deciding (`rights/privileges.py`, `limits.py`, `faults.py`).
Tested in: tests/integration/sandbox/test_privileges.py, test_limits.py.

Facts: "Dataverse Web API: compose-http-requests-handle-errors", "api-limits"; the texts about
privileges as clients report them.
"""

from __future__ import annotations

from typing import NamedTuple

from connector.sandbox.dataverse.errors import WireError


def privilege_denied(user: str, method: str, path: str) -> WireError:
    """The user's roles do not cover the operation."""
    words = {"GET": "Read", "PATCH": "Write", "PUT": "Write", "DELETE": "Delete"}
    privilege = f"prv{words.get(method, 'Create')}{path.partition('(')[0].rstrip('s')}"
    return WireError(
        403, "0x80040220", f"Principal user (Id={user}) is missing {privilege} privilege"
    )


class Principal(NamedTuple):
    """Who is refused, and the counts the service tells with it."""

    user: str
    roles: int
    privileges: int


def missing_privilege(
    who: Principal, name: str, identity: str, table: str, title: str
) -> WireError:
    """No role of the user grants a privilege on a table."""
    # The object type code and the access mode are not modelled; nobody reads them from a text.
    return WireError(
        403,
        "0x80040220",
        f"Principal user (Id={who.user}, type=8, roleCount={who.roles}, "
        f"privilegeCount={who.privileges}, accessMode=0), is missing {name} privilege "
        f"(Id={identity}) on OTC=10000 for entity '{table}' (LocalizedName='{title}'). "
        f"context.Caller={who.user}",
    )


def access_team_owns_nothing(team: str) -> WireError:
    """Rows are owned by users and by teams of the other types."""
    return WireError(
        400, "0x80041d37", f"An access team cannot be the owner of a record. Team: {team}"
    )


def check_failed(  # all of them are in the text
    user: str, name: str, identity: str, business_unit: str, known: int, held: int
) -> WireError:
    """No role of the user grants a privilege that belongs to no table."""
    return WireError(
        403,
        "0x80040220",
        f"SecLib::CheckPrivilege failed. User: {user}, PrivilegeName: {name}, "
        f"PrivilegeId: {identity}, Required Depth: Basic, BusinessUnitId: {business_unit}, "
        f"MetadataCache Privileges Count: {known}, User Privileges Count: {held}",
    )


def no_roles(user: str) -> WireError:
    """A member of the organization without any role."""
    return WireError(
        403,
        "0x80042f09",
        "SecLib::RetrievePrivilegeForUser failed - no roles are assigned to user. "
        f"Returned hr = -2147209463, User: {user}",
    )


def secured_column(*, creating: bool) -> WireError:
    """A column under column security that the user's profiles do not let it write."""
    if creating:
        code, right = "0x8004f502", "create"
    else:
        code, right = "0x8004f507", "update"
    return WireError(
        403,
        code,
        f"The user does not have {right} permissions to a secured field. The requested "
        "operation could not be completed.",
    )


def not_a_member() -> WireError:
    """A valid token of somebody who is no user here."""
    return WireError(403, "0x80072560", "The user is not a member of the organization.")


def too_many(requests: float, window: float, retry_after: int) -> WireError:
    """Service protection: too many requests."""
    return _throttled(
        "0x80072322",
        f"Number of requests exceeded the limit of {requests:.15g} over time window of "
        f"{window:.15g} seconds.",
        retry_after,
    )


def too_much_work(seconds: float, window: float, retry_after: int) -> WireError:
    """Service protection: too much execution time."""
    return _throttled(
        "0x80072321",
        "Combined execution time of incoming requests exceeded limit of "
        f"{round(seconds * 1000):,} milliseconds over time window of {window:.15g} seconds. "
        "Decrease number of concurrent requests or reduce the duration of requests and try again "
        "later.",
        retry_after,
    )


def too_concurrent(requests: float, retry_after: int) -> WireError:
    """Service protection: too many requests at a time."""
    return _throttled(
        "0x80072326",
        f"Number of concurrent requests exceeded the limit of {requests:.15g}.",
        retry_after,
    )


def _throttled(code: str, text: str, retry_after: int) -> WireError:
    return WireError(429, code, text, {"Retry-After": str(retry_after)})


def unavailable(retry_after: int | None) -> WireError:
    """The server is busy."""
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    text = "The server is busy and the request was not completed."
    return WireError(503, "0x8004A001", text, headers)
