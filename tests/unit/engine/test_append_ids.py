"""Ids of added rows: the same for the same row, and for no other."""

from __future__ import annotations

from uuid import UUID

from connector.engine.append.ids import id_of

EXPECTED = "b5771c1a-0f8f-5a5f-a392-5e90510d079d"


def test_the_same_row_gets_the_same_id_for_ever() -> None:
    """Ids that were given once are in people's systems: this one must never change."""
    assert id_of("point-transactions", "ledger-1", "42") == EXPECTED
    assert UUID(EXPECTED).version == 5


def test_another_map_source_or_row_gets_another_id() -> None:
    ids = {
        id_of(map, world, row)
        for map in ("a", "ab")
        for world in ("w", "bw")
        for row in ("1", "w1", "2")
    }
    assert len(ids) == 12
