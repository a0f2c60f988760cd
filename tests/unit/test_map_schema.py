"""The schema editors complete maps with is the one the program checks them by."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from connector.cli.schema import app
from connector.shipped import shipped


@pytest.mark.parametrize("kind", ["map", "overlay"])
def test_the_shipped_schemas_are_current(kind: str) -> None:
    printed = json.loads(CliRunner().invoke(app, [kind]).stdout)
    file = f"{kind}.schema.json"
    shipped_file = json.loads((shipped("mappings") / file).read_text("utf-8"))
    assert shipped_file == printed, f"run: dualwrite schema {kind} > mappings/{file}"


def test_every_shipped_map_names_it() -> None:
    for file in shipped("mappings").glob("*.yaml"):
        first = file.read_text("utf-8").splitlines()[0]
        assert first == "# yaml-language-server: $schema=./map.schema.json"
