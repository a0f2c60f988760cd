"""Two maps that get in each other's way."""

from __future__ import annotations

import pytest

from connector.mapping.checks.between import (
    Pointing,
    circles,
    filled_before,
    pointing_of,
    written_twice,
)
from connector.mapping.columns import Column, Reference
from connector.mapping.document import MapDocument, parse_document
from connector.mapping.values import Side, ValueType


def document(name: str, table: str, sync: str = "=", filter: str = "") -> MapDocument:
    """A map of one row beside its key."""
    kept = f', filter: "{filter}"' if filter else ""
    return parse_document(
        f"map: {name}\n"
        f"commerce: {{entity: {name.title()}{kept}}}\n"
        f"dataverse: {{entity: {table}}}\n"
        "fields:\n"
        f'  - {{commerce: Id, sync: "{sync}", dataverse: id, key: true}}\n'
        f'  - {{commerce: Name, sync: "{sync}", dataverse: name}}\n'
    )


def test_two_maps_write_one_column() -> None:
    (problem,) = written_twice([document("a", "things"), document("b", "things")])
    assert (problem.code, problem.severity) == ("column-two-maps", "error")
    assert (problem.subject.map, problem.subject.field, problem.subject.line) == ("b", "Name", 6)
    assert "map a" in problem.message


def test_filters_may_part_the_rows() -> None:
    maps = [
        document("a", "things", filter="Id eq '1'"),
        document("b", "things", filter="Id ne '1'"),
    ]
    (problem,) = written_twice(maps)
    assert (problem.code, problem.severity) == ("column-two-maps", "warning")


@pytest.mark.parametrize(
    ("first", "second"), [(("a", "things", "="), ("b", "others", "=")),
                          (("a", "things", "="), ("b", "things", "<"))]
)  # fmt: skip
def test_other_tables_and_columns_that_are_only_read_do_not_count(
    first: tuple[str, str, str], second: tuple[str, str, str]
) -> None:
    assert list(written_twice([document(*first), document(*second)])) == []


def test_tables_that_point_to_each_other() -> None:
    maps = [document("a", "as"), document("b", "bs"), document("c", "cs")]
    pointing = {"a": [Pointing(1, "bs")], "b": [Pointing(1, "cs")], "c": [Pointing(1, "as")]}
    (problem,) = circles(maps, pointing)
    assert (problem.code, problem.severity) == ("lookup-cycle", "warning")
    assert "as -> bs -> cs -> as" in problem.message
    assert problem.subject.map == "a"


@pytest.mark.parametrize(
    "pointing",
    [
        {"a": [Pointing(1, "as")]},
        {"a": [Pointing(1, "bs")], "b": [Pointing(1, "cs")]},
        {"a": [Pointing(1, "currencies")]},
    ],
)
def test_no_circle(pointing: dict[str, list[Pointing]]) -> None:
    maps = [document("a", "as"), document("b", "bs"), document("c", "cs")]
    assert list(circles(maps, pointing)) == []


def test_a_map_is_worked_after_those_that_fill_what_it_looks_into() -> None:
    maps = [document("a", "as"), document("b", "bs"), document("also-b", "bs")]
    maps.append(document("reads-b", "bs", "<"))
    pointing = {"a": [Pointing(1, "bs"), Pointing(1, "as")], "b": [Pointing(1, "elsewhere")]}
    assert filled_before(maps, pointing) == {
        "a": frozenset({"b", "also-b"}),
        "b": frozenset(),
        "also-b": frozenset(),
        "reads-b": frozenset(),
    }


def test_a_row_that_commerce_has_to_have_comes_from_maps_that_write_to_commerce() -> None:
    maps = [document("asks", "requests"), document("cards", "cards", "<")]
    maps.append(document("shown", "cards", ">"))
    pointing = {"asks": [Pointing(1, "cards", Side.COMMERCE)]}
    assert filled_before(maps, pointing)["asks"] == {"cards"}
    assert list(circles(maps, {**pointing, "cards": [Pointing(1, "requests")]})) == []


@pytest.mark.parametrize(
    ("symbol", "sides"),
    [("<", [Side.COMMERCE]), (">", [Side.DATAVERSE]), ("=", [Side.COMMERCE, Side.DATAVERSE])],
)
def test_the_side_a_lookup_is_written_to_has_to_have_its_row(
    symbol: str, sides: list[Side]
) -> None:
    text = f"""
map: asks
commerce: {{entity: Requests}}
dataverse: {{entity: requests}}
fields:
  - {{commerce: Id, sync: "=", dataverse: id, key: true}}
  - {{commerce: Card, sync: "{symbol}", dataverse: card.number}}
"""
    columns = {
        "id": Column("id", ValueType.TEXT),
        "card": Column("card", ValueType.REFERENCE, reference=Reference("cards", "cardid")),
    }
    found = pointing_of(parse_document(text), columns)
    assert found == [Pointing(1, "cards", side) for side in sides]
