"""The document model: what a map file may say, and how it is told what it may not."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.errors import MapError
from connector.mapping.document import (
    DeletePolicy,
    MapDocument,
    Policy,
    parse_document,
    read_document,
    read_documents,
)
from connector.mapping.values import Side

HEAD = """\
map: card
commerce: {entity: Cards}
dataverse: {entity: cards}
"""
KEY = "  - {commerce: Id, sync: '=', dataverse: id, key: true}\n"


def document(rows: str = "", head: str = "") -> MapDocument:
    return parse_document(f"{HEAD}{head}fields:\n{KEY}{rows}")


def refusal(text: str) -> MapError:
    with pytest.raises(MapError) as caught:
        parse_document(text, "maps/card.yaml")
    error = caught.value
    assert error.remedy
    assert error.subject.file == "maps/card.yaml"
    return error


def row_refusal(row: str) -> MapError:
    """The refusal of one row, which stands in line 6."""
    return refusal(f"{HEAD}fields:\n{KEY}  - {{{row}}}\n")


def test_the_defaults() -> None:
    made = document()
    assert made.master is Side.COMMERCE
    assert made.conflict is Policy.MANUAL
    assert made.deletes.commerce is DeletePolicy.PROPAGATE
    assert made.deletes.dataverse is DeletePolicy.RESTORE
    assert not made.blank_wins


def stands_at(error: MapError, row: str) -> str:
    """What stands at the place an error about that row names."""
    assert error.subject.line == 6
    return f"  - {{{row}}}"[(error.subject.column or 0) - 1 :]


@pytest.mark.parametrize(
    ("symbol", "ways"),
    [
        ("=", {Side.COMMERCE, Side.DATAVERSE}),
        (">", {Side.DATAVERSE}),
        ("<", {Side.COMMERCE}),
    ],
)
def test_plain_symbols(symbol: str, ways: set[Side]) -> None:
    row = document(f"  - {{commerce: A, sync: '{symbol}', dataverse: a}}\n").fields[1]
    assert row.ways == ways


@pytest.mark.parametrize(
    ("symbol", "ways"),
    [
        ("><", {Side.COMMERCE, Side.DATAVERSE}),
        (">>", {Side.DATAVERSE}),
        ("<<", {Side.COMMERCE}),
    ],
)
def test_symbols_with_a_transform(symbol: str, ways: set[Side]) -> None:
    row = document(f"  - {{commerce: A, sync: '{symbol}', dataverse: a, values: {{Yes: 1}}}}\n")
    assert row.fields[1].ways == ways
    assert row.fields[1].values == {"Yes": 1}


def test_yes_and_no_stay_texts_and_booleans_booleans() -> None:
    made = document("  - {commerce: A, sync: '><', dataverse: a, values: {Yes: true, No: false}}\n")
    assert made.fields[1].values == {"Yes": True, "No": False}


BOTH = "commerce: A, sync: '=', dataverse: a, "
BOTH_MADE = "commerce: A, sync: '><', dataverse: a, "
RIGHT = "commerce: A, sync: '>', dataverse: a, "
RIGHT_MADE = "commerce: A, sync: '>>', dataverse: a, "
LEFT = "commerce: A, sync: '<', dataverse: a, "
LEFT_MADE = "commerce: A, sync: '<<', dataverse: a, "


@pytest.mark.parametrize(
    ("row", "at", "says"),
    [
        ("commerce: A, sync: '><', dataverse: a", "sync", "write `=`"),
        ("commerce: A, sync: '>>', dataverse: a", "sync", "write `>`"),
        ("commerce: A, sync: '<<', dataverse: a", "sync", "write `<`"),
        (BOTH + "values: {X: 1}", "sync", "`><`"),
        (RIGHT + "values: {X: 1}", "sync", "`>>`"),
        (LEFT + "default: {commerce: 1}", "sync", "`<<`"),
        (BOTH_MADE + "values: {}", "values", "empty"),
        (BOTH_MADE + "values: {X: 1, x: 2}", "values", "case"),
        (BOTH_MADE + "values: {X: 1, Y: 1}", "values", "no way back"),
        (LEFT_MADE + "values: {X: 1, Y: 1}", "values", "no way back"),
        ("commerce: A, sync: '><', dataverse: a.b, values: {X: 1}", "values", "looked up"),
        (RIGHT_MADE + "constant: 1", "constant", "one column"),
        ("sync: '>>', constant: 1", "constant", "one column"),
        ("sync: '>', dataverse: a, constant: 1", "sync", "`>>`"),
        ("commerce: A, sync: '>>', constant: 1", "sync", "`<<`"),
        ("sync: '>>', dataverse: a, constant: 1, default: {dataverse: 1}", "constant", "no `key`"),
        ("commerce: B, sync: '=', dataverse: b, key: true, together: g", "together", "together"),
        ("commerce: B, sync: '=', dataverse: b.c.d, key: true", "key", "same value"),
        ("commerce: B, sync: '><', dataverse: b, key: true, values: {X: 1}", "key", "same value"),
        ("sync: '>>', dataverse: Id, constant: 1", "dataverse", "name of another"),
    ],
)
def test_a_row_that_contradicts_itself_or_another(row: str, at: str, says: str) -> None:
    error = row_refusal(row)
    assert error.code == "map-contradiction"
    assert stands_at(error, row).startswith(at)
    assert says in error.message + error.remedy


@pytest.mark.parametrize(
    ("row", "code", "at", "says"),
    [
        ("commerce: A, sync: '='", "row-without-column", "{", "both sides"),
        ("sync: '='", "row-without-column", "{", "both sides"),
        ("commerce: ID, sync: '=', dataverse: b", "column-twice", "commerce", "two rows"),
        ("commerce: B, sync: '=', dataverse: id", "column-twice", "dataverse", "two rows"),
        ("commerce: B, sync: '=', dataverse: id.name", "column-twice", "dataverse", "two rows"),
        ("commerce: B, sync: '>', dataverse: b, key: true", "key-one-way", "sync", "`=`"),
        (BOTH + "valeus: {X: 1}", "map-unknown-key", "valeus", "valeus"),
        ("commerce: A, sync: '~', dataverse: a", "map-wrong-value", "sync", "'='"),
        ("commerce: A, sync: '=', dataverse: 'a b'", "map-wrong-value", "dataverse", "underscores"),
        (BOTH + "type: money", "map-wrong-value", "type", "money"),
        (BOTH + "conflict: newest", "map-wrong-value", "conflict", "newest"),
        ("commerce: A, dataverse: a", "map-missing-key", "{", "`sync`"),
        (BOTH_MADE + "values: {X: [1]}", "map-wrong-value", "X", "[1]"),
    ],
)
def test_a_row_with_a_wrong_word(row: str, code: str, at: str, says: str) -> None:
    error = row_refusal(row)
    assert error.code == code
    assert stands_at(error, row).startswith(at)
    assert says in error.message + error.remedy


def test_two_commerce_values_may_become_one_where_nothing_travels_back() -> None:
    made = document("  - {commerce: A, sync: '>>', dataverse: a, values: {X: 1, Y: 1}}\n")
    assert made.fields[1].values == {"X": 1, "Y": 1}


@pytest.mark.parametrize(
    ("typo", "meant"),
    [("commmerce: A", "commerce"), ("togehter: g", "together"), ("conflct: latest", "conflict")],
)
def test_an_unknown_key_names_the_nearest(typo: str, meant: str) -> None:
    error = row_refusal(f"sync: '=', dataverse: a, {typo}")
    assert error.code == "map-unknown-key"
    assert f"`{meant}`" in error.remedy


@pytest.mark.parametrize(
    ("one", "other", "says"),
    [
        (BOTH + "together: g", "commerce: B, sync: '>', dataverse: b, together: g", "direction"),
        (
            BOTH + "together: g, conflict: latest",
            "commerce: B, sync: '=', dataverse: b, together: g",
            "conflict",
        ),
        (BOTH + "together: B", "commerce: B, sync: '=', dataverse: b", "name of another"),
    ],
)
def test_a_group_is_of_one_mind_and_has_a_name_of_its_own(one: str, other: str, says: str) -> None:
    error = refusal(f"{HEAD}fields:\n{KEY}  - {{{one}}}\n  - {{{other}}}\n")
    assert error.code == "map-contradiction"
    assert says in error.message
    assert error.subject.line == 7


def test_symbols_of_one_direction_share_a_group_with_or_without_transform() -> None:
    made = document(
        "  - {commerce: A, sync: '=', dataverse: a, together: g}\n"
        "  - {commerce: B, sync: '><', dataverse: b, together: g, values: {X: 1}}\n"
    )
    assert [row.together for row in made.fields] == [None, "g", "g"]


@pytest.mark.parametrize("symbol", [">", "<"])
def test_a_map_may_go_one_way_as_a_whole(symbol: str) -> None:
    made = parse_document(
        f"{HEAD}fields:\n"
        f"  - {{commerce: Id, sync: '{symbol}', dataverse: id, key: true}}\n"
        f"  - {{commerce: A, sync: '{symbol}', dataverse: a}}\n"
    )
    assert made.fields[0].key


@pytest.mark.parametrize(
    ("head", "code", "says"),
    [
        ("versoin: 1.0.0.0", "map-unknown-key", "`version`"),
        ("version: 1.0", "map-wrong-value", "version"),
        ("deletes: {commerce: cascade}", "map-wrong-value", "cascade"),
        ("deletes: {commerce: deactivate}", "map-contradiction", "inactive"),
        ("deletes: {dataverse: deactivate}", "map-contradiction", "inactive"),
    ],
)
def test_a_head_that_cannot_be_meant(head: str, code: str, says: str) -> None:
    error = refusal(f"{HEAD}{head}\nfields:\n{KEY}")
    assert error.code == code
    assert says in error.message + error.remedy
    assert error.subject.line == 4


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        (HEAD + "fields:\n  - {" + BOTH + "}\n", "key-none", "key"),
        (f"{HEAD}fields: []\n", "map-wrong-value", "fields"),
        (HEAD, "map-missing-key", "`fields`"),
        (HEAD.replace("map: card", "map: Loyalty Card"), "map-wrong-value", "1 more"),
        ("- a\n- b\n", "map-not-a-table", "does not hold a map"),
        ("", "map-not-a-table", "does not hold a map"),
        ("just text", "map-not-a-table", "does not hold a map"),
    ],
)
def test_a_file_that_is_no_map(text: str, code: str, says: str) -> None:
    error = refusal(text)
    assert error.code == code
    assert says in error.message + error.remedy
    assert error.subject.line
    assert error.subject.column


def test_the_place_of_a_contradiction_is_the_part_that_contradicts() -> None:
    error = refusal(f"{HEAD}deletes:\n  dataverse: deactivate\nfields:\n{KEY}")
    assert (error.subject.line, error.subject.column) == (5, 3)


def test_further_findings_are_counted_once_each() -> None:
    error = refusal(f"{HEAD}titel: x\nfields:\n{KEY}  - {{commerce: A, sync: '#', datavers: a}}\n")
    assert "(and 2 more)" in error.message


def test_deactivate_with_a_mark_on_the_counterpart() -> None:
    made = parse_document(
        "map: card\n"
        "commerce: {entity: Cards}\n"
        "dataverse: {entity: cards, inactive: {column: statecode, value: 1}}\n"
        "deletes: {commerce: deactivate}\n"
        f"fields:\n{KEY}"
    )
    assert made.dataverse.inactive is not None
    assert made.dataverse.inactive.value == 1


SHIPPED = (Path(__file__).parents[3] / "mappings" / "loyalty-card.yaml").read_text("utf-8")
SIGNS = st.text(
    st.sampled_from("ab:[]{}&*!#-'\"\n\t >|%@`,.0e<=?~\\\x00\x85\u2028\ud83d"), max_size=12
)


@settings(max_examples=300)
@given(st.data())
def test_whatever_stands_in_a_file_is_a_map_or_refused_with_its_place(data: st.DataObject) -> None:
    """The shipped map with a few signs put in, or a piece taken out."""
    start = data.draw(st.integers(0, len(SHIPPED)))
    end = data.draw(st.integers(start, min(start + 30, len(SHIPPED))))
    text = SHIPPED[:start] + data.draw(SIGNS) + SHIPPED[end:]
    refused: MapError | None = None
    try:
        parse_document(text)
    except MapError as error:
        refused = error
    assert refused is None or (refused.remedy and refused.subject.line)


@settings(max_examples=300)
@given(SIGNS)
def test_whatever_stands_in_a_row_is_a_row_or_refused(row: str) -> None:
    with suppress(MapError):
        document(f"  - {row}\n")
    with suppress(MapError):
        document(f"  - {{commerce: A, sync: '><', dataverse: a, transform: [{row}]}}\n")


# ------------------------------------------------------------------ fingerprint

ROW = "  - {commerce: A, sync: '><', dataverse: a, values: {X: 1, Y: 2}}\n"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("X: 1", "X: 3"),
        ("sync: '><'", "sync: '>>'"),
        ("dataverse: a,", "dataverse: b,"),
        ("commerce: A", "commerce: B"),
        ("values: {X: 1, Y: 2}", "values: {X: 1, Y: 2}, conflict: latest"),
        ("values: {X: 1, Y: 2}", "values: {X: 1, Y: 2}, together: g"),
    ],
)
def test_the_fingerprint_changes_with_the_meaning(old: str, new: str) -> None:
    assert document(ROW).fingerprint() != document(ROW.replace(old, new)).fingerprint()


@pytest.mark.parametrize(
    "head",
    ["master: dataverse", "conflict: latest", "deletes: {commerce: ignore}", "blank_wins: true"],
)
def test_the_fingerprint_changes_with_the_policies(head: str) -> None:
    assert document(ROW).fingerprint() != document(ROW, f"{head}\n").fingerprint()


def test_the_fingerprint_keeps_over_title_version_comments_and_defaults() -> None:
    plain = document(ROW).fingerprint()
    assert document(ROW, "title: Card\nversion: 2.0.0.0\n").fingerprint() == plain
    assert document(ROW + "  # nothing new\n", "master: commerce\n").fingerprint() == plain
    assert document(ROW.replace("X: 1, Y: 2", "Y: 2, X: 1")).fingerprint() == plain


# ------------------------------------------------------------------ files


def test_maps_of_a_folder_come_by_name(tmp_path: Path) -> None:
    for name, file in (("b", "1.yaml"), ("a", "2.yml")):
        text = f"{HEAD}fields:\n{KEY}".replace("map: card", f"map: {name}")
        (tmp_path / file).write_text(text)
    (tmp_path / "notes.txt").write_text("no map")
    assert [made.map for made in read_documents(tmp_path)] == ["a", "b"]


def test_a_folder_without_maps(tmp_path: Path) -> None:
    with pytest.raises(MapError) as caught:
        read_documents(tmp_path)
    assert caught.value.code == "maps-missing"
    assert "dualwrite init" in caught.value.remedy


def test_two_maps_of_one_name(tmp_path: Path) -> None:
    for file in ("1.yaml", "2.yaml"):
        (tmp_path / file).write_text(f"{HEAD}fields:\n{KEY}")
    with pytest.raises(MapError) as caught:
        read_documents(tmp_path)
    assert caught.value.code == "map-twice"
    assert str(tmp_path / "1.yaml") in caught.value.message
    assert (caught.value.subject.file, caught.value.subject.line) == (str(tmp_path / "2.yaml"), 1)


def test_a_field_knows_its_place(tmp_path: Path) -> None:
    path = tmp_path / "card.yaml"
    path.write_text(f"{HEAD}fields:\n{KEY}{ROW}")
    subject = read_document(path).field_subject(1, "values")
    assert (subject.map, subject.field) == ("card", "A")
    assert (subject.file, subject.line, subject.column) == (str(path), 6, 45)
