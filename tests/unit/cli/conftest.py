"""A terminal on a ledger of its own, for the tests of `dualwrite ledger`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from connector.cli import app as program

Capture = pytest.CaptureFixture[str]


class Terminal:
    """Runs commands on a ledger in the folder of the test."""

    def __init__(self, capture: Capture) -> None:
        self._capture = capture

    def __call__(self, *words: str | Path) -> tuple[int, str, str]:
        line = ["ledger", *map(str, words), "--ledger", "sqlite:///ledger.db"]
        code = program.run(line)
        shown = self._capture.readouterr()
        return code, shown.out, shown.err

    def json(self, *words: str | Path) -> tuple[int, dict[str, Any]]:
        code, out, err = self(*words, "--json")
        assert err == ""
        return code, json.loads(out)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> Terminal:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr("getpass.getuser", lambda: "ann")
    return Terminal(capsys)
