"""What a table is made of: columns, options, lookups, alternate keys.

Owns: the shape of a definition, and the system columns every user-owned table has.
Never does: data of one table (`catalog`), SQL (`storage`), wire metadata (`metadata`).
Tested in: tests/integration/sandbox/test_metadata.py.

Facts: "Dataverse Web API: webapi/web-api-properties", "define-alternate-keys-entity".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property


class Kind(StrEnum):
    """The metadata `AttributeType` of a column."""

    STRING = "String"
    INTEGER = "Integer"
    BIGINT = "BigInt"
    DECIMAL = "Decimal"
    BOOLEAN = "Boolean"
    PICKLIST = "Picklist"
    STATE = "State"
    STATUS = "Status"
    DATETIME = "DateTime"
    LOOKUP = "Lookup"
    OWNER = "Owner"
    GUID = "Uniqueidentifier"


CHOICES = frozenset({Kind.PICKLIST, Kind.STATE, Kind.STATUS})
REFERENCES = frozenset({Kind.LOOKUP, Kind.OWNER})
INT32 = (-(2**31), 2**31 - 1)


@dataclass(frozen=True)
class Column:
    """One column. Facets that do not fit its kind stay at their defaults.

    `minimum` and `maximum` are inclusive; `precision` is the number of decimal places.
    `schema_name` is also the navigation property of a lookup, and case-sensitive there.
    """

    schema_name: str
    kind: Kind
    label: str
    max_length: int = 100
    precision: int = 0
    minimum: int = INT32[0]
    maximum: int = INT32[1]
    options: Mapping[int, str] = field(default_factory=dict)
    date_only: bool = False
    required: str = "None"
    target: str = ""
    creatable: bool = True
    updatable: bool = True
    custom: bool = False
    """Custom lookups are bound by schema name, system lookups by logical name."""

    @cached_property
    def name(self) -> str:
        """The logical name."""
        return self.schema_name.lower()

    @cached_property
    def wire_name(self) -> str:
        """The property name in JSON: `_x_value` for a reference, else the logical name."""
        return f"_{self.name}_value" if self.kind in REFERENCES else self.name

    @cached_property
    def navigation(self) -> str:
        """The single-valued navigation property of a reference."""
        return self.schema_name if self.custom else self.name


@dataclass(frozen=True, slots=True)
class AlternateKey:
    """One declared alternate key, over logical column names."""

    schema_name: str
    label: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """One table definition."""

    schema_name: str
    set_name: str
    title: str
    titles: str
    primary_name: str
    columns: Mapping[str, Column]
    keys: tuple[AlternateKey, ...] = ()
    change_tracking: bool = False
    user_owned: bool = True
    operations: frozenset[str] = frozenset({"create", "update", "delete"})

    @cached_property
    def name(self) -> str:
        """The logical name."""
        return self.schema_name.lower()

    @cached_property
    def id_column(self) -> str:
        """The logical name of the primary id."""
        return f"{self.name}id"

    @cached_property
    def by_wire_name(self) -> Mapping[str, Column]:
        """Columns by the property name used in JSON and in queries."""
        return {column.wire_name: column for column in self.columns.values()}

    @cached_property
    def by_navigation(self) -> Mapping[str, Column]:
        """Reference columns by navigation property, in its exact case."""
        found = (column for column in self.columns.values() if column.kind in REFERENCES)
        return {column.navigation: column for column in found}

    @cached_property
    def folded(self) -> tuple[str, ...]:
        """Text columns of alternate keys; each has a shadow column with its normal form."""
        names = dict.fromkeys(name for key in self.keys for name in key.columns)
        return tuple(name for name in names if self.columns[name].kind is Kind.STRING)


STATES = {0: "Active", 1: "Inactive"}
STATUSES = {1: "Active", 2: "Inactive"}
STATE_OF_STATUS = {1: 0, 2: 1}
STATUS_OF_STATE = {0: 1, 1: 2}


def table(  # noqa: PLR0913  # a definition reads as one list
    schema_name: str,
    set_name: str,
    title: str,
    titles: str,
    primary_name: str,
    columns: Iterable[Column],
    *,
    keys: tuple[AlternateKey, ...] = (),
    change_tracking: bool = False,
    user_owned: bool = True,
    operations: Iterable[str] = ("create", "update", "delete"),
) -> Table:
    """A definition with the primary id and the system columns added."""
    identity = Column(
        f"{schema_name}Id", Kind.GUID, title, required="SystemRequired", updatable=False
    )
    every = [identity, *columns, *_system_columns(user_owned)]
    return Table(
        schema_name,
        set_name,
        title,
        titles,
        primary_name,
        {column.name: column for column in every},
        keys,
        change_tracking,
        user_owned,
        frozenset(operations),
    )


def _system_columns(user_owned: bool) -> list[Column]:
    """The columns the platform keeps itself; only a few of them can be written."""

    def kept(name: str, kind: Kind, label: str, **facets: str | int) -> Column:
        return Column(name, kind, label, creatable=False, updatable=False, **facets)  # type: ignore[arg-type]

    columns = [
        kept("CreatedOn", Kind.DATETIME, "Created On"),
        kept("CreatedBy", Kind.LOOKUP, "Created By", target="systemuser"),
        kept("ModifiedOn", Kind.DATETIME, "Modified On"),
        kept("ModifiedBy", Kind.LOOKUP, "Modified By", target="systemuser"),
        Column("statecode", Kind.STATE, "Status", options=STATES, required="SystemRequired"),
        Column("statuscode", Kind.STATUS, "Status Reason", options=STATUSES),
        kept("VersionNumber", Kind.BIGINT, "Version Number"),
        Column(
            "OverriddenCreatedOn",
            Kind.DATETIME,
            "Record Created On",
            date_only=True,
            updatable=False,
        ),
        Column("ImportSequenceNumber", Kind.INTEGER, "Import Sequence Number", updatable=False),
        Column(
            "TimeZoneRuleVersionNumber", Kind.INTEGER, "Time Zone Rule Version Number", minimum=-1
        ),
        Column(
            "UTCConversionTimeZoneCode", Kind.INTEGER, "UTC Conversion Time Zone Code", minimum=-1
        ),
    ]
    if user_owned:
        columns += [
            Column("OwnerId", Kind.OWNER, "Owner", target="systemuser", required="SystemRequired"),
            kept("OwningBusinessUnit", Kind.LOOKUP, "Owning Business Unit", target="businessunit"),
        ]
    return columns
