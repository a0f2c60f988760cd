"""What is known of commerce entities without asking a system.

Owns: entity set names of the labels dual-write shows, and of the entities maps are shipped for
how their columns and symbols are spelled, which are keys, which are days, which belong together,
and whether their rows belong to a company.
Never does: guessing; an entity that is not listed stays as it was written.
Tested in: tests/unit/mapping/moving/test_import.py.

Facts: public metadata of Finance and Operations (entity sets, keys, enum members); the grouping
is ours, docs/from-dual-write.md says why.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class KnownEntity:
    """One entity of Finance and Operations."""

    entity_set: str
    label: str
    """As dual-write shows it."""
    names: tuple[str, ...] = ()
    """Other names that are in use."""
    columns: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    dates: frozenset[str] = frozenset()
    """Instants of which only the day is meant."""
    symbols: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Members of a column's enumeration."""
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Columns that mean something only together."""
    company: bool = False
    """Its rows belong to a company, which dual-write pairs by without a row of the map."""


_UNITS = ("Day", "Month", "Year")
_YES_NO = ("No", "Yes")
_PARTY_TYPES = ("None", "Person", "Organization", "LegalEntity", "Team", "OperatingUnit")
_MONTHS = (
    *("None", "January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_PERSON = """
    FirstName MiddleName LastName LastNamePrefix Initials ProfessionalTitle ProfessionalSuffix
    PhoneticFirstName PhoneticLastName PhoneticMiddleName Hobbies ChildrenNames Gender
    MaritalStatus AnniversaryDay AnniversaryMonth AnniversaryYear BirthDay BirthMonth BirthYear
"""
_CUSTOMER = """
    dataAreaId CustomerAccount PartyNumber PartyType OrganizationName CustomerGroupId
    SalesCurrencyCode CreditLimit CreditLimitIsMandatory IsOneTimeCustomer OnHoldStatus
    PaymentTermsBaseDays SalesMemo CreditRating IdentificationNumber InvoiceAccount PartyCountry
    PartyState PaymentDay PaymentMethod PaymentSchedule PaymentTerms TaxExemptNumber VendorAccount
    ContactPersonId SalesTaxGroup
"""

ENTITIES = (
    KnownEntity(
        "RetailLoyaltyCards",
        "Loyalty card",
        names=("Loyalty cards", "RetailLoyaltyCardEntity"),
        columns=(
            "CardNumber",
            "CardTenderType",
            "PartyNumber",
            "ReplacementCardNumber",
            "OmOperatingUnitNumber",
            "LoyaltyEnrollmentDate",
            "LoyaltyEnrollmentTime",
            "LoyaltyEnrollmentDateLocal",
            "LoyaltyEnrollmentTimeLocal",
        ),
        keys=("CardNumber",),
        dates=frozenset({"LoyaltyEnrollmentDate", "LoyaltyEnrollmentDateLocal"}),
        symbols={"CardTenderType": ("AsCardTender", "AsContactTender", "NoTender", "Blocked")},
        groups={"enrolment": ("LoyaltyEnrollmentDate", "LoyaltyEnrollmentDateLocal")},
    ),
    KnownEntity(
        "RetailLoyaltyRewardPoints",
        "Loyalty reward points",
        names=("Loyalty reward point", "RetailLoyaltyRewardPointEntity"),
        columns=(
            "RewardPointId",
            "RewardPointType",
            "Redeemable",
            "RedeemRanking",
            "RewardPointCurrency",
            "ExpirationTimeUnit",
            "ExpirationTimeValue",
            "VestingTimeUnit",
            "VestingTimeValue",
            "MaximumLoyaltyRewardPoints",
        ),
        keys=("RewardPointId",),
        symbols={
            "ExpirationTimeUnit": _UNITS,
            "VestingTimeUnit": _UNITS,
            "Redeemable": ("Yes", "No"),
            "RewardPointType": ("Quantity", "Amount"),
        },
        groups={
            "expiry": ("ExpirationTimeUnit", "ExpirationTimeValue"),
            "vesting": ("VestingTimeUnit", "VestingTimeValue"),
            "kind": ("RewardPointType", "RewardPointCurrency"),
        },
    ),
    KnownEntity(
        "LoyaltyLevels",
        "Loyalty levels",
        columns=("dataAreaId", "LevelPhrase", "LevelDescription"),
        keys=("LevelPhrase",),
        company=True,
    ),
    KnownEntity(
        "CDSParties",
        "CDS Parties",
        columns=(
            *("PartyNumber", "PartyType", "Name", "NameAlias", "KnownAs", "LanguageId"),
            *("OrganizationName", "OrganizationABCCode", "OrganizationNumOfEmployees"),
            *("OrganizationNumber", "OrganizationPhoneticName"),
            *(f"Person{name}" for name in _PERSON.split()),
        ),
        keys=("PartyNumber",),
        symbols={
            "PartyType": _PARTY_TYPES,
            "OrganizationABCCode": ("None", "A", "B", "C"),
            "PersonGender": ("Unknown", "Male", "Female", "NonSpecific"),
            "PersonMaritalStatus": ("None", "Married", "Single", "Widowhood", "Divorced"),
            "PersonAnniversaryMonth": _MONTHS,
            "PersonBirthMonth": _MONTHS,
        },
    ),
    KnownEntity(
        "Currencies",
        "Currencies",
        columns=("CurrencyCode", "Name", "Symbol"),
        keys=("CurrencyCode",),
    ),
    KnownEntity(
        "CustomersV3",
        "Customers V3",
        columns=tuple(_CUSTOMER.split()),
        keys=("CustomerAccount",),
        symbols={
            "PartyType": _PARTY_TYPES,
            "CreditLimitIsMandatory": _YES_NO,
            "IsOneTimeCustomer": _YES_NO,
            "OnHoldStatus": ("No", "Invoice", "All", "Payment", "Requisition", "Never"),
        },
        company=True,
    ),
    KnownEntity("LegalEntities", "Legal entities"),
    KnownEntity(
        "OperatingUnits",
        "Operating unit",
        columns=(
            *("OperatingUnitNumber", "OperatingUnitType", "Name", "NameAlias", "LanguageId"),
            "PartyNumber",
        ),
        keys=("PartyNumber",),
        symbols={
            "OperatingUnitType": (
                *("None", "OMDepartment", "OMCostCenter", "OMValueStream", "OMBusinessUnit"),
                *("OMAnyOU", "RetailChannel"),
            )
        },
    ),
)


def folded(name: str) -> str:
    """A name as it is compared with what is known: without case, blanks and hyphens."""
    return re.sub(r"[^a-z0-9]", "", name.casefold())


_BY_NAME = {
    folded(name): entity
    for entity in ENTITIES
    for name in (entity.entity_set, entity.label, *entity.names)
}


def known_entity(name: str) -> KnownEntity | None:
    """The entity of a label, an entity name or an entity set name; case and blanks are free."""
    return _BY_NAME.get(folded(name))
