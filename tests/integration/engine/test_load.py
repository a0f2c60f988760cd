"""The initial write."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from connector.errors import UsageError
from connector.mapping.values import Side

if TYPE_CHECKING:
    from tests.integration.engine.conftest import Bench


def test_brings_both_sides_together(loaded: Bench) -> None:
    assert len(loaded.commerce.by_key("Cards")) == len(loaded.dataverse.by_key("cards")) == 8
    assert loaded.card(Side.DATAVERSE, "C1")["active"] is True
    assert loaded.card(Side.COMMERCE, "D1")["Active"] == "Yes"
    loaded.assert_settled()


def test_refuses_a_map_that_is_loaded(loaded: Bench) -> None:
    with pytest.raises(UsageError) as told:
        loaded.load()
    assert told.value.code == "map-loaded"


def test_again_compares_every_row_and_writes_only_what_differs(loaded: Bench) -> None:
    loaded.edit(Side.COMMERCE, "C1", Name="new")
    before = loaded.writes()
    assert loaded.load(again=True).finished
    assert loaded.writes() == before + 1
    assert loaded.card(Side.DATAVERSE, "C1")["name"] == "new"
    loaded.assert_settled()


def test_masters_values_win_at_first_contact_and_nulls_are_filled(bench: Bench) -> None:
    bench.new(Side.COMMERCE, "A", "ours")
    bench.commerce.put("Cards", "c-A", Level=None)
    bench.new(Side.DATAVERSE, "a", "theirs")
    bench.dataverse.put("cards", "d-a", level=7)
    bench.load()
    assert bench.card(Side.DATAVERSE, "a")["name"] == "ours"
    assert bench.card(Side.COMMERCE, "a")["Level"] == 7
    losses = [change for change in bench.history("a") if change.kind == "lost"]
    assert [change.before for change in losses] == [{"name": "theirs"}]
    bench.assert_settled()
