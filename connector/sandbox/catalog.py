"""The tables of the sandbox, as data.

Owns: definitions of the loyalty tables and of what they lean on; the first rows.
Never does: anything at run time.
Tested in: tests/integration/sandbox/test_metadata.py.

The loyalty tables have no public reference; names, option values and types come from the
dual-write mapping reference ("Loyalty card", "Loyalty reward points"), lengths from the
commerce side's own columns, the rest is what such a table has by convention.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from types import MappingProxyType

from connector.sandbox.tables import AlternateKey, Column, Kind, Table, table

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
SETUP_TABLE = ("update",)
READ_ONLY: tuple[str, ...] = ()


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

CURRENCY = table(
    "TransactionCurrency",
    "transactioncurrencies",
    "Currency",
    "Currencies",
    "currencyname",
    [
        Column("ISOCurrencyCode", Kind.STRING, "Currency Code", 5, required="SystemRequired"),
        Column("CurrencyName", Kind.STRING, "Currency Name", 100, required="SystemRequired"),
        Column("CurrencySymbol", Kind.STRING, "Currency Symbol", 10),
        Column("CurrencyPrecision", Kind.INTEGER, "Currency Precision", minimum=0, maximum=4),
        Column(
            "ExchangeRate",
            Kind.DECIMAL,
            "Exchange Rate",
            precision=10,
            minimum=0,
            maximum=100_000_000,
        ),
    ],
    keys=(AlternateKey("isocurrencycodekey", "Currency code key", ("isocurrencycode",)),),
    change_tracking=True,
    user_owned=False,
)

USER = table(
    "SystemUser",
    "systemusers",
    "User",
    "Users",
    "fullname",
    [
        Column("FullName", Kind.STRING, "Full Name", 200),
        Column("DomainName", Kind.STRING, "User Name", 1024),
        Column("InternalEMailAddress", Kind.STRING, "Primary Email", 100),
        Column("ApplicationId", Kind.GUID, "Application ID"),
        Column("AzureActiveDirectoryObjectId", Kind.GUID, "Microsoft Entra ID Object ID"),
        Column("IsDisabled", Kind.BOOLEAN, "Status", options={0: "Enabled", 1: "Disabled"}),
        Column("BusinessUnitId", Kind.LOOKUP, "Business Unit", target="businessunit"),
    ],
    user_owned=False,
    operations=READ_ONLY,
)

BUSINESS_UNIT = table(
    "BusinessUnit",
    "businessunits",
    "Business Unit",
    "Business Units",
    "name",
    [Column("Name", Kind.STRING, "Name", 160)],
    user_owned=False,
    operations=READ_ONLY,
)

ORGANIZATION = table(
    "Organization",
    "organizations",
    "Organization",
    "Organizations",
    "name",
    [
        Column("Name", Kind.STRING, "Name", 160, updatable=False),
        Column(
            "ExpireChangeTrackingInDays",
            Kind.INTEGER,
            "Days to Expire Change Tracking",
            minimum=0,
            maximum=365,
        ),
        Column(
            "BaseCurrencyId", Kind.LOOKUP, "Currency", target="transactioncurrency", updatable=False
        ),
    ],
    user_owned=False,
    operations=SETUP_TABLE,
)

MESSAGE = table(
    "SdkMessage",
    "sdkmessages",
    "Sdk Message",
    "Sdk Messages",
    "name",
    [Column("Name", Kind.STRING, "Name", 256)],
    user_owned=False,
    operations=READ_ONLY,
)

MESSAGE_FILTER = table(
    "SdkMessageFilter",
    "sdkmessagefilters",
    "Sdk Message Filter",
    "Sdk Message Filters",
    "name",
    [
        Column("Name", Kind.STRING, "Name", 256),
        Column("PrimaryObjectTypeCode", Kind.STRING, "Primary Object Type Code", 64),
        Column("SdkMessageId", Kind.LOOKUP, "SDK Message", target="sdkmessage"),
    ],
    user_owned=False,
    operations=READ_ONLY,
)

CURRENCIES = {
    "USD": ("US Dollar", "$", 2),
    "EUR": ("Euro", "€", 2),
    "CAD": ("Canadian Dollar", "$", 2),
    "GBP": ("Pound Sterling", "£", 2),
    "DKK": ("Danish Krone", "kr.", 2),
    "SEK": ("Swedish Krona", "kr", 2),
    "JPY": ("Japanese Yen", "¥", 0),
    "AUD": ("Australian Dollar", "$", 2),
    "CHF": ("Swiss Franc", "CHF", 2),
    "NOK": ("Norwegian Krone", "kr", 2),
}
"""Seeded currencies: name, symbol, decimal places."""

MESSAGES = (
    "Create",
    "Update",
    "Delete",
    "Upsert",
    "CreateMultiple",
    "UpdateMultiple",
    "UpsertMultiple",
)


class Catalog:
    """All definitions of one organization, by every name a request may use."""

    def __init__(self, tables: Iterable[Table]) -> None:
        self.by_name: Mapping[str, Table] = MappingProxyType({t.name: t for t in tables})

    @cached_property
    def by_set(self) -> Mapping[str, Table]:
        """Tables by entity set name, in its exact case."""
        return {table.set_name: table for table in self.by_name.values()}

    @cached_property
    def referrers(self) -> Mapping[str, list[tuple[Table, Column]]]:
        """Per target table, the custom lookups that point at it."""
        found: dict[str, list[tuple[Table, Column]]] = {name: [] for name in self.by_name}
        for owner in self.by_name.values():
            for column in owner.columns.values():
                if column.custom and column.target:
                    found[column.target].append((owner, column))
        return found


STANDARD = Catalog(
    (
        LOYALTY_CARD,
        REWARD_POINT,
        PARTY,
        CURRENCY,
        USER,
        BUSINESS_UNIT,
        ORGANIZATION,
        MESSAGE,
        MESSAGE_FILTER,
    )
)
