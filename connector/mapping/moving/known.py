"""What is known of commerce entities without asking a system.

Owns: entity set names of the labels dual-write shows, and of the loyalty entities how their
columns and symbols are spelled, which are keys, which are days, and which belong together.
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


_UNITS = ("Day", "Month", "Year")

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
    KnownEntity("LoyaltyLevels", "Loyalty levels"),
    KnownEntity("CDSParties", "CDS Parties"),
    KnownEntity("Currencies", "Currencies"),
    KnownEntity("CustomersV3", "Customers V3"),
    KnownEntity("LegalEntities", "Legal entities"),
    KnownEntity("OperatingUnits", "Operating unit"),
)


def _folded(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.casefold())


_BY_NAME = {
    _folded(name): entity
    for entity in ENTITIES
    for name in (entity.entity_set, entity.label, *entity.names)
}


def known_entity(name: str) -> KnownEntity | None:
    """The entity of a label, an entity name or an entity set name; case and blanks are free."""
    return _BY_NAME.get(_folded(name))
