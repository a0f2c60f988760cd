"""The schema editors complete programs with is the one the ledger checks them by."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from connector.cli.app import run
from connector.ledger.programs.checks import Known, examined
from connector.ledger.programs.reading import read_file
from connector.ledger.programs.rounding import PointKind
from connector.ledger.programs.yaml_text import read_yaml
from connector.shipped import shipped
from tests.unit.ledger.programs.wrong_documents import FORM, MEANING, WARNINGS

PROGRAMS = sorted(shipped("programs").glob("*.yaml"))
BEYOND = {"too fine a number", "a day that is none", "a day that the ledger cannot hold"}
"""A schema knows the form of a number or a day, and not which of them there are."""


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    return Draft202012Validator(
        json.loads((shipped("programs") / "program.schema.json").read_text())
    )


def plain(data: Any) -> Any:
    """As an editor reads it."""
    return json.loads(json.dumps(data, default=float))


def test_the_shipped_schema_is_current(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["ledger", "programs", "schema"]) == 0
    printed = json.loads(capsys.readouterr().out)
    file = shipped("programs") / "program.schema.json"
    told = "run: dualwrite ledger programs schema > programs/program.schema.json"
    assert json.loads(file.read_text("utf-8")) == printed, told


@pytest.mark.parametrize("file", PROGRAMS, ids=lambda file: file.stem)
def test_nothing_is_wrong_with_a_shipped_program(
    file: Path, validator: Draft202012Validator
) -> None:
    read = read_file(file)
    assert not list(validator.iter_errors(plain(read.data)))
    assert file.read_text("utf-8").startswith(
        "# yaml-language-server: $schema=./program.schema.json\n"
    )
    kinds = {name: PointKind(name, redeemable=name == "bonus") for name in ("bonus", "status")}
    document, problems = examined(read, Known(kinds, frozenset({"eur"}), frozenset()))
    assert document is not None
    assert problems == []


def test_a_simple_and_a_rich_one_are_shipped() -> None:
    assert [file.stem for file in PROGRAMS] == ["gold-club", "points-per-euro"]


def test_an_editor_finds_what_is_wrong_with_the_form(validator: Draft202012Validator) -> None:
    accepted = {
        name
        for name, (_, text, _) in FORM.items()
        if validator.is_valid(plain(read_yaml(text, "a.yaml").data))
    }
    assert accepted == BEYOND


def test_an_editor_leaves_alone_what_is_well_formed(validator: Draft202012Validator) -> None:
    for _, text, _ in (*MEANING.values(), *WARNINGS.values()):
        assert not list(validator.iter_errors(plain(read_yaml(text, "a.yaml").data))), text
