"""What a table is made of: columns, options, lookups, alternate keys.

Owns: the shape of a definition, and the system columns every table has.
Never does: data of one table (`standard/organization_tables.py`, `standard/loyalty_tables.py`), SQL
(`ddl.py`), wire metadata (`metadata_json.py`).
Tested in: tests/integration/sandbox/test_metadata.py, test_metadata_writes.py.

Facts: "Dataverse Web API: webapi/web-api-properties", "define-alternate-keys-entity". A
definition never changes: who changes a table puts another `Table` in its place, so that
whatever was compiled for the old one cannot be taken for the new one.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property


class Kind(StrEnum):
    """What a column holds: the metadata `AttributeTypeName` without its `Type`."""

    STRING = "String"
    MEMO = "Memo"
    INTEGER = "Integer"
    BIGINT = "BigInt"
    DECIMAL = "Decimal"
    MONEY = "Money"
    DOUBLE = "Double"
    BOOLEAN = "Boolean"
    PICKLIST = "Picklist"
    MULTI_PICKLIST = "MultiSelectPicklist"
    STATE = "State"
    STATUS = "Status"
    DATETIME = "DateTime"
    LOOKUP = "Lookup"
    OWNER = "Owner"
    GUID = "Uniqueidentifier"
    FILE = "File"


TEXTS = frozenset({Kind.STRING, Kind.MEMO})
SCALED = frozenset({Kind.DECIMAL, Kind.MONEY})
"""Numbers kept as whole numbers of their last place."""
CHOICES = frozenset({Kind.PICKLIST, Kind.STATE, Kind.STATUS})
REFERENCES = frozenset({Kind.LOOKUP, Kind.OWNER})
INT32 = (-(2**31), 2**31 - 1)
INT64 = (-(2**63), 2**63 - 1)
MONEY_PLACES = 4
_NAMESPACE = uuid.UUID("8f1b5d5e-6d0c-4f0a-9a57-0d6c9b1f7c11")


def metadata_id(*names: str) -> str:
    """The MetadataId that follows from a name: that of everything the platform brings along."""
    return str(uuid.uuid5(_NAMESPACE, "/".join(names)))


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
    minimum: int | float = INT32[0]
    maximum: int | float = INT32[1]
    options: Mapping[int, str] = field(default_factory=dict)
    date_only: bool = False
    """On the wire a date without time (`Edm.Date`)."""
    required: str = "None"
    target: str = ""
    navigation_name: str = ""
    """The navigation property, where it is not the column's own name."""
    creatable: bool = True
    updatable: bool = True
    readable: bool = True
    custom: bool = False
    """Custom lookups are bound by schema name, system lookups by logical name."""
    managed: bool = True
    """Came with the platform or with a solution: it cannot be deleted."""
    description: str = ""
    format: str = ""
    behavior: str = ""
    """DateTimeBehavior of an instant; empty is UserLocal."""
    default: int | None = None
    """The value of a choice that a new row gets where none is given."""
    option_set: str = ""
    """The global choice the options are those of."""
    relationship: str = ""
    """Schema name of a lookup's relationship, where it is not the one made from its names."""
    on_delete: str = "Restrict"
    """What deleting the referenced row does: Restrict, RemoveLink, Cascade, NoCascade."""
    secured: bool = False
    """Under column security: readable and writable with a profile only."""
    identity: str = ""
    """MetadataId, where it does not follow from the names."""

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
        return self.navigation_name or (self.schema_name if self.custom else self.name)

    @cached_property
    def places(self) -> int:
        """How many decimal places a stored number of a `SCALED` kind has."""
        return MONEY_PLACES if self.kind is Kind.MONEY else self.precision


class KeyStatus(StrEnum):
    """How far the index of an alternate key is built; only an active key can be used."""

    PENDING = "Pending"
    IN_PROGRESS = "InProgress"
    ACTIVE = "Active"
    FAILED = "Failed"


@dataclass(frozen=True, slots=True)
class AlternateKey:
    """One declared alternate key, over logical column names."""

    schema_name: str
    label: str
    columns: tuple[str, ...]
    status: KeyStatus = KeyStatus.ACTIVE
    since: float = 0.0
    """When the index was asked for; seconds since 1970."""
    managed: bool = True
    identity: str = ""

    @property
    def name(self) -> str:
        """The logical name."""
        return self.schema_name.lower()


@dataclass(frozen=True, eq=False)
class Table:
    """One table definition. Compares by identity: every change makes another one."""

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
    managed: bool = True
    """Came with the platform or with a solution: it cannot be deleted."""
    description: str = ""
    id_name: str = ""
    """The primary id, where it is not called after the table."""
    has_notes: bool = False
    has_activities: bool = False
    intersect: bool = False
    """Holds the pairs of a many-to-many relationship, and goes with it."""
    identity: str = ""
    """MetadataId, where it does not follow from the name."""

    @cached_property
    def name(self) -> str:
        """The logical name."""
        return self.schema_name.lower()

    @cached_property
    def custom(self) -> bool:
        """Whether somebody other than the platform brought it: its name has a prefix."""
        return "_" in self.name

    @cached_property
    def id_column(self) -> str:
        """The logical name of the primary id."""
        return self.id_name or f"{self.name}id"

    @cached_property
    def by_wire_name(self) -> Mapping[str, Column]:
        """Columns by the property name used in JSON and in queries."""
        return {column.wire_name: column for column in self.columns.values()}

    def holds_money(self, wire_name: str) -> bool:
        """Whether this property is an amount of money."""
        column = self.by_wire_name.get(wire_name)
        return column is not None and column.kind is Kind.MONEY

    @cached_property
    def by_navigation(self) -> Mapping[str, Column]:
        """Reference columns by navigation property, in its exact case."""
        found = (column for column in self.columns.values() if column.kind in REFERENCES)
        return {column.navigation: column for column in found}

    @cached_property
    def defaults(self) -> Mapping[str, int]:
        """What a new row has in the columns nothing is said about."""
        return {c.name: c.default for c in self.columns.values() if c.default is not None}

    @cached_property
    def active_keys(self) -> tuple[AlternateKey, ...]:
        """The alternate keys whose index is built."""
        return tuple(key for key in self.keys if key.status is KeyStatus.ACTIVE)

    @cached_property
    def folded(self) -> tuple[str, ...]:
        """Text columns of active keys; each has a shadow column with its normal form."""
        names = dict.fromkeys(name for key in self.active_keys for name in key.columns)
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
    managed: bool = True,
    description: str = "",
    id_schema_name: str = "",
) -> Table:
    """A definition with the primary id and the system columns added."""
    identity = Column(
        id_schema_name or f"{schema_name}Id",
        Kind.GUID,
        title,
        required="SystemRequired",
        updatable=False,
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
        managed,
        description,
        id_name=id_schema_name.lower(),
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
