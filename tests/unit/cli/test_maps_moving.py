"""`dualwrite maps import` and `maps export`: streams, files, exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from connector.cli.app import run
from connector.mapping.document import parse_document, read_document
from connector.shipped import shipped
from tests.unit.mapping.moving import samples

CARD, POINTS = samples.MAPS


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with the files of a dual-write deployment in it."""
    assert run(["init", str(tmp_path), "--json"]) == 0
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cards.json").write_text(json.dumps(samples.map_json(CARD)), "utf-8")
    (tmp_path / "page.md").write_text(samples.newer_page(CARD, POINTS), "utf-8")
    return tmp_path


def shipped_map(name: str) -> dict[str, Any]:
    return read_document(shipped("mappings") / f"{name}.yaml").model_dump()


def printed(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    value = json.loads(capsys.readouterr().out)
    assert isinstance(value, dict)
    return value


def test_maps_are_printed_as_one_stream(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run(["maps", "import", "page.md"]) == 0
    captured = capsys.readouterr()
    texts = captured.out.split("\n---\n")
    assert [parse_document(text).model_dump() for text in texts] == [
        shipped_map(CARD),
        shipped_map(POINTS),
    ]
    assert "loyalty-card: 7 rows" in captured.err


def test_maps_are_written_to_a_folder_and_nothing_is_overwritten_unasked(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert run(["maps", "import", "page.md", "cards.json", "--out", "new", "--json"]) == 0
    told = printed(capsys)
    assert [one["file"] for one in told["maps"]] == [
        "new/loyalty-card.yaml",
        "new/loyalty-reward-points.yaml",
    ]
    assert [problem["code"] for problem in told["left"]] == ["import-version-left"]
    for name in samples.MAPS:
        assert read_document(folder / "new" / f"{name}.yaml").model_dump() == shipped_map(name)
    (folder / "new" / "loyalty-card.yaml").write_text("mine", "utf-8")
    assert run(["maps", "import", "page.md", "--out", "new", "--json"]) == 2
    assert printed(capsys)["error"]["code"] == "file-exists"
    assert (folder / "new" / "loyalty-card.yaml").read_text("utf-8") == "mine"
    assert run(["maps", "import", "page.md", "--out", "new", "--force"]) == 0
    assert read_document(folder / "new" / "loyalty-card.yaml").fields


def test_what_is_left_out_ends_with_3(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "old.md").write_text(samples.older_page(CARD), "utf-8")
    capsys.readouterr()
    assert run(["maps", "import", "old.md"]) == 3
    captured = capsys.readouterr()
    assert "import-row: old.md:6" in captured.err
    assert "not carried over" in captured.out


@pytest.mark.parametrize("name", ["loyalty-card", "Loyalty card", "MSDYN_LOYALTYCARDS"])
def test_one_map_is_chosen_by_any_of_its_names(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    capsys.readouterr()
    assert run(["maps", "import", "page.md", "--map", name, "--json"]) == 0
    assert [one["map"] for one in printed(capsys)["maps"]] == [CARD]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["page.md", "--map", "nothing"], "map-unknown"),
        (["page.md", "--key", "CardNumber"], "import-several"),
        (["config/connector.toml"], "import-not-a-map"),
        (["nowhere.json"], "import-unreadable"),
        (["cards.json", "--out", "cards.json"], "folder-unwritable"),
    ],
)
def test_what_cannot_be_meant_ends_with_2(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str], code: str
) -> None:
    capsys.readouterr()
    assert run(["maps", "import", *words, "--json"]) == 2
    assert printed(capsys)["error"]["code"] == code


def test_a_map_goes_there_and_comes_back(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run(["maps", "export", POINTS, "--out", "points.json", "--json"]) == 0
    told = printed(capsys)
    assert json.loads((folder / "points.json").read_text("utf-8")) == told["document"]
    currency = next(
        mapping
        for mapping in told["document"]["legs"][0]["fieldMappings"]
        if mapping["sourceField"] == "REWARDPOINTCURRENCY"
    )
    assert currency["destinationLookupFieldRelatedEntity"] == "transactioncurrencies"
    assert {problem["code"] for problem in told["problems"]} == {"export-not-understood"}
    assert run(["maps", "import", "points.json", "--json"]) == 0
    (one,) = printed(capsys)["maps"]
    assert one["problems"] == []
    assert parse_document(one["yaml"]).model_dump() == shipped_map(POINTS)
    assert run(["maps", "export", POINTS, "--out", "points.json", "--json"]) == 2
    assert printed(capsys)["error"]["code"] == "file-exists"


def test_an_export_is_printed_and_its_notes_stay_out_of_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert run(["maps", "export", CARD, "--plain"]) == 0
    captured = capsys.readouterr()
    assert "x-dualwrite" not in json.loads(captured.out)
    assert "export-not-understood" in captured.err
    assert "left out, as --plain says" in captured.err
