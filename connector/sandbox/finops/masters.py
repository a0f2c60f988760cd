"""The entities that the loyalty ones refer to, and those of single companies, as data.

Owns: parties, currencies, operating units, companies, customer groups, customers, loyalty levels.
Never does: anything at run time.
Tested in: tests/integration/sandbox/finops/test_metadata.py, test_companies.py.

Facts: set names and fields as the related dual-write maps use them; which of them the service
has beyond those is not modelled. LoyaltyLevels is a rating of parties per company, no tier of
the loyalty programs.
"""

from __future__ import annotations

from connector.sandbox.finops.entities import (
    COMPANY,
    Entity,
    Field,
    Kind,
    Navigation,
    Reference,
    choice,
    company_field,
    number,
    text,
)
from connector.sandbox.finops.enums import (
    ABC,
    GENDER,
    MARITAL_STATUS,
    MONTH,
    NO_YES,
    ON_HOLD,
    PARTY_TYPE,
    UNIT_TYPE,
)
from connector.sandbox.finops.loyalty import PARTY_REFERENCE

_PERSON_TEXTS = {
    "PersonFirstName": 25,
    "PersonMiddleName": 25,
    "PersonLastName": 25,
    "PersonLastNamePrefix": 25,
    "PersonInitials": 10,
    "PersonProfessionalTitle": 25,
    "PersonProfessionalSuffix": 25,
    "PersonPhoneticFirstName": 25,
    "PersonPhoneticLastName": 25,
    "PersonPhoneticMiddleName": 25,
    "PersonHobbies": 255,
    "PersonChildrenNames": 255,
}

PARTIES = Entity(
    "CDSParties",
    "CDSParty",
    "DirPartyCDSEntity",
    "CDS Parties",
    "Global address book (DirPartyTable)",
    ("PartyNumber",),
    (
        text("PartyNumber", "Party ID", 40, nullable=False, sequence="P{:09d}"),
        choice("PartyType", "Type", PARTY_TYPE),
        text("Name", "Name", 100),
        text("NameAlias", "Search name", 20),
        text("KnownAs", "Known as", 100),
        text("LanguageId", "Language", 7),
        text("OrganizationName", "Organization", 100),
        choice("OrganizationABCCode", "ABC code", ABC),
        number("OrganizationNumOfEmployees", "Number of employees"),
        text("OrganizationNumber", "Organization number", 20),
        text("OrganizationPhoneticName", "Phonetic name", 100),
        *(text(name, name, length) for name, length in _PERSON_TEXTS.items()),
        choice("PersonGender", "Gender", GENDER),
        choice("PersonMaritalStatus", "Marital status", MARITAL_STATUS),
        number("PersonAnniversaryDay", "Anniversary day"),
        choice("PersonAnniversaryMonth", "Anniversary month", MONTH),
        number("PersonAnniversaryYear", "Anniversary year"),
        number("PersonBirthDay", "Birth day"),
        choice("PersonBirthMonth", "Birth month", MONTH),
        number("PersonBirthYear", "Birth year"),
    ),
)

CURRENCIES = Entity(
    "Currencies",
    "Currency",
    "CurrencyEntity",
    "Currencies",
    "Currencies (Currency)",
    ("CurrencyCode",),
    (
        text("CurrencyCode", "Currency", 3, nullable=False, mandatory=True),
        text("Name", "Name", 60),
        text("Symbol", "Symbol", 5),
    ),
)

OPERATING_UNITS = Entity(
    "OperatingUnits",
    "OperatingUnit",
    "OMOperatingUnitEntity",
    "Operating unit",
    "Operating unit (OMOperatingUnit)",
    ("OperatingUnitNumber",),
    (
        text("OperatingUnitNumber", "Operating unit number", 8, nullable=False, mandatory=True),
        choice("OperatingUnitType", "Operating unit type", UNIT_TYPE),
        text("Name", "Name", 60),
        text("NameAlias", "Search name", 20),
        text("LanguageId", "Language", 7),
        text("PartyNumber", "Party ID", 40, reference=PARTY_REFERENCE),
    ),
)

