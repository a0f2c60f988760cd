"""What a table has to be like, out of its file and the maps that work it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from connector.errors import MapError
from connector.mapping.columns import Column
from connector.mapping.document import MapDocument, parse_document, read_documents
from connector.mapping.tables.wanted import (
    WantedColumn,
    WantedTable,
    by_table,
    read_definitions,
    unprefixed,
    wanted_table,
)
from connector.mapping.values import ValueType
from connector.shipped import shipped

MAP = """
map: gift-card
commerce: {entity: GiftCards}
dataverse: {entity: ctso_giftcards}
fields:
  - {commerce: Number, sync: "=", dataverse: ctso_number, key: true}
  - {commerce: Note, sync: "=", dataverse: ctso_note}
  - {commerce: Uses, sync: "=", dataverse: ctso_uses}
  - {commerce: Worth, sync: "=", dataverse: ctso_worth}
  - {commerce: Sold, sync: "=", dataverse: ctso_sold}
  - {commerce: At, sync: "=", dataverse: ctso_at}
  - {commerce: Day, sync: "=", dataverse: ctso_day, type: date}
  - {commerce: Kind, sync: "><", dataverse: ctso_kind, values: {Paper: 1, Plastic: 2}}
  - {commerce: Active, sync: "><", dataverse: ctso_active, values: {Yes: true, No: false}}
  - {commerce: Shop, sync: "><", dataverse: ctso_shop, values: {N: North, S: South}}
  - {constant: 7, sync: ">>", dataverse: ctso_source}
  - {commerce: Owner, sync: ">", dataverse: ownerid.name}
"""
COMMERCE = {
    "number": Column("number", ValueType.TEXT, max_length=30),
    "NOTE": Column("NOTE", ValueType.TEXT),
    "Uses": Column("Uses", ValueType.INTEGER, minimum=0, maximum=2**63 - 1),
    "Worth": Column("Worth", ValueType.DECIMAL, scale=4),
    "Sold": Column("Sold", ValueType.BOOLEAN),
    "At": Column("At", ValueType.INSTANT),
    "Day": Column("Day", ValueType.INSTANT),
    "Kind": Column("Kind", ValueType.CHOICE),
    "Active": Column("Active", ValueType.CHOICE),
    "Shop": Column("Shop", ValueType.TEXT),
    "Owner": Column("Owner", ValueType.TEXT),
}


def derived(
    text: str = MAP, commerce: Mapping[str, Column] = COMMERCE
) -> tuple[WantedTable, list[str]]:
    document = parse_document(text)
    wanted, problems = wanted_table([document], None, {document.map: commerce})
    return wanted, [f"{problem.code} {problem.subject.line}" for problem in problems]


def column(wanted: WantedTable, name: str) -> WantedColumn:
    (found,) = [one for one in wanted.columns if one.name == name]
    return found


# ---------------------------------------------------------------------------- from a map alone


def test_a_map_alone_makes_a_sensible_table() -> None:
    wanted, problems = derived()
    assert problems == []
    assert (wanted.set_name, wanted.name, wanted.key) == (
        "ctso_giftcards",
        "ctso_giftcard",
        ("ctso_number",),
    )
    assert wanted.primary == WantedColumn(
        "ctso_number", "Number", ValueType.TEXT, length=30, required=True
    )
    types = {one.name: one.type for one in wanted.columns}
    assert types == {
        "ctso_note": ValueType.TEXT,
        "ctso_uses": ValueType.INTEGER,
        "ctso_worth": ValueType.DECIMAL,
        "ctso_sold": ValueType.BOOLEAN,
        "ctso_at": ValueType.INSTANT,
        "ctso_day": ValueType.DATE,
        "ctso_kind": ValueType.CHOICE,
        "ctso_active": ValueType.BOOLEAN,
        "ctso_shop": ValueType.TEXT,
        "ctso_source": ValueType.INTEGER,
    }
    assert column(wanted, "ctso_note").length == 100
    assert column(wanted, "ctso_worth").scale == 4
    assert column(wanted, "ctso_kind").options == {1: "Paper", 2: "Plastic"}


def test_a_bound_beyond_32_bits_is_cut_to_what_dataverse_holds() -> None:
    uses = column(derived()[0], "ctso_uses")
    assert (uses.minimum, uses.maximum) == (0, 2**31 - 1)


def test_where_a_lookup_points_cannot_be_derived() -> None:
    text = MAP.replace("ctso_note}", "ctso_place.name}")
    assert derived(text)[1] == ["column-undescribed 7"]


def test_a_choice_without_numbers_cannot_be_derived() -> None:
    commerce = {**COMMERCE, "NOTE": Column("NOTE", ValueType.CHOICE)}
    assert derived(commerce=commerce)[1] == ["column-undescribed 7"]


def test_a_key_that_is_no_text_gets_a_name_beside_it() -> None:
    commerce = {**COMMERCE, "number": Column("number", ValueType.INTEGER)}
    wanted, _ = derived(commerce=commerce)
    assert wanted.primary.schema_name == "ctso_Name"
    assert column(wanted, "ctso_number").type is ValueType.INTEGER


def test_rows_that_pair_by_their_id_need_no_key() -> None:
    wanted, problems = derived(
        MAP.replace("dataverse: ctso_number, key", "dataverse: ctso_giftcardid, key")
    )
    assert problems == []
    assert wanted.key == ()
    assert wanted.primary == WantedColumn("ctso_Name", "Name", ValueType.TEXT)
    assert "ctso_giftcardid" not in {one.name for one in wanted.columns}


@pytest.mark.parametrize(
    ("set_name", "name"),
    [
        ("ctso_parties", "ctso_party"),
        ("ctso_boxes", "ctso_box"),
        ("ctso_addresses", "ctso_address"),
        ("ctso_cards", "ctso_card"),
        ("ctso_data", "ctso_data"),
    ],
)
def test_a_table_is_called_after_one_of_its_rows(set_name: str, name: str) -> None:
    assert derived(MAP.replace("ctso_giftcards", set_name))[0].name == name


def test_a_new_table_needs_a_publishers_prefix() -> None:
    problem = unprefixed(derived(MAP.replace("ctso_giftcards", "giftcards"))[0])
    assert problem is not None
    assert problem.code == "table-unprefixed"
    assert unprefixed(derived()[0]) is None


# ---------------------------------------------------------------------------- from its file

FILE = """
table: ctso_giftcards
name: ctso_GiftCard
title: Gift card
titles: Gift cards
columns:
  - {column: ctso_Number, title: Card number, type: text, length: 40, required: true}
  - {column: ctso_Place, title: Place, type: reference, target: ctso_places}
