"""What `check` says of the way changes of an entity set are found."""

from __future__ import annotations

from connector.endpoints.odata_v4.service import naming_of
from connector.endpoints.snapshots.advice import Offer, advice_on
from connector.errors import Problem
from connector.mapping.columns import Column
from connector.mapping.values import ValueType

NAMING = naming_of("commerce")


CARDS = [
    Column("Number", ValueType.TEXT),
    Column("ModifiedOn", ValueType.INSTANT),
    Column("BornOn", ValueType.INSTANT),
    Column("N", ValueType.INTEGER),
]


def said(offer: Offer, by: str, column: str | None = None) -> list[Problem]:
    return list(advice_on(NAMING, offer, by, column))


def test_the_ways_an_entity_offers_are_a_note() -> None:
    (note,) = said(Offer("Cards", CARDS, True, "export (Cards out)"), "snapshot")
    assert note.severity == "note"
    assert "found by snapshot" in note.message
    assert "watermark (ModifiedOn), export (Cards out)" in note.message
    (note,) = said(Offer("Cards", CARDS[:1], False), "snapshot")
    assert "no ETags" in note.message
    assert "watermark" not in note.message


def test_a_watermark_has_to_be_one() -> None:
    cards = Offer("Cards", CARDS, True)
    for column in ("ModifiedOn", "modifiedon", "N"):
        assert [one.severity for one in said(cards, "watermark", column)] == ["note"]
    for column in ("Number", "Gone"):
        wrong, _ = said(cards, "watermark", column)
        assert (wrong.code, wrong.severity) == ("column-unknown", "error")
        assert column in wrong.message