LEGAL_ENTITIES = Entity(
    "LegalEntities",
    "LegalEntity",
    "OMLegalEntityEntity",
    "Legal entities",
    "Legal entities (CompanyInfo)",
    ("LegalEntityId",),
    (
        text("LegalEntityId", "Company", 4, nullable=False, mandatory=True),
        text("Name", "Name", 100),
    ),
)

CUSTOMER_GROUPS = Entity(
    "CustomerGroups",
    "CustomerGroup",
    "CustCustomerGroupEntity",
    "Customer groups",
    "Customer groups (CustGroup)",
    (COMPANY, "CustomerGroupId"),
    (
        company_field(),
        text("CustomerGroupId", "Customer group", 10, nullable=False, mandatory=True),
        text("Description", "Description", 60),
        text("PaymentTermId", "Terms of payment", 10),
        choice("IsSalesTaxIncludedInPrice", "Prices include sales tax", NO_YES),
    ),
    {
        "Customers": Navigation(
            "Customers",
            "CustomersV3",
            {COMPANY: COMPANY, "CustomerGroupId": "CustomerGroupId"},
            collection=True,
        )
    },
)

LOYALTY_LEVELS = Entity(
    "LoyaltyLevels",
    "LoyaltyLevel",
    "smmLoyaltyLevelEntity",
    "Loyalty levels",
    "Loyalty levels (smmLoyaltyLevel)",
    (COMPANY, "LevelPhrase"),
    (
        company_field(),
        text("LevelPhrase", "Loyalty level", 20, nullable=False, mandatory=True),
        text("LevelDescription", "Description", 60),
    ),
)

_CUSTOMER_TEXTS = {
    "SalesMemo": 1000,
    "CreditRating": 10,
    "IdentificationNumber": 50,
    "InvoiceAccount": 20,
    "PartyCountry": 10,
    "PartyState": 10,
    "PaymentDay": 10,
    "PaymentMethod": 10,
    "PaymentSchedule": 10,
    "PaymentTerms": 10,
    "TaxExemptNumber": 20,
    "VendorAccount": 20,
    "ContactPersonId": 20,
    "SalesTaxGroup": 10,
}

CUSTOMERS = Entity(
    "CustomersV3",
    "CustomerV3",
    "CustCustomerV3Entity",
    "Customers V3",
    "Customers (CustTable)",
    (COMPANY, "CustomerAccount"),
    (
        company_field(),
        text("CustomerAccount", "Customer account", 20, nullable=False, sequence="C{:08d}"),
        text("PartyNumber", "Party ID", 40, reference=PARTY_REFERENCE),
        choice("PartyType", "Type", PARTY_TYPE),
        text("OrganizationName", "Name", 100),
        text(
            "CustomerGroupId",
            "Customer group",
            10,
            mandatory=True,
            reference=Reference(
                "CustomerGroups", "CustomerGroupId", "Customer groups", joined=False
            ),
        ),
        text(
            "SalesCurrencyCode",
            "Currency",
            3,
            reference=Reference("Currencies", "CurrencyCode", "Currency", joined=False),
        ),
        Field("CreditLimit", Kind.DECIMAL, "Credit limit", nullable=False),
        choice("CreditLimitIsMandatory", "Mandatory credit limit", NO_YES),
        choice("IsOneTimeCustomer", "One-time customer", NO_YES),
        choice("OnHoldStatus", "Invoicing and delivery on hold", ON_HOLD),
        number("PaymentTermsBaseDays", "Base days"),
        Field(
            "IdentificationValidUntil", Kind.MOMENT, "Identification valid until", nullable=False
        ),
        *(text(name, name, length) for name, length in _CUSTOMER_TEXTS.items()),
    ),
    {
        "CustomerGroup": Navigation(
            "CustomerGroup",
            "CustomerGroups",
            {COMPANY: COMPANY, "CustomerGroupId": "CustomerGroupId"},
        )
    },
)

MASTERS = (
    PARTIES,
    CURRENCIES,
    OPERATING_UNITS,
    LEGAL_ENTITIES,
    CUSTOMER_GROUPS,
    LOYALTY_LEVELS,
    CUSTOMERS,
)
