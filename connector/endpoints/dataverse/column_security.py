"""Columns as our application users may really read and write them.

Owns: turning column security into what a column description says.
Never does: reading permissions (`rights.py`); refusing a map (the compiler does).
Tested in: tests/unit/endpoints/dataverse/test_column_security.py, tests/acceptance/test_rights.py.

A secured column reads as null for whoever lacks the permission, and that null would be taken for
somebody's edit. So a map over such a column is refused before anything is read.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from connector.endpoints.dataverse.rights import EVERYTHING, read_permissions
from connector.endpoints.web.transport import Transport
from connector.errors import AccessError

if TYPE_CHECKING:
    from connector.endpoints.dataverse.metadata import Field, Table


def as_permitted(transport: Transport, table: Table) -> Table:
    """The table with its secured columns as all our users together may use them.

    A column everything is permitted of is no longer called secured; where the permissions cannot
    be read, it stays so and nothing else is said of it. Asks nothing of a table without secured
    columns.
    """
    secured = [name for name, field in table.fields.items() if field.column.secured]
    if not secured:
        return table
    try:
        permitted = [read_permissions(transport, user) for user in range(transport.users)]
    except AccessError:
        return table
    fields = dict(table.fields)
    for name in secured:
        column = (table.logical_name, name)
        granted = [EVERYTHING if one is None else one.get(column, frozenset()) for one in permitted]
        fields[name] = _limited(table.fields[name], EVERYTHING.intersection(*granted))
    columns = {name: field.column for name, field in fields.items()}
    return replace(table, entity=replace(table.entity, columns=columns), fields=fields)


def _limited(field: Field, granted: frozenset[str]) -> Field:
    column = field.column
    return replace(
        field,
        column=replace(
            column,
            readable=column.readable and "read" in granted,
            creatable=column.creatable and "create" in granted,
            updatable=column.updatable and "update" in granted,
            secured=granted != EVERYTHING,
        ),
    )
