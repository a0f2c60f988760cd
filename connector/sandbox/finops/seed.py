"""The first rows of an environment.

Owns: master data that cards and point kinds refer to, and samples of these.
Never does: writing past the rules (`writes.py`).
Tested in: tests/integration/sandbox/finops/test_restart.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connector.sandbox.dataverse.standard.organization_tables import CURRENCIES
from connector.sandbox.finops.catalog import BY_SET
from connector.sandbox.finops.entities import COMPANY
from connector.sandbox.finops.enums import PARTY_TYPE, POINT_TYPE, TENDER_TYPE, TIME_UNIT, UNIT_TYPE
from connector.sandbox.finops.people import COMPANIES, DEFAULT_COMPANY
from connector.sandbox.finops.values import Stored
from connector.sandbox.finops.writes import Values, Writes

SYSTEM = "SYSTEM"
SAMPLE_CARDS = 12
PERSON = PARTY_TYPE.members["Person"]
PEOPLE = (
    "Karin Aalto",
    "Bilal Özdemir",
    "Chloé Dubois",
    "Dmitri Volkov",
    "Esi Mensah",
    "Finn Holm",
)
UNITS = {"052": "Houston", "053": "San Francisco", "054": "Online store"}
GROUPS = {"10": "Retail customers", "20": "Major accounts"}
LEVELS = {"Gold": "Twelve visits a year", "Silver": "Six visits a year"}


def masters(writes: Writes) -> None:
    """Currencies, parties, operating units, companies, and rows of two of these."""
    _add(
        writes,
        "Currencies",
        [
            {"CurrencyCode": code, "Name": name, "Symbol": symbol}
            for code, (name, symbol, _) in CURRENCIES.items()
        ],
    )
    people: list[Values] = [
        {"PartyType": PERSON, "Name": name, "PersonFirstName": first, "PersonLastName": last}
        for name in PEOPLE
        for first, last in [name.split(" ", 1)]
    ]
    _add(writes, "CDSParties", people)
    unit_type = UNIT_TYPE.members["RetailChannel"]
    units: list[Values] = [
        {"OperatingUnitNumber": code, "Name": name, "OperatingUnitType": unit_type}
        for code, name in UNITS.items()
    ]
    _add(writes, "OperatingUnits", units)
    for company in ("usmf", DEFAULT_COMPANY):
        groups: list[Values] = [
            {COMPANY: company, "CustomerGroupId": code, "Description": text}
            for code, text in GROUPS.items()
        ]
        _add(writes, "CustomerGroups", groups)
        levels: list[Values] = [
            {COMPANY: company, "LevelPhrase": phrase, "LevelDescription": text}
            for phrase, text in LEVELS.items()
        ]
        _add(writes, "LoyaltyLevels", levels)
    customer: Values = {
        "PartyNumber": "P000000001",
        "PartyType": PERSON,
        "OrganizationName": PEOPLE[0],
        "CustomerGroupId": "10",
        "SalesCurrencyCode": "USD",
    }
    _add(writes, "CustomersV3", [customer])
    companies: list[Values] = [
        {"LegalEntityId": code.upper(), "Name": name} for code, name in COMPANIES.items()
    ]
    _add(writes, "LegalEntities", companies)


def samples(writes: Writes, cards: int = SAMPLE_CARDS) -> None:
    """Cards and point kinds to look at."""
    units, tenders = list(UNITS), list(TENDER_TYPE.members.values())
    rows: list[Values] = [
        {
            "CardNumber": f"{55000 + number}",
            "CardTenderType": tenders[number % len(tenders)],
            "PartyNumber": f"P{number % len(PEOPLE) + 1:09d}" if number % 4 else "",
            "OmOperatingUnitNumber": units[number % len(units)],
        }
        for number in range(1, cards + 1)
    ]
    _add(writes, "RetailLoyaltyCards", rows)
    kinds: list[Values] = [
        {
            "RewardPointId": "Points",
            "RewardPointType": POINT_TYPE.members["Quantity"],
            "Redeemable": 1,
            "RedeemRanking": 1,
            "ExpirationTimeUnit": TIME_UNIT.members["Year"],
            "ExpirationTimeValue": 2,
        },
        {
            "RewardPointId": "Cash back",
            "RewardPointType": POINT_TYPE.members["Amount"],
            "Redeemable": 1,
            "RedeemRanking": 2,
            "RewardPointCurrency": "USD",
        },
    ]
    _add(writes, "RetailLoyaltyRewardPoints", kinds)


def _add(writes: Writes, set_name: str, rows: Sequence[Mapping[str, Stored]]) -> None:
    for row in rows:
        writes.insert(BY_SET[set_name], dict(row), DEFAULT_COMPANY, SYSTEM)
