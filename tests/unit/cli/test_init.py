"""`dualwrite init`: a project that works as written, and nothing overwritten unasked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connector.cli.app import run
from connector.settings import load_settings


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_writes_config_maps_and_gitignore(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "new" / "project"
    assert run(["init", str(folder)]) == 0
    assert {
        ".gitignore",
        "config/connector.toml",
        "mappings/loyalty-card.yaml",
        "mappings/loyalty-reward-points.yaml",
        "programs/gold-club.yaml",
        "segments/lapsed.yaml",
    } <= files(folder)
    assert "/var/" in (folder / ".gitignore").read_text().splitlines()
    monkeypatch.chdir(folder)
    assert load_settings().commerce.kind == "ledger"


def test_json_lists_what_was_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init", str(tmp_path), "--json"]) == 0
    captured = capsys.readouterr()
    answer = json.loads(captured.out)
    assert answer["folder"] == str(tmp_path)
    assert set(answer["written"]) == files(tmp_path)
    assert captured.err == ""


def test_refuses_to_overwrite_and_then_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = tmp_path / "config" / "connector.toml"
    mine.parent.mkdir()
    mine.write_text("mine")
    assert run(["init", str(tmp_path)]) == 2
    assert "file-exists" in capsys.readouterr().err
    assert files(tmp_path) == {"config/connector.toml"}
    assert mine.read_text() == "mine"


def test_force_overwrites(tmp_path: Path) -> None:
    mine = tmp_path / "config" / "connector.toml"
    mine.parent.mkdir()
    mine.write_text("mine")
    assert run(["init", str(tmp_path), "--force"]) == 0
    assert "[commerce]" in mine.read_text()


def test_an_existing_gitignore_keeps_its_lines(tmp_path: Path) -> None:
    ignore = tmp_path / ".gitignore"
    ignore.write_text("*.log")
    assert run(["init", str(tmp_path)]) == 0
    assert ignore.read_text() == "*.log\n/var/\n"
    assert run(["init", str(tmp_path), "--force"]) == 0
    assert ignore.read_text() == "*.log\n/var/\n"


def test_a_folder_that_cannot_be_made_is_one_clear_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert run(["init", str(tmp_path / "file" / "below")]) == 2
    assert "folder-unwritable" in capsys.readouterr().err
