"""The maps that are shipped switched off, against what the dual-write mapping reference says."""

from __future__ import annotations

import pytest

from connector.mapping.columns import Column
from connector.mapping.compiling.compiler import compile_map
from connector.mapping.document import FieldRow, MapDocument, read_document
from connector.mapping.values import Side, ValueType
from tests.unit.mapping.live import MAPPINGS, table, text

BOTH = frozenset(Side)
COMPANY = "msdyn_company.cdm_companycode"
READY = {
    # map: entity set, Dataverse table, keys, rows
    "currencies": ("Currencies", "transactioncurrencies", ["isocurrencycode"], 4),
    "parties": ("CDSParties", "msdyn_parties", ["msdyn_partynumber"], 30),
    "customers-accounts": ("CustomersV3", "accounts", [COMPANY, "accountnumber"], 26),
    "customers-contacts": ("CustomersV3", "contacts", [COMPANY, "msdyn_contactpersonid"], 17),
    "dynamicweb-cards": ("LoyaltyMembers", "msdyn_loyaltycards", ["msdyn_cardnumber"], 3),
    "dynamicweb-reward-points": (
        "EcomLoyaltyReward",
        "msdyn_loyaltyrewardpoints",
        ["msdyn_rewardpointid"],
        3,
    ),
    "point-corrections": (
        "LoyaltyPointCorrections",
        "dwrite_pointcorrections",
        ["dwrite_pointcorrectionid"],
        13,
    ),
    "point-balances": ("LoyaltyPointBalances", "dwrite_pointbalances", ["dwrite_balanceid"], 11),
    "card-tiers": ("LoyaltyCardTiers", "dwrite_cardtiers", ["dwrite_membership"], 11),
    "card-segments": ("LoyaltyCardSegments", "dwrite_cardsegments", ["dwrite_mark"], 5),
    "point-transactions": (
        "LoyaltyPointTransactions",
        "dwrite_pointtransactions",
        ["dwrite_transactionnumber"],
        12,
    ),
    "operating-units": ("OperatingUnits", "msdyn_internalorganizations", ["msdyn_partynumber"], 5),
}


def ready(name: str) -> MapDocument:
    return read_document(MAPPINGS / f"{name}.yaml")


def row(document: MapDocument, commerce: str) -> FieldRow:
    (found,) = (one for one in document.fields if one.commerce == commerce)
    return found


@pytest.mark.parametrize("name", READY)
def test_a_ready_map_is_off(name: str) -> None:
    document = ready(name)
    commerce, dataverse, keys, rows = READY[name]
    assert not document.enabled
    assert (document.commerce.entity, document.dataverse.entity) == (commerce, dataverse)
    assert [one.dataverse for one in document.fields if one.key] == keys
    assert len(document.fields) == rows


@pytest.mark.parametrize("name", ["customers-accounts", "customers-contacts"])
def test_a_customer_is_found_with_its_party_and_belongs_to_the_team_of_its_company(
    name: str,
) -> None:
    owner = ready(name).dataverse.owner
    assert owner is not None
    assert owner.company == "default"
    party = row(ready(name), "PartyNumber")
    assert (party.sync, party.dataverse) == ("=", "msdyn_partyid.msdyn_partynumber")


def test_persons_are_contacts_and_organizations_are_accounts() -> None:
    contacts, accounts = ready("customers-contacts"), ready("customers-accounts")
    assert contacts.commerce.filter == "PartyType eq 'Person'"
    own = "msdyn_sellable eq true and msdyn_contactpersonid ne null"
    assert contacts.dataverse.filter == f"{own} and msdyn_company/cdm_companycode ne null"
    assert accounts.commerce.filter == "PartyType eq 'Organization'"
    assert row(accounts, "PartyType").constant == "Organization"
    (kind,) = (one for one in accounts.fields if one.dataverse == "customertypecode")
    assert (kind.sync, kind.constant) == (">>", 3)


def test_the_kinds_of_parties() -> None:
    assert row(ready("parties"), "PartyType").values == {
        "Person": 192350001,
        "Organization": 192350002,
        "LegalEntity": 192350003,
        "Team": 192350004,
        "OperatingUnit": 192350005,
        "None": 192350000,
    }


def test_operating_units_go_to_dataverse_only() -> None:
    document = ready("operating-units")
    assert {one.ways for one in document.fields} == {frozenset({Side.DATAVERSE})}
    kinds = row(document, "OperatingUnitType").values
    assert kinds is not None
    assert kinds["RetailChannel"] == 192350000


def test_currencies_run_once_they_are_on() -> None:
    """The rate is required in Dataverse and has no column in commerce."""
    commerce = table(text("CurrencyCode", 3), text("Name"), text("Symbol", 5))
    rate = Column("exchangerate", ValueType.DECIMAL, scale=10, required=True)
    dataverse = table(
        text("isocurrencycode", 5), text("currencyname"), text("currencysymbol"), rate
    )
    map = compile_map(ready("currencies"), commerce, dataverse, lambda _entity: {})
    euro = ("EUR", "Euro", "€")
    made = map.creations[Side.DATAVERSE].values(euro)
    assert made["isocurrencycode"] == "EUR"
    assert made["exchangerate"] == 1
    assert map.filters[Side.COMMERCE].admits(euro)
    assert not map.filters[Side.COMMERCE].admits(("999", None, None))
