"""What differs between services of OData V4, each with the answer of the plain standard.

Owns: the points at which one system departs from the standard; a system overrides what it must.
Never does: I/O; keeping state.
Tested in: tests/unit/endpoints/odata_v4/, tests/unit/endpoints/finops/.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from connector.endpoints.base import Operation, Outcome
from connector.endpoints.odata_v4.faults import fault_of, outcome_of
from connector.endpoints.odata_v4.fields import Field, field_of
from connector.endpoints.odata_v4.tables import KeyValues, Table
from connector.endpoints.web.faults import Fault
from connector.mapping.values import Value
from connector.odata.csdl import EnumType, Property


@dataclass(frozen=True)
class Dialect:
    """OData V4 as it is written."""

    versioned: bool | None = None
    """Whether every row bears an ETag; None: it is looked up."""
    folds: bool = False
    """Whether texts that differ in case, or in blanks at their end, are one."""
    change_sets: bool = False
    """Whether each write of a batch is a change set of its own."""
    absolute_parts: bool = False
    """Whether the parts of a batch are addressed by whole URLs."""
    options: Mapping[str, str] = field(default_factory=dict)
    """Query options of every request to a set."""

    def field_of(self, given: Property, enum: EnumType | None, *, key: bool) -> Field:
        """The column of a property."""
        return field_of(given, enum, key=key)

    def row_url(self, table: Table, key: KeyValues) -> str:
        """Where a row is, behind the service's root."""
        return table.row_url(key)

    def scope(self, table: Table) -> str | None:  # noqa: ARG002 - all rows of any table
        """A condition that every list of this table gets; None: all its rows are meant."""
        return None

    def completed(
        self,
        table: Table,  # noqa: ARG002 - it knows nothing of any table
        values: Mapping[str, Value],
    ) -> Mapping[str, Value]:
        """The values of a new row with those the endpoint knows itself."""
        return values

    def fault_of(
        self, status: int, headers: Mapping[str, str], body: bytes, date: str | None = None
    ) -> Fault:
        """Read a refusal; header names are looked up in lower case."""
        return fault_of(status, headers, body, date)

    def outcome(self, table: Table, operation: Operation, fault: Fault) -> Outcome:
        """What one refused operation means to the engine."""
        return outcome_of(operation, fault, tuple(table.fields))
