"""What a data entity is: its fields, its key, what they refer to.

Owns: the types of the definitions, and the SQL name of a field's value.
Never does: naming an entity (`enums.py`, `loyalty.py`, `masters.py`), reading a row (`rows.py`).
Tested in: tests/integration/sandbox/finops/test_metadata.py.

Facts: "Finance and Operations: odata" (public set and type names, lower-camel `dataAreaId`), and
the column types of the mapping reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType

NAMESPACE = "Microsoft.Dynamics.DataEntities"
COMPANY = "dataAreaId"
COMPANY_LENGTH = 4


class Kind(StrEnum):
    """The kinds of a field, by the name of their `Edm` type where there is one of their own."""

    STRING = "String"
    INT32 = "Int32"
    INT64 = "Int64"
    DECIMAL = "Decimal"
    ENUM = "Enum"
    DATE = "Date"
    """A day; on the wire an instant at noon."""
    MOMENT = "DateTimeOffset"


class Default(StrEnum):
    """What the server fills in at a create that leaves the field out."""

    TODAY = "today"
    SECONDS = "seconds"
    """Seconds since midnight."""


@dataclass(frozen=True, eq=False)
class EnumType:
    """An enumeration: integers by symbol."""

    name: str
    members: Mapping[str, int]

    @cached_property
    def symbols(self) -> Mapping[int, str]:
        """Symbols by integer."""
        return {number: symbol for symbol, number in self.members.items()}


@dataclass(frozen=True, slots=True)
class Reference:
    """The row of another entity that a field names by its natural key.

    `joined`: the row keeps the other's RecId, and the field shows the other's value; the other's
    version is part of the ETag. Else the row keeps the text, which is checked at each write.
    """

    target: str
    """Set name."""
    field: str
    label: str
    """What an error calls the related table."""
    joined: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """One public field. `length` counts characters of a text; longer ones are cut."""

    name: str
    kind: Kind
    label: str
    length: int = 0
    enum: EnumType | None = None
    nullable: bool = True
    mandatory: bool = False
    minimum: int | None = None
    places: int = 2
    """Decimals kept."""
    default: Default | int | None = None
    sequence: str | None = None
    """Pattern of the number sequence that fills it in, such as `PARTY-{:08d}`."""
    reference: Reference | None = None

    @property
    def edm(self) -> str:
        """Its type in `$metadata`."""
        if self.enum is not None:
            return f"{NAMESPACE}.{self.enum.name}"
        return "Edm.DateTimeOffset" if self.kind is Kind.DATE else f"Edm.{self.kind.value}"


@dataclass(frozen=True, slots=True)
class Navigation:
    """A way to related rows: own fields that equal those of the target."""

    name: str
    target: str
    """Set name."""
    pairs: Mapping[str, str]
    collection: bool = False


@dataclass(frozen=True, eq=False)
class Entity:
    """One public data entity."""

    set_name: str
    type_name: str
    aot_name: str
    """Its name inside the application, which infologs and packages use."""
    label: str
    table: str
    """What an infolog calls its table."""
    key: tuple[str, ...]
    listed: tuple[Field, ...]
    navigations: Mapping[str, Navigation] = field(default_factory=lambda: MappingProxyType({}))

    @cached_property
    def fields(self) -> Mapping[str, Field]:
        """The fields by name, in their order."""
        return {one.name: one for one in self.listed}

    @property
    def company(self) -> bool:
        """Whether its rows belong to a company each."""
        return COMPANY in self.key

    @property
    def full_type(self) -> str:
        """The qualified name of its type."""
        return f"{NAMESPACE}.{self.type_name}"

    @cached_property
    def joined(self) -> tuple[Field, ...]:
        """The fields whose row of another table is part of this entity."""
        return tuple(f for f in self.listed if f.reference is not None and f.reference.joined)


def text(
    name: str,
    label: str,
    length: int,
    *,
    nullable: bool = True,
    mandatory: bool = False,
    sequence: str | None = None,
    reference: Reference | None = None,
) -> Field:
    """A text."""
    return Field(
        name,
        Kind.STRING,
        label,
        length,
        nullable=nullable,
        mandatory=mandatory,
        sequence=sequence,
        reference=reference,
    )


def number(name: str, label: str, kind: Kind = Kind.INT32, *, minimum: int | None = None) -> Field:
    """A whole number, never null."""
    return Field(name, kind, label, nullable=False, minimum=minimum)


def choice(name: str, label: str, enum: EnumType, default: int | None = None) -> Field:
    """A symbol of an enumeration."""
    return Field(name, Kind.ENUM, label, enum=enum, default=default)


def company_field() -> Field:
    """The company a row belongs to."""
    return text(COMPANY, "Company", COMPANY_LENGTH, nullable=False)
