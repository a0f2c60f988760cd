"""The service's refusals of changes to definitions.

Owns: one constructor per refusal, with the code a client matches on where one is known.
Never does: refusals of data requests (`errors.py`).
Tested in: tests/integration/sandbox/test_metadata_writes.py.

Facts: "Dataverse: web service error codes" and clients that match these codes in the field
(0x80047013, 0x80044363, 0x80060893, 0x8004f01f). Where no code is known it is that of an
invalid argument, which is the tolerant reading: clients fall back to the text.
"""

from __future__ import annotations

from connector.sandbox.dataverse.errors import WireError

INVALID_ARGUMENT = "0x80040203"


def invalid(message: str) -> WireError:
    """A definition that makes no sense, in a way that has no code of its own."""
    return WireError(400, INVALID_ARGUMENT, message)


def not_found(what: str, wanted: str) -> WireError:
    """No definition with this name or id."""
    return WireError(404, "0x80040217", f"Could not find an {what} with {wanted}.")


def bad_name(what: str, name: str, prefixes: str) -> WireError:
    """A schema name without the prefix of a publisher, or with characters it may not have."""
    return invalid(
        f"The {what} name '{name}' is invalid or missing and must start with a valid "
        f"customization prefix ({prefixes}), followed by letters, digits and underscores."
    )


def table_exists(name: str) -> WireError:
    """A table, or its set, with this name is there."""
    return WireError(
        400,
        "0x80044363",
        f"The schema name {name} for type Entity is not unique. An Entity with the same name "
        "already exists.",
    )


def column_exists(name: str, table: str) -> WireError:
    """The table has a column with this name."""
    return WireError(
        400,
        "0x80047013",
        f"An attribute with the specified name {name} already exists on entity {table}.",
    )


def key_exists(name: str, table: str) -> WireError:
    """The table has an alternate key with this name."""
    return WireError(
        400, "0x80060893", f"An entity key with the name {name} already exists on entity {table}."
    )


def same_key(name: str, table: str) -> WireError:
    """The table has an alternate key over the same columns."""
    return invalid(f"The entity key {name} of entity {table} has the same attributes.")


def relationship_exists(name: str) -> WireError:
    """A relationship with this name is there."""
    return WireError(
        400, "0x80048418", f"The schema name {name} for type EntityRelationship is not unique."
    )


def option_set_exists(name: str) -> WireError:
    """A global choice with this name is there."""
    return WireError(400, "0x80048403", f"The schema name {name} for type OptionSet is not unique.")


def in_use(what: str, name: str, users: str) -> WireError:
    """Something else is built on it."""
    return WireError(
        400,
        "0x8004f01f",
        f"The {what}({name}) component cannot be deleted because it is referenced by one or "
        f"more other components: {users}.",
    )


def managed(what: str, name: str) -> WireError:
    """It came with the platform or with a managed solution."""
    return WireError(
        400, "0x8004f016", f"The {what} {name} is managed or a system component: not deleted."
    )


def no_such_solution(name: str) -> WireError:
    """`MSCRM.SolutionUniqueName` names no solution."""
    return WireError(400, "0x8004f002", f"The solution with the unique name {name} does not exist.")