"""


def written(tmp_path: Path, *texts: str) -> Path:
    (tmp_path / "tables").mkdir()
    for number, text in enumerate(texts):
        (tmp_path / "tables" / f"{number}.yaml").write_text(text, "utf-8")
    return tmp_path


def test_a_file_says_what_the_map_cannot(tmp_path: Path) -> None:
    document = parse_document(MAP.replace("ctso_note}", "ctso_place.name}"))
    definition = read_definitions(written(tmp_path, FILE))["ctso_giftcards"]
    wanted, problems = wanted_table([document], definition, {document.map: COMMERCE})
    assert problems == []
    assert (wanted.schema_name, wanted.title, wanted.titles) == (
        "ctso_GiftCard",
        "Gift card",
        "Gift cards",
    )
    assert (wanted.primary.schema_name, wanted.primary.length) == ("ctso_Number", 40)
    assert column(wanted, "ctso_place").target == "ctso_places"
    assert column(wanted, "ctso_worth").type is ValueType.DECIMAL, "the rest is derived"


def test_maps_without_files_are_fine(tmp_path: Path) -> None:
    assert read_definitions(tmp_path) == {}


@pytest.mark.parametrize(
    ("old", "new", "code", "line"),
    [
        ("titles: Gift cards\n", "", "map-missing-key", None),
        ("length: 40", "long: 40", "map-unknown-key", 7),
        ("type: text", "type: texts", "map-wrong-value", 7),
        (", target: ctso_places", "", "map-contradiction", 8),
        ("length: 40", "options: {A: 1}", "map-contradiction", 7),
        ("ctso_Number", "Number", "map-wrong-value", 7),
        (FILE, "- a list", "map-not-a-table", None),
    ],
)
def test_a_mistake_is_named_with_its_line(
    tmp_path: Path, old: str, new: str, code: str, line: int | None
) -> None:
    with pytest.raises(MapError) as caught:
        read_definitions(written(tmp_path, FILE.replace(old, new)))
    assert caught.value.code == code
    assert str(caught.value.subject.file).endswith("0.yaml")
    assert line is None or caught.value.subject.line == line


def test_one_table_is_described_once(tmp_path: Path) -> None:
    with pytest.raises(MapError) as caught:
        read_definitions(written(tmp_path, FILE, FILE))
    assert caught.value.code == "table-twice"


# ---------------------------------------------------------------------------- as shipped


def loyalty() -> dict[str, tuple[MapDocument, WantedTable]]:
    maps = shipped("mappings")
    definitions = read_definitions(maps)
    found = {}
    on = [document for document in read_documents(maps) if document.enabled]
    for set_name, documents in by_table(on).items():
        nothing = {document.map: dict[str, Column]() for document in documents}
        wanted, problems = wanted_table(documents, definitions[set_name], nothing)
        assert problems == [], "every mapped column is described"
        found[documents[0].map] = (documents[0], wanted)
    return found


def test_the_shipped_files_describe_every_column_of_the_shipped_maps() -> None:
    assert set(loyalty()) == {"loyalty-card", "loyalty-reward-points"}
    for document, wanted in loyalty().values():
        mapped = {(row.dataverse or "").partition(".")[0] for row in document.fields}
        assert {wanted.primary.name, *(one.name for one in wanted.columns)} == mapped
        assert wanted.key == (wanted.primary.name,)


def test_the_shipped_choices_are_those_of_the_value_maps() -> None:
    for document, wanted in loyalty().values():
        for row in document.fields:
            numbers = [v for v in (row.values or {}).values() if not isinstance(v, bool)]
            if numbers:
                assert list(column(wanted, str(row.dataverse)).options) == numbers
