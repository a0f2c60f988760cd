"""Ids of added rows: the same for the same row, and for no other."""

from __future__ import annotations

from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from connector.engine.append.ids import id_of

NAMESPACE = UUID("6f1c7a52-5d0b-4f5e-9a39-1f2f6a0d7c11")
WORDS = st.text(st.characters(codec="utf-8"))
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


@given(WORDS, WORDS, WORDS)
def test_it_is_the_name_based_guid_of_the_standard(map: str, world: str, row: str) -> None:
    assert id_of(map, world, row) == str(uuid5(NAMESPACE, "\x1e".join((map, world, row))))
