"""The loyalty tables, as data.

Owns: their columns, choices and keys.
Never does: anything at run time; the platform's own tables (`organization_tables.py`).
Tested in: tests/integration/sandbox/test_metadata.py.

They have no public reference; names, option values and types come from the dual-write mapping
reference ("Loyalty card", "Loyalty reward points"), lengths from the commerce side's own
columns, the rest is what such a table has by convention.
"""

from __future__ import annotations

from collections.abc import Mapping

from connector.sandbox.dataverse.definitions.tables import AlternateKey, Column, Kind, table

TENDER_TYPES = {
    806380000: "As card tender",
    806380001: "As contact tender",
    806380002: "No tender",
    806380003: "Blocked",
}
TIME_UNITS = {806380000: "Day", 806380001: "Month", 806380002: "Year"}
POINT_TYPES = {192350000: "Quantity", 192350001: "Amount"}
PARTY_TYPES = {
    192350000: "None",
    192350001: "Person",
    192350002: "Organization",
    192350003: "Legal entity",
    192350004: "Team",
    192350005: "Operating unit",
}
YES_NO = {0: "No", 1: "Yes"}


def _text(name: str, label: str, length: int, required: str = "None") -> Column:
    return Column(name, Kind.STRING, label, length, required=required, custom=True)


def _choice(name: str, label: str, options: Mapping[int, str]) -> Column:
    return Column(name, Kind.PICKLIST, label, options=options, custom=True)


def _number(name: str, label: str, minimum: int = 0, maximum: int = 2**31 - 1) -> Column:
    return Column(name, Kind.INTEGER, label, minimum=minimum, maximum=maximum, custom=True)


def _date(name: str, label: str) -> Column:
    return Column(name, Kind.DATETIME, label, date_only=True, custom=True)


LOYALTY_CARD = table(
    "msdyn_LoyaltyCard",
    "msdyn_loyaltycards",
    "Loyalty card",
    "Loyalty cards",
    "msdyn_cardnumber",
    [
        _text("msdyn_CardNumber", "Card number", 100, "ApplicationRequired"),
        _choice("msdyn_CardTenderType", "Card tender type", TENDER_TYPES),
        _text("msdyn_PartyNumber", "Party number", 100),
        _text("msdyn_ReplacementCardNumber", "Replacement card number", 100),
        _text("msdyn_OperatingUnitNumber", "Operating unit number", 100),
        _date("msdyn_EnrollmentDate", "Enrollment date"),
        _date("msdyn_EffectiveDate", "Effective date"),
    ],
    keys=(AlternateKey("msdyn_cardnumberkey", "Card number key", ("msdyn_cardnumber",)),),
    change_tracking=True,
)

REWARD_POINT = table(
    "msdyn_LoyaltyRewardPoint",
    "msdyn_loyaltyrewardpoints",
    "Loyalty reward point",
    "Loyalty reward points",
    "msdyn_rewardpointid",
    [
        _text("msdyn_RewardPointId", "Reward point ID", 100, "ApplicationRequired"),
        _choice("msdyn_RewardPointType", "Reward point type", POINT_TYPES),
        Column("msdyn_Redeemable", Kind.BOOLEAN, "Redeemable", options=YES_NO, custom=True),
        _number("msdyn_RedeemRanking", "Redeem ranking"),
        Column(
            "msdyn_RewardPointCurrency",
            Kind.LOOKUP,
            "Reward point currency",
            target="transactioncurrency",
            custom=True,
        ),
        _choice("msdyn_ExpirationTimeUnit", "Expiration time unit", TIME_UNITS),
        _number("msdyn_ExpirationTimeValue", "Expiration time value"),
        _choice("msdyn_VestingTimeUnit", "Vesting time unit", TIME_UNITS),
        _number("msdyn_VestingTimeValue", "Vesting time value"),
        _number("msdyn_MaximumLoyaltyRewardPoints", "Maximum loyalty reward points"),
    ],
    keys=(AlternateKey("msdyn_rewardpointidkey", "Reward point key", ("msdyn_rewardpointid",)),),
    change_tracking=True,
)

PARTY = table(
    "msdyn_Party",
    "msdyn_parties",
    "Party",
    "Parties",
    "msdyn_name",
    [
        _text("msdyn_PartyNumber", "Party number", 100),
        _text("msdyn_Name", "Name", 200),
        _choice("msdyn_PartyType", "Party type", PARTY_TYPES),
    ],
    keys=(AlternateKey("msdyn_partynumberkey", "Party number key", ("msdyn_partynumber",)),),
    change_tracking=True,
)

TABLES = (LOYALTY_CARD, REWARD_POINT, PARTY)
