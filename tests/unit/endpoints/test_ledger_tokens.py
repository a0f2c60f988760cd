"""Positions and scan places tell what they were made for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.endpoints.ledger import tokens
from connector.errors import PositionExpiredError

TIE = tokens.digest("RetailLoyaltyCards", ["CardNumber"])


@given(st.integers(min_value=0, max_value=2**63 - 1), st.uuids().map(str))
def test_what_is_written_is_read(sequence: int, after: str) -> None:
    assert tokens.parse(tokens.position(sequence, TIE), "feed", TIE, "e") == (sequence, None)
    assert tokens.parse(tokens.place(sequence, after, TIE), "scan", TIE, "e") == (sequence, after)


@given(st.text())
def test_text_that_is_no_token_asks_for_a_scan(text: str) -> None:
    with pytest.raises(PositionExpiredError):
        tokens.parse(text, "feed", TIE, "e")


def test_a_token_belongs_to_its_entity_columns_and_kind() -> None:
    position = tokens.position(7, TIE)
    for kind, tie in (
        ("scan", TIE),
        ("feed", tokens.digest("RetailLoyaltyCards", ["CardNumber", "PartyNumber"])),
        ("feed", tokens.digest("RetailLoyaltyRewardPoints", ["CardNumber"])),
    ):
        with pytest.raises(PositionExpiredError):
            tokens.parse(position, kind, tie, "e")  # type: ignore[arg-type]


def test_the_case_of_column_names_makes_no_difference() -> None:
    assert tokens.digest("E", ["CARDNUMBER"]) == tokens.digest("E", ["CardNumber"])
