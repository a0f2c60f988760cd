"""The loyalty tables as live systems describe them, and maps compiled against them.

Shapes of the F&O entities `RetailLoyaltyCards` and `RetailLoyaltyRewardPoints` (dates are
DateTimeOffset in OData) and of the Dataverse tables of the dual-write mapping reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from connector.errors import Problem
from connector.mapping.columns import Column, Reference
from connector.mapping.compiling.compiled import CompiledMap
from connector.mapping.compiling.compiler import compile_map, findings
from connector.mapping.document import parse_document, read_document
from connector.mapping.values import Value, ValueType

MAPPINGS = Path(__file__).parents[3] / "mappings"

TENDER = {
    "AsCardTender": 806380000,
    "AsContactTender": 806380001,
    "NoTender": 806380002,
    "Blocked": 806380003,
}
UNITS = {"Day": 806380000, "Month": 806380001, "Year": 806380002}
POINT_TYPES = {"Quantity": 192350000, "Amount": 192350001}
NO_YES = {"No": False, "Yes": True}

Columns = dict[str, Column]


def text(name: str, length: int = 100, *, required: bool = False) -> Column:
    """A text column."""
    return Column(name, ValueType.TEXT, max_length=length, required=required, nullable=not required)


def integer(name: str, minimum: int = 0, maximum: int = 2**31 - 1) -> Column:
    """A whole number."""
    return Column(name, ValueType.INTEGER, minimum=minimum, maximum=maximum)


def choice(name: str, choices: Mapping[str, Value]) -> Column:
    """A choice of commerce symbols."""
    return Column(name, ValueType.CHOICE, choices={symbol: symbol for symbol in choices})


def options(name: str, choices: Mapping[str, Value]) -> Column:
    """A choice of Dataverse numbers."""
    return Column(
        name, ValueType.CHOICE, choices={number: label for label, number in choices.items()}
    )


def table(*columns: Column) -> Columns:
    """Columns by name."""
    return {column.name: column for column in columns}


def commerce_cards(dates: ValueType = ValueType.INSTANT) -> Columns:
    """`RetailLoyaltyCards`; the embedded ledger has plain dates instead of instants."""
    return table(
        text("CardNumber", 30, required=True),
        choice("CardTenderType", TENDER),
        text("PartyNumber", 40),
        text("ReplacementCardNumber", 30),
        text("OmOperatingUnitNumber", 8),
        Column("LoyaltyEnrollmentDate", dates),
        integer("LoyaltyEnrollmentTime"),
        Column("LoyaltyEnrollmentDateLocal", dates),
        integer("LoyaltyEnrollmentTimeLocal"),
    )


def dataverse_cards(dates: ValueType = ValueType.DATE) -> Columns:
    """`msdyn_loyaltycards`."""
    return table(
        Column("msdyn_loyaltycardid", ValueType.REFERENCE, updatable=False),
        text("msdyn_cardnumber", required=True),
        options("msdyn_cardtendertype", TENDER),
        text("msdyn_partynumber"),
        text("msdyn_replacementcardnumber"),
        text("msdyn_operatingunitnumber"),
        Column("msdyn_enrollmentdate", dates),
        Column("msdyn_effectivedate", dates),
        Column(
            "statecode", ValueType.CHOICE, creatable=False, choices={0: "Active", 1: "Inactive"}
        ),
        Column("modifiedon", ValueType.INSTANT, creatable=False, updatable=False),
    )


def commerce_points() -> Columns:
    """`RetailLoyaltyRewardPoints`."""
    return table(
        text("RewardPointId", 64, required=True),
        choice("RewardPointType", POINT_TYPES),
        choice("Redeemable", NO_YES),
        integer("RedeemRanking"),
        text("RewardPointCurrency", 3),
        choice("ExpirationTimeUnit", UNITS),
        integer("ExpirationTimeValue"),
        choice("VestingTimeUnit", UNITS),
        integer("VestingTimeValue"),
        integer("MaximumLoyaltyRewardPoints", maximum=2**63 - 1),
    )


def dataverse_points() -> Columns:
    """`msdyn_loyaltyrewardpoints`; the cap is a 32-bit whole number there."""
    return table(
        text("msdyn_rewardpointid", required=True),
        options("msdyn_rewardpointtype", POINT_TYPES),
        Column("msdyn_redeemable", ValueType.BOOLEAN),
        integer("msdyn_redeemranking"),
        Column(
            "msdyn_rewardpointcurrency",
            ValueType.REFERENCE,
            reference=Reference("transactioncurrencies", "transactioncurrencyid"),
        ),
        options("msdyn_expirationtimeunit", UNITS),
        integer("msdyn_expirationtimevalue"),
        options("msdyn_vestingtimeunit", UNITS),
        integer("msdyn_vestingtimevalue"),
        integer("msdyn_maximumloyaltyrewardpoints"),
    )


def lookup_columns(entity: str) -> Columns:
    """The table a lookup points to."""
    if entity == "cdm_companies":
        return table(text("cdm_companycode", 30))
    assert entity == "transactioncurrencies"
    return table(
        text("isocurrencycode", 5),
        text("currencyname"),
        Column("exchangerate", ValueType.DECIMAL),
    )


def shipped_cards(
    commerce_dates: ValueType = ValueType.INSTANT, dataverse_dates: ValueType = ValueType.DATE
) -> CompiledMap:
    """The shipped map of cards."""
    return compile_map(
        read_document(MAPPINGS / "loyalty-card.yaml"),
        commerce_cards(commerce_dates),
        dataverse_cards(dataverse_dates),
        lookup_columns,
    )


def shipped_points() -> CompiledMap:
    """The shipped map of reward point kinds."""
    return compile_map(
        read_document(MAPPINGS / "loyalty-reward-points.yaml"),
        commerce_points(),
        dataverse_points(),
        lookup_columns,
    )


def problems(yaml: str, commerce: Columns, dataverse: Columns) -> list[Problem]:
    """What the compiler finds in a map text against these columns."""
    return list(findings(parse_document(yaml), commerce, dataverse, lookup_columns))
