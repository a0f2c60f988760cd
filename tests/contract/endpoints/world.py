"""What the endpoint contract is asserted on: one endpoint, an empty table, and three columns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import uuid4

from connector.endpoints.base import Capabilities, Create, Endpoint
from connector.mapping.values import Value, ValueType

PAGE_ROWS = 3
"""Small pages, so that a handful of rows makes several."""


@dataclass(frozen=True)
class World:
    """One endpoint on an empty table, and the columns the suite may use.

    What a system can do is asked of its capabilities; what a world says beside them is how its
    table is made, which no endpoint has to promise.
    """

    endpoint: Endpoint
    entity: str
    key: str
    """A text column that holds at least 30 characters."""
    text: str
    """A text column that takes anything, null included."""
    day: str
    """A date column, null allowed; one of `kind` where the table has no date."""
    longest_key: int
    """Characters the key column holds."""
    nobody: str
    """A well-formed id that no row has."""
    folds: bool = True
    """Whether texts that differ in case or in blanks at their end are one to this system."""
    unique: bool = True
    """Whether the table refuses a second row of one key."""
    tells_lengths: bool = True
    """Whether the description says how long a text may be."""
    names_fields: bool = True
    """Whether a refusal names the column it is about."""
    kind: ValueType = ValueType.DATE
    samples: tuple[Value, Value] = (date(2024, 2, 29), date(2024, 1, 2))
    """Two values of the column `day`."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Key, text, day: the column list of most tests."""
        return (self.key, self.text, self.day)

    @property
    def able(self) -> Capabilities:
        """What the system says it can do."""
        return self.endpoint.describe(self.entity).capabilities

    def create(self, key: str, text: Value = None, day: Value = None) -> Create:
        """A create of one record, under the id the endpoint wants it to have."""
        values: dict[str, Value] = {self.key: key, self.text: text}
        if day is not None:
            values[self.day] = day
        return Create(self.endpoint.id_for(self.entity, values, str(uuid4())), values)
