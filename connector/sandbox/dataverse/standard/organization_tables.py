"""Tables every organization has, as data: people, units, currencies, messages.

Owns: their columns and keys, as far as the product and its tests have use for them.
Never does: anything at run time; rows (`seed.py`).
Tested in: tests/integration/sandbox/test_metadata.py.
"""

from __future__ import annotations

from connector.sandbox.dataverse.definitions.tables import AlternateKey, Column, Kind, table
from connector.sandbox.dataverse.rights.teams import TEAM_TABLES
from connector.sandbox.dataverse.standard.job_tables import BULK_DELETE_OPERATION, JOB
from connector.sandbox.dataverse.standard.platform_tables import PLATFORM_TABLES
from connector.sandbox.dataverse.zones import USER_SETTINGS

SETUP_TABLE = ("update",)
READ_ONLY: tuple[str, ...] = ()
ACCESS_MODES = {
    0: "Read-Write",
    1: "Administrative",
    2: "Read",
    3: "Support User",
    4: "Non-interactive",
    5: "Delegated Admin",
}

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
        Column("IsLicensed", Kind.BOOLEAN, "User Licensed", options={0: "No", 1: "Yes"}),
        Column("AccessMode", Kind.PICKLIST, "Access Mode", options=ACCESS_MODES),
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
        Column("LanguageCode", Kind.INTEGER, "Language", minimum=0, updatable=False),
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

PUBLISHER = table(
    "Publisher",
    "publishers",
    "Publisher",
    "Publishers",
    "friendlyname",
    [
        Column("UniqueName", Kind.STRING, "Name", 256, required="SystemRequired"),
        Column("FriendlyName", Kind.STRING, "Display Name", 256, required="SystemRequired"),
        Column("Description", Kind.MEMO, "Description", 2000),
        Column("CustomizationPrefix", Kind.STRING, "Prefix", 8, required="SystemRequired"),
        Column(
            "CustomizationOptionValuePrefix",
            Kind.INTEGER,
            "Option Value Prefix",
            minimum=10_000,
            maximum=99_999,
        ),
    ],
    user_owned=False,
)

SOLUTION = table(
    "Solution",
    "solutions",
    "Solution",
    "Solutions",
    "friendlyname",
    [
        Column("UniqueName", Kind.STRING, "Name", 65, required="SystemRequired"),
        Column("FriendlyName", Kind.STRING, "Display Name", 256, required="SystemRequired"),
        Column("Description", Kind.MEMO, "Description", 2000),
        Column("Version", Kind.STRING, "Version", 256, required="SystemRequired"),
        Column("IsManaged", Kind.BOOLEAN, "Package Type", options={0: "Unmanaged", 1: "Managed"}),
        Column("PublisherId", Kind.LOOKUP, "Publisher", target="publisher"),
    ],
    user_owned=False,
)

ACCOUNT = table(
    "Account",
    "accounts",
    "Account",
    "Accounts",
    "name",
    [
        Column("Name", Kind.STRING, "Account Name", 160, required="ApplicationRequired"),
        Column("AccountNumber", Kind.STRING, "Account Number", 20),
        Column("EMailAddress1", Kind.STRING, "Email", 100),
        Column("Telephone1", Kind.STRING, "Main Phone", 50),
    ],
    change_tracking=True,
)

CONTACT = table(
    "Contact",
    "contacts",
    "Contact",
    "Contacts",
    "fullname",
    [
        Column("FullName", Kind.STRING, "Full Name", 160),
        Column("FirstName", Kind.STRING, "First Name", 50),
        Column("LastName", Kind.STRING, "Last Name", 50, required="ApplicationRequired"),
        Column("EMailAddress1", Kind.STRING, "Email", 100),
        Column("MobilePhone", Kind.STRING, "Mobile Phone", 50),
    ],
    change_tracking=True,
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

DEFAULT_PUBLISHER = "DefaultPublishersandbox"
PUBLISHERS = {
    DEFAULT_PUBLISHER: ("Default Publisher for sandbox", "new", 10_000),
    "MicrosoftDynamics": ("Microsoft Dynamics 365", "msdyn", 19_235),
}
"""Seeded publishers: title, prefix of names, prefix of option values."""

TABLES = (
    CURRENCY,
    USER,
    BUSINESS_UNIT,
    ORGANIZATION,
    MESSAGE,
    MESSAGE_FILTER,
    PUBLISHER,
    SOLUTION,
    ACCOUNT,
    CONTACT,
    *PLATFORM_TABLES,
    *TEAM_TABLES,
    USER_SETTINGS,
    JOB,
    BULK_DELETE_OPERATION,
)
