"""The entities against the field lists of Finance and Operations."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from connector.errors import MapError
from connector.ledger.entities import entity_type
from connector.ledger.fields import Kind
from connector.ledger.ledger import Ledger
from connector.ledger.schema import CARDS, REWARD_POINTS, EntityType


def test_cards_have_the_fields_of_the_entity_with_its_lengths() -> None:
    assert CARDS.names == (
        "CardNumber",
        "CardTenderType",
        "PartyNumber",
        "ReplacementCardNumber",
        "OmOperatingUnitNumber",
        "LoyaltyEnrollmentDate",
        "LoyaltyEnrollmentTime",
        "LoyaltyEnrollmentDateLocal",
        "LoyaltyEnrollmentTimeLocal",
    )
    lengths = {one.name: one.max_length for one in CARDS.fields if one.kind is Kind.TEXT}
    assert lengths == {
        "CardNumber": 30,
        "PartyNumber": 40,
        "ReplacementCardNumber": 30,
        "OmOperatingUnitNumber": 8,
    }


def test_point_kinds_have_all_ten_fields() -> None:
    assert REWARD_POINTS.names == (
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
    )
    assert REWARD_POINTS.field("RewardPointId").max_length == 64
    assert REWARD_POINTS.field("RewardPointCurrency").max_length == 3
    assert REWARD_POINTS.field("MaximumLoyaltyRewardPoints").maximum == 2**63 - 1


@pytest.mark.parametrize("entity", [CARDS, REWARD_POINTS])
def test_the_first_field_is_the_key_and_required(entity: EntityType) -> None:
    assert entity.key is entity.fields[0]
    assert entity.key.required


def test_choices_are_the_enum_members() -> None:
    assert tuple(CARDS.field("CardTenderType").choices) == (
        "AsCardTender",
        "AsContactTender",
        "NoTender",
        "Blocked",
    )
    assert tuple(REWARD_POINTS.field("RewardPointType").choices) == ("Quantity", "Amount")
    assert tuple(REWARD_POINTS.field("Redeemable").choices) == ("No", "Yes")
    for unit in ("ExpirationTimeUnit", "VestingTimeUnit"):
        assert tuple(REWARD_POINTS.field(unit).choices) == ("Day", "Month", "Year")


@pytest.mark.parametrize("name", ["RetailLoyaltyCards", "retailloyaltycards", "cards", "Cards "])
def test_an_entity_is_found_by_name_or_alias_in_any_case(name: str) -> None:
    assert entity_type(name) is CARDS


def test_an_unknown_entity_or_field_is_named_with_the_known_ones() -> None:
    with pytest.raises(MapError, match="tiers") as caught:
        entity_type("tiers")
    assert caught.value.code == "entity-unknown"
    with pytest.raises(MapError, match="Balance") as caught:
        CARDS.places(["CardNumber", "Balance"])
    assert caught.value.code == "column-unknown"
    assert "CardTenderType" in caught.value.remedy


def test_field_names_match_without_case() -> None:
    assert CARDS.places(["OMOPERATINGUNITNUMBER", "cardnumber"]) == (4, 0)


def test_the_database_itself_refuses_what_would_break_the_rules(ledger: Ledger) -> None:
    """Whoever writes past this program meets the same rules."""
    card = ledger.store("cards").create({"CardNumber": "1"}, by="test")
    same_key = (
        f"INSERT INTO loyalty_cards SELECT '{card.id[:-1]}f', version + 1, modified_at, "
        "modified_by, key, card_number, card_tender_type, NULL, NULL, NULL, NULL, NULL, NULL, "
        "NULL FROM loyalty_cards"
    )
    for broken in (
        "UPDATE loyalty_cards SET card_tender_type = 'Gold'",
        "UPDATE loyalty_cards SET card_number = NULL",
        "UPDATE loyalty_cards SET party_number = 'nobody'",
        same_key,
    ):
        with pytest.raises(sa.exc.IntegrityError), ledger.reading() as connection:
            connection.exec_driver_sql(broken)
