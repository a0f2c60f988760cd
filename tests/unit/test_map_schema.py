"""The schema editors complete maps with is the one the program checks them by."""

from __future__ import annotations

import json

from typer.testing import CliRunner

from connector.cli.schema import app
from connector.shipped import shipped


def test_the_shipped_schema_is_current() -> None:
    printed = json.loads(CliRunner().invoke(app, []).stdout)
    shipped_file = json.loads((shipped("mappings") / "map.schema.json").read_text("utf-8"))
    assert shipped_file == printed, "run: dualwrite schema map > mappings/map.schema.json"


def test_every_shipped_map_names_it() -> None:
    for file in shipped("mappings").glob("*.yaml"):
        first = file.read_text("utf-8").splitlines()[0]
        assert first == "# yaml-language-server: $schema=./map.schema.json"
