"""The schema editors complete maps with is the one the program checks them by."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from pydantic import ValidationError
from typer.testing import CliRunner

from connector.cli.schema import app
from connector.mapping.tables.wanted import TableDefinition
from connector.mapping.yaml_file import read_yaml
from connector.shipped import shipped


@pytest.mark.parametrize("kind", ["map", "overlay", "table"])
def test_the_shipped_schemas_are_current(kind: str) -> None:
    printed = json.loads(CliRunner().invoke(app, [kind]).stdout)
    file = f"{kind}.schema.json"
    shipped_file = json.loads((shipped("mappings") / file).read_text("utf-8"))
    assert shipped_file == printed, f"run: dualwrite schema {kind} > mappings/{file}"


WRONG = sorted((Path(__file__).parent / "mapping" / "corpus").glob("*.yaml"))
OF_FORM = {
    "map-missing-key",
    "map-not-a-table",
    "map-unknown-key",
    "map-wrong-value",
    "transform-unknown",
}
"""What is wrong with a map by itself, so that an editor can mark it."""
BEYOND = {"custom-not-installed", "scale-beyond-numbers"}
"""A schema knows no installed packages, and in JSON there is no infinite number."""


def validator(kind: str = "map") -> Draft202012Validator:
    """What an editor checks by."""
    return Draft202012Validator(
        json.loads((shipped("mappings") / f"{kind}.schema.json").read_text())
    )


@pytest.mark.parametrize(
    "file", sorted(shipped("mappings").glob("*.yaml")), ids=lambda file: file.stem
)
def test_an_editor_finds_nothing_in_a_shipped_map(file: Path) -> None:
    assert not list(validator().iter_errors(read_yaml(file).data))


def test_an_editor_finds_what_is_wrong_with_the_form_of_a_map() -> None:
    judged = {}
    for file in WRONG:
        code = file.read_text("utf-8").split("\n", 1)[0].removeprefix("# code: ")
        if code in OF_FORM:
            judged[file.stem] = validator().is_valid(read_yaml(file).data)
    assert len(judged) > 60
    assert {name for name, accepted in judged.items() if accepted} == BEYOND


def test_an_editor_knows_overlays() -> None:
    good = {"deletes": {"dataverse": "ignore"}, "fields": {"Name": {"sync": ">>"}}}
    assert validator("overlay").is_valid(good)
    assert not validator("overlay").is_valid({**good, "entity": "Things"})
    assert not validator("overlay").is_valid({"fields": {"Name": {"sync": "->"}}})


def test_every_shipped_map_names_it() -> None:
    for file in shipped("mappings").glob("*.yaml"):
        first = file.read_text("utf-8").splitlines()[0]
        assert first == "# yaml-language-server: $schema=./map.schema.json"


TABLES = sorted((shipped("mappings") / "tables").glob("*.yaml"))


@pytest.mark.parametrize("file", TABLES, ids=lambda file: file.stem)
def test_an_editor_finds_nothing_in_a_shipped_table_and_is_told_where_to_look(file: Path) -> None:
    assert not list(validator("table").iter_errors(read_yaml(file).data))
    first = file.read_text("utf-8").splitlines()[0]
    assert first == "# yaml-language-server: $schema=../table.schema.json"
    assert (file.parent / "../table.schema.json").is_file()


TABLE = {"table": "new_things", "name": "new_Thing", "title": "Thing", "titles": "Things"}
COLUMN = {"column": "new_Name", "title": "Name", "type": "text"}


@pytest.mark.parametrize(
    "column",
    [
        {},
        {"column": "new_Name", "title": "Name"},
        {**COLUMN, "type": "string"},
        {**COLUMN, "column": "Name"},
        {**COLUMN, "title": ""},
        {**COLUMN, "length": 0},
        {**COLUMN, "length": 4001},
        {**COLUMN, "scale": 11},
        {**COLUMN, "minimum": 1.5},
        {**COLUMN, "requierd": True},
        {**COLUMN, "required": "maybe"},
        {**COLUMN, "options": {"One": 1}},
        {**COLUMN, "target": "accounts"},
        {**COLUMN, "type": "choice"},
        {**COLUMN, "type": "choice", "options": {}},
        {**COLUMN, "type": "choice", "options": {"One": "1"}},
        {**COLUMN, "type": "reference"},
        {**COLUMN, "type": "reference", "options": {"One": 1}},
    ],
    ids=str,
)
def test_editor_and_program_refuse_the_same_columns(column: dict[str, object]) -> None:
    good = {**TABLE, "columns": [COLUMN]}
    assert validator("table").is_valid(good)
    TableDefinition.model_validate(good)
    wrong = {**TABLE, "columns": [COLUMN, column]}
    assert not validator("table").is_valid(wrong)
    with pytest.raises(ValidationError):
        TableDefinition.model_validate(wrong)
