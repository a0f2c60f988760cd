"""The tables of the ledger, and its entities described as data.

Owns: what an entity is and how one is built; names, lengths, choices, keys and rules of cards and
reward point kinds; the reference tables; the feed tables. Field names, lengths and enum members
are those of the Finance and Operations entities `RetailLoyaltyCards` and
`RetailLoyaltyRewardPoints`.
Never does: running a statement.
Tested in: tests/unit/ledger/test_schema.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa
from sqlalchemy.schema import SchemaItem

from connector.errors import MapError, RecordError, Subject
from connector.ledger.column_types import Moment, Scaled
from connector.ledger.fields import Field, Kind, Value, fold

SCHEMA_VERSION = 3
"""Raised with every change of a table; a ledger of another version is refused."""
UPGRADABLE = frozenset({1, 2})
"""Versions that only lack tables and columns: those are added when such a ledger is opened."""

ID_LENGTH = 36
INT32 = 2**31 - 1
INT64 = 2**63 - 1
LAST_SECOND_OF_DAY = 86_399

metadata = sa.MetaData()

ledger_info = sa.Table(
    "ledger_info",
    metadata,
    sa.Column("singleton", sa.Integer, sa.CheckConstraint("singleton = 1"), primary_key=True),
    sa.Column("id", sa.String(ID_LENGTH), nullable=False),
    sa.Column("schema_version", sa.Integer, nullable=False),
    sa.Column("created_at", sa.DateTime, nullable=False),
)
"""One row: which ledger this is."""

feed_counter = sa.Table(
    "feed_counter",
    metadata,
    sa.Column("singleton", sa.Integer, sa.CheckConstraint("singleton = 1"), primary_key=True),
    sa.Column("head", sa.BigInteger, nullable=False),
)
"""One row: `head` is the last sequence given out."""

changes = sa.Table(
    "changes",
    metadata,
    sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("entity", sa.String(64), nullable=False),
    sa.Column("row_id", sa.String(ID_LENGTH), nullable=False),
    sa.Column(
        "kind", sa.String(6), sa.CheckConstraint("kind IN ('upsert', 'delete')"), nullable=False
    ),
    sa.Column("at", sa.DateTime, nullable=False),
    sa.Column("by", sa.String(128), nullable=False),
    sqlite_with_rowid=False,
)

number_sequences = sa.Table(
    "number_sequences",
    metadata,
    sa.Column("name", sa.String(32), primary_key=True),
    sa.Column("form", sa.String(64), nullable=False),
    sa.Column("next", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""`form` has a # for each digit of `next`, the number to be given out next."""

