"""What `check` says of the way changes of an entity set are found."""

from __future__ import annotations

from connector.endpoints.odata_v4.advice import advice_on
from connector.endpoints.odata_v4.feeds import Way
from connector.endpoints.odata_v4.fields import Field
from connector.endpoints.odata_v4.service import naming_of
from connector.endpoints.odata_v4.tables import Table
from connector.errors import Problem
from connector.mapping.columns import Column
from connector.mapping.values import ValueType

NAMING = naming_of("commerce")


def table(*, versioned: bool = True, **columns: ValueType) -> Table:
    fields = {
        name: Field(Column(name, type), list, str, str, str) for name, type in columns.items()
    }
    return Table("Cards", "NS.Card", fields, (next(iter(fields.values())),), versioned)


CARDS = table(
    Number=ValueType.TEXT,
    ModifiedOn=ValueType.INSTANT,
    BornOn=ValueType.INSTANT,
    N=ValueType.INTEGER,
)


def said(table: Table, way: Way, also: str = "") -> list[Problem]:
    return list(advice_on(NAMING, table, way, also))


def test_the_ways_an_entity_offers_are_a_note() -> None:
    (note,) = said(CARDS, Way(), "export (Cards out)")
    assert note.severity == "note"
    assert "found by snapshot" in note.message
    assert "watermark (ModifiedOn), export (Cards out)" in note.message
    (note,) = said(table(versioned=False, Number=ValueType.TEXT), Way())
    assert "no ETags" in note.message
    assert "watermark" not in note.message


def test_a_watermark_has_to_be_one() -> None:
    for column in ("ModifiedOn", "modifiedon", "N"):
        assert [one.severity for one in said(CARDS, Way("watermark", column))] == ["note"]
    for column in ("Number", "Gone"):
        wrong, _ = said(CARDS, Way("watermark", column))
        assert (wrong.code, wrong.severity) == ("column-unknown", "error")
        assert column in wrong.message
