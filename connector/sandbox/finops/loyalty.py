"""The two loyalty entities, as data.

Owns: their fields, keys and references.
Never does: anything at run time; the entities they refer to (`masters.py`).
Tested in: tests/integration/sandbox/finops/test_metadata.py, test_writes.py.

Facts: the mapping reference ("Loyalty card", "Loyalty reward points"): both global, keyed by one
text. Neither has a time of change or a version beside its ETag.
"""

from __future__ import annotations

from connector.sandbox.finops.entities import (
    Default,
    Entity,
    Field,
    Kind,
    Reference,
    choice,
    number,
    text,
)
from connector.sandbox.finops.enums import NO_YES, POINT_TYPE, TENDER_TYPE, TIME_UNIT

_CARDS = "RetailLoyaltyCards"
PARTY_REFERENCE = Reference("CDSParties", "PartyNumber", "Global address book")


def _date(name: str, label: str) -> Field:
    return Field(name, Kind.DATE, label, nullable=False, default=Default.TODAY)


def _seconds(name: str, label: str) -> Field:
    return Field(name, Kind.INT32, label, nullable=False, default=Default.SECONDS)


CARDS = Entity(
    _CARDS,
    "RetailLoyaltyCard",
    "RetailLoyaltyCardEntity",
    "Loyalty card",
    "Loyalty cards (RetailLoyaltyCard)",
    ("CardNumber",),
    (
        text("CardNumber", "Card number", 30, nullable=False, sequence="LC{:09d}"),
        choice("CardTenderType", "Card type", TENDER_TYPE),
        text("PartyNumber", "Party number", 40, reference=PARTY_REFERENCE),
        text(
            "ReplacementCardNumber",
            "Replacement card",
            30,
            reference=Reference(_CARDS, "CardNumber", "Loyalty cards"),
        ),
        text(
            "OmOperatingUnitNumber",
            "Operating unit number",
            8,
            reference=Reference("OperatingUnits", "OperatingUnitNumber", "Operating unit"),
        ),
        _date("LoyaltyEnrollmentDate", "Enrollment date"),
        _seconds("LoyaltyEnrollmentTime", "Enrollment time"),
        _date("LoyaltyEnrollmentDateLocal", "Enrollment date (local)"),
        _seconds("LoyaltyEnrollmentTimeLocal", "Enrollment time (local)"),
    ),
)

REWARD_POINTS = Entity(
    "RetailLoyaltyRewardPoints",
    "RetailLoyaltyRewardPoint",
    "RetailLoyaltyRewardPointEntity",
    "Loyalty reward points",
    "Loyalty reward points (RetailLoyaltyRewardPoint)",
    ("RewardPointId",),
    (
        text("RewardPointId", "Reward point ID", 64, nullable=False, mandatory=True),
        choice("RewardPointType", "Reward point type", POINT_TYPE, POINT_TYPE.members["Quantity"]),
        choice("Redeemable", "Redeemable", NO_YES),
        number("RedeemRanking", "Redeem ranking", minimum=0),
        text(
            "RewardPointCurrency",
            "Currency",
            3,
            reference=Reference("Currencies", "CurrencyCode", "Currency", joined=False),
        ),
        choice("ExpirationTimeUnit", "Expiration time unit", TIME_UNIT),
        number("ExpirationTimeValue", "Expiration time value", minimum=0),
        choice("VestingTimeUnit", "Vesting time unit", TIME_UNIT),
        number("VestingTimeValue", "Vesting time value", minimum=0),
        number("MaximumLoyaltyRewardPoints", "Maximum per card", Kind.INT64, minimum=0),
    ),
)
