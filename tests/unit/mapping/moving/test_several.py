"""Rows over one lookup, in dual-write and here."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connector.mapping.document import parse_document
from connector.mapping.moving.build import ImportedMap, Wishes, build
from connector.mapping.moving.export import export_map
from connector.mapping.moving.json_file import read_json
from connector.mapping.moving.several import groups_of

KEY = ("NUMBER", "3", "new_number")


def imported(*rows: tuple[str, str, str], **more: Any) -> ImportedMap:
    mappings = [
        {"syncDirection": way, "sourceField": left, "destinationField": right, **more}
        for left, way, right in (KEY, *rows)
    ]
    leg = {"sourceSchema": "Lines", "destinationSchema": "new_lines", "fieldMappings": mappings}
    (template,) = read_json(json.dumps({"legs": [leg]}), "map.json")
    return build(template, Wishes(keys=("NUMBER",)))


def test_rows_over_one_lookup_become_one_row_in_the_place_of_the_first() -> None:
    made = imported(
        ("ITEM", "3", "new_variant.new_item"),
        ("NOTE", "3", "new_note"),
        ("COLOR", "3", "new_variant.new_color.new_code"),
    )
    assert made.document is not None
    assert made.complete
    _, variant, note = made.document.fields
    assert variant.lookup == {"new_item": "ITEM", "new_color.new_code": "COLOR"}
    assert (variant.sync, variant.dataverse) == ("=", "new_variant")
    assert note.commerce == "NOTE"


@pytest.mark.parametrize(
    "second",
    [
        ("COLOR", "1", "new_variant.new_color"),
        ("COLOR", "3", "new_variant.new_item"),
    ],
)
def test_rows_that_are_no_one_lookup_are_left_out_by_name(second: tuple[str, str, str]) -> None:
    made = imported(("ITEM", "3", "new_variant.new_item"), second)
    assert made.document is not None
    assert not made.complete
    assert [problem.code for problem in made.problems if problem.exit_code] == ["import-row"]
    assert made.document.fields[1].dataverse == "new_variant.new_item"


def test_only_plain_rows_belong_together() -> None:
    plain = {"commerce": "A", "sync": "=", "dataverse": "l.a"}
    other = {"commerce": "B", "sync": "=", "dataverse": "l.b"}
    assert groups_of([plain, None, other]) == [[0, 2]]
    assert groups_of([plain, {**other, "values": {"x": 1}}]) == []
    assert groups_of([{**plain, "dataverse": "l.m.a"}, {**other, "dataverse": "l.m.b"}]) == []


TEXT = """
map: lines
commerce: {entity: Lines}
dataverse: {entity: new_lines}
fields:
  - {commerce: Number, sync: "=", dataverse: new_number, key: true}
  - {lookup: {new_item: Item, new_color.new_code: Color}, sync: "=", dataverse: new_variant}
  - {commerce: Region, sync: "=", dataverse: new_region.new_code, together: place}
  - lookup: {new_name: Place, new_region.new_code: Region}
    sync: "="
    dataverse: new_place
    together: place
"""
COMPANY = (
    '  - {commerce: dataAreaId, sync: "=", dataverse: new_company.cdm_companycode, key: true}\n'
)


@pytest.mark.parametrize("text", [TEXT, TEXT + COMPANY])
def test_exported_and_imported_again_it_is_the_same(text: str) -> None:
    document = parse_document(text)
    exported = export_map(document)
    rows = exported.data["legs"][0]["fieldMappings"]
    over = [row["sourceField"] for row in rows if row["destinationField"].startswith("new_variant")]
    assert over == ["ITEM", "COLOR"]
    assert not any("company" in row["destinationField"] for row in rows)
    (template,) = read_json(json.dumps(exported.data), "map.json")
    again = build(template)
    assert again.document is not None
    assert again.document.model_dump() == document.model_dump()
    assert again.problems == ()


def test_what_dual_write_does_by_itself_is_told() -> None:
    problems = export_map(parse_document(TEXT + COMPANY)).problems
    told = {problem.subject.line: problem.message for problem in problems if problem.subject.line}
    assert told[13] == "dual-write pairs rows by their company without a row of the map"
    assert told[9] == "this row has no form in dual-write"