blocked_customers = sa.Table(
    "blocked_customers",
    metadata,
    sa.Column("party", sa.String(40), primary_key=True),
    sa.Column("at", sa.DateTime, nullable=False),
    sa.Column("by", sa.String(128), nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sqlite_with_rowid=False,
)
"""Customers no card is issued to; `party` folded."""


def _reference_table(name: str, length: int) -> sa.Table:
    return sa.Table(
        name,
        metadata,
        sa.Column("number", sa.String(length), primary_key=True),
        sa.Column("key", sa.Text, nullable=False, unique=True),
        sqlite_with_rowid=False,
    )


REFERENCES: Mapping[str, sa.Table] = MappingProxyType(
    {
        "parties": _reference_table("parties", 40),
        "operating_units": _reference_table("operating_units", 8),
        "currencies": _reference_table("currencies", 3),
    }
)
"""Tables whose rows others point to: `number` as spelled, `key` as compared."""

CREATED_ON_IMPORT = frozenset({"parties", "operating_units"})
"""References an import may add; a currency nobody set up is a mistake in the file."""

CURRENCIES = ("USD", "EUR", "CAD", "GBP", "DKK", "SEK", "JPY", "AUD", "CHF", "NOK")
"""What a new ledger starts with (ISO 4217)."""


@dataclass(frozen=True, slots=True)
class EntityType:
    """One entity: its table and what its records are made of.

    `alias` is the word of the command line. `check` raises RecordError when the values of a
    whole record contradict each other. `view` is what records are read from where that is not
    the table.
    """

    name: str
    alias: str
    title: str
    fields: tuple[Field, ...]
    key: Field
    table: sa.Table
    check: Callable[[Mapping[str, Value]], None] | None = None
    read_only: bool = False
    """Whether the ledger alone writes its records."""
    append_only: bool = False
    """Whether a record never changes and never goes; its version is then its own number."""
    view: sa.FromClause | None = None
    index: Mapping[str, int] = field(init=False)
    """Folded field name to its place in a record's values."""

    def __post_init__(self) -> None:
        places = {fold(one.name): place for place, one in enumerate(self.fields)}
        object.__setattr__(self, "index", places)

    @property
    def source(self) -> sa.FromClause:
        """What its records are read from."""
        return self.table if self.view is None else self.view

    def closed(self) -> RecordError:
        """Why nobody but the ledger itself writes a read-only entity."""
        return RecordError(
            "entity-read-only",
            f"'{self.name}' shows what the ledger works out, nobody else writes it",
            remedy="map it one way, from commerce; change what it is worked out from",
            subject=Subject(entity=self.name),
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Field names in the order of a record's values."""
        return tuple(one.name for one in self.fields)

    def places(self, names: Sequence[str]) -> tuple[int, ...]:
        """Where the named fields stand in a record's values, whatever case they are spelled in.

        Raises MapError `column-unknown`.
        """
        return tuple(self._place(name) for name in names)

    def field(self, name: str) -> Field:
        """The field of that name without regard to case; MapError `column-unknown`."""
        return self.fields[self._place(name)]

    def _place(self, name: str) -> int:
        place = self.index.get(fold(name))
        if place is None:
            raise MapError(
                "column-unknown",
                f"'{self.name}' has no field '{name}'",
                remedy=f"use one of: {', '.join(self.names)}",
                subject=Subject(entity=self.name, field=name),
            )
        return place


def entity(
    name: str,
    alias: str,
    title: str,
    table: str,
    fields: tuple[Field, ...],
    *more: SchemaItem,
    check: Callable[[Mapping[str, Value]], None] | None = None,
    read_only: bool = False,
) -> EntityType:
    """An entity whose first field is its natural key, with its table.

    `more` are columns and indexes that only the ledger knows; such a column needs a default.
    """
    columns: list[sa.Column[Any]] = [
        sa.Column("id", sa.String(ID_LENGTH), primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False, unique=True),
        sa.Column("modified_at", sa.DateTime, nullable=False),
        sa.Column("modified_by", sa.String(128), nullable=False),
        sa.Column("key", sa.Text, nullable=False, unique=True),
        *(_column(one) for one in fields),
    ]
    # Clustered by id on SQLite: a scan by id then reads the table once, front to back.
    built = sa.Table(table, metadata, *columns, *more, sqlite_with_rowid=False)
    return EntityType(name, alias, title, fields, fields[0], built, check, read_only)


def _column(one: Field) -> sa.Column[Any]:
    kinds: dict[Kind, sa.types.TypeEngine[Any]] = {
        Kind.TEXT: sa.String(one.max_length),
        Kind.CHOICE: sa.String(32),
        Kind.DATE: sa.Date(),
        Kind.INSTANT: Moment(),
        Kind.DECIMAL: Scaled(),
        Kind.INTEGER: sa.BigInteger() if one.maximum == INT64 else sa.Integer(),
    }
    constraints: list[SchemaItem] = []
    if one.reference is not None:
        constraints.append(sa.ForeignKey(REFERENCES[one.reference].c.number))
    if one.choices:
        symbols = ", ".join(f"'{symbol}'" for symbol in one.choices)
        constraints.append(sa.CheckConstraint(f"{one.column} IN ({symbols})"))
    return sa.Column(one.column, kinds[one.kind], *constraints, nullable=one.nullable)


def text(name: str, column: str, length: int, **facets: Any) -> Field:
    """A field of up to `length` characters."""
    return Field(name, column, Kind.TEXT, max_length=length, **facets)


def number(name: str, column: str, maximum: int = INT32) -> Field:
    """A field of whole numbers from 0 on."""
    return Field(name, column, Kind.INTEGER, minimum=0, maximum=maximum)


def decimal(name: str, column: str, **facets: Any) -> Field:
    """A field of numbers with four decimals."""
    return Field(name, column, Kind.DECIMAL, **facets)


def choice(name: str, column: str, choices: Mapping[str, str], **facets: Any) -> Field:
    """A field that takes one of `choices`, symbol to label."""
    return Field(name, column, Kind.CHOICE, choices=MappingProxyType(choices), **facets)


def _amount_has_currency(values: Mapping[str, Value]) -> None:
    if values["RewardPointType"] == "Amount" and values["RewardPointCurrency"] is None:
        raise RecordError(
            "currency-required",
            "a reward point of type Amount has no currency",
            remedy="give RewardPointCurrency, or make the type Quantity",
            subject=Subject(field="RewardPointCurrency"),
        )


_UNITS = {"Day": "Day", "Month": "Month", "Year": "Year"}

CARDS = entity(
    "RetailLoyaltyCards",
    "cards",
    "Loyalty card",
    "loyalty_cards",
    (
        text("CardNumber", "card_number", 30, nullable=False),
        choice(
            "CardTenderType",
            "card_tender_type",
            {
                "AsCardTender": "As card tender",
                "AsContactTender": "As contact tender",
                "NoTender": "No tender",
                "Blocked": "Blocked",
            },
            nullable=False,
            default="AsCardTender",
        ),
        text("PartyNumber", "party_number", 40, reference="parties"),
        # Free text: a file may name the new card before it brings it.
        text("ReplacementCardNumber", "replacement_card_number", 30),
        text("OmOperatingUnitNumber", "operating_unit_number", 8, reference="operating_units"),
        Field("LoyaltyEnrollmentDate", "enrollment_date", Kind.DATE),
        number("LoyaltyEnrollmentTime", "enrollment_time", LAST_SECOND_OF_DAY),
        Field("LoyaltyEnrollmentDateLocal", "enrollment_date_local", Kind.DATE),
        number("LoyaltyEnrollmentTimeLocal", "enrollment_time_local", LAST_SECOND_OF_DAY),
    ),
)
"""Loyalty cards; the two times are seconds of the day."""

REWARD_POINTS = entity(
    "RetailLoyaltyRewardPoints",
    "reward-points",
    "Loyalty reward points",
    "reward_points",
    (
        text("RewardPointId", "reward_point_id", 64, nullable=False),
        choice(
            "RewardPointType",
            "reward_point_type",
            {"Quantity": "Quantity", "Amount": "Amount"},
            nullable=False,
        ),
        choice("Redeemable", "redeemable", {"No": "No", "Yes": "Yes"}),
        number("RedeemRanking", "redeem_ranking"),
        text("RewardPointCurrency", "currency", 3, reference="currencies"),
        choice("ExpirationTimeUnit", "expiration_unit", _UNITS, nullable=False, default="Day"),
        number("ExpirationTimeValue", "expiration_value"),
        choice("VestingTimeUnit", "vesting_unit", _UNITS),
        number("VestingTimeValue", "vesting_value"),
        number("MaximumLoyaltyRewardPoints", "maximum_points", INT64),
    ),
    check=_amount_has_currency,
)
"""Kinds of reward point; an expiration value of 0 means the points never expire."""
