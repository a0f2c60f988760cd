"""What the service says about a query in FetchXML, in SQL or as a QueryExpression.

Owns: code and text of each refusal of a query.
Never does: deciding to refuse.
Tested in: tests/integration/sandbox/test_fetchxml.py, test_sql.py.

Facts: "Web service error codes" (the names in the docstrings) and the articles named there.
Where only a name is public, the text is made from it.
"""

from __future__ import annotations

from connector.sandbox.dataverse.errors import WireError


def malformed(cause: str) -> WireError:
    """InvalidArgument: the query cannot be read."""
    return WireError(400, "0x80040203", f"The query cannot be read: {cause}")


def no_entity(name: str) -> WireError:
    """QueryBuilderNoEntity: no table of this logical name."""
    return WireError(
        400,
        "0x80041102",
        f"The entity with a name = '{name}' with namemapping = 'Logical' was not found in the "
        "MetadataCache.",
    )


def no_attribute(name: str, table: str) -> WireError:
    """QueryBuilderNoAttribute: the table has no column of this logical name."""
    return WireError(
        400,
        "0x80041103",
        f"'{table}' entity doesn't contain attribute with Name = '{name}' and NameMapping = "
        "'Logical'.",
    )


def no_alias(name: str) -> WireError:
    """InvalidArgument: an alias nobody declared."""
    return WireError(400, "0x80040203", f"No entity or link entity has the alias '{name}'.")


def name_taken(name: str) -> WireError:
    """InvalidArgument: one name for two things."""
    return WireError(400, "0x80040203", f"The name or alias '{name}' is used more than once.")


def too_many_links(limit: int) -> WireError:
    """A limit on joins ("Dataverse: fetchxml/join-tables")."""
    return WireError(
        400,
        "0x8004430d",
        f"Number of link entities in query exceeded maximum limit of {limit}.",
    )


def too_many_to_aggregate() -> WireError:
    """A limit on aggregates ("Dataverse: fetchxml/aggregate-data")."""
    return WireError(
        400, "0x8004e023", "AggregateQueryRecordLimit exceeded. Cannot perform this operation."
    )


def wrong_set(name: str, set_name: str) -> WireError:
    """The URL is about another table than the query."""
    return WireError(
        400, "0x80060888", f"The query is about '{name}', which is not what '{set_name}' holds."
    )


def sql_unsupported(what: str) -> WireError:
    """Outside the supported part of SQL ("Dataverse Web API: webapi/query/sql")."""
    return WireError(400, "0x80040203", f"{what} is not supported in a SQL query.")
