"""The definitions of one organization, as they stand now.

Owns: tables by every name a request may use, and what hangs between tables.
Never does: keeping them on disk (`archive.py`), changing them (`customizing/table_changes.py`).
Tested in: tests/integration/sandbox/test_metadata_writes.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias, TypeVar

from connector.sandbox.dataverse.definitions.tables import (
    REFERENCES,
    AlternateKey,
    Column,
    Table,
    metadata_id,
)


@dataclass(frozen=True, slots=True)
class OptionSet:
    """One global choice."""

    name: str
    title: str
    options: Mapping[int, str]
    description: str = ""


@dataclass(frozen=True, slots=True)
class ManyToMany:
    """One many-to-many relationship between two tables, by their logical names."""

    schema_name: str
    first: str
    second: str
    intersect: str
    """The logical name of the table that holds the pairs."""
    identity: str = ""

    @property
    def name(self) -> str:
        """The name it is found by: the service compares schema names without case."""
        return self.schema_name.lower()


Definition: TypeAlias = Table | OptionSet | ManyToMany
Kept = TypeVar("Kept", Table, OptionSet, ManyToMany)


@dataclass(frozen=True)
class Contents:
    """All definitions at one moment, by name."""

    tables: Mapping[str, Table] = field(default_factory=dict)
    option_sets: Mapping[str, OptionSet] = field(default_factory=dict)
    many_to_many: Mapping[str, ManyToMany] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Way:
    """From a row to related ones: over a lookup of theirs, or over an intersect table."""

    far: Table
    column: str
    """The lookup of `far`; of an intersect table, the column of the row the way begins at."""
    intersect: Table | None = None
    far_column: str = ""
    """The intersect table's column of the row the way ends at."""

    def joins(self, alias: str, key: str) -> str:
        """SQL: whether the row `alias` of `far` is related to the row with the id `key`."""
        if self.intersect is None:
            return f'{alias}."{self.column}" = {key}'
        return (
            f'{alias}."{self.far.id_column}" IN (SELECT "{self.far_column}" '
            f'FROM "{self.intersect.name}" WHERE "{self.column}" = {key})'
        )


class Catalog:
    """The definitions of one organization; changed only as a whole, so it can go back."""

    def __init__(self, contents: Contents | None = None) -> None:
        self.contents = Contents()
        self.by_name: Mapping[str, Table] = {}
        self.by_set: Mapping[str, Table] = {}
        """Tables by entity set name, in its exact case."""
        self.referrers: Mapping[str, list[tuple[Table, Column]]] = {}
        """Per target table, the custom lookups that point at it."""
        self._ways: Mapping[tuple[str, str], Way] | None = None
        self.restore(contents or self.contents)

    def restore(self, contents: Contents) -> None:
        """Everything as it was."""
        self.contents = contents
        self._ways = None
        self.by_name = contents.tables
        self.by_set = {table.set_name: table for table in self.by_name.values()}
        referrers: dict[str, list[tuple[Table, Column]]] = {name: [] for name in self.by_name}
        for owner in self.by_name.values():
            for column in owner.columns.values():
                if column.custom and column.target:
                    referrers[column.target].append((owner, column))
        self.referrers = referrers

    def way(self, table: Table, name: str) -> Way | None:
        """Where a collection-valued navigation property of `table` leads, if there is one."""
        if self._ways is None:
            self._ways = dict(_ways(self.contents))
        return self._ways.get((table.name, name))

    def put(self, definition: Definition) -> None:
        """Add a definition, or put it in the place of the one with its name."""
        now, name = self.contents, definition.name
        if isinstance(definition, Table):
            changed = replace(now, tables={**now.tables, name: definition})
        elif isinstance(definition, OptionSet):
            changed = replace(now, option_sets={**now.option_sets, name: definition})
        else:
            changed = replace(now, many_to_many={**now.many_to_many, name: definition})
        self.restore(changed)

    def drop(self, definition: Definition) -> None:
        """Without this definition."""
        now = self.contents
        self.restore(
            Contents(
                _without(now.tables, definition),
                _without(now.option_sets, definition),
                _without(now.many_to_many, definition),
            )
        )


def _without(named: Mapping[str, Kept], gone: object) -> dict[str, Kept]:
    return {name: one for name, one in named.items() if one is not gone}


def _ways(contents: Contents) -> list[tuple[tuple[str, str], Way]]:
    found: list[tuple[tuple[str, str], Way]] = []
    for owner in contents.tables.values():
        for column in owner.columns.values():
            if column.kind in REFERENCES:
                name = relationship_name(owner, column)
                found.append(((column.target, name), Way(owner, column.name)))
    for many in contents.many_to_many.values():
        intersect = contents.tables[many.intersect]
        ends = tuple(zip((many.first, many.second), intersect_columns(many), strict=True))
        # Of a table with itself only the first end has a way.
        both = (ends,) if many.first == many.second else (ends, ends[::-1])
        for (near, near_column), (far, far_column) in both:
            way = Way(contents.tables[far], near_column, intersect, far_column)
            found.append(((near, many.schema_name), way))
    return found


# ---------------------------------------------------------------------------- MetadataIds


def table_id(table: Table) -> str:
    """The MetadataId of a table."""
    return table.identity or metadata_id(table.name)


def column_id(table: Table, column: Column) -> str:
    """The MetadataId of a column."""
    return column.identity or metadata_id(table.name, column.name)


def key_id(table: Table, key: AlternateKey) -> str:
    """The MetadataId of an alternate key."""
    return key.identity or metadata_id(table.name, key.schema_name)


def relationship_name(table: Table, column: Column) -> str:
    """The schema name of a lookup's relationship."""
    return column.relationship or f"{column.target}_{table.name}_{column.name}"


def relationship_id(table: Table, column: Column) -> str:
    """The MetadataId of a lookup's relationship."""
    return metadata_id(column_id(table, column), "relationship")


def intersect_columns(many: ManyToMany) -> tuple[str, str]:
    """The columns of the intersect table for the first and for the second end."""
    if many.first == many.second:
        return f"{many.first}idone", f"{many.second}idtwo"
    return f"{many.first}id", f"{many.second}id"


def option_set_id(name: str) -> str:
    """The MetadataId of a global choice."""
    return metadata_id(name, "options")
